"""A slice is shown as text and as a page without markup of anybody else's."""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET

import pytest

from nbtrack.records import CellRecord, FlowRecord
from nbtrack.slices.slice import slice_of_variable
from nbtrack.slices.slice_view import ROWS_SHOWN, slice_html, slice_text

HOSTILE = [
    "<script>alert(1)</script>",
    "</code></td><img src=x onerror=alert(1)>",
    "' onload='alert(1)",
    '"><svg/onload=alert(1)>',
    "a\x00b\x1b[31m\u202e",
    "\ufffe\ud800 lone",
]
OURS = {
    *("div", "b", "span", "img", "table", "tbody", "tr", "td"),
    *("code", "details", "summary", "pre"),
}


def cell(seq, source, *, reads=(), sets=(), **more):
    flow = FlowRecord(reads=reads, writes=dict.fromkeys(sets, "set"), kills=tuple(sets))
    known = {"execution": seq + 1, "ok": True, "flow": flow, **more}
    return CellRecord(seq, f"c{seq}", source=source, source_digest="",
                      started_at="2026-01-01T00:00:00Z", **known)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_cell_becomes_markup(text):
    file = f"@file:/tmp/{text}"
    cells = [
        cell(0, f"w('{text}')", sets=[file], ok=False),
        cell(1, f"unused = '{text}'"),
        cell(2, "x = r()", reads=(file, text), sets=["x"]),
    ]
    found = slice_of_variable(cells, "x")
    page = slice_html(found, verdict=[text])
    tags = set(re.findall(r"<([a-zA-Z]+)", page))
    assert tags <= OURS
    assert not re.search(r"<[^>]*\son\w+\s*=[^>]*>", re.sub(r"'[^']*'", "", page))
    said = slice_text(found, verdict=[text])
    assert not set("\x00\x1b\u202e\ud800") & set(said)


def test_the_picture_has_a_box_for_each_cell_and_needs_nothing_outside():
    cells = [cell(n, "x = 1", sets=["x"]) for n in range(120)]
    page = slice_html(slice_of_variable(cells, "x"))
    [data] = re.findall(r"data:image/svg\+xml;base64,([^']*)", page)
    picture = ET.fromstring(base64.b64decode(data))
    boxes = [node for node in picture if node.tag.endswith("rect")]
    assert len(boxes) == 120
    assert [box.get("fill") != "none" for box in boxes] == [False] * 119 + [True]
    assert "needed: [120]" in page


def test_a_large_slice_stays_small_on_the_page():
    cells = [
        cell(n, f"x += {n}", reads=("x",) if n else (), sets=["x"])
        for n in range(3_000)
    ]
    found = slice_of_variable(cells, "x")
    assert len(found.kept) == 3_000
    page = slice_html(found)
    assert len(page) < 100_000
    assert f"… and {3_000 - ROWS_SHOWN} more" in page
    assert len(slice_text(found).splitlines()) < 2 * ROWS_SHOWN + 10


def test_what_is_not_known_is_said():
    found = slice_of_variable([cell(0, "y = x", reads=("x",), sets=["y"])], "y")
    assert found.grade.letter == "D"
    assert "unknown: x: no cell that was seen sets it" in slice_text(found)
    assert "unknown: x" in slice_html(found)
    gone = slice_of_variable([cell(0, None, sets=["y"])], "y")
    assert "(its text was not kept)" in slice_text(gone)
    assert "(its text was not kept)" in slice_html(gone)

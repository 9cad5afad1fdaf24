from __future__ import annotations

import base64
import math
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
from panel_runs import FIRST, end_run, log_curve, start_run

from nbtrack.analysis.static_panel import static_panel

HOSTILE = [
    "<script>alert(1)</script>",
    "</div><img src=x onerror=alert(1)>",
    "' onload='alert(1)",
    '"><svg/onload=alert(1)>',
    "]]><script>1</script>",
    "a\x00b\x1b[31m\u202e",
    "&lt;b&gt; &amp;",
    "\ufffe\ud800 lone",
]
ALLOWED = {"div", "span", "b", "img", "table", "thead", "tbody", "tr", "th", "td"}


class Reader(HTMLParser):
    """Tags and attributes of a page as a browser would find them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.pictures: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag == "img":
            _, data = dict(attrs)["src"].split("base64,")
            self.pictures.append(base64.b64decode(data).decode())


def _ended(store, *, metric="loss", values=(3.0, 2.0, 1.0), **fields):
    start_run(store, **fields)
    log_curve(store, list(values), metric=metric)
    end_run(store)
    return static_panel(store, FIRST)


def test_an_ended_run_leaves_pictures_a_table_and_text(store):
    bundle = _ended(store)

    page = Reader(bundle["text/html"])
    assert set(bundle) == {"text/html", "text/plain"}
    assert len(page.pictures) == 1
    assert "<img alt='Curve of loss: loss █▅▁'" in bundle["text/html"]
    assert "finished" in bundle["text/html"]
    assert "best 1 @ step 2" in bundle["text/plain"]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_run_becomes_markup(store, text):
    page = Reader(_ended(store, name=text, metric=text + " loss")["text/html"])

    assert page.tags <= ALLOWED
    assert page.attributes <= {"style", "src", "alt", "scope"}
    for picture in page.pictures:
        tags = {node.tag.split("}")[1] for node in ET.fromstring(picture).iter()}
        assert tags <= {"svg", "text", "path", "circle"}


def test_errors_and_params_are_escaped_too(store):
    start_run(store)
    params = [["<b>", "<script>", "literal", None]]
    store.journal.emit({"kind": "params", "run": FIRST, "params": params})
    end_run(store, status="failed", error="Traceback\nValueError: <script>x</script>")

    html = static_panel(store, FIRST)["text/html"]

    assert "ValueError: &lt;script&gt;" in html
    assert Reader(html).tags <= ALLOWED


def grade(store, letter, *why):
    fields = {"grade": letter, "grade_why": "\n".join(why)}
    store.journal.emit({"kind": "run_changed", "run": FIRST, "fields": fields})
    assert store.journal.flush()
    return static_panel(store, FIRST)


def test_the_grade_stands_in_the_heading_with_what_speaks_against_it(store):
    assert "grade" not in _ended(store)["text/plain"]
    bundle = grade(store, "C", "`x` comes from an edited cell [4]", "and 1 more")
    assert bundle["text/plain"].splitlines()[0].endswith("grade C")
    said = "title='`x` comes from an edited cell [4]&#10;and 1 more'"
    assert said in bundle["text/html"]
    assert ">grade C</span>" in bundle["text/html"]
    assert "</span> <span title" in bundle["text/html"]  # where styles are dropped


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_grade_becomes_markup(store, text):
    _ended(store)
    page = Reader(grade(store, text, text)["text/html"])
    assert page.tags <= ALLOWED
    assert not {name for name in page.attributes if name.startswith("on")}


def test_nothing_outside_is_referred_to(store):
    bundle = _ended(store)

    page = Reader(bundle["text/html"])
    text = bundle["text/html"] + "".join(page.pictures)
    outside = re.findall(r"(?:https?:)?//[\w.]+", text)
    assert set(outside) <= {"http://www.w3.org"}  # the name of the SVG language


def test_a_large_run_stays_under_100_kb(store):
    start_run(store)
    values = [math.sin(i / 99) + math.sin(i) / 3 for i in range(20_000)]
    for i in range(40):
        log_curve(store, values[: 20_000 if i < 3 else 500], metric=f"m{i}_loss")
        log_curve(store, values[:500], metric=f"val_m{i}_loss")
    end_run(store)

    bundle = static_panel(store, FIRST)

    assert sum(len(text.encode()) for text in bundle.values()) <= 100_000
    assert "more metrics" in bundle["text/html"]
    assert "more charts" in bundle["text/html"]


def test_nan_and_thinning_are_said(store):
    start_run(store)
    log_curve(store, [1.0, math.nan, math.inf, 0.5])
    fields = {"thinned": 20}
    event = {"kind": "metric_changed", "run": FIRST, "name": "loss", "fields": fields}
    store.journal.emit(event)
    end_run(store)

    bundle = static_panel(store, FIRST)

    for text in bundle.values():
        assert "NaN@1" in text
        assert "thinned 1:20" in text


@pytest.mark.parametrize(
    "values",
    [
        [],
        [0.0],
        [math.nan],
        [1e308, -1e308],
        [5e-324, 0.0],
        [7.0] * 5,
        [1e16, 1e16 + 2],
    ],
)
def test_odd_curves_draw_without_error(store, values):
    page = Reader(_ended(store, values=values)["text/html"])

    for picture in page.pictures:
        assert "nan" not in picture
        ET.fromstring(picture)


def test_a_run_without_metrics_says_so(store):
    start_run(store)
    end_run(store)

    assert "no metrics" in static_panel(store, FIRST)["text/html"]

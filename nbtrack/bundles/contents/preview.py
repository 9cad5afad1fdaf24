"""preview.html of a bundle: one page that opens offline and says all that is in it.

No script and nothing fetched, and the browser is told so; every text of the run is
escaped. It is made from what the bundle holds, so the same bundle has the same page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.report.content import Cell, Grid, Note, Pre
from nbtrack.analysis.report.html import POLICY, block_html
from nbtrack.bundles.contents.manifest_words import (
    about_run,
    gaps_of,
    known_rows,
    metric_rows,
    needs_of,
    verdict_of,
)
from nbtrack.bundles.contents.preview_parts import (
    cells_html,
    checks_html,
    pictures_html,
)
from nbtrack.bundles.contents.preview_style import STYLE
from nbtrack.text import escape, shorten, shown_bytes

if TYPE_CHECKING:
    from nbtrack.bundles.contents.check_item import Item
    from nbtrack.slices.slice import Slice

ROWS_MAX = 200
NAME_MAX, VALUE_MAX = 80, 200
_SHORT = 16  # letters of a digest
_POLICIES = {
    "embed": "in the bundle",
    "ref": "named, not in the bundle",
    "private": "private: its digest alone",
}
_CHECK = "python verify.py"
_RERUN = "uv run run/run.py\nnbtrack rerun FILE.nbt.zip --trust"


def preview_html(
    manifest: Mapping[str, Any],
    *,
    items: Iterable[Item],
    slice: Slice | None,
    curves: Mapping[str, bytes],
    inputs: Mapping[str, Any],
) -> str:
    """The page.

    Parameters
    ----------
    manifest, inputs
        As `manifest.json` and `data/inputs.json` have them.
    items
        As `checklist` gave them.
    slice
        The cells that are in the bundle; None where the run has none.
    curves
        As `curve_members` gave them.

    Examples
    --------
    >>> page = preview_html({"run": {"name": "<script>", "status": "finished"}},
    ...                     items=[], slice=None, curves={}, inputs={})
    >>> "<script>" in page, "&lt;script&gt;" in page
    (False, True)
    """
    every = list(items)
    parts = [
        ("results", "Results", _results(manifest, curves)),
        ("checklist", "Checklist", _checks(every)),
        ("code", "Code", [_code(slice)]),
        ("data", "Data", _data(inputs)),
        ("environment", "Environment", _environment(manifest)),
        ("again", "Check it, run it again", _again(manifest)),
    ]
    name = escape(shorten(str(manifest["run"]["name"]), 200))
    links = "".join(f"<a href='#{key}'>{title}</a>" for key, title, _ in parts)
    return "".join(
        [
            "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>\n",
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n',
            "<meta name='viewport' content='width=device-width,initial-scale=1'>\n",
            "<meta name='referrer' content='no-referrer'>\n",
            f"<title>{name}</title>\n<style>{STYLE}</style></head>\n<body>",
            f"<header><h1>{name}</h1><p class='made'>{escape(about_run(manifest))}</p>",
            f"{_verdict(manifest)}</header>\n<nav><div>{links}</div></nav>\n<main>",
            *(_part(*part) for part in parts),
            f"</main><footer>nbtrack {escape(manifest.get('nbtrack', ''))}</footer>",
            "</body></html>\n",
        ]
    )


def _part(key: str, title: str, blocks: Iterable[str]) -> str:
    inner = "\n".join(blocks)
    return f"<div class='part' id='{key}'><h2>{title}</h2>\n{inner}</div>\n"


def _verdict(manifest: Mapping[str, Any]) -> str:
    word, why = verdict_of(manifest)
    tone = "good" if word == "PROVEN" else "bad"
    told = escape(shorten(why, 1_000))
    return f"<p class='verdict {tone}'><b>{word}</b> {told}</p>"


def _results(manifest: Mapping[str, Any], curves: Mapping[str, bytes]) -> Iterator[str]:
    rows = metric_rows(manifest)
    if rows:
        heads = ("metric", "last", "best", "points", "")
        yield _grid(heads, rows, numeric=(1, 2, 3))
    else:
        yield block_html(Note("The run logged no metrics."))
    yield pictures_html(curves)
    params = manifest["run"].get("params") or {}
    if params:
        yield "<h3>Params</h3>"
        told = [(n, repr(p["value"]), p.get("origin") or "") for n, p in params.items()]
        yield _grid(("name", "value", "where from"), told)
    notes = manifest["run"].get("notes")
    if notes:
        yield "<h3>Notes</h3>"
        yield block_html(Pre("", str(notes)))


def _checks(items: Sequence[Item]) -> Iterator[str]:
    n = sum(item.state == "ok" for item in items)
    yield block_html(Note(f"{n} of {len(items)} are there."))
    yield checks_html(items)


def _code(found: Slice | None) -> str:
    if found is None:
        return cells_html([], target=None)
    return cells_html(found.kept, target=found.target_seq)


def _data(inputs: Mapping[str, Any]) -> Iterator[str]:
    files = [
        (
            str(file["path"]), str(file.get("role") or ""),
            _size(file.get("size_bytes")), _digest(file.get("sha256")),
            _POLICIES.get(file.get("policy") or "", ""),
        )
        for file in inputs.get("files", ())
    ]  # fmt: skip
    variables = [
        (
            str(one["name"]), str(one.get("type") or ""),
            "" if one.get("n_rows") is None else f"{one['n_rows']:,}",
            _digest(one.get("digest")),
        )
        for one in inputs.get("variables", ())
    ]  # fmt: skip
    if not files and not variables:
        yield block_html(Note("The run read no data that nbtrack saw."))
    if files:
        heads = ("file", "role", "size", "sha256", "where it is")
        yield _grid(heads, files, numeric=(2,))
    if variables:
        yield "<h3>Variables</h3>"
        yield _grid(("name", "type", "rows", "digest"), variables, numeric=(2,))


def _size(size_bytes: int | None) -> str:
    return "" if size_bytes is None else shown_bytes(size_bytes)


def _digest(digest: str | None) -> str:
    return f"{digest[:_SHORT]}…" if digest else "not known"


def _environment(manifest: Mapping[str, Any]) -> Iterator[str]:
    yield _grid(("", ""), known_rows(manifest.get("environment", {})))
    for title, key in (("Git", "code"), ("Seeds", "seeds")):
        rows = known_rows(manifest.get(key, {}))
        if rows:
            yield f"<h3>{title}</h3>"
            yield _grid(("", ""), rows)


def _again(manifest: Mapping[str, Any]) -> Iterator[str]:
    yield block_html(Note("Whether a byte was changed; none of its code is run:"))
    yield block_html(Pre("", _CHECK))
    yield block_html(
        Note("The run again: as a script, and with a verdict for each metric.")
    )
    yield block_html(Pre("", _RERUN))
    for title, lines in (
        ("What it needs", [("", line) for line in needs_of(manifest)]),
        ("What is not captured", list(gaps_of(manifest))),
    ):
        if lines:
            yield f"<h3>{title}</h3>"
            told = (f"{what}: {why}" if what else why for what, why in lines)
            yield f"<ul>{''.join(f'<li>{escape(one)}</li>' for one in told)}</ul>"


def _grid(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numeric: Sequence[int] = (),
) -> str:
    shown = [
        [
            Cell(
                shorten(text, NAME_MAX if at == 0 else VALUE_MAX),
                is_number=at in numeric,
            )
            for at, text in enumerate(row)
        ]
        for row in rows[:ROWS_MAX]
    ]
    return block_html(Grid(heads, shown, max(0, len(rows) - ROWS_MAX)))

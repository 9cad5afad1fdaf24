"""A report as Markdown, as a git host shows it; charts are SVG files beside it.

All text of runs is escaped or stands in a fence that is longer than any in it. The only
HTML is the comment on top, which holds what was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from nbtrack.analysis.diff.causes import verdict
from nbtrack.analysis.diff.tables import (
    Table,
    code_title,
    heading,
    metrics_table,
    shown_code,
    tables_of,
)
from nbtrack.analysis.diff.view import cause_text, causes_title
from nbtrack.analysis.model_card import plain
from nbtrack.analysis.report.content import (
    Block,
    Card,
    Cell,
    Difference,
    Grid,
    Heading,
    Note,
    Paper,
    Picture,
    Pictures,
    Pre,
    Report,
    row_of,
)
from nbtrack.text import shorten, visible

COMMENT = "<!-- nbtrack-report "
_TEXT_MAX = 2_000
_ROWS_MAX = 200
_CODE_MAX = 20  # pieces of code of a difference
_LINES_MAX = 400
_BACKTICKS = re.compile("`+")


def markdown_of(report: Report, files: str) -> tuple[str, dict[str, str]]:
    r"""The text, and its pictures by the names they have in the folder `files`.

    Examples
    --------
    >>> from nbtrack.analysis.report.asked import Asked
    >>> from nbtrack.analysis.report.content import Page
    >>> page = Page("overview", "Overview", [Note("*a* <b>")])
    >>> report = Report("r", "2026-11-26", "0.1.0", Asked(), 1, [page])
    >>> markdown_of(report, "r_files")[0].splitlines()[-3]
    '\\*a\\* \\<b\\>'
    """
    written = _Written(files)
    parts = [
        f"{COMMENT}{report.asked.as_json()} -->",
        f"# {_text(report.title)}",
        f"_made {report.made_at} UTC_",
    ]
    for page in report.pages:
        parts.append(f"## {_text(page.title)}")
        for block in page.blocks:
            parts += written.block(block)
    return "\n\n".join([*parts, f"nbtrack {report.version}"]) + "\n", written.pictures


class _Written:
    """Writes blocks, and keeps the pictures that they name."""

    def __init__(self, files: str) -> None:
        self._files = quote(files)
        self.pictures: dict[str, str] = {}

    def block(self, block: Block) -> Iterator[str]:
        match block:
            case Note():
                yield _text(block.text)
            case Heading():
                yield f"### {_text(block.text)}"
            case Grid():
                yield from _grid(block)
            case Pictures():
                yield from map(self._picture, block.each)
            case Pre():
                yield _fenced(block.text)
            case Paper():
                yield block.markdown
                yield _fenced(block.latex, "latex")
            case Card():
                yield re.sub("^#", "###", block.markdown.strip(), flags=re.MULTILINE)
            case Difference():
                yield from _difference(block)

    def _picture(self, picture: Picture) -> str:
        name = f"chart-{len(self.pictures) + 1:02}.svg"
        self.pictures[name] = picture.svg
        return f"![{_text(picture.caption)}]({self._files}/{name})"


def _difference(block: Difference) -> Iterator[str]:
    diff = block.found
    for side, which in ((diff.a, "A"), (diff.b, "B")):
        yield _text(heading(side, which))
    yield f"**{_text(verdict(diff))}**"
    if diff.causes:
        yield _text(causes_title(diff)) + ":"
        yield "\n".join(
            f"{nth}. {_text(cause_text(cause))}: {cause.strength}"
            for nth, cause in enumerate(diff.causes, 1)
        )
    for table in (*tables_of(diff), metrics_table(diff)):
        if table.rows:
            yield f"### {_text(table.title)}"
            yield from _grid(_grid_of(table))
    for change in shown_code(diff)[:_CODE_MAX]:
        yield f"### {_text(code_title(change))}"
        yield _fenced("\n".join(change.unified[:_LINES_MAX]), "diff")
    if diff.unseen:
        yield "Not recorded:"
        yield "\n".join(f"- {_text(text)}" for text in diff.unseen)


def _grid_of(table: Table) -> Grid:
    rows = [row_of(*row) for row in table.rows[:_ROWS_MAX]]
    return Grid(table.heads, rows, max(0, len(table.rows) - _ROWS_MAX))


def _grid(grid: Grid) -> Iterator[str]:
    if not grid.rows:
        return
    n = len(grid.heads)
    numeric = [any(row[at].is_number for row in grid.rows) for at in range(n)]
    lines = [
        _line(map(plain, grid.heads)),
        "|" + "".join("--:|" if is_n else ":--|" for is_n in numeric),
    ]
    lines += [_line(map(_cell, row)) for row in grid.rows]
    yield "\n".join(lines)
    if grid.n_left_out:
        yield f"… and {grid.n_left_out} more"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    text = plain(cell.text, limit=_TEXT_MAX)
    if cell.tone == "best" and text:
        text = f"**{text}**"
    return f"{text} ({plain(cell.note)})" if cell.note else text


def _text(text: str) -> str:
    return plain(" ".join(text.split()), limit=_TEXT_MAX)


def _fenced(text: str, language: str = "") -> str:
    lines = "\n".join(visible(line.expandtabs(4)) for line in text.split("\n"))
    lines = shorten(lines, 100_000)
    longest = max((len(run) for run in _BACKTICKS.findall(lines)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{lines}\n{fence}"

"""A report as one HTML file: no script, nothing fetched, all text of runs escaped.

The browser is told so too: its content policy lets nothing in but this style sheet and
pictures that stand in the file.
"""

from __future__ import annotations

from collections.abc import Sequence

from nbtrack.analysis.diff.html import diff_html
from nbtrack.analysis.diff.view import diff_text
from nbtrack.analysis.report.card_html import card_html
from nbtrack.analysis.report.content import (
    Block,
    Card,
    Cell,
    Difference,
    Grid,
    Heading,
    Note,
    Page,
    Paper,
    Picture,
    Pictures,
    Pre,
    Report,
)
from nbtrack.analysis.report.style import CSS
from nbtrack.text import escape, shorten, visible

POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'"
)
DIFF_MAX = 500_000  # characters of a difference side by side; longer ones are plain
PRE_MAX = 100_000
_DENSE = 5  # columns from which cells stay in one line


def html_of(report: Report) -> str:
    """The file.

    Examples
    --------
    >>> from nbtrack.analysis.report.asked import Asked
    >>> page = Page("overview", "Overview", [Note("<script>")])
    >>> text = html_of(Report("r", "2026-11-26", "0.1.0", Asked(), 1, [page]))
    >>> "<script" in text, "&lt;script&gt;" in text
    (False, True)
    """
    links = "".join(
        f"<a href='#{page.key}'>{escape(page.title)}</a>" for page in report.pages
    )
    return "".join(
        [
            "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>\n",
            f"<meta name='nbtrack-report' content='{report.asked.as_json()}'>\n",
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n',
            "<meta name='viewport' content='width=device-width,initial-scale=1'>\n",
            "<meta name='referrer' content='no-referrer'>\n",
            f"<title>{escape(report.title)}</title>\n<style>{CSS}</style></head>\n",
            f"<body id='all'><header><h1>{escape(report.title)}</h1>",
            f"<p class='made'>made {escape(report.made_at)} UTC</p></header>\n",
            f"<nav><div>{links}<a href='#all'>All pages</a></div></nav>\n<main>",
            *map(_page, report.pages),
            f"</main><footer>nbtrack {escape(report.version)}</footer></body></html>\n",
        ]
    )


def _page(page: Page) -> str:
    blocks = "\n".join(map(block_html, page.blocks))
    title = escape(page.title)
    return f"<section id='{page.key}'><h2>{title}</h2>\n{blocks}</section>\n"


def block_html(block: Block) -> str:
    """One block of a page, with all of its text escaped.

    Examples
    --------
    >>> block_html(Note("<b>"))
    '<p>&lt;b&gt;</p>'
    """
    match block:
        case Note():
            return f"<p>{escape(block.text)}</p>"
        case Heading():
            return f"<h3>{escape(block.text)}</h3>"
        case Grid():
            return _grid(block)
        case Pictures():
            return f"<div class='charts'>{''.join(map(_picture, block.each))}</div>"
        case Pre():
            return _pre(block.title, block.text)
        case Paper():
            return _pre("Markdown", block.markdown) + _pre("LaTeX", block.latex)
        case Card():
            inner = card_html(block.markdown)
            title = escape(block.title)
            return (
                f"<details class='card'><summary><b>{title}</b></summary>"
                f"{inner}</details>"
            )
        case Difference():
            return _difference(block)


def _difference(block: Difference) -> str:
    page = diff_html(block.found)
    if len(page) <= DIFF_MAX:
        return f"<div class='wide'>{page}</div>"
    why = "Too long to be shown side by side; nbtrack.diff shows it."
    return f"<p class='muted'>{why}</p>{_pre('', diff_text(block.found))}"


def _grid(grid: Grid) -> str:
    numeric = [_is_numeric(grid, at) for at in range(len(grid.heads))]
    heads = "".join(
        f"<th{' class=n' * is_n}>{escape(head)}</th>"
        for head, is_n in zip(grid.heads, numeric, strict=True)
    )
    body = "".join(map(_row, grid.rows))
    kind = "grid dense" if len(grid.heads) >= _DENSE else "grid"
    head = f"<thead><tr>{heads}</tr></thead>" if any(grid.heads) else ""
    n = grid.n_left_out
    more = f"<p class='muted'>… and {n} more</p>" if n else ""
    return (
        f"<div class='wide'><table class='{kind}'>{head}<tbody>{body}</tbody></table>"
        f"</div>{more}"
    )


def _is_numeric(grid: Grid, at: int) -> bool:
    return at > 0 and any(row[at].is_number for row in grid.rows)


def _row(row: Sequence[Cell]) -> str:
    first, *rest = row
    cells = "".join(
        f"<td{_class(cell.tone, is_number=cell.is_number)}>{_text(cell)}</td>"
        for cell in rest
    )
    return f"<tr><th scope='row'>{_text(first)}</th>{cells}</tr>"


def _text(cell: Cell) -> str:
    note = ""
    if cell.note:
        note = f" <small{_class(cell.note_tone)}>{escape(cell.note)}</small>"
    return f"{escape(cell.text)}{note}"


def _class(tone: str, *, is_number: bool = False) -> str:
    names = " ".join(name for name in (tone, "n" if is_number else "") if name)
    return f" class='{names}'" if names else ""


def _picture(picture: Picture) -> str:
    caption = escape(picture.caption)
    # A short one is the title that stands in the picture already.
    shown = "" if f">{caption}<" in picture.svg else caption
    above = f"<figcaption>{shown}</figcaption>" if shown else ""
    return f"<figure aria-label='{caption}'>{above}{picture.svg}</figure>"


def _pre(title: str, text: str) -> str:
    head = f"<h4>{escape(title)}</h4>" if title else ""
    lines = "\n".join(
        escape(visible(line)) for line in shorten(text, PRE_MAX).split("\n")
    )
    return f"{head}<pre>{lines}</pre>"

"""A model card as HTML: of Markdown only what `model_card` writes, the rest is text.

Headings, tables and paragraphs. A backslash makes the next character plain, so no text
of a run becomes a mark, and every piece is escaped on its way out.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbtrack.analysis.model_card import TO_BE_WRITTEN
from nbtrack.text import escape

_FIRST, _LAST = 3, 6  # levels of headings within a report


def card_html(markdown: str) -> str:
    r"""The card.

    >>> card_html("# a\\<b\\>\n\ntext\n")
    '<h3>a&lt;b&gt;</h3><p>text</p>'
    """
    return "".join(_parts(markdown))


def cells_of(line: str) -> list[str]:
    r"""The cells of a line of a table, without backslashes.

    >>> cells_of(r"| a\|b | c |")
    ['a|b', 'c']
    """
    cells, cell, chars = [], "", iter(line.strip().removeprefix("|"))
    for char in chars:
        if char == "\\":
            cell += next(chars, "")
        elif char == "|":
            cells.append(cell.strip())
            cell = ""
        else:
            cell += char
    return cells


def _parts(markdown: str) -> Iterator[str]:
    rows: list[str] = []
    for line in [*markdown.split("\n"), ""]:
        if line.startswith("|"):
            rows.append(line)
            continue
        if rows:
            yield _table(rows)
            rows = []
        mark, _, rest = line.partition(" ")
        if mark and set(mark) == {"#"}:
            level = min(_FIRST + len(mark) - 1, _LAST)
            yield f"<h{level}>{escape(_plain(rest))}</h{level}>"
        elif line == TO_BE_WRITTEN:
            yield f"<p class='muted'><em>{escape(line.strip('_'))}</em></p>"
        elif line:
            yield f"<p>{escape(_plain(line))}</p>"


def _table(lines: list[str]) -> str:
    heads, rows = cells_of(lines[0]), map(cells_of, lines[2:])
    shown = "".join(f"<th>{escape(head)}</th>" for head in heads)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
        for row in rows
    )
    head = f"<thead><tr>{shown}</tr></thead>" if any(heads) else ""
    return (
        f"<div class='wide'><table class='grid'>{head}<tbody>{body}</tbody></table>"
        "</div>"
    )


def _plain(text: str) -> str:
    chars = iter(text)
    return "".join(next(chars, "") if char == "\\" else char for char in chars)

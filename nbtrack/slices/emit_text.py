r"""Edits of a cell's text that leave every other character of it alone.

Places come from `ast`, whose columns count bytes; the inside of a string that goes over
several lines is never indented. Foreign text becomes a comment through `comment` only.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nbtrack.text import shorten, visible

COMMENT_MAX = 160  # characters of foreign text in a comment


@dataclass(frozen=True, slots=True)
class Edit:
    """Characters `start` to `end` become `text`."""

    start: int
    end: int
    text: str


class Places:
    """Where the nodes of a parsed text begin and end in it, in characters."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line) + 1)

    def of(self, node: ast.stmt | ast.expr) -> tuple[int, int]:
        """The span of a node.

        >>> Places("é = f(x)").of(ast.parse("é = f(x)").body[0].value)
        (4, 8)
        """
        end_line, end_column = node.end_lineno, node.end_col_offset
        assert end_line is not None
        assert end_column is not None
        return self._at(node.lineno, node.col_offset), self._at(end_line, end_column)

    def before(self, offset: int) -> str:
        """What stands in front of a place in its line."""
        line = next(i for i, s in enumerate(self._starts) if s > offset) - 1
        return self._lines[line][: offset - self._starts[line]]

    def after(self, offset: int) -> str:
        """What stands behind a place in its line."""
        line = next(i for i, s in enumerate(self._starts) if s > offset) - 1
        return self._lines[line][offset - self._starts[line] :]

    def _at(self, line: int, column: int) -> int:
        text = self._lines[line - 1]
        if not text.isascii():
            column = len(text.encode("utf-8")[:column].decode("utf-8"))
        return self._starts[line - 1] + column


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text after all edits, which do not overlap.

    >>> edited("a b c", [Edit(0, 1, "x"), Edit(4, 5, "")])
    'x b '
    """
    for edit in sorted(edits, key=lambda e: e.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def indented(text: str, by: str) -> str:
    r"""The code one block deeper; what stands inside of strings stays as it is.

    >>> indented("x = '''a\nb'''\ny = 1", "  ")
    "  x = '''a\nb'''\n  y = 1"
    """
    inside = _lines_in_strings(text)
    lines = text.split("\n")
    return "\n".join(
        line if not line.strip() or at in inside else by + line
        for at, line in enumerate(lines, start=1)
    )


def _lines_in_strings(text: str) -> set[int]:
    """The numbers of the lines that begin inside of a string."""
    found: set[int] = set()
    opened: list[int] = []  # of f-strings, which are several tokens from 3.12 on
    for token in _tokens(text):
        name = tokenize.tok_name[token.type]
        if name == "STRING":
            found.update(range(token.start[0] + 1, token.end[0] + 1))
        elif name in {"FSTRING_START", "TSTRING_START"}:
            opened.append(token.start[0])
        elif name in {"FSTRING_END", "TSTRING_END"}:
            found.update(range(opened.pop() + 1, token.end[0] + 1))
    return found


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    """The tokens up to where the text stops being Python."""
    try:
        yield from tokenize.generate_tokens(io.StringIO(text).readline)
    except (tokenize.TokenError, SyntaxError):
        return


def in_comment(text: str) -> str:
    r"""Foreign text as it may stand in a comment: one line, no controls.

    >>> in_comment("a\nimport os")
    'a\\nimport os'
    """
    return shorten(visible(text.strip()), COMMENT_MAX)


def wrapped_string(text: str, width: int = 80) -> str:
    r"""A long text without quotes as a constant in brackets, over several lines.

    >>> print(wrapped_string("abcd", 2))
    (
        "ab"
        "cd"
    )
    """
    parts = [text[at : at + width] for at in range(0, len(text), width)] or [""]
    return "(\n" + "".join(f'    "{part}"\n' for part in parts) + ")"


def string_by_lines(text: str) -> str:
    r"""Any text as a constant in brackets, a line of it for each line.

    >>> print(string_by_lines("a\n'''\n"))
    (
        'a\n'
        "'''\n"
    )
    """
    lines = text.split("\n")
    pieces = [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    return "(\n" + "".join(f"    {piece!r}\n" for piece in pieces or [""]) + ")"

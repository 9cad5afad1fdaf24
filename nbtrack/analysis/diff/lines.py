r"""Two texts line by line: as the lines of a unified diff, and side by side.

Words that changed within a line are told apart, so that a view can mark them. Texts
of more than two thousand lines are compared by their digest alone.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

LINES_MAX = 2_000  # beyond, difflib may take seconds; and who would read it
CONTEXT = 3  # lines shown around a change
_WORDS = re.compile(r"\d[\w.]*|\w+|\s+|[^\w\s]")  # 0.1 is one
_WORDS_MAX = 120  # of a line, 3 ms at worst; beyond, all of it counts as changed
_ALIKE = 0.3  # below, words in common are chance

Kind = Literal["same", "changed", "only in a", "only in b", "gap"]
Words = tuple[tuple[str, bool], ...]  # text, whether it changed


@dataclass(frozen=True, slots=True)
class SideLine:
    """One row of two texts side by side; numbers count from 1."""

    kind: Kind  # "gap": `n_left_out` lines that are the same
    n_a: int | None = None
    a: str = ""
    n_b: int | None = None
    b: str = ""
    n_left_out: int = 0


def unified(a: str, b: str, *, context: int = CONTEXT) -> tuple[str, ...]:
    r"""The lines of a unified diff, without the two that name files.

    >>> unified("x = 1\ny = 2", "x = 1\ny = 3")
    ('@@ -1,2 +1,2 @@', ' x = 1', '-y = 2', '+y = 3')
    """
    old, new = _lines(a), _lines(b)
    if max(len(old), len(new)) > LINES_MAX:
        return ()
    made = difflib.unified_diff(old, new, n=context, lineterm="")
    return tuple(made)[2:]


def side_by_side(a: str, b: str, *, context: int = CONTEXT) -> tuple[SideLine, ...]:
    r"""The rows of two texts beside one another, far ones that are the same left out.

    >>> for row in side_by_side("x = 1\ny = 2", "x = 1\ny = 3\nz = 4"):
    ...     print(row.kind, "|", row.a, "|", row.b)
    same | x = 1 | x = 1
    changed | y = 2 | y = 3
    only in b |  | z = 4
    """
    old, new = _lines(a), _lines(b)
    if max(len(old), len(new)) > LINES_MAX:
        return ()
    codes = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    rows: list[SideLine] = []
    for nth, (tag, i1, i2, j1, j2) in enumerate(codes):
        if tag == "equal":
            ends = (nth == 0, nth == len(codes) - 1)
            rows += _equal(old[i1:i2], i1, j1, context, ends)
        else:
            rows += _differing(old[i1:i2], new[j1:j2], i1, j1)
    return tuple(rows)


def words(a: str, b: str) -> tuple[Words, Words]:
    """The parts of two lines, and which of them differ.

    >>> words("lr = 0.1", "lr = 0.2")[1]
    (('lr = ', False), ('0.2', True))
    """
    one, other = _WORDS.findall(a), _WORDS.findall(b)
    if max(len(one), len(other)) > _WORDS_MAX:
        return ((a, True),), ((b, True),)
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return ((a, True),), ((b, True),)
    left: list[tuple[str, bool]] = []
    right: list[tuple[str, bool]] = []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        for parts, taken in ((left, one[i1:i2]), (right, other[j1:j2])):
            if taken:
                parts.append(("".join(taken), tag != "equal"))
    return tuple(left), tuple(right)


def _lines(text: str) -> list[str]:
    # Not `splitlines`: a form feed within a line is no end of it.
    return text.replace("\r\n", "\n").split("\n") if text else []


def _equal(
    lines: Sequence[str], i1: int, j1: int, context: int, ends: tuple[bool, bool]
) -> Iterator[SideLine]:
    """Lines that are the same: those beside a change, and how many were left out."""
    is_first, is_last = ends
    before = 0 if is_first else context
    after = 0 if is_last else context
    n_out = len(lines) - before - after
    for k, line in enumerate(lines):
        if n_out > 1 and before <= k < len(lines) - after:
            if k == before:
                yield SideLine("gap", n_left_out=n_out)
        else:
            yield SideLine("same", i1 + k + 1, line, j1 + k + 1, line)


def _differing(
    old: Sequence[str], new: Sequence[str], i1: int, j1: int
) -> Iterator[SideLine]:
    for k in range(max(len(old), len(new))):
        if k >= len(old):
            yield SideLine("only in b", None, "", j1 + k + 1, new[k])
        elif k >= len(new):
            yield SideLine("only in a", i1 + k + 1, old[k])
        else:
            yield SideLine("changed", i1 + k + 1, old[k], j1 + k + 1, new[k])

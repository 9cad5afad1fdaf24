"""The kept cells of a slice as texts of new cells, each saying where it is from.

Texts alone: nothing is run and nothing is put anywhere. A line that says where a cell
is from never comes before a cell magic that has to be its first line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from nbtrack.slices.closure import KeptCell, label_of
from nbtrack.text import shorten, visible

REASON_MAX = 120  # characters
_MAGIC = re.compile(r"%%(\w*)")
# A comment may stand above `%%track`; under these the body is Python.
_TRACKED = frozenset({"track", "nbtrack"})
_AROUND_PYTHON = frozenset({"time", "timeit", "capture", "prun", "memit"})


def restored_cells(kept: Sequence[KeptCell], target: str) -> list[str]:
    r"""One text for each cell, in the order in which they ran.

    >>> from nbtrack.records import CellRecord
    >>> cell = CellRecord(0, None, 4, "x = 1", "", "")
    >>> restored_cells([KeptCell(cell, ("sets x, which [7] reads",))], "run base")
    ['# [4] of run base: sets x, which [7] reads\nx = 1']
    """
    return [
        _marked(k.cell.source, _mark(k, target))
        for k in kept
        if k.cell.source is not None
    ]


def not_kept(kept: Sequence[KeptCell]) -> list[str]:
    """The cells whose text is not known.

    >>> not_kept([])
    []
    """
    return [label_of(k.cell) for k in kept if k.cell.source is None]


def as_one_cell(kept: Sequence[KeptCell], target: str) -> str:
    r"""All of them as one cell, for front ends that put one below and no more.

    >>> from nbtrack.records import CellRecord
    >>> cells = [CellRecord(0, None, 4, "x = 1", "", ""),
    ...          CellRecord(1, None, 7, "%%track base\nloss = x", "", "")]
    >>> print(as_one_cell([KeptCell(cell, ()) for cell in cells], "run base"))
    # [4] of run base
    x = 1
    <BLANKLINE>
    # [7] of run base
    # %%track base
    loss = x
    """
    parts = [
        f"{_mark(k, target)}\n{_without_magic(k.cell.source)}"
        for k in kept
        if k.cell.source is not None
    ]
    return "\n\n".join(part.strip("\n") for part in parts)


def _mark(kept: KeptCell, target: str) -> str:
    reasons = shorten("; ".join(kept.reasons), REASON_MAX)
    where = f"# {label_of(kept.cell)} of {target}"
    # One line whatever the names are: a line break would end the comment.
    return visible(f"{where}: {reasons}" if reasons else where)


def _marked(source: str, mark: str) -> str:
    above, magic, body = _parted(source)
    if magic is None or _name_of(magic) in _TRACKED:
        return f"{mark}\n{source}"
    if _name_of(magic) in _AROUND_PYTHON:
        return "\n".join([*above, magic, mark, *body])
    return source


def _without_magic(source: str) -> str:
    """A cell magic in the middle of a cell is no Python: it is made a comment."""
    above, magic, body = _parted(source)
    if magic is None:
        return source
    if _name_of(magic) in _TRACKED | _AROUND_PYTHON:
        return "\n".join([*above, f"# {magic}", *body])
    whole = [f"# {line}" for line in [*above, magic, *body]]
    return "\n".join(["# (a cell of its own:)", *whole])


def _parted(source: str) -> tuple[list[str], str | None, list[str]]:
    """What stands above a cell magic, its line, and the rest."""
    lines = source.split("\n")
    for at, line in enumerate(lines):
        if line.lstrip().startswith("%%"):
            return lines[:at], line.strip(), lines[at + 1 :]
        if line.strip() and not line.lstrip().startswith("#"):
            break
    return [], None, lines


def _name_of(magic: str) -> str:
    found = _MAGIC.match(magic)
    return found[1] if found else ""

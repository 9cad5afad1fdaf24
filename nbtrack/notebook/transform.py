"""`%%track` as an input transformation: the cell stays the cell.

The line of the magic becomes one call that begins the run; every other line stays
where it is, so display, top-level await, tracebacks, Run All and Ctrl-C are those of
the cell without it. The function is pure and idempotent (IPython calls it more than
once per cell, and on cells that are never run) and knows nothing of runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

MAGIC_NAMES = ("track", "nbtrack")
BEGIN = "__import__('nbtrack')._begin"  # stands in tracebacks near line 1: keep short

_INNER_MAGIC = re.compile(r"%%(\w+)(?!\w|\?)[ \t]?(.*)")


class TrackTransform:
    r"""The cleanup transformation for a set of magic names.

    Examples
    --------
    >>> TrackTransform()(["# note\n", "%%track base\n", "x = 1\n"])
    ['# note\n', "__import__('nbtrack')._begin('base')\n", 'x = 1\n']
    """

    # IPython asks this before it judges an unfinished cell in a terminal: like every
    # cell magic, ours is complete only at a blank line.
    has_side_effects = True

    def __init__(self, names: Sequence[str] = MAGIC_NAMES) -> None:
        self._magic = magic_line(names)

    def __call__(self, lines: list[str]) -> list[str]:
        """The cell's lines with the magic's line replaced; other cells as they are."""
        at = first_code_line(lines)
        found = self._magic.match(lines[at]) if at < len(lines) else None
        if found is None:
            return lines
        begin = f"{BEGIN}({found['line'].strip()!r})\n"
        return [*lines[:at], begin, *_below(lines[at + 1 :])]


def magic_line(names: Sequence[str] = MAGIC_NAMES) -> re.Pattern[str]:
    """What matches the magic's line; `%%track?` asks for help and is left alone."""
    return re.compile(rf"%%(?:{'|'.join(names)})(?![\w?])(?P<line>[^\n]*)")


def first_code_line(lines: Sequence[str]) -> int:
    """The index of the first line that is neither blank nor a comment."""
    for at, line in enumerate(lines):
        text = line.strip()
        if text and not text.startswith("#"):
            return at
    return len(lines)


def _below(lines: list[str]) -> list[str]:
    """The rest of the cell, as IPython would have cleaned it had it stood alone."""
    at = first_code_line(lines)
    if at == len(lines):
        return lines
    inner = _INNER_MAGIC.match(lines[at])
    if inner is None:
        return _dedented(lines, at)
    # The begin call runs first and outside the inner magic, whose body keeps its lines.
    name, line, body = inner[1], inner[2].rstrip(), "".join(lines[at + 1 :])
    call = f"get_ipython().run_cell_magic({name!r}, {line!r}, {body!r})\n"
    return [*lines[:at], call]


def _dedented(lines: list[str], at: int) -> list[str]:
    """IPython accepts a cell that is indented as a whole; so does a tracked one."""
    space = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    if not space:
        return lines
    return [line.removeprefix(space) for line in lines]


def inner_magics_peeled(raw_cell: str, peel: Callable[[str], bool]) -> tuple[str, int]:
    r"""The Python below the cell magics that run their body here, and where it starts.

    Parameters
    ----------
    raw_cell : str
        The cell as it was typed.
    peel : callable
        Whether the body of the magic of that name is Python that runs in this kernel.

    Examples
    --------
    >>> inner_magics_peeled("%%time\n%%track\nx", {"time", "track"}.__contains__)
    ('x', 2)
    """
    lines = raw_cell.splitlines(keepends=True)
    start = 0
    while True:
        at = start + first_code_line(lines[start:])
        inner = _INNER_MAGIC.match(lines[at]) if at < len(lines) else None
        if inner is None or not peel(inner[1]):
            return "".join(lines[start:]), start
        start = at + 1

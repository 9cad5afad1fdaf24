"""A slice's script, taken apart into the cells that a replay runs one by one.

The script says where its cells begin (`# %% [cell 12 · exec 31 · tracked]`); what
stands above the first mark belongs to all of them. Text in, values out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from nbtrack.errors import OptionError

_MARK = re.compile(
    r"^# %% \[(?P<label>cell (?P<cell>\d+)(?: · exec (?P<execution>\d+))?)"
    r"(?P<tracked> · tracked)?\].*$"
)
_BETWEEN = "what the script does beside the cells"
_MAGIC = re.compile(r"^# ?%%(?:track|nbtrack)(?P<line>[^\w?\n][^\n]*)?$")
_RESUME = re.compile(r"(?:^|\s)--resume\b")


@dataclass(frozen=True, slots=True)
class Segment:
    """What is run as one cell."""

    label: str  # "cell 12 · exec 31"
    source: str
    execution: int | None = None
    tracked: bool = False
    looks: tuple[str, ...] = ()  # variables whose digest is taken after it
    records: int | None = None  # of the runs that it begins, the one that is asked for


def segments_of(source: str, n_lines: Mapping[int, int] | None = None) -> list[Segment]:
    r"""The cells of a script, the tracked one with its magic on top again.

    Parameters
    ----------
    source
        The script.
    n_lines
        Of the cell that begins in that line (from 1), where that is known; what stands
        between its end and the next one belongs to no cell.

    Raises
    ------
    OptionError
        When the tracked cell went on with a run that was there before.

    >>> script = "# %% [cell 1 · exec 2]\nx = 1\n# %% [cell 3 · tracked]\n# %%track\nx"
    >>> [segment.source for segment in segments_of(script)]
    ['x = 1\n', '%%track --no-live\nx']
    """
    lines = source.split("\n")
    found = (at for at, line in enumerate(lines) if _MARK.match(line))
    # A text of a cell may look like a mark: where the marks are known, it is none.
    marks = [at for at in found if n_lines is None or at + 1 in n_lines]
    segments, done = [], 0
    for at, after in zip(marks, [*marks[1:], len(lines)], strict=False):
        end = min(after, at + (n_lines or {}).get(at + 1, len(lines)))
        segments.append(Segment(_BETWEEN, _joined(lines[done:at])))
        segments.append(_of_cell(lines[at], _joined(lines[at + 1 : end], end, lines)))
        done = end
    segments.append(Segment(_BETWEEN, _joined(lines[done:])))
    return [segment for segment in segments if _says_something(segment)]


def recording(segments: Sequence[Segment], nth: int) -> tuple[Segment, ...]:
    """The same, where the last cell records the run that is asked for, the nth of it.

    >>> [s.records for s in recording([Segment("a", "x"), Segment("b", "y")], 0)]
    [None, 0]
    """
    cells = [at for at, each in enumerate(segments) if each.label != _BETWEEN]
    last = cells[-1] if cells else -1
    return tuple(
        replace(each, records=nth) if at == last else each
        for at, each in enumerate(segments)
    )


def _of_cell(line: str, body: str) -> Segment:
    mark = _MARK.match(line)
    assert mark is not None
    execution = int(mark["execution"]) if mark["execution"] else None
    tracked = mark["tracked"] is not None
    body = _with_magic(body) if tracked else body
    return Segment(mark["label"], body, execution, tracked)


def _joined(part: list[str], end: int = 0, lines: Sequence[str] = ()) -> str:
    """The lines as text; ended, but where the script itself ends."""
    return "\n".join(part) + ("\n" if end < len(lines) else "")


def _with_magic(body: str) -> str:
    first, _, rest = body.partition("\n")
    found = _MAGIC.match(first.strip())
    line = (found["line"] or "").strip() if found else ""
    if _RESUME.search(line):
        raise OptionError("it went on with another run (--resume)")
    if "--no-live" not in line:
        line = f"{line} --no-live".strip()
    return f"%%track {line}\n{rest if found else body}"


def _says_something(segment: Segment) -> bool:
    lines = (line.strip() for line in segment.source.splitlines())
    return segment.tracked or any(line and line[0] != "#" for line in lines)

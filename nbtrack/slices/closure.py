"""Which executed cells a result depends on: the backward closure over their flows.

Every kept and every dropped cell comes with the reason. What was not looked at, or
could not be compared, errs to keeping; what cannot be explained at all is named in
`missing`. Nothing is executed here and no value is looked at: records alone.
"""

from __future__ import annotations

import builtins
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from nbtrack.capture.dataflow.pseudo import (
    ALL_FILES,
    CWD,
    EVERYTHING,
    GENERATOR,
    MARK,
    OF_FILES,
)
from nbtrack.capture.dataflow.static_flow import static_flow
from nbtrack.records import CellRecord, FlowRecord
from nbtrack.slices.generator_states import generators_to_restore

Rung = Literal["slice", "may-mutate", "history"]

# What stands in every notebook without a cell that set it.
_GIVEN = frozenset(dir(builtins)) | {
    *("get_ipython", "display", "In", "Out", "exit", "quit", "open"),
    *("__name__", "__builtins__", "__doc__", "__file__", "__annotations__"),
    *("__loader__", "__package__", "__spec__", "__builtin__"),
}


@dataclass(frozen=True, slots=True)
class KeptCell:
    """A cell of the slice, and what it is kept for."""

    cell: CellRecord
    reasons: tuple[str, ...]  # "sets x, which [7] reads"
    restore: tuple[str, ...] = ()  # generators of `cell.rng` to put back before it


@dataclass(frozen=True, slots=True)
class DroppedCell:
    """A cell that is not needed, and why."""

    cell: CellRecord
    reason: str


@dataclass(frozen=True, slots=True)
class Closure:
    """The cells of a session, divided."""

    kept: tuple[KeptCell, ...]
    dropped: tuple[DroppedCell, ...]
    missing: Mapping[str, str] = field(default_factory=dict)  # variable -> why unknown


def close_over(
    cells: Sequence[CellRecord],
    *,
    target: int | None,
    wanted: Collection[str] = (),
    rung: Rung = "slice",
) -> Closure:
    """The cells that the cell `target`, or the variables `wanted`, depend on.

    Parameters
    ----------
    cells
        All executions of the session, in order.
    target
        The `seq` of the tracked cell, which is kept as the last one; later cells do
        not count. None: the slice of `wanted` at the end of the session.
    wanted
        Variables whose value is asked for.
    rung
        "slice"; "may-mutate": every cell that reads what is needed counts as changing
        it; "history": all cells.

    Raises
    ------
    ValueError
        When no cell has the number `target`.

    >>> made = CellRecord(0, "a", 1, "x = 1", "", "", ok=True, flow=FlowRecord(
    ...     writes={"x": "set"}, kills=("x",)))
    >>> other = CellRecord(1, "b", 2, "y = 2", "", "", ok=True, flow=FlowRecord(
    ...     writes={"y": "set"}, kills=("y",)))
    >>> closure = close_over([made, other], target=None, wanted=["x"])
    >>> [(kept.cell.execution, kept.reasons) for kept in closure.kept]
    [(1, ('sets x, which is asked for',))]
    >>> closure.dropped[0].reason
    'nothing that it changed is read'
    """
    last = _place_of(cells, target)
    walk = _Backwards(rung)
    for name in wanted:
        walk.want(name, "is asked for")
    if last is not None:
        walk.keep(cells[last], "the tracked cell")
    history = cells[:last]
    for cell in reversed(history):
        walk.look_at(cell)
    return walk.result(cells[: None if last is None else last + 1])


def label_of(cell: CellRecord) -> str:
    """The execution as the notebook shows it.

    >>> label_of(CellRecord(4, None, 7, "x", "", ""))
    '[7]'
    """
    numbered = cell.execution is not None
    return f"[{cell.execution}]" if numbered else f"cell {cell.seq + 1}"


def flow_of(cell: CellRecord) -> FlowRecord:
    """What the cell read and changed, by its text alone where nothing else is known.

    >>> flow_of(CellRecord(0, None, 1, "y = f(x)", "", "")).writes
    {'y': 'set'}
    """
    return static_flow(cell.source or "") if cell.flow is None else cell.flow


class _Backwards:
    """What is still needed, from the target to the beginning of the session."""

    def __init__(self, rung: Rung) -> None:
        self._rung = rung
        self._needed: dict[str, str] = {}  # -> who needs it
        # Generators that somebody draws from. Their chains may be cut, as the states at
        # a cell's start are known; a seed in reach says more to people than a state.
        self._draws: dict[str, str] = {}
        self._kept: dict[int, list[str]] = {}
        # Variable -> before which cell, and since which `seq` nobody looked at it.
        self._changed_between: dict[str, tuple[str, int]] = {}

    def want(self, name: str, reader: str) -> None:
        """From here back, somebody needs this."""
        self._needed.setdefault(name, reader)

    def keep(self, cell: CellRecord, *reasons: str) -> None:
        """The cell is needed, and so is what it reads."""
        flow = flow_of(cell)
        self._kept.setdefault(cell.seq, []).extend(reasons)
        for name in flow.kills:
            self._needed.pop(name, None)
            self._draws.pop(name, None)
        for name in flow.reads:
            if name.startswith(GENERATOR) and _has_state(cell, name):
                self._draws.setdefault(name, f"{label_of(cell)} draws from")
            else:
                self.want(name, f"{label_of(cell)} reads")
        self._note_between(cell, flow)

    def look_at(self, cell: CellRecord) -> None:
        """Keep the cell if it changed something needed."""
        flow = flow_of(cell)
        reasons = list(self._reasons(cell, flow))
        if reasons:
            self.keep(cell, *reasons)
        else:
            for name in flow.writes:
                self._draws.pop(name, None)
            self._note_between(cell, flow)

    def _reasons(self, cell: CellRecord, flow: FlowRecord) -> Iterator[str]:
        if self._rung == "history":
            yield "all cells are kept"
            return
        for name, how in flow.writes.items():
            if (reader := self._reader_of(name)) is not None:
                yield f"{_verb(how)} {_shown(name)}, which {reader}"
        for name, why in flow.may_write.items():
            if name not in flow.writes and (reader := self._reader_of(name)):
                yield f"may change {_shown(name)} ({why}), which {reader}"
        for name in flow.kills:
            if name in self._draws:
                yield f"seeds {_shown(name)}, which {self._draws[name]}"
        if self._rung == "may-mutate":
            for name in flow.reads:
                if name not in flow.writes and name in self._needed:
                    yield f"reads {_shown(name)}, which {self._needed[name]}"
        for name, (before, since) in self._changed_between.items():
            if flow.notes.keys() & {"threads", "handlers"}:
                yield f"may have changed {_shown(name)} in the background {before}"
            elif cell.seq >= since and flow.reads:
                yield f"may have changed {_shown(name)} unseen, {before}"

    def _reader_of(self, name: str) -> str | None:
        """Who needs `name`; None where nobody does."""
        if name in self._needed:
            return self._needed[name]
        if EVERYTHING in self._needed and not name.startswith(GENERATOR):
            return self._needed[EVERYTHING]
        if ALL_FILES in self._needed and name.startswith(OF_FILES):
            return self._needed[ALL_FILES]
        return None

    def _note_between(self, cell: CellRecord, flow: FlowRecord) -> None:
        """What changed by itself before this cell, and is needed after it."""
        for name, ago in flow.between.items():
            if self._reader_of(name) is not None or cell.seq in self._kept:
                when = (f"before {label_of(cell)}", cell.seq - ago)
                self._changed_between.setdefault(name, when)

    def result(self, cells: Sequence[CellRecord]) -> Closure:
        """The division, with the generators that are to be put back."""
        kept_seqs = frozenset(self._kept)
        restore = generators_to_restore(cells, kept_seqs, flow_of)
        kept = tuple(
            KeptCell(
                cell,
                tuple(dict.fromkeys(self._kept[cell.seq])),
                restore.get(cell.seq, ()),
            )
            for cell in cells
            if cell.seq in kept_seqs
        )
        dropped = tuple(
            DroppedCell(cell, _why_dropped(cell))
            for cell in cells
            if cell.seq not in kept_seqs
        )
        return Closure(kept, dropped, self._missing())

    def _missing(self) -> dict[str, str]:
        found = {
            name: "no cell that was seen sets it"
            for name in self._needed
            if not name.startswith(MARK) and name not in _GIVEN
        }
        for name, (before, _) in self._changed_between.items():
            found[name] = f"it changed between cells, {before}"
        return found


def _place_of(cells: Sequence[CellRecord], target: int | None) -> int | None:
    if target is None:
        return None
    for place, cell in enumerate(cells):
        if cell.seq == target:
            return place
    raise ValueError(f"no executed cell has the number {target}")


def _has_state(cell: CellRecord, name: str) -> bool:
    return name.removeprefix(GENERATOR) in cell.rng


def _verb(how: str) -> str:
    return {"set": "sets", "changed": "changes", "deleted": "deletes"}.get(how, how)


def _shown(name: str) -> str:
    """A pseudo-variable in words."""
    kind, _, rest = name.removeprefix(MARK).partition(":")
    words = {
        "file": "the file ",
        "env": "the environment variable ",
        "out": "Out ",
        "rng": "the generator ",
    }
    if not name.startswith(MARK):
        return name
    if name == CWD:
        return "the working folder"
    return words.get(kind, f"{kind} ") + rest


def _why_dropped(cell: CellRecord) -> str:
    flow = flow_of(cell)
    if cell.ok is False and not flow.writes:
        return "it raised, and changed nothing"
    if not flow.writes and not flow.may_write:
        return "it changed nothing"
    return "nothing that it changed is read"

"""The grade of a run, A to D: how far the notebook that is there explains its result.

A: what it depends on ran once each, in the notebook's order, stands there unchanged,
and everything was looked at. B: order, repetition or chance matters. C: a cell was
edited since, or raised. D: a cell is gone, or nobody knows where a value came from.
Each culprit is one plain sentence. Records and the saved file decide; no value is
looked at, and what the file cannot show (an edit that is not saved) is not claimed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from nbtrack.capture.dataflow.pseudo import MARK
from nbtrack.records import CellRecord
from nbtrack.slices.closure import Closure, flow_of, label_of
from nbtrack.slices.generator_states import generators_among
from nbtrack.slices.saved_notebook import SavedNotebook
from nbtrack.store.values import epoch_s
from nbtrack.text import shorten, visible

Letter = Literal["A", "B", "C", "D"]
Finding = tuple[Letter, str]

SHOWN = 3  # culprits; the rest is counted
# A front end may still be writing what it had before the cell ran.
SAVE_TAKES_S = 5.0
NO_FILE = "the notebook file was not found: edits and deletions are not known"
_BACKGROUND = ("threads", "handlers")
_SEEDED = re.compile(r"\s*%%(?:nb)?track\b.*\s--seed[\s=]")  # before its first line


@dataclass(frozen=True, slots=True)
class Grade:
    """How good the provenance of a result is."""

    letter: Letter
    culprits: tuple[str, ...] = ()  # worst first, a sentence each
    remark: str = ""  # which save of the notebook it is judged by

    @property
    def lines(self) -> tuple[str, ...]:
        """What is kept and shown of it.

        >>> Grade("D", ("a", "b", "c", "d"), "by the save of 12:00").lines
        ('a', 'b', 'c', 'and 1 more', 'by the save of 12:00')
        """
        more = len(self.culprits) - SHOWN
        rest = [f"and {more} more"] if more > 0 else []
        last = [self.remark] if self.remark else []
        return (*self.culprits[:SHOWN], *rest, *last)


def grade_of(
    cells: Sequence[CellRecord],
    closure: Closure,
    notebook: SavedNotebook | None,
    *,
    target: int | None = None,
) -> Grade:
    """The grade of what `closure` was made for.

    Parameters
    ----------
    cells
        All executions of the session, later ones too: they show what was edited.
    closure
        What the result depends on.
    notebook
        The notebook as it was saved last; None where there is no such file.
    target
        The `seq` of the tracked cell; None for the slice of a variable.

    >>> from nbtrack.records import FlowRecord
    >>> from nbtrack.slices.closure import close_over
    >>> flow = FlowRecord(writes={"x": "set"}, kills=("x",))
    >>> made = CellRecord(0, "a", 1, "x = 1", "d1", "2026-01-01", ok=True, flow=flow)
    >>> edited = CellRecord(1, "a", 2, "", "d2", "2026-01-01", ok=True)
    >>> closure = close_over([made], target=None, wanted=["x"])
    >>> grade_of([made], closure, None).letter
    'A'
    >>> grade_of([made, edited], closure, None).culprits
    ('`x` comes from a cell that was edited since [1]',)
    """
    judge = _Judge(cells, closure, _comparable(cells, notebook), target)
    found = dict.fromkeys(judge.findings())
    # Stable: within a letter the order of execution stays.
    worst_first = sorted(found, key=lambda finding: finding[0], reverse=True)
    letter = worst_first[0][0] if worst_first else "A"
    return Grade(letter, tuple(text for _, text in worst_first), _remark(notebook))


def _comparable(
    cells: Sequence[CellRecord], notebook: SavedNotebook | None
) -> SavedNotebook | None:
    """The notebook, where its ids are those that the front end tells the kernel."""
    if notebook is None or all(notebook.place_of(c.cell_id) is None for c in cells):
        return None
    return notebook


def _remark(notebook: SavedNotebook | None) -> str:
    if notebook is None:
        return NO_FILE
    at = datetime.fromisoformat(notebook.saved_at).astimezone()
    return f"judged by the notebook as it was saved at {at:%Y-%m-%d %H:%M:%S}"


class _Judge:
    """Looks at the kept cells of one result."""

    def __init__(
        self,
        cells: Sequence[CellRecord],
        closure: Closure,
        notebook: SavedNotebook | None,
        target: int | None,
    ) -> None:
        self._cells = cells
        self._kept = closure.kept
        self._missing = closure.missing
        self._notebook = notebook
        self._target = target
        self._latest = {c.cell_id: c for c in cells if c.cell_id is not None}

    def findings(self) -> Iterator[Finding]:
        """Everything that is to be said, a letter and a sentence each."""
        yield from self._unknown_origins()
        for place, kept in enumerate(self._kept):
            is_target = kept.cell.seq == self._target
            what = "the result" if is_target else self._given_by(place)
            yield from self._of_cell(kept.cell, what, is_target=is_target)
        yield from self._repeated()
        yield from self._out_of_order()
        yield from self._by_chance()

    def _unknown_origins(self) -> Iterator[Finding]:
        """What no cell that was seen has set, or what changed by itself."""
        set_by_cells = {n for cell in self._cells for n in flow_of(cell).writes}
        for name, why in self._missing.items():
            if name in set_by_cells:
                yield "B", f"{_quoted([name])} is not sure: {_plain(why)}"
            else:
                yield "D", f"{_quoted([name])} has no known origin: {_plain(why)}"

    def _of_cell(
        self, cell: CellRecord, what: str, *, is_target: bool
    ) -> Iterator[Finding]:
        label = label_of(cell)
        flow = flow_of(cell)
        comes = "come" if " and " in what else "comes"
        if "input" in flow.notes:
            yield "D", f"{what} {comes} from what was typed into {label}"
        if self._is_from_console(cell):
            yield "D", f"{what} {comes} from outside the notebook {label}"
        if self._is_deleted(cell):
            yield "D", f"{what} {comes} from a deleted cell {label}"
        elif self._is_edited(cell):
            yield "C", f"{what} {comes} from a cell that was edited since {label}"
        if cell.ok is False and not is_target:
            yield "C", f"{what} {comes} from a cell that raised {label}"
        if not cell.started_at:
            yield "B", f"{what} {comes} from before nbtrack was loaded {label}"
        elif cell.flow is None:
            yield "B", f"{what} {comes} from a cell that was not looked at {label}"
        elif "unknown" in flow.notes:
            why = _plain(flow.notes["unknown"])
            yield "B", f"not everything in {label} was looked at: {why}"
        if "network" in flow.notes:
            yield "B", f"{what} may come from the network {label}"
        if not is_target and not flow.notes.keys().isdisjoint(_BACKGROUND):
            yield "B", f"{label} leaves something running that may change values"

    def _given_by(self, place: int) -> str:
        """What later kept cells have from this one."""
        flow = flow_of(self._kept[place].cell)
        given = [n for n in (*flow.writes, *flow.may_write) if n not in {"_", "__"}]
        read = {n for kept in self._kept[place + 1 :] for n in flow_of(kept.cell).reads}
        names = [name for name in dict.fromkeys(given) if name in read] or given
        return _quoted(sorted(names, key=lambda name: name.startswith(MARK)))

    def _is_from_console(self, cell: CellRecord) -> bool:
        """Front ends name the cell; before nbtrack was loaded nobody listened."""
        was_seen = bool(cell.started_at) and cell.execution is not None
        return was_seen and cell.cell_id is None and bool(self._latest)

    def _saved_since(self, cell: CellRecord) -> bool:
        if self._notebook is None or not cell.started_at:
            return False
        started = epoch_s(cell.started_at)
        return self._notebook.modified > started + SAVE_TAKES_S

    def _is_deleted(self, cell: CellRecord) -> bool:
        if self._notebook is None or cell.cell_id is None:
            return False
        is_there = self._notebook.place_of(cell.cell_id) is not None
        return not is_there and self._saved_since(cell)

    def _is_edited(self, cell: CellRecord) -> bool:
        """By the file where that is newer than the last execution, else by that one."""
        if cell.cell_id is None:
            return False
        latest = self._latest.get(cell.cell_id, cell)
        place = self._notebook.place_of(cell.cell_id) if self._notebook else None
        if self._notebook is None or place is None or not self._saved_since(latest):
            return latest.source_digest != cell.source_digest
        return cell.source_digest not in self._notebook.cells[place].digests

    def _repeated(self) -> Iterator[Finding]:
        """Executions of one cell that all count: `n += 1`."""
        runs: dict[str, list[CellRecord]] = {}
        for kept in self._kept:
            if kept.cell.cell_id is not None:
                runs.setdefault(kept.cell.cell_id, []).append(kept.cell)
        for same in runs.values():
            if len(same) > 1:
                labels = ", ".join(map(label_of, same))
                yield "B", f"{len(same)} executions of one cell count: {labels}"

    def _out_of_order(self) -> Iterator[Finding]:
        """A kept cell that ran before one that stands above it."""
        if self._notebook is None:
            return
        lowest: tuple[int, CellRecord] | None = None
        for kept in self._kept:
            place = self._notebook.place_of(kept.cell.cell_id)
            if place is None:
                continue
            if lowest is not None and place < lowest[0]:
                above, below = label_of(kept.cell), label_of(lowest[1])
                yield "B", f"{below} ran before {above}, which stands above it"
            else:
                lowest = place, kept.cell

    def _by_chance(self) -> Iterator[Finding]:
        """Random numbers that no kept seed decides."""
        decided: set[str] = set()
        for kept in self._kept:
            flow = flow_of(kept.cell)
            drawn = generators_among(flow.reads) - decided | set(kept.restore)
            if _is_seeded(kept.cell):
                decided, drawn = decided | drawn, set()
            for name in sorted(drawn):
                yield "B", self._drawn(kept.cell, name)
            decided |= drawn | generators_among(flow.kills)  # each is said once

    def _drawn(self, cell: CellRecord, generator: str) -> str:
        """Whether nobody seeded it, or a cell whose numbers were used up since."""
        label, name = label_of(cell), _plain(generator)
        for earlier in reversed([c for c in self._cells if c.seq < cell.seq]):
            if generator in generators_among(flow_of(earlier).kills) or _is_seeded(
                earlier
            ):
                by = label_of(earlier)
                return f"{label} goes on with the random numbers ({name}) of {by}"
        return f"{label} draws random numbers ({name}) unseeded"


def _is_seeded(cell: CellRecord) -> bool:
    return _SEEDED.match(cell.source or "") is not None


def _quoted(names: Sequence[str]) -> str:
    """The first name, and how many there are beside it.

    >>> _quoted(["x"]), _quoted(["x", "y", "z"]), _quoted([])
    ('`x`', '`x` and 2 more', 'something')
    """
    if not names:
        return "something"
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"`{_plain(names[0].removeprefix(MARK))}`{more}"


def _plain(text: str) -> str:
    return shorten(visible(" ".join(text.split())), 60)

"""The log of executed cells, kept with the runs of the session.

From a session's first run on: what was executed before it, then every cell as it ends,
after the run too, as long as the kernel lives. A session that tracks nothing writes
nothing. Each cell is there as it ran, whatever became of it in the notebook since.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from nbtrack.errors import StoreError
from nbtrack.records import CellRecord
from nbtrack.tracking.background import background
from nbtrack.tracking.settings import switched_off

if TYPE_CHECKING:
    from nbtrack.capture.session import ExecutedCell, SessionLog
    from nbtrack.tracking.run import Run

FEATURE = "the log of cells"
CELLS_AT_ONCE = 20  # in one event, which has to fit into the journal


@dataclass(slots=True)
class _Kept:
    """What one store has of the log."""

    run: Run  # the latest one: it stands for the session
    n_sent: int = 0
    running: list[int] = field(default_factory=list)  # sent before they ended


class CellLog:
    """Sends cells of a session's log to the stores in which it has runs."""

    def __init__(self, log: SessionLog) -> None:
        self._log = log
        self._stores: dict[str, _Kept] = {}  # by the store's name for this session
        self._without_text: set[int] = set()  # their run was asked not to keep it
        self._forgotten: set[int] = set()  # purged with their run

    def run_started(self, run: Run) -> None:
        """From now on the store of this run has the log."""
        session = run.store.journal.session
        if not run.captures("source"):
            self._without_text.add(len(self._log.cells) - 1)  # the cell that runs now
        if not run.captures("cells"):
            self._stores.pop(session, None)
            return
        kept = self._stores.setdefault(session, _Kept(run))
        kept.run = run
        self._send(kept)

    def cell_ended(self) -> None:
        """Send what is new; for a session without runs that is nothing."""
        for session, kept in list(self._stores.items()):
            if kept.run.store.journal.is_closed:
                del self._stores[session]
            else:
                self._send(kept)

    def _send(self, kept: _Kept) -> None:
        cells = self._log.cells
        ended = [seq for seq in kept.running if not _is_running(cells[seq])]
        new = range(kept.n_sent, len(cells))
        kept.running = [s for s in (*kept.running, *new) if _is_running(cells[s])]
        kept.n_sent = len(cells)
        seqs = [*ended, *new]
        if seqs:
            background.submit(partial(self._write, kept, seqs), feature=FEATURE)

    def _write(self, kept: _Kept, seqs: list[int]) -> None:
        """In the background, where secrets are looked for."""
        run = kept.run
        off = switched_off(run.store.path)
        self._log.looks_at_values = "slices" not in off
        if not _is_there(run):
            # What somebody removed for good is not written again with the next run.
            self._forgotten.update(range(kept.n_sent))
            self._stores.pop(run.store.journal.session, None)
        elif "cells" not in off:
            off |= {word for word in ("rng", "slices") if not run.captures(word)}
            for part in _batches(seqs):
                run.log_cells(self._record(seq, off) for seq in part)

    def _record(self, seq: int, off: Collection[str]) -> CellRecord:
        cell = self._log.cells[seq]
        is_forgotten = seq in self._forgotten
        is_bare = "source" in off or is_forgotten or seq in self._without_text
        kept = cell.record(seq, rng={} if "rng" in off else None)
        return replace(
            kept,
            source=None if is_bare else kept.source,
            flow=None if "slices" in off or is_forgotten else kept.flow,
        )


def _batches(seqs: list[int]) -> Iterator[list[int]]:
    for at in range(0, len(seqs), CELLS_AT_ONCE):
        yield seqs[at : at + CELLS_AT_ONCE]


def _is_running(cell: ExecutedCell) -> bool:
    return cell.duration_s is None and bool(cell.started_at)


def _is_there(run: Run) -> bool:
    """Whether the run was not purged since it ended: its session's cells went too."""
    if run.status == "running" or not run.store.journal.flush(1.0):
        return True
    try:
        return bool(run.store.runs(ids=[run.id], trashed=None))
    except StoreError:
        return False

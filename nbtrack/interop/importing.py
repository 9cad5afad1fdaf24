"""`nbtrack.import_runs`: the runs of another tool become runs of a store.

Runs are written into a store apart and merged from there, some at a time: each comes
whole or not at all, and a broken one is told and left out. What came stays when an
import is cut off, and the next one goes on.
"""

from __future__ import annotations

import sqlite3
import struct
import zlib
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from nbtrack.capture.values import NotRecordedError
from nbtrack.errors import NbtrackError, StoreReadOnlyError
from nbtrack.interop.foreign import FoundRun, Source
from nbtrack.interop.report import ImportReport, Progress
from nbtrack.interop.sources import open_source, others_at
from nbtrack.interop.taking import Taker
from nbtrack.store import Store
from nbtrack.text import shorten
from nbtrack.tracking.ids import foreign_run_id
from nbtrack.tracking.settled import store_given

BATCH_RUNS = 50
BATCH_POINTS = 2_000_000
# What a reader stumbles over in a file that is damaged, cut off or not what it says.
BROKEN = (
    OSError, EOFError, ValueError, TypeError, LookupError, AttributeError,
    ArithmeticError, RecursionError, sqlite3.Error, struct.error, zlib.error,
    NbtrackError, NotRecordedError,
)  # fmt: skip
_TRIES = 8  # ids for a run whose id another one has


def import_runs(
    place: Path | str,
    tool: str | None = None,
    *,
    store: Store | Path | str | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Take in the runs of another tool, with their ids, times, curves and files.

    Params, metrics with every point (NaN and Inf too), tags, notes, artifacts, texts
    and what else the tool kept. The id that a run had there finds it here as well:
    `store.run("<id there>")`; its facts `origin.tool` and `origin.id` and its tag
    `imported` say where it came from. To import again changes nothing; a run that has
    gone on there is brought up to date. Nothing of the source is changed or run.

    Parameters
    ----------
    place : path or str
        A file, a folder, or an address such as "sqlite:///mlflow.db".
    tool : str, optional
        Who wrote it: "mlflow", "wandb", "tensorboard", ... Default: found out. Where
        several did, the first is taken, and the notices name the others.
    store : Store or path, optional
        Default: the store of this folder.
    progress : callable, optional
        Called with the runs done so far and how many there are.

    Returns
    -------
    ImportReport
        `new`, `updated`: ids here; `skipped`: why, by the id there; and counts.

    Raises
    ------
    ImportSourceError
        Where nothing that is known lies there.
    StoreError
        Where the store cannot be opened or written.

    Examples
    --------
    >>> import nbtrack
    >>> nbtrack.import_runs("no/such/mlruns")
    Traceback (most recent call last):
    ...
    nbtrack.errors.ImportSourceError: There is nothing at 'no/such/mlruns'.
    """
    with (
        closing(open_source(str(place), tool)) as source,
        store_given(store, create=True) as target,
    ):
        others = others_at(str(place), source.tool) if tool is None else []
        return _Import(source, target, progress, others).all()


class _Import:
    """One import: what was found, and what became of it."""

    def __init__(
        self,
        source: Source,
        store: Store,
        progress: Progress | None,
        others: Sequence[str],
    ) -> None:
        if store.why_read_only is not None:
            raise StoreReadOnlyError(store.why_read_only)
        self._source = source
        self._store = store
        self._progress = progress or _tell_nobody
        self._ids: dict[str, str] = {}  # here, by the id there
        self._new: list[str] = []
        self._updated: list[str] = []
        self._skipped: dict[str, str] = {}
        self._notices = [
            f"runs of {other} lie there too, and were not taken: name the tool, {other}"
            for other in others
        ]
        self._counts = {"n_there": 0, "n_params": 0, "n_points": 0, "n_files": 0}

    def all(self) -> ImportReport:
        """Take everything."""
        found = self._source.found()
        for run in found:
            self._ids[run.id] = self._id_for(run)
        todo = [run for run in found if not self._is_here(run)]
        self._counts["n_there"] = n_done = len(found) - len(todo)
        self._progress(n_done, len(found))
        while todo:
            todo = todo[self._some(todo, n_done, len(found)) :]
            n_done = len(found) - len(todo)
        return ImportReport(
            self._source.tool, tuple(self._new), tuple(self._updated),
            skipped=self._skipped, notices=tuple(self._notices), **self._counts,
        )  # fmt: skip

    def _id_for(self, run: FoundRun) -> str:
        """Its id here: the one it had as ours, else one that is made of its own."""
        if run.ours is not None:
            return run.ours
        what = f"{self._source.tool}:{run.id}"
        taken = set(self._ids.values())
        for n in range(_TRIES):
            id_ = foreign_run_id(what + "#" * n, started_at=run.started_at)
            if id_ not in taken and self._is_free_for(run, id_):
                return id_
        raise NbtrackError(f"No id is free for run {run.id!r} of {self._source.tool}.")

    def _is_free_for(self, run: FoundRun, id_: str) -> bool:
        return not self._store.has_run(id_) or self._origin(id_, "id") == run.id

    def _is_here(self, run: FoundRun) -> bool:
        """Whether nothing has changed there since it came."""
        id_ = self._ids[run.id]
        if not self._store.has_run(id_):
            return False
        if self._origin(id_, "id") != run.id:
            return True  # a run that was here before it was pushed there
        if run.state is not None:
            return self._origin(id_, "state") == run.state
        [record] = self._store.runs(ids=[id_], trashed=None)
        return record.status != "crashed"

    def _origin(self, id_: str, name: str) -> object:
        fact = self._store.facts(id_).get(f"origin.{name}")
        return None if fact is None else fact.value

    def _some(self, todo: Sequence[FoundRun], n_done: int, n_all: int) -> int:
        """Take the first of them, as many as a merge is worth; how many they were."""
        with TemporaryDirectory(prefix="nbtrack-import-") as folder:
            with Store.open(folder) as apart:
                taker = Taker(apart, self._store, tool=self._source.tool)
                for n, run in enumerate(todo[:BATCH_RUNS], 1):
                    self._take(taker, apart, run)
                    self._progress(n_done + n, n_all)
                    if taker.counts.n_points >= BATCH_POINTS:
                        break
            self._merge(Path(folder))
        for name, n_taken in asdict(taker.counts).items():
            self._counts[name] += n_taken
        return n

    def _take(self, taker: Taker, apart: Store, found: FoundRun) -> None:
        run_id = self._ids[found.id]
        before = taker.counts
        try:
            run = found.read()
            parent = self._ids.get(run.parent or "")
            taker.take(found, run, run_id=run_id, parent=parent)
        except BROKEN as exc:
            self._skipped[found.id] = shorten(f"{type(exc).__name__}: {exc}", 300)
            taker.counts = before
            if apart.has_run(run_id):
                apart.purge(run_id)
            return
        shown = found.name or found.id
        self._notices += [f"{shown}: {notice}" for notice in run.notices]

    def _merge(self, folder: Path) -> None:
        done = self._store.merge(folder)
        there = {here: id_ for id_, here in self._ids.items()}
        self._new += done.new
        self._updated += done.updated
        self._counts["n_there"] += done.n_there
        self._skipped |= {there.get(run, run): why for run, why in done.skipped.items()}
        self._notices += done.notices


def _tell_nobody(n_done: int, n_all: int) -> None:
    pass

"""Reads the inputs of a run in the background: digest, schema, statistics, drift.

A value that cannot be read, or that
changed meanwhile, is an input all the same, and its record says why it has no digest.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.data_drift import drift
from nbtrack.capture.data_sizes import DataLimits, limits_for, rows_of, size_of
from nbtrack.capture.data_statistics import statistics_of
from nbtrack.capture.data_taking import FIXED, Taken, sampled
from nbtrack.capture.digests import NotDigestible, kind_of, pieces_of
from nbtrack.capture.digests.contents import new_digest
from nbtrack.capture.digests.kinds import shown_kind
from nbtrack.guard import guard, tolerated
from nbtrack.interrupts import Signal
from nbtrack.records import InputRecord
from nbtrack.text import shorten, visible
from nbtrack.tracking.data_worker import FEATURE, Steps, data_worker
from nbtrack.tracking.known_data import known_data
from nbtrack.tracking.settings import read_data_limit

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run

PENDING = "still being read when the process ended"
CHANGED = "changed while it was read"


class DataReading:
    """The inputs of one run; what is known so far stands in `told`."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.told: dict[str, str] = {}  # input -> what became of it since, or ""
        self.left_out: list[str] = []
        self.limits: DataLimits = limits_for(read_data_limit(run.store.path))
        self._n_open = self.used_bytes = 0
        self._lock = threading.Lock()
        self._done = Signal()
        self._done.set()

    def read(self, taken: Iterable[Taken]) -> None:
        """Read these values soon; returns at once."""
        found = list(taken)
        if found:
            self.submit(self._all(found))

    def wait(self, timeout_s: float) -> bool:
        """Whether everything is read, after at most so long."""
        return self._done.wait(timeout_s)

    def keep(self, record: InputRecord) -> InputRecord:
        """Keep a record with what changed since the run before; background only."""
        record = self._beside_earlier(record)
        self.run.log_inputs([record])
        self.told[record.name] = str(record.detail.get("drift") or "")
        return record

    def leave_out(self, what: str, why: str) -> None:
        """Say in the run, and under its cell, what was not read."""
        text = f"{visible(what)}: {why}"
        self.left_out.append(text)
        self._note(text)

    def submit(self, steps: Steps) -> None:
        """Do other work of this run in the same way."""
        with self._lock:
            self._n_open += 1
            self._done.clear()
        data_worker.submit(self._counted(steps))

    # -- inside

    def _counted(self, steps: Steps) -> Steps:
        try:
            yield from steps
        finally:
            with self._lock:
                self._n_open -= 1
                if not self._n_open:
                    self._done.set()

    def _all(self, taken: list[Taken]) -> Steps:
        self.run.log_inputs([_pending(each) for each in taken])
        while taken:
            each = taken.pop(0)  # let go of when it is read
            yield 0.0
            record: InputRecord | None = None
            with guard(FEATURE):
                record = yield from self._record(each)
            if record is not None:
                self.keep(record)

    def _record(self, taken: Taken) -> Generator[float, None, InputRecord]:
        known = known_data.get(taken.value) if taken.held == FIXED else None
        if known is not None:
            return replace(known, name=taken.name)
        record = _pending(taken)
        problems: list[Exception] = []
        with tolerated(problems.append):
            record = yield from self._digested(taken, record)
        self._tell_early(record)
        if self.run.captures("statistics"):
            with tolerated(problems.append):
                told = yield from _timed(statistics_of(taken.value, taken.kind))
                record = replace(record, detail={**told, **record.detail})
        if problems and record.digest is None and record.missing == PENDING:
            record = replace(record, missing=_why(problems[0]))
        if taken.held == FIXED and record.digest is not None:
            known_data.put(taken.value, record)
        return record

    def _tell_early(self, record: InputRecord) -> None:
        """What rows and digest show already: a short cell ends before statistics do."""
        found = self._earlier(record)
        change = drift(record, found[1]) if found else ""
        if found and change and record.digest is not None:
            self.told[record.name] = f"{change} since {found[0]}"

    def _digested(
        self, taken: Taken, record: InputRecord
    ) -> Generator[float, None, InputRecord]:
        """The record with its digest, or with the reason why it has none."""
        refusal = self._refusal(taken, record)
        if refusal is not None:
            sample = taken.sample or sampled(taken.value, taken.kind)
            detail = {**record.detail, "sample_digest": sample}
            self.leave_out(taken.name, refusal)
            return replace(record, missing=refusal, detail=detail)
        try:
            digest = taken.digest or (yield from self._hash(taken.value))
        except NotDigestible as exc:
            parts = yield from self._parts(taken)
            detail = {**record.detail, **({"parts": parts} if parts else {})}
            return replace(record, missing=str(exc), detail=detail)
        if not taken.is_unchanged():
            return replace(record, missing=CHANGED)
        return replace(record, digest=digest, missing=None)

    def _refusal(self, taken: Taken, record: InputRecord) -> str | None:
        size = record.size_bytes
        refusal = self.limits.refusal(size, self.used_bytes)
        if refusal is None:
            self.used_bytes += size or 0
        return refusal

    def _hash(self, value: Any) -> Generator[float, None, str]:
        """Its digest; hashing itself is no Python and holds nobody up."""
        digest, spent = new_digest(), 0.0
        pieces = pieces_of(value)
        while True:
            started = time.perf_counter()
            piece = next(pieces, None)
            python_s = time.perf_counter() - started
            if piece is None:
                return str(digest.hexdigest())
            digest.update(piece)
            spent += python_s
            if spent > self.limits.value_s:
                raise NotDigestible(
                    f"reading it took more than {self.limits.value_s:.0f} s"
                )
            yield python_s

    def _parts(self, taken: Taken) -> Generator[float, None, dict[str, str]]:
        """Of a data set of unknown make: the digests of the data that it holds."""
        value = taken.value.dataset if taken.kind == "loader" else taken.value
        if kind_of(value) != "dataset":
            return {}
        from nbtrack.capture.digests.torch_data import data_within

        found: dict[str, str] = {}
        for name, part in data_within(value):
            size = size_of(part, kind_of(part) or "")
            if self.limits.refusal(size, self.used_bytes) is None:
                with tolerated(lambda _: None):
                    found[name] = yield from self._hash(part)
        return found

    def _earlier(self, record: InputRecord) -> tuple[str, InputRecord] | None:
        from nbtrack.store.values import utc_text

        run = self.run
        return run.store.earlier_input(
            run.experiment, record.name, record.type, before=utc_text(run.started_at)
        )

    def _beside_earlier(self, record: InputRecord) -> InputRecord:
        found = self._earlier(record)
        if found is None:
            return record
        name, earlier = found
        change = drift(record, earlier)
        if not change:
            return record
        since = f"{change} since {name}"
        self._note(f"{record.name} changed: {since.replace('since', 'since run', 1)}")
        return replace(record, detail={**record.detail, "drift": since})

    def _note(self, text: str) -> None:
        """A notice of the run, also where it has ended meanwhile."""
        from nbtrack.tracking.run import without_secrets

        texts = [without_secrets(shorten(text, 300))]
        event = {"kind": "notices", "run": self.run.id, "texts": texts}
        self.run.store.journal.emit(event)


def _pending(taken: Taken) -> InputRecord:
    """What can be said of a value before it is read."""
    size: list[int | None] = [None]
    rows: list[int | None] = [None]
    # An object of theirs may raise anything, also for its length.
    with tolerated(lambda _: None):
        size[0] = size_of(taken.value, taken.kind)
    with tolerated(lambda _: None):
        rows[0] = rows_of(taken.value, taken.kind)
    detail: dict[str, Any] = {"held": taken.held}
    if taken.cell is not None:
        detail["cell"] = taken.cell
    if taken.kind == "loader":
        with tolerated(lambda _: None):
            detail["batch_size"] = taken.value.batch_size
            detail["dataset"] = type(taken.value.dataset).__name__
    elif taken.kind in ("dataset", "hf"):
        detail["class"] = type(taken.value).__name__
    return InputRecord(
        taken.name, shown_kind(taken.kind), None, size[0], rows[0], detail, PENDING
    )


def _timed(
    steps: Generator[None, None, dict[str, Any]],
) -> Generator[float, None, dict[str, Any]]:
    """The same work, telling how long each step took."""
    while True:
        started = time.perf_counter()
        try:
            next(steps)
        except StopIteration as end:
            found: dict[str, Any] = end.value
            return found
        yield time.perf_counter() - started


def _why(exc: Exception) -> str:
    return shorten(visible(f"{type(exc).__name__}: {exc}"), 200)

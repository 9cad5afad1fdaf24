"""Turns saved files into checkpoints of one run, without making the training wait.

The content is that of the save: a small file is copied at once, a large one by the
worker thread, before whose end the next save to the same path waits. The worker hashes,
keeps each content once, and then emits the `checkpoint` event; the order of the saves
is kept. What is not kept (too large, disk nearly full, gone) is said once.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from nbtrack.capture.file_sweep import Stamp, stamp_of
from nbtrack.errors import StoreError, ValueNotLoggedError
from nbtrack.guard import guard
from nbtrack.interrupts import Changes, Signal, Worker
from nbtrack.text import shown_bytes, visible
from nbtrack.tracking.checkpoint_files import CopyFolder
from nbtrack.tracking.checkpoint_objects import write_object
from nbtrack.tracking.checkpoint_policy import Saved
from nbtrack.tracking.checkpoint_pruning import CHECKPOINT, Pruner
from nbtrack.tracking.checkpoint_snapshots import (
    SAID_AFTER_S,
    NoSnapshotError,
    Places,
    snapshot,
)

GIB = 1 << 30
# Copied while the caller waits: at 1.5 GB/s or more, at most 45 ms.
COPY_AT_ONCE_BYTES = 64 << 20
SAVE_WAIT_S = 30.0  # the longest a save waits for the copy of what it overwrites


class Kept(Protocol):
    """What the store says of a file it keeps."""

    @property
    def digest(self) -> str:
        """Sha256 of the content."""

    @property
    def size_bytes(self) -> int:
        """Its length."""


class EventJournal(Protocol):
    """Takes events."""

    def emit(self, event: dict[str, Any]) -> None:
        """Keep an event; never raises."""


class FileStore(Protocol):
    """What this module needs of a store."""

    @property
    def path(self) -> Path:
        """The `.nbtrack` folder."""

    @property
    def journal(self) -> EventJournal:
        """Where events go."""

    def put_file(self, path: Path) -> Kept:
        """Keep a file by its content."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept without asking: a tracker must not fill the disk."""

    file_bytes: int = 2 * GIB
    run_bytes: int = 20 * GIB
    free_bytes: int = 1 * GIB  # left free on the store's disk
    n_names: int = 200  # a cell that writes a file per sample saves no checkpoints


@dataclass(frozen=True, slots=True)
class Moment:
    """What a checkpoint is called and tied to, as of the save."""

    name: str
    type: str
    path: str  # as shown to people; never opened again
    step: int | None
    metrics: Mapping[str, float]
    created_at: str


class CheckpointKeeper:
    """The checkpoints of one run, from the first save to `settle`."""

    def __init__(
        self,
        store: FileStore,
        run_id: str,
        *,
        limits: Limits | None = None,
        pruner: Pruner | None = None,
    ) -> None:
        self.pruner = pruner
        self._store = store
        self._run_id = run_id
        self._limits = limits or Limits()
        self._copies = CopyFolder(store.path)
        self._lock = threading.Lock()
        self._names: set[str] = set()
        self._n_bytes = 0
        self._changed = Changes()
        self._n_open = 0  # jobs
        self._copying: dict[Path, Signal] = {}
        self._worker: Worker | None = None
        self._places = Places()
        self._pid = os.getpid()

    def keep_file(self, path: Path, moment: Moment) -> None:
        """Keep the content that `path` has now, or say why not."""
        stamp = stamp_of(path)
        if stamp is None or os.getpid() != self._pid:
            return
        if not self._admit(moment, stamp):
            return
        if stamp[1] <= COPY_AT_ONCE_BYTES:
            with self._saying_why(moment):
                self.keep_copy(self._copies.copy(path), moment)
            return
        with self._lock:
            done = self._copying[path] = Signal()
        self._submit(self._copy_and_keep, path, stamp, moment, done)

    def keep_copy(self, copy: Path, moment: Moment) -> None:
        """Keep a file that is ours already: made in `new_path()`."""
        if os.getpid() != self._pid:  # the worker did not survive the fork
            copy.unlink(missing_ok=True)
            return
        self._submit(self._keep, copy, moment)

    def keep_state(self, state: Any, suffix: str, moment: Moment) -> bool:
        """Keep tensors and plain values as they are now; False: write them yourself.

        Returns once they are copied in memory; the worker writes the copy.
        """
        if os.getpid() != self._pid:
            return True
        waited = self._places.take()
        if waited is None:
            return False
        if waited > SAID_AFTER_S:
            guard.warn_once(
                f"{self._run_id} waited for the disk",
                "checkpoints are saved faster than the disk takes them: the training "
                f"waits for it ({waited:.1f} s just now). Save less often.",
            )
        copy = None
        try:
            with suppress(NoSnapshotError):
                copy = [snapshot(state)]
        finally:
            if copy is None:
                self._places.free()
        if copy is None:
            return False
        self._submit(self._write_and_keep, copy, suffix, moment)
        return True

    def new_path(self) -> Path:
        """A path in the store for a file that `keep_copy` will take."""
        return self._copies.new_path()

    def wait_for_copy(self, path: Path) -> None:
        """Return when `path` may be overwritten; at once in nearly all cases."""
        copying = self._copying.get(path)
        if copying is not None and not copying.wait(SAVE_WAIT_S):
            guard.warn_once("slow copy", f"the copy of {path.name} is very slow")

    def settle(self, timeout_s: float) -> bool:
        """Wait until all is kept (True) or the time is up (False)."""
        if os.getpid() != self._pid:
            return True
        if self._worker is None:
            return True
        if self.pruner is not None:  # once more: aliases and goals may have moved
            self._submit(self._prune_at_end, self.pruner)
        with self._lock:
            worker, self._worker = self._worker, None
        with self._changed:
            is_done: bool = self._changed.wait_for(lambda: not self._n_open, timeout_s)
        if worker is not None:
            worker.end(wait=is_done)
        return is_done

    def _admit(self, moment: Moment, stamp: Stamp) -> bool:
        """Whether the limits allow this file; counted when they do, said when not."""
        size, limits = stamp[1], self._limits
        free = shutil.disk_usage(self._store.path).free
        with self._lock:
            refusal = self._refusal(moment, size, free)
            if not refusal:
                self._n_bytes += size
                self._names.add(moment.name)
        if refusal:
            what = f"{visible(moment.path)} was not kept as a checkpoint: {refusal}"
            self._say(f"not kept: {refusal.split(' (')[0]} {limits}", what)
        return not refusal

    def _refusal(self, moment: Moment, size: int, free: int) -> str:
        limits = self._limits
        if size > limits.file_bytes:
            most = shown_bytes(limits.file_bytes)
            return f"larger than {most} a file ({shown_bytes(size)})"
        if self._n_bytes + size > limits.run_bytes:
            return f"this run keeps at most {shown_bytes(limits.run_bytes)} of files"
        if free - size < limits.free_bytes:
            return f"the store's disk is nearly full ({shown_bytes(free)} free)"
        if len(self._names) >= limits.n_names and moment.name not in self._names:
            return f"this run keeps at most {limits.n_names} names of files"
        return ""

    def _say(self, kind: str, text: str) -> None:
        first = guard.failures[f"{self._run_id} {kind}"] == 0
        guard.warn_once(f"{self._run_id} {kind}", text)
        if first:
            self._emit("notices", texts=[text])

    def _submit(self, job: Any, *args: Any) -> None:
        with self._lock:
            if self._worker is None:
                self._worker = Worker(name="nbtrack-files")
            with self._changed:
                self._n_open += 1
            self._worker.submit(partial(self._do, job, *args))

    def _do(self, job: Any, *args: Any) -> None:
        try:
            with guard("checkpoint"):
                job(*args)
        finally:
            with self._changed:
                self._n_open -= 1
                self._changed.notify_all()

    @contextmanager
    def _saying_why(self, moment: Moment) -> Iterator[None]:
        """An unreadable file, a full disk: said once, the next save tries again."""
        with guard("checkpoint"):
            try:
                yield
            except (OSError, StoreError, ValueNotLoggedError) as exc:
                why = getattr(exc.__cause__ or exc, "strerror", None) or str(exc)
                what = f"{visible(moment.path)} was not kept as a checkpoint: {why}"
                self._say(f"not kept: {why}", what)

    def _copy_and_keep(
        self, path: Path, stamp: Stamp, moment: Moment, done: Signal
    ) -> None:
        copy, unchanged = None, False
        try:
            with self._saying_why(moment):
                copy = self._copies.copy(path)
                unchanged = stamp_of(path) == stamp
        finally:
            done.set()  # from here on the path may be overwritten
            with self._lock:
                if self._copying.get(path) is done:
                    del self._copying[path]
        if copy is None:
            return
        if unchanged:
            self._keep(copy, moment)
        else:
            copy.unlink(missing_ok=True)
            self._say("overwritten", _overwritten(moment))

    def _write_and_keep(self, copy: list[Any], suffix: str, moment: Moment) -> None:
        path = self.new_path()
        written = False
        try:
            with self._saying_why(moment):
                write_object(copy[0], path, suffix)
                written = True
        finally:
            copy.clear()  # the queue of jobs holds on to it
            self._places.free()
        if written:
            self._keep(path, moment)

    def _keep(self, copy: Path, moment: Moment) -> None:
        with self._saying_why(moment):
            try:
                kept = self._store.put_file(copy)
            finally:
                copy.unlink(missing_ok=True)
            self._emit(
                "checkpoint",
                name=moment.name,
                type=moment.type,
                digest=kept.digest,
                size_bytes=kept.size_bytes,
                path=moment.path,
                step=moment.step,
                metrics=dict(moment.metrics),
                created_at=moment.created_at,
            )
            if self.pruner is not None and moment.type == CHECKPOINT:
                self._prune(self.pruner, kept, moment)

    def _prune(self, pruner: Pruner, kept: Kept, moment: Moment) -> None:
        """What the policy does not keep goes; trouble with that loses no checkpoint."""
        with guard("giving up checkpoints"):
            size, metrics = kept.size_bytes, moment.metrics
            saved = Saved(moment.name, kept.digest, size, moment.step, metrics)
            gone = pruner.saved(saved)
            with self._lock:  # what is gone makes room; models never counted
                counted = [s.size_bytes for s in gone if s.name in self._names]
                self._n_bytes = max(0, self._n_bytes - sum(counted))

    def _prune_at_end(self, pruner: Pruner) -> None:
        with guard("giving up checkpoints"):
            pruner.prune()

    def _emit(self, kind: str, **fields: Any) -> None:
        self._store.journal.emit({"kind": kind, "run": self._run_id, **fields})


def _overwritten(moment: Moment) -> str:
    return (
        f"{visible(moment.path)} was overwritten while it was copied: that version was "
        "not kept"
    )

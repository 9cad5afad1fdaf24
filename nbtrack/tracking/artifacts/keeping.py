"""Keeps what `Run.log_artifact` was given: copies, then says so to the journal.

The version is there, or nothing is: what was copied without an event is garbage that
`gc` collects. A full disk, a locked store, permissions are one line, and the training
goes on; only what the caller has to change is raised.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from nbtrack.errors import (
    ArtifactError,
    MissingExtraError,
    NbtrackError,
    OptionError,
    StoreError,
)
from nbtrack.guard import guard, tolerated
from nbtrack.interrupts import Changes, Thread, interrupt_behind
from nbtrack.records import ArtifactFile, manifest_digest
from nbtrack.text import shorten
from nbtrack.tracking.artifacts.folders import SourceFile
from nbtrack.tracking.artifacts.judging import why_not_better
from nbtrack.tracking.artifacts.logged import WAIT_S, LoggedArtifact
from nbtrack.tracking.artifacts.objects import Form, write_object
from nbtrack.tracking.artifacts.plan import Asked, Plan, planned
from nbtrack.tracking.checkpoint_files import CopyFolder, checkpoint_name

if TYPE_CHECKING:
    from nbtrack.store import Store
    from nbtrack.store.blobs import FileRef
    from nbtrack.tracking.run import Run

FEATURE = "artifacts"
SETTLE_WAIT_S = 60.0  # the longest the end of a run waits for what another thread logs
# The caller's own, and a file that is not there; nothing else reaches the training.
MISTAKES = (ArtifactError, OptionError, MissingExtraError)

T = TypeVar("T")


def log_artifact(run: Run, what: Any, asked: Asked) -> LoggedArtifact:
    """Keep a version; see `Run.log_artifact`. Any: a path, an address, an object."""
    shown = checkpoint_name(asked.name) if isinstance(asked.name, str) else "artifact"
    why = _why_nothing_is_kept(run)
    if why:
        return LoggedArtifact(None, shown, why=why)
    plan: Plan | None = None
    handled = sys.exc_info()[1]
    mistakes: list[Exception] = []
    with guard(FEATURE), _under_way.of(run):
        try:
            plan = planned(run, what, asked)
            return _logged(run, plan, only_if_better=asked.only_if_better)
        except MISTAKES as exc:
            mistakes.append(exc)
        except FileNotFoundError as exc:
            if plan is not None:  # one of ours is gone
                return _not_kept(run, plan.name, exc)
            mistakes.append(exc)
        except (OSError, NbtrackError) as exc:
            if interrupt_behind(exc, handled):
                raise  # the guard lets it through
            return _not_kept(run, plan.name if plan else shown, exc)
    for mistake in mistakes:
        raise mistake
    return LoggedArtifact(None, shown, why="it failed; see the warning")


def settle(run: Run, timeout_s: float = SETTLE_WAIT_S) -> bool:
    """Wait until no thread logs an artifact of this run any more; False: time is up."""
    return _under_way.settle(run, timeout_s)


def _why_nothing_is_kept(run: Run) -> str:
    if not run.is_recorded:
        return "this process is not the first rank and records nothing"
    if run.store.journal.is_inherited:
        return "this is a forked child, which records nothing of its parent's run"
    if run.status != "running":
        guard.warn_once(
            f"finished: {run.id}",
            f"run {run.name!r} is {run.status}; what is recorded after that is not "
            "kept. Start a new run.",
        )
        return f"the run is {run.status}"
    return ""


def _logged(run: Run, plan: Plan, *, only_if_better: bool) -> LoggedArtifact:
    if run.store.why_read_only is not None:
        raise StoreError(run.store.why_read_only)
    for remark in plan.remarks:
        guard.warn_once(f"{run.id} {remark}", remark)
    remarks = tuple(plan.remarks)
    if only_if_better:
        run.store.journal.flush(WAIT_S)  # the best so far may be on its way
        why = why_not_better(
            run.store, plan.name, plan.metrics, metric=plan.metric, goal=plan.goal
        )
        if why:
            return LoggedArtifact(run, plan.name, why=why, remarks=remarks)
    files = _kept_files(run, plan)
    rows = [file.as_row() for file in files]
    at = _utc_now()
    event = {"kind": "artifact", "run": run.id, "name": plan.name, "files": rows}
    run.store.journal.emit({**event, "created_at": at, **plan.about})
    size = sum(file.size_bytes or 0 for file in files if file.uri is None)
    return LoggedArtifact(
        run, plan.name, digest=manifest_digest(files), size_bytes=size, remarks=remarks
    )


def _kept_files(run: Run, plan: Plan) -> list[ArtifactFile]:
    if plan.form is not None:
        return [_kept_object(run.store, plan.form, plan.name + plan.form.suffix)]
    kept = _kept_sources(run.store, plan.sources) if plan.sources else []
    return [*kept, *plan.references]


def _kept_object(store: Store, form: Form, name: str) -> ArtifactFile:
    # Under its own name: torch writes the name of the file into it.
    with CopyFolder(store.path).folder() as folder:
        path = folder / f"content{form.suffix}"
        write_object(form, path)
        [kept] = _apart(lambda: store.put_files([path]))
    return ArtifactFile(name, kept.digest, kept.size_bytes)


def _kept_sources(store: Store, sources: list[SourceFile]) -> list[ArtifactFile]:
    failed: StoreError | None = None
    kept: list[FileRef] = []
    try:
        kept = _apart(lambda: store.put_files([file.path for file in sources]))
    except StoreError as exc:
        failed = exc
    for file in sources:
        if file.has_changed():
            raise ArtifactError(
                f"{shorten(str(file.path), 200)} changed while it was read: it was not "
                "kept. Log it when nobody writes to it."
            )
    if failed is not None:
        raise failed
    return [
        ArtifactFile(file.name, ref.digest, ref.size_bytes)
        for file, ref in zip(sources, kept, strict=True)
    ]


def _apart(job: Callable[[], T]) -> T:
    """Run it in a thread of ours: what it reads is no input of the user's cell."""
    done: list[T] = []
    failed: list[Exception] = []

    def work() -> None:
        with tolerated(failed.append):  # it is raised where it was asked for
            done.append(job())

    # A daemon: Ctrl-C does not wait for the rest of a copy, nor does the process's end.
    worker = Thread(work, name="nbtrack-artifacts")
    try:
        worker.start()
    except RuntimeError:  # the interpreter is about to end
        return job()
    worker.join()
    for exc in failed:
        raise exc
    return done[0]


def _not_kept(run: Run, name: str, exc: Exception) -> LoggedArtifact:
    """Trouble of ours: said once for each reason, the next one is tried again."""
    why = getattr(exc.__cause__, "strerror", None) or str(exc)
    text = f"artifact {name!r} was not kept: {why}"
    kind = f"{run.id} artifact: {why}"
    if not guard.failures[kind]:
        run.notices([text])
    guard.warn_once(kind, text)
    return LoggedArtifact(run, name, why=why)


def _utc_now() -> str:
    from nbtrack.store.values import utc_text

    return utc_text(time.time())


class _UnderWay:
    """Counts, for each run, the calls that are not through yet."""

    def __init__(self) -> None:
        self._changed = Changes()
        # By id: Python throws an interrupt away that comes in a weak reference's call.
        self._calls: Counter[str] = Counter()

    @contextmanager
    def of(self, run: Run) -> Iterator[None]:
        """One call more, for as long as the body lasts."""
        with self._changed:
            self._calls[run.id] += 1
        try:
            yield
        finally:
            with self._changed:
                self._calls[run.id] -= 1
                self._calls += Counter()  # which drops what is zero
                self._changed.notify_all()

    def settle(self, run: Run, timeout_s: float) -> bool:
        """Whether there is none any more, within that time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._calls[run.id], timeout_s)


_under_way = _UnderWay()

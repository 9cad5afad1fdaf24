"""The live run: what a notebook, a callback or a script holds while it records.

Every call returns at once and never raises for a reason of ours: what cannot be kept
is dropped, counted and said once. `RunStopped` is the exception on purpose: it is how
the Stop button reaches a loop. Finished runs ignore further calls, with one warning.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from nbtrack.errors import CheckpointError, OptionError, ValueNotLoggedError
from nbtrack.guard import guard
from nbtrack.records import Param, Status
from nbtrack.store.values import utc_text
from nbtrack.text import clean_name, visible
from nbtrack.tracking.alerts import RaisesAlerts
from nbtrack.tracking.artifacts.logging import LogsArtifacts
from nbtrack.tracking.background import background
from nbtrack.tracking.inputs import ReadsData
from nbtrack.tracking.media.rich_values import RichValues
from nbtrack.tracking.outcome import outcome_of
from nbtrack.tracking.parts import RunParts
from nbtrack.tracking.recorder import Recorder
from nbtrack.tracking.tags import as_tags

if TYPE_CHECKING:
    from nbtrack.records import RunRecord
    from nbtrack.store import Store
    from nbtrack.tracking.checkpoint_policy import KeepPolicy
    from nbtrack.tracking.ranks import Place
    from nbtrack.tracking.resume import Earlier

FINISH_WAIT_S = 5.0  # the longest finish() waits for a locked or slow store


def without_secrets(text: str) -> str:
    """Free text as it may be kept."""
    from nbtrack.redact import redact_source  # its patterns take a while to compile

    return redact_source(str(text))[0]


def _working_folder() -> str | None:
    try:
        return os.getcwd()
    except OSError:  # it was deleted
        return None


class Run(RichValues, ReadsData, LogsArtifacts, RaisesAlerts):
    """One execution that is being recorded; made by `nbtrack.start` or `%%track`.

    Use it as a context manager, or call `finish()`. It may be shared by threads; in a
    forked child it is inert.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base", params={"lr": 0.1}) as run:
    ...     for step in range(3):
    ...         run.log({"loss": 1 / (step + 1)})
    >>> run.status
    'finished'
    """

    is_recorded = True  # in another rank than the first: False
    place: Place | None = None  # among processes that train together

    def __init__(
        self,
        store: Store,
        *,
        id: str,
        name: str,
        experiment: str,
        parent: str | None = None,
        notebook: str | None = None,
        off: frozenset[str] = frozenset(),
        keep: KeepPolicy | None = None,
        earlier: Earlier | None = None,
        started_at: float | None = None,
        on_finish: Callable[[Run], None] | None = None,
    ) -> None:
        super().__init__(store.journal, id=id, name=name)
        self.store = store
        self.experiment = experiment
        self.parent = parent
        self.notebook = notebook  # its file, where a tracked cell knows it
        self.folder = _working_folder()  # the training may go elsewhere
        self.reason = ""
        self.off = off
        self._policy = keep
        self._save_asked_by: str | None = None
        self.remarks: list[str] = []  # for the line under the cell
        self._parts = RunParts()
        self.earlier = earlier  # of a run that was resumed
        self.backfilled = started_at is not None
        self.started_at = time.time() if started_at is None else started_at
        self._started = time.monotonic()
        self._finishing = threading.Lock()
        self._on_finish = on_finish
        self._journal.on_control(id, self._control)
        if earlier is not None:
            self.continue_from(earlier.steps)

    def captures(self, feature: str) -> bool:
        """Whether this feature is on for the run; see `nbtrack.configure`."""
        return feature not in self.off

    @property
    def keep_policy(self) -> KeepPolicy:
        """Which of its checkpoints stay: as it was said for the run, or the store."""
        if self._policy is None:
            from nbtrack.tracking.settings import keep_policy

            self._policy = keep_policy(self.store.path)
        return self._policy

    def begin_parts(self) -> None:
        """Begin what is looked at during every run; called once, by the session."""
        self._parts.begin(self)

    def become_fork(self, parent: str, step: int, steps: Mapping[str, int]) -> None:
        """Take over another run's past; called right after the start, see `fork`."""
        self._emit("forked", parent=parent, step=step)
        self.continue_from(steps)

    def fork(self, step: int, *, name: str | None = None, **about: Any) -> Run:
        """Begin another run with this one's past up to `step`; see `nbtrack.fork`."""
        from nbtrack.tracking.fork import fork

        return fork(self, step=step, name=name, **about)

    # -- what describes the run ------------------------------------------------------

    def log_params(
        self, params: Mapping[str, Any] | Sequence[Param] | None = None, /, **named: Any
    ) -> None:
        """Keep inputs of the run; nested values keep their types, a later value wins.

        What is no mapping is left out with one line of warning: training goes on.

        Examples
        --------
        >>> import nbtrack
        >>> with nbtrack.start() as run:
        ...     run.log_params({"opt": {"lr": 1e-3, "betas": [0.9, 0.99]}}, seed=1)
        """
        from nbtrack.tracking.params import as_params

        try:
            found = as_params(params, named)
        except OptionError as exc:
            guard.warn_once(f"params: {self.id}", f"not recorded: {exc}")
            return
        rows = [[p.name, p.value, p.origin, p.cell] for p in found]
        if rows:
            self._emit("params", params=rows)

    def tag(self, *tags: str, **pairs: str) -> None:
        """Add tags: plain strings, and key=value pairs."""
        self._emit("tags", set={**as_tags(tags), **as_tags(pairs)}, remove=[])

    def untag(self, *keys: str) -> None:
        """Remove tags by their text or key."""
        self._emit("tags", set={}, remove=[clean_name(k) for k in keys])

    def note(self, text: str) -> None:
        """Replace the run's notes (markdown); secrets are redacted."""
        self._emit("run_changed", fields={"notes": without_secrets(text)})

    def notices(self, texts: Sequence[str]) -> None:
        """Keep what was not captured, and why."""
        if texts:
            self._emit("notices", texts=[without_secrets(text) for text in texts])

    # -- files -----------------------------------------------------------------------

    def checkpoint(
        self,
        what: Any,  # a path, a torch module or state dict, an estimator
        name: str | None = None,
        *,
        step: int | None = None,
        metrics: Mapping[str, float] | None = None,
    ) -> None:
        """Keep a file or a model, tied to a step and the metrics of this moment.

        Parameters
        ----------
        what : path, torch module, state dict or estimator
            A file is copied into the store; a model is saved there.
        name : str, optional
            Default: the file's stem, or the class name in lower case.
        step, metrics : optional
            Default: the latest ones that were logged.

        Raises
        ------
        CheckpointError
            When there is no such file.
        ValueNotLoggedError
            When nothing knows how to save such an object. Trouble with the disk is said
            in one line instead: training goes on.
        """
        from nbtrack.tracking.checkpoints import save_checkpoint

        with guard("checkpoint", letting=(CheckpointError, ValueNotLoggedError)):
            save_checkpoint(self, what, name=name, step=step, metrics=metrics)

    def file_saving(self, path: Path) -> None:
        """A saver is about to write over a file: a copy under way must end first."""
        from nbtrack.tracking.checkpoints import before_save

        before_save(self, path)

    def file_saved(self, path: Path, *, saver: str) -> None:
        """A saver wrote a file while this run was active: keep it as a checkpoint."""
        if self.status != "running":  # a saver that was never put back costs nothing
            return
        from nbtrack.tracking.checkpoints import keep_saved_file

        keep_saved_file(self, path, saver=saver)

    # -- the end -----------------------------------------------------------------------

    def request_stop(self, by: str = "nbtrack", *, outcome: Status = "stopped") -> None:
        """Ask the run to stop, as the Stop button does; returns at once.

        `outcome` is its status then: "stopped", or "pruned" where a sweep does so.
        """
        if self.status == "running":
            self.stop.request(by, outcome=outcome)

    def request_checkpoint(self, by: str = "nbtrack") -> None:
        """Ask for a checkpoint of what nbtrack knows of; returns at once.

        It is saved by the thread that trains, behind its next `log()` or epoch.
        """
        if self.status == "running":
            self._save_asked_by = by
            self.log = self._log_and_save  # type: ignore[method-assign]

    def _log_and_save(self, *values: Any, **named: Any) -> None:
        """What stands for `log` while a save is asked for: it costs nothing else."""
        Recorder.log(self, *values, **named)
        self.save_if_asked()

    def save_if_asked(self) -> None:
        """Save a checkpoint here if one was asked for; between epochs, after a log."""
        if self._save_asked_by is None or not self.stop.is_own_thread():
            return
        by, self._save_asked_by = self._save_asked_by, None
        vars(self).pop("log", None)
        if self.stop.before_stop:
            self.stop.save()
            return
        text = (
            f"a checkpoint was asked for ({visible(by)}), but no model of run "
            f"{self.name!r} is known: call run.checkpoint(model) once."
        )
        guard.warn_once(f"nothing to save {self.id}", text)
        self.notices([text])

    def finish(
        self,
        status: Status | None = None,
        *,
        error: str | None = None,
        reason: str | None = None,
        ended_at: datetime | float | str | None = None,
    ) -> None:
        """End the run and wait until it is on disk, at most a few seconds.

        Parameters
        ----------
        status : str, optional
            Default: "stopped" when Stop was pressed, else "finished".
        error : str, optional
            The traceback of a failed run; secrets are redacted.
        reason : str, optional
            Why it ended, in a few words.
        ended_at : datetime, float or str, optional
            When it ended, of a run that is filled in afterwards; seconds since the
            epoch or ISO 8601, UTC where no zone is said. Default: now.

        Raises
        ------
        OptionError
            For an `ended_at` that is no time, or before the run's start.

        Examples
        --------
        >>> import nbtrack
        >>> run = nbtrack.start("by hand")
        >>> run.finish()
        """
        end = None if ended_at is None else self._end_of(ended_at)
        with self._finishing:
            if self.status != "running":
                return
            if status is None:
                status = "stopped" if self.stop.requested else "finished"
            if status == "stopped" and self.stop.requested:
                status = self.stop.outcome
            try:
                self._parts.end(self)
                with guard("files"):
                    self._settle_files()
                    self._end_media()
            finally:  # Ctrl-C while files settle must not leave the run running
                self._close_surely(status, error, reason, end)
        self._journal.flush(FINISH_WAIT_S)

    def _end_of(self, ended_at: datetime | float | str) -> float:
        from nbtrack.tracking.moments import as_epoch_seconds

        end = as_epoch_seconds("ended_at", ended_at)
        if end < self.started_at:
            raise OptionError(
                f"ended_at {utc_text(end)} is before the run's start "
                f"{utc_text(self.started_at)}."
            )
        return end

    def _duration_s(self, end: float | None) -> float:
        """The time of all its lives; by its own times where it was filled in."""
        if end is not None or self.backfilled:
            return (time.time() if end is None else end) - self.started_at
        before = self.earlier.duration_s if self.earlier else 0.0
        return before + time.monotonic() - self._started

    def _close_surely(self, *how: Any) -> None:
        """Nor does Ctrl-C in the middle of closing it; the second one would."""
        try:
            self._close(*how)
        except KeyboardInterrupt:
            self._close(*how)
            raise

    def _close(
        self, status: Status, error: str | None, reason: str | None, end: float | None
    ) -> None:
        if reason is None and self.stop.requested:
            if status == "stopped":
                reason = f"Stop pressed ({self.stop.by})"
            elif status == "pruned":
                reason = f"pruned: {self.stop.by}"
        self.stop.end()
        if self.status == "running":
            self._emit(
                "run_finished",
                status=status,
                ended_at=utc_text(time.time() if end is None else end),
                duration_s=self._duration_s(end),
                error=without_secrets(error) if error else None,
                reason=without_secrets(reason) if reason else None,
            )
            self.status, self.reason = status, reason or ""
        self._point = self._late_point
        self._journal.on_control(self.id, None)
        if self._on_finish is not None:
            self._on_finish(self)

    def _end_media(self) -> None:
        if self.has_rich_values:
            from nbtrack.tracking.media.keeping import settle_run

            settle_run(self)

    def _settle_files(self) -> None:
        import sys

        # Only a run that kept files has loaded the module, and only it must wait.
        checkpoints = sys.modules.get("nbtrack.tracking.checkpoints")
        if checkpoints is not None:
            checkpoints.settle(self)
        artifacts = sys.modules.get("nbtrack.tracking.artifacts.keeping")
        if artifacts is not None:
            artifacts.settle(self)

    def record(self) -> RunRecord:
        """What the store holds of this run by now, files and background work too."""
        self._settle_files()
        background.settle(FINISH_WAIT_S)
        self._journal.flush(FINISH_WAIT_S)
        return self.store.run(self.id)

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._end_with(exc)
        except KeyboardInterrupt:
            self.finish("stopped")  # where it came before `finish` took hold
            raise

    def _end_with(self, exc: BaseException | None) -> None:
        if exc is None:
            self.finish()
        else:
            status, error = outcome_of(exc)
            if status == "failed":
                self.log_failure(exc)
            self.finish(status, error=error)

    def __repr__(self) -> str:
        return f"<Run {self.name!r} {self.id} {self.status}>"

    def _control(self, command: str, by: str) -> None:
        if command == "stop":
            self.request_stop(by)
        elif command == "checkpoint":
            self.request_checkpoint(by)

"""The live run: what a notebook, a callback or a script holds while it records.

Every call returns at once and never raises for a reason of ours: what cannot be kept
is dropped, counted and said once. `RunStopped` is the exception on purpose: it is how
the Stop button reaches a loop. Finished runs ignore further calls, with one warning.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from nbtrack.errors import CheckpointError, OptionError, ValueNotLoggedError
from nbtrack.guard import guard
from nbtrack.records import Goal, Param, Status
from nbtrack.text import clean_name
from nbtrack.tracking.metrics import Metrics
from nbtrack.tracking.numbers import as_number, flatten, whole_step
from nbtrack.tracking.outcome import outcome_of
from nbtrack.tracking.stop import StopSwitch
from nbtrack.tracking.tags import as_tags

if TYPE_CHECKING:
    from nbtrack.records import RunRecord
    from nbtrack.store import Store

FINISH_WAIT_S = 5.0  # the longest finish() waits for a locked or slow store


def utc_text(at: float) -> str:
    """Epoch seconds as the ISO text of the records.

    >>> utc_text(0.5)
    '1970-01-01T00:00:00.500000Z'
    """
    moment = datetime.fromtimestamp(at, UTC).replace(tzinfo=None)
    return moment.isoformat(timespec="microseconds") + "Z"


class Run:
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

    def __init__(
        self,
        store: Store,
        *,
        id: str,
        name: str,
        experiment: str,
        parent: str | None = None,
        on_finish: Callable[[Run], None] | None = None,
    ) -> None:
        self.store = store
        self.id = id
        self.name = name
        self.experiment = experiment
        self.parent = parent
        self.status: Status = "running"
        self.reason = ""
        self.n_dropped = 0
        self.stop = StopSwitch(name)
        self.logged_names: set[str] = set()  # by hand: the watcher leaves these alone
        self._finishing = threading.Lock()
        self.started_at = time.time()
        self._started = time.monotonic()
        self._on_finish = on_finish
        self._journal = store.journal
        self._metrics = Metrics(id, self._journal)
        self._series = self._metrics.by_name
        self._axes = self._metrics.axes
        self._point: Callable[[int, int, float, float], None] = self._journal.point
        self._journal.on_control(id, self._control)

    # -- metrics ---------------------------------------------------------------------

    def log(
        self,
        values: Mapping[str, Any] | None = None,
        /,
        *,
        step: int | None = None,
        **named: Any,  # any scalar type of any library
    ) -> None:
        """Keep metric values; a point is safe from kill -9 when this returns.

        Parameters
        ----------
        values : mapping, optional
            Names to numbers; nested mappings become dotted names.
        step : int, optional
            Any order; the same step again replaces the earlier value on reading.
            Default: how often that metric was logged before.
        **named
            The same as keywords: `run.log(loss=0.3, acc=0.9)`.

        Raises
        ------
        RunStopped
            After Stop was pressed, outside `nbtrack.epochs`.

        Examples
        --------
        >>> import nbtrack
        >>> with nbtrack.start() as run:
        ...     run.log({"loss": 0.5}, step=10)
        ...     run.log(loss=0.4, acc=0.9)
        """
        if self.stop.requested:
            self.stop.check()
        if named:
            values = {**values, **named} if values else named
        if values:
            if step is not None and type(step) is not int:
                step = self._as_step(step)
            self._log(values, step)

    def _log(self, values: Mapping[str, Any], step: int | None) -> None:
        # The hot path: one scalar costs about a microsecond, so locals and no helpers.
        at = time.time()
        known, point, axes = self._series, self._point, self._axes
        series = None
        for name, value in values.items():
            series = known.get(name)
            if type(value) is not float or series is None:
                self._log_slowly(name, value, step)
                continue
            if step is None:
                series.step = own = series.auto_step()
            else:
                series.step = own = step
                series.resume_at = step + 1
            series.latest = value
            point(series.id, own, value, at)
            if axes:
                self._metrics.log_axes(series, own, at)
        if series is not None:
            self._metrics.note_logged(series)

    def _log_slowly(self, name: str, value: Any, step: int | None) -> None:
        """First uses, other number types, nested mappings and things we must refuse."""
        if self.status != "running":
            self._late_point()
            return
        if isinstance(value, Mapping):
            self._log(dict(flatten({name: value})), step)
            return
        try:
            number = as_number(name, value)
        except ValueNotLoggedError as exc:
            self._drop(name, exc)
            return
        if name not in self._series:
            self._metrics.declare(name)
            self.logged_names.add(name)
        self._log({name: number}, step)

    def _as_step(self, step: Any) -> int | None:
        """A step of another type; one that is no whole number is left out, and said."""
        try:
            return whole_step(step)
        except ValueNotLoggedError as exc:
            guard.warn_once(f"step: {self.id}", str(exc))
            return None

    def _drop(self, name: str, exc: ValueNotLoggedError) -> None:
        self.n_dropped += 1
        guard.warn_once(f"not a number: {self.id}.{name}", str(exc))

    def _late_point(self, *_: object) -> None:
        """What stands for the journal once the run has ended."""
        self.n_dropped += 1
        self._warn_late()

    def set_axis(self, name: str, value: float) -> None:
        """Say where the run is (`epoch` 3): stored beside each metric logged from now.

        Examples
        --------
        >>> import nbtrack
        >>> with nbtrack.start() as run:
        ...     run.set_axis("epoch", 3)
        ...     run.log(loss=0.1)
        """
        self._axes[name] = float(value)

    def drop_axis(self, name: str) -> None:
        """The loop that counted this axis is over."""
        self._axes.pop(name, None)

    def set_goal(self, metric: str, goal: Goal) -> None:
        """Say whether `metric` is to be made small ("min") or large ("max").

        Raises
        ------
        OptionError
            For any other word.
        """
        if goal not in ("min", "max"):
            raise OptionError(
                f"goal {goal!r} of {metric!r} is neither 'min' nor 'max'."
            )
        self._metrics.goals[metric] = goal
        self._emit("metric_changed", name=clean_name(metric), fields={"goal": goal})

    # -- what describes the run ------------------------------------------------------

    def log_params(
        self, params: Mapping[str, Any] | Sequence[Param] | None = None, /, **named: Any
    ) -> None:
        """Keep inputs of the run; nested values keep their types, a later value wins.

        Examples
        --------
        >>> import nbtrack
        >>> with nbtrack.start() as run:
        ...     run.log_params({"opt": {"lr": 1e-3, "betas": [0.9, 0.99]}}, seed=1)
        """
        from nbtrack.tracking.params import as_params

        found = as_params(params, named)
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
        """Replace the run's notes (markdown)."""
        self._emit("run_changed", fields={"notes": str(text)})

    def notices(self, texts: Sequence[str]) -> None:
        """Keep what was not captured, and why."""
        if texts:
            self._emit("notices", texts=list(texts))

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
            When there is no such file, or nothing knows how to save such an object.
            Trouble with the disk is said in one line instead: training goes on.
        """
        from nbtrack.tracking.checkpoints import save_checkpoint

        with guard("checkpoint", letting=CheckpointError):
            save_checkpoint(self, what, name=name, step=step, metrics=metrics)

    def file_saving(self, path: Path) -> None:
        """A saver is about to write over a file: a copy under way must end first."""
        from nbtrack.tracking.checkpoints import before_save

        before_save(self, path)

    def file_saved(self, path: Path, *, saver: str) -> None:
        """A saver wrote a file while this run was active: keep it as a checkpoint."""
        from nbtrack.tracking.checkpoints import keep_saved_file

        keep_saved_file(self, path, saver=saver)

    def latest_metrics(self) -> dict[str, float]:
        """The last value of every metric, logged or watched."""
        return self._metrics.latest()

    def latest_step(self) -> int | None:
        """The step of the metric that came last; None before the first."""
        return self._metrics.latest_step()

    # -- what the watcher calls (capture.watch.MetricSink) ----------------------------

    @property
    def stop_requested(self) -> bool:
        """Whether Stop was pressed."""
        return self.stop.requested

    def check_stop(self) -> None:
        """Raise `RunStopped` when that is due; see `nbtrack.tracking.stop`."""
        self.stop.check()

    def declare(self, name: str, *, axis_of: str | None = None) -> int:
        """A series of a watched metric, or of one of its axes."""
        return self._metrics.declare_watched(name, axis_of)

    def point(self, series: int, step: int, value: float, at: float) -> None:
        """Append a watched point."""
        self._metrics.note(series, step, value)
        self._point(series, step, value, at)

    def thinned(self, name: str, k: int) -> None:
        """About one point in `k` of this metric is kept: said wherever it is shown."""
        self._emit("metric_changed", name=clean_name(name), fields={"thinned": k})

    # -- the end -----------------------------------------------------------------------

    def request_stop(self, by: str = "nbtrack") -> None:
        """Ask the run to stop, as the Stop button does; returns at once."""
        if self.status == "running":
            self.stop.request(by)

    def finish(
        self,
        status: Status | None = None,
        *,
        error: str | None = None,
        reason: str | None = None,
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

        Examples
        --------
        >>> import nbtrack
        >>> run = nbtrack.start("by hand")
        >>> run.finish()
        """
        with self._finishing:
            if self.status != "running":
                return
            if status is None:
                status = "stopped" if self.stop.requested else "finished"
            try:
                with guard("files"):
                    self._settle_files()
            finally:  # Ctrl-C while files settle must not leave the run running
                self._close(status, error, reason)
        self._journal.flush(FINISH_WAIT_S)

    def _close(self, status: Status, error: str | None, reason: str | None) -> None:
        from nbtrack.redact import redact

        if status == "stopped" and reason is None and self.stop.requested:
            reason = f"Stop pressed ({self.stop.by})"
        self.stop.end()
        self._emit(
            "run_finished",
            status=status,
            ended_at=utc_text(time.time()),
            duration_s=time.monotonic() - self._started,
            error=redact(error)[0] if error else None,
            reason=reason,
        )
        self.status, self.reason = status, reason or ""
        self._point = self._late_point
        self._journal.on_control(self.id, None)
        if self._on_finish is not None:
            self._on_finish(self)

    def _settle_files(self) -> None:
        import sys

        # Only a run that kept files has loaded the module, and only it must wait.
        checkpoints = sys.modules.get("nbtrack.tracking.checkpoints")
        if checkpoints is not None:
            checkpoints.settle(self)

    def record(self) -> RunRecord:
        """What the store holds of this run by now."""
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
        if exc is None:
            self.finish()
        else:
            status, error = outcome_of(exc)
            self.finish(status, error=error)

    def __repr__(self) -> str:
        return f"<Run {self.name!r} {self.id} {self.status}>"

    def _emit(self, kind: str, **fields: Any) -> None:
        if self.status != "running":
            self._warn_late()
            return
        self._journal.emit({"kind": kind, "run": self.id, **fields})

    def _warn_late(self) -> None:
        guard.warn_once(
            f"finished: {self.id}",
            f"run {self.name!r} is {self.status}; what is recorded after that is not "
            "kept. Start a new run.",
        )

    def _control(self, command: str) -> None:
        if command == "stop":
            self.request_stop("control")

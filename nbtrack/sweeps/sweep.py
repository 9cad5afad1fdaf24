"""A sweep on its way: asks for values, hands out trials, takes what comes of them.

`Sweep` is what the user holds, in the cell or in a panel: `stop`, `pause` and the
tables may be called from any thread; `run` belongs to one. Whatever happens, each trial
that ended is told to the study and its run is in the store: a sweep goes on from there.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from nbtrack.capture.dataflow.pseudo import FILE, MODULE
from nbtrack.errors import NbtrackError, SweepError
from nbtrack.guard import guard
from nbtrack.records import is_better
from nbtrack.sweeps.executor import Executor
from nbtrack.sweeps.space import Label, Space
from nbtrack.sweeps.study import Study, Trial
from nbtrack.sweeps.trial import Aim, Outcome, Task
from nbtrack.text import did_you_mean, shorten, visible

if TYPE_CHECKING:
    import pandas as pd

    from nbtrack.store import Store

State = Literal["new", "running", "paused", "stopped", "finished", "failed"]

POLL_S = 0.1
SAME_ERROR_MAX = (
    3  # at the start, and the sweep ends: the cell is wrong, not the values
)
LOST_MAX = 2  # times that the same values are tried again after their process died


@dataclass(frozen=True, slots=True)
class Row:
    """A trial as it is listed."""

    number: int
    status: str
    labels: Mapping[str, Label]
    value: float | None
    run: str | None = None
    duration_s: float | None = None
    error: str | None = None


class Sweep:
    """A search over params whose trials are runs; made by `nbtrack.sweep`.

    `name`, `aim` (the metric and its goal), `state`, `rows` (a row per trial), `best`,
    `df` (the runs of its trials), `stop()`, `pause()`, `go_on()`.
    """

    def __init__(
        self,
        name: str,
        *,
        study: Study,
        space: Space,
        aim: Aim,
        n: int | None,
        store: Store,
        task_of: Callable[[Trial], Task],
        notes: list[str] | None = None,
    ) -> None:
        self.name = name
        self.space = space
        self.aim = aim
        self.n = n
        self.store = store
        self.state: State = "new"
        self.notes = notes or []
        self.error: str | None = None
        self._study = study
        self._task_of = task_of
        self._rows: dict[int, Row] = {}
        self._lost: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._lock = threading.RLock()
        self._executor: Executor | None = None
        self._stopped_by = ""
        self._paused = False
        self._thread: threading.Thread | None = None
        self._listeners: list[Callable[[], None]] = []
        self._take_earlier()

    # ---- what it shows

    @property
    def rows(self) -> list[Row]:
        """Its trials by number, those of earlier sessions too."""
        with self._lock:
            return [self._rows[number] for number in sorted(self._rows)]

    @property
    def n_done(self) -> int:
        """Trials that have ended, and are not tried again."""
        ended = ("finished", "pruned", "failed", "stopped")
        return sum(row.status in ended for row in self.rows)

    @property
    def best(self) -> Row | None:
        """The trial with the best value so far."""
        found: Row | None = None
        for row in self.rows:
            if row.value is None or row.status != "finished":
                continue
            if found is None or is_better(row.value, found.value or 0.0, self.aim.goal):
                found = row
        return found

    @property
    def df(self) -> pd.DataFrame:
        """The runs of its trials, as `nbtrack.runs` gives them."""
        from nbtrack.analysis.runs_table import runs

        return runs(f"tags.sweep == {self.name!r}", store=self.store)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call this whenever a trial began or ended; from the thread that runs it."""
        self._listeners.append(listener)

    # ---- what it is told

    def stop(self, by: str = "nbtrack") -> None:
        """End the sweep: trials that run are stopped, none begins."""
        self._stopped_by = by
        if self._executor is not None:
            self._executor.stop(by)

    def pause(self) -> None:
        """Let no trial begin until `go_on`; those that run go on."""
        self._paused = True
        self._changed()

    def go_on(self) -> None:
        """The end of a pause."""
        self._paused = False
        self._changed()

    # ---- running

    def run_aside(self, run: Callable[[], None]) -> None:
        """Let a thread run it; what it raises is the sweep's `error` and `state`."""

        def aside() -> None:
            try:
                run()
            except (NbtrackError, OSError) as exc:
                self.state, self.error = "failed", str(exc)
                self._changed()

        self.state = "running"
        thread = threading.Thread(target=aside, name="nbtrack-sweep", daemon=True)
        thread.start()
        self._thread = thread  # not before: a panel may be waiting already

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end of a sweep that runs aside; whether it came."""
        if self._thread is not None:
            self._thread.join(timeout_s)
            return not self._thread.is_alive()
        return self.state in ("stopped", "finished", "failed")

    def run(self, executor: Executor) -> Sweep:
        """Run trials until there are as many as asked for.

        Raises
        ------
        SweepError
            When a trial leaves something that the next one would read, the metric is
            never logged, or the first trials all fail in the same way.
        KeyboardInterrupt
            After Ctrl-C, with all that has ended kept.
        """
        self._executor = executor
        self.state = "running"
        try:
            self._loop(executor)
            self.state = "stopped" if self._stopped_by else "finished"
        except BaseException as exc:
            self.state = "stopped" if isinstance(exc, KeyboardInterrupt) else "failed"
            self.error = str(exc) or None
            raise
        finally:
            executor.close()
            self._give_up_the_rest()
            self._executor = None
            self._changed()
        return self

    def _loop(self, executor: Executor) -> None:
        interrupted = False
        while True:
            if not (self._stopped_by or self._paused or interrupted):
                self._fill(executor)
            running = self._n_running()
            self.state = "paused" if self._paused and not running else "running"
            outcome = executor.wait(POLL_S)
            if outcome is not None:
                self._take(outcome)
                interrupted |= outcome.interrupted
            elif not running and not (self._paused and not self._stopped_by):
                break
            elif not running:
                time.sleep(POLL_S)
        if interrupted:
            raise KeyboardInterrupt

    def _fill(self, executor: Executor) -> None:
        while self._n_running() < executor.n_places and not self._stopped_by:
            if self.n is not None and self.n_done + self._n_running() >= self.n:
                return
            trial = self._study.ask()
            if trial is None:
                return
            task = self._task_of(trial)
            self._put(Row(trial.number, "running", trial.labels, None))
            executor.start(task, report=self._study.report, began=self._began)
            if executor.n_places == 1:
                return  # it is over: what came of it decides about the next

    def _began(self, number: int, run: str) -> None:
        row = self._rows[number]
        self._put(Row(number, "running", row.labels, None, run))

    def _take(self, outcome: Outcome) -> None:
        row = self._rows[outcome.number]
        status = outcome.status
        if outcome.interrupted:
            status = "crashed"  # to be tried again when the sweep goes on
        self._put(
            Row(
                row.number,
                status,
                row.labels,
                outcome.value,
                outcome.run or row.run,
                outcome.duration_s,
                outcome.error,
            )
        )
        self._tell(outcome, status)
        self._judge(outcome)

    def _tell(self, outcome: Outcome, status: str) -> None:
        if status == "crashed":
            with guard("taking over what a trial left"):
                self.store.recover()
            self._study.tell(outcome.number, "fail", None, crashed=True)
            self._try_again(outcome)
            return
        states = {"finished": "complete", "pruned": "pruned"}
        self._study.tell(outcome.number, states.get(status, "fail"), outcome.value)

    def _try_again(self, outcome: Outcome) -> None:
        labels = self._rows[outcome.number].labels
        key = repr(sorted(labels.items(), key=str))
        self._lost[key] += 1
        if outcome.interrupted:
            return
        if self._lost[key] <= LOST_MAX:
            self._study.retry(labels)
            return
        raise SweepError(
            f"The process of trial {outcome.number} died {self._lost[key]} times with "
            f"the same values ({shown_values(labels)}): {outcome.error or 'killed'}."
        )

    def _judge(self, outcome: Outcome) -> None:
        """Whether there is any sense in a next trial."""
        if outcome.leaks:
            raise SweepError(_why_dependent(outcome))
        if outcome.status == "finished" and self.aim.metric not in outcome.logged:
            raise SweepError(self._why_no_metric(outcome))
        if outcome.status != "failed" or outcome.error is None:
            return
        self._errors[outcome.error] += 1
        n_failed = self._errors[outcome.error]
        least = SAME_ERROR_MAX if self.n is None else min(SAME_ERROR_MAX, self.n)
        if n_failed >= least and n_failed == self.n_done:
            raise SweepError(
                f"The first {n_failed} trials failed in the same way: {outcome.error}. "
                f"nbtrack.runs(\"tags.sweep == '{self.name}'\") has their tracebacks."
            )

    def _why_no_metric(self, outcome: Outcome) -> str:
        hint = did_you_mean(self.aim.metric, outcome.logged)
        listed = ", ".join(visible(name) for name in outcome.logged[:8])
        has = f" It logged: {listed}." if listed else " It logged no metric at all."
        return (
            f"Trial {outcome.number} never logged {self.aim.metric!r}, which the sweep "
            f"is to judge by.{hint or has}"
        )

    # ---- inside

    def _take_earlier(self) -> None:
        """What the study has from before."""
        statuses = {"complete": "finished", "pruned": "pruned", "running": "crashed"}
        for trial in self._study.trials:
            status = statuses.get(trial.state, "crashed" if trial.crashed else "failed")
            self._rows[trial.number] = Row(
                trial.number, status, trial.labels, trial.value
            )

    def _n_running(self) -> int:
        return sum(row.status == "running" for row in self.rows)

    def _put(self, row: Row) -> None:
        with self._lock:
            self._rows[row.number] = row
        self._changed()

    def _give_up_the_rest(self) -> None:
        """Trials that never came back are tried again when the sweep goes on."""
        for row in self.rows:
            if row.status == "running":
                self._study.tell(row.number, "fail", None, crashed=True)
                self._put(
                    Row(row.number, "crashed", row.labels, None, row.run, None, None)
                )

    def _changed(self) -> None:
        for listener in self._listeners:
            with guard("the panel of a sweep"):
                listener()

    def __repr__(self) -> str:
        from nbtrack.sweeps.words import summary

        return summary(self)


def shown_values(labels: Mapping[str, Label]) -> str:
    """Values as people write them.

    >>> shown_values({"lr": 0.0123456, "opt": "adam"})
    'lr=0.01235, opt=adam'
    """
    parts = []
    for name, value in labels.items():
        text = f"{value:.4g}" if isinstance(value, float) else str(value)
        parts.append(f"{name}={shorten(visible(text), 40)}")
    return ", ".join(parts)


def is_number(value: float | None) -> bool:
    """Whether a value can be compared.

    >>> is_number(float("nan")), is_number(None), is_number(0.5)
    (False, False, True)
    """
    return value is not None and math.isfinite(value)


def _why_dependent(outcome: Outcome) -> str:
    name, why = next(iter(outcome.leaks.items()))
    plain = name.removeprefix(FILE).removeprefix(MODULE)
    return (
        f"Trial {outcome.number} left {visible(plain)} changed ({why}): the next trial "
        "would begin with it. Make it anew in each trial."
    )

"""`OptunaCallback`: who has a study keeps the code, and each trial becomes a run.

Given to `study.optimize` it records every trial when it is over. Around the objective
(`callback.track(objective)`) the run begins with the trial, so that what is logged,
printed or saved in there is the trial's. What goes wrong on our side is one warning:
the study goes on as without us.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nbtrack.guard import guard
from nbtrack.records import Status
from nbtrack.sweeps.optuna_trials import (
    STATUS,
    begin_trial,
    params_of,
    record_trial,
    run_id_of_trial,
    set_goals,
    tell_trial,
    tell_values,
)
from nbtrack.sweeps.studies import Objectives, objectives_of, optuna_module
from nbtrack.tracking.outcome import outcome_of
from nbtrack.tracking.session import process_session

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

    from nbtrack.tracking.run import Run

    Objective = Callable[[Trial], Any]  # Any: a float, or several

FEATURE = "recording trials of Optuna"
# Of a trial that is over, when this looks at it, nothing can be heard any more.
_TOO_LATE_FOR = "output system rng"


class OptunaCallback:
    """Makes each trial of an Optuna study a run, with the tags `sweep` and `trial`.

    Params keep their types, user attributes are params `attrs.*`, and each objective is
    a metric with its goal: intermediate values are its points. A trial is finished,
    pruned or failed as Optuna says. It may be used by several threads (`n_jobs`).

    Parameters
    ----------
    metric : str or sequence of str, optional
        What the objective is called; one name for each objective. Default: the study's
        own `metric_names`, else "value" ("value_0", "value_1", ...).
    experiment : str, optional
        Default: that of the run around the study, whose children the trials are; the
        name of the study where there is none.

    Examples
    --------
    >>> import nbtrack, optuna
    >>> def objective(trial):
    ...     return (trial.suggest_float("x", -1, 1) - 0.5) ** 2
    >>> study = optuna.create_study(study_name="parabola")
    >>> callback = nbtrack.OptunaCallback(metric="loss")
    >>> study.optimize(objective, n_trials=3, callbacks=[callback])
    >>> len(nbtrack.runs("tags.sweep == 'parabola' and loss >= 0"))
    3
    """

    def __init__(
        self,
        *,
        metric: str | Sequence[str] | None = None,
        experiment: str | None = None,
    ) -> None:
        self._metric = metric
        self._experiment = experiment
        self._recorded: set[str] = set()  # ids of runs; adding to it is atomic

    def __call__(self, study: Study, trial: FrozenTrial) -> None:
        """Record a trial that is over, unless that was done while it ran."""
        with guard(FEATURE):
            self._record(study, trial)

    def track(self, objective: Objective) -> Objective:
        """The objective, with a run that begins and ends with each trial.

        Within it that run is the current one of its thread: what is logged, printed and
        saved goes there, and so do the machine's load and each `trial.report`. A value
        that the objective logs itself, under the metric's name, is not logged again.

        Examples
        --------
        >>> import nbtrack, optuna
        >>> def objective(trial):
        ...     x = trial.suggest_float("x", -1, 1)
        ...     nbtrack.log(distance=abs(x))
        ...     return x**2
        >>> callback = nbtrack.OptunaCallback()
        >>> study = optuna.create_study(study_name="live")
        >>> study.optimize(callback.track(objective), n_trials=2, callbacks=[callback])
        >>> len(nbtrack.runs("tags.sweep == 'live' and distance >= 0"))
        2
        """

        @functools.wraps(objective)
        def tracked(trial: Trial) -> Any:
            live = None
            with guard(FEATURE):
                live = self._begun(trial)
            return objective(trial) if live is None else live.called(objective)

        return tracked

    def _begun(self, trial: Trial) -> _LiveTrial:
        study = trial.study
        objectives = objectives_of(study, self._metric)
        run = begin_trial(study.study_name, trial, experiment=self._experiment)
        self._recorded.add(run.id)
        return _LiveTrial(run, trial, objectives)

    def _record(self, study: Study, trial: FrozenTrial) -> None:
        name = study.study_name
        run_id = run_id_of_trial(name, trial)
        if trial.state.name not in STATUS or run_id in self._recorded:
            return
        self._recorded.add(run_id)
        # Another callback may have recorded it.
        if not process_session().store_for().runs(ids=[run_id], trashed=None):
            record_trial(
                name, trial, objectives_of(study, self._metric),
                experiment=self._experiment, off=_TOO_LATE_FOR,
            )  # fmt: skip


class _LiveTrial:
    """A trial that runs, and its run."""

    def __init__(self, run: Run, trial: Trial, objectives: Objectives) -> None:
        self._run = run
        self._trial = trial
        self._objectives = objectives
        self._reported: tuple[int, float, float] | None = None  # step, value, when
        self._steps: set[int] = set()
        self._is_by_hand = False

    def called(self, objective: Objective) -> Any:
        """The objective's result, and its exceptions, as without us."""
        try:
            with self._reports():
                result = objective(self._trial)
        except BaseException as exc:
            with guard(FEATURE):
                self._end(*_ended_by(exc), values=None, exc=exc)
            raise
        with guard(FEATURE):
            values = _values(result, len(self._objectives.names))
            self._end(*_returned(values, result), values=values)
        return result

    @contextmanager
    def _reports(self) -> Iterator[None]:
        """`trial.report` tells us too."""
        report = self._trial.report

        def reported(value: float, step: int) -> None:
            report(value, step)
            with guard(FEATURE):
                self._take(value, step)

        self._trial.report = reported  # type: ignore[method-assign]
        try:
            with guard(FEATURE):
                set_goals(self._run, self._objectives)
            yield
        finally:
            vars(self._trial).pop("report", None)

    def _take(self, value: float, step: int) -> None:
        """Hold a value until it is known that nobody logs it by hand as well."""
        step = int(step)
        if step in self._steps:  # Optuna leaves it out, too
            return
        self._log_reported()
        if not self._steps:
            self._run.log_params(params_of(self._trial))  # most are known by now
        self._steps.add(step)
        self._reported = step, float(value), time.time()

    def _log_reported(self) -> None:
        held, self._reported = self._reported, None
        if held is None or self._is_by_hand:
            return
        name = self._objectives.names[0]
        if len(self._steps) == 1 and name in self._run.logged_names:
            self._is_by_hand = True
            return
        step, value, at = held
        self._run.log({name: value}, step=step, at=at)

    def _end(
        self,
        status: Status,
        why: str | None,
        *,
        values: Sequence[float] | None,
        exc: BaseException | None = None,
    ) -> None:
        error = why if exc is not None else None
        try:
            self._log_reported()
            tell_trial(self._run, self._trial)
            if values is not None:
                tell_values(self._run, self._objectives, values)
            if status == "failed" and exc is not None:
                self._run.log_failure(exc)
        finally:
            self._run.finish(status, error=error, reason=None if error else why)


def _ended_by(exc: BaseException) -> tuple[Status, str | None]:
    """Status and traceback; a pruned trial has none."""
    if isinstance(exc, optuna_module().TrialPruned):
        return "pruned", None
    return outcome_of(exc)


def _returned(
    values: Sequence[float] | None, result: object
) -> tuple[Status, str | None]:
    if values is not None:
        return "finished", None
    return "failed", f"the objective returned {result!r:.60}"


def _values(result: Any, n: int) -> tuple[float, ...] | None:
    """The values of the objectives; None where Optuna takes the trial for failed."""
    several = list(result) if isinstance(result, Sequence) else [result]
    try:
        values = tuple(float(value) for value in several)
    except (TypeError, ValueError):
        return None
    return values if len(values) == n and not any(map(math.isnan, values)) else None

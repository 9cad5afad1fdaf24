"""The search of a sweep: Optuna asks for values, and hears what came of them.

Its study lies in `sweeps.db` beside the runs, in Optuna's own tables, so that Optuna's
own tools open it. One process asks at a time. The sampler is seeded anew for each trial
by the sweep's seed and how many were drawn before, those not counted whose process died
and which are tried again: a sweep that goes on after a kill draws what it would have
drawn without one.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nbtrack.errors import OptionError
from nbtrack.sweeps.ledger import CRASHED, Ledger
from nbtrack.sweeps.space import Axis, Label, Space
from nbtrack.sweeps.studies import FILE_NAME, optuna_module
from nbtrack.sweeps.trial import Aim
from nbtrack.text import did_you_mean, shorten

if TYPE_CHECKING:
    import optuna

Sampler = Literal["grid", "random", "tpe", "gp", "halving"]
Pruner = Literal["none", "median", "asha", "hyperband"]
SAMPLERS = ("grid", "random", "tpe", "gp", "halving")
PRUNERS = ("none", "median", "asha", "hyperband")

ABOUT = "nbtrack"  # the attribute of a study that says what it is a sweep of
RERUN = "rerun"  # of a study: the failed trials that were run again
_WAIT_S = 60  # for another process that writes to the file


@dataclass(frozen=True, slots=True)
class Plan:
    """How a sweep searches.

    >>> Plan(sampler="halving").pruning
    'asha'
    """

    sampler: Sampler = "tpe"
    pruner: Pruner = "none"
    seed: int = 0

    @property
    def pruning(self) -> Pruner:
        """Successive halving is a sampler by name, and random values that it stops."""
        if self.sampler == "halving" and self.pruner == "none":
            return "asha"
        return self.pruner


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial as the study has it."""

    number: int
    state: str  # "running", "complete", "pruned", "fail"
    labels: Mapping[str, Label]
    value: float | None
    crashed: bool = False


class Study:
    """One sweep's search; `ask` and `tell` from one thread at a time.

    It goes on in memory, by a copy of what the file holds of it.
    """

    def __init__(
        self, ledger: Ledger, space: Space, plan: Plan, *, grid: list[Any] | None
    ) -> None:
        self._ledger = ledger
        self._space = space
        self._plan = plan
        self._grid = grid
        self._search = _copy_of(ledger.study, plan)
        self._open: dict[int, optuna.Trial] = {}
        self._again: list[dict[str, Label]] = []  # values of trials that were lost
        told = ledger.study.user_attrs.get(RERUN, "[]")
        self._rerun: set[int] = set(json.loads(told))

    @property
    def trials(self) -> list[Trial]:
        """All of them, in order."""
        found = self._search.get_trials(deepcopy=False)
        return [_frozen(trial, lost=trial.number in self._rerun) for trial in found]

    def retry(self, labels: Mapping[str, Label]) -> None:
        """Try these values again, before any others."""
        self._again.append(dict(labels))

    def ask(self) -> Trial | None:
        """The next trial; None where the grid is through."""
        import optuna

        given = self._given()
        if given is None and self._grid is not None:
            return None
        # Those that are tried again do not count: what follows is what would have.
        n_drawn = sum(not trial.crashed for trial in self.trials)
        sampler = sampler_of(self._plan, n_drawn)
        if given is not None:
            with _stable():
                sampler = optuna.samplers.PartialFixedSampler(given, sampler)
        self._search.sampler = sampler
        asked = self._search.ask()
        labels: dict[str, Label] = {}
        for axis in self._space.axes:
            if axis.when is None or axis.when.holds(labels):
                labels[axis.name] = _suggested(asked, axis)
        self._open[asked.number] = asked
        self._ledger.begin(self._search.get_trials(deepcopy=False)[asked.number])
        return Trial(asked.number, "running", labels, None)

    def report(self, number: int, step: int, value: float) -> bool:
        """A value on the way; whether the trial is to be pruned."""
        trial = self._open.get(number)
        if trial is None:
            return False
        trial.report(value, step)
        self._ledger.note(number, step, value)
        return bool(trial.should_prune())  # NumPy's, of some pruners

    def tell(
        self, number: int, state: str, value: float | None, *, crashed: bool = False
    ) -> None:
        """How a trial ended; `state` "complete" wants a value."""
        import optuna

        states = optuna.trial.TrialState
        trial = self._open.pop(number)
        if crashed:
            trial.set_user_attr(CRASHED, True)
        complete = state == "complete" and value is not None
        found = states.COMPLETE if complete else states.FAIL
        if state == "pruned":
            found = states.PRUNED
        self._search.tell(trial, value if complete else None, state=found)
        ended = self._search.get_trials(deepcopy=False)[number]
        last = ended.values[0] if ended.values else None
        self._ledger.end(number, found, last, crashed=crashed)

    def end_the_lost(
        self,
        value_of: Callable[[int], float | None],
        *,
        rerun_failed: bool = False,
    ) -> None:
        """Trials that a process left running when it died: to be tried again.

        Those whose run came to its end all the same have their value by `value_of`,
        given their number. With `rerun_failed` those that failed are tried again too.
        """
        import optuna

        for trial in self._search.get_trials(deepcopy=False):
            if trial.state == optuna.trial.TrialState.RUNNING:
                self._open[trial.number] = optuna.Trial(self._search, trial._trial_id)
                value = value_of(trial.number)
                state = "fail" if value is None else "complete"
                self.tell(trial.number, state, value, crashed=value is None)
        again = [t for t in self.trials if t.state == "fail" and t.labels]
        tried = [t.labels for t in self.trials if t.state != "fail"]
        for lost in again:
            if (lost.crashed or rerun_failed) and lost.labels not in tried:
                tried.append(lost.labels)
                self.retry(lost.labels)
        if rerun_failed:
            self._rerun = {lost.number for lost in again}
            self._ledger.study.set_user_attr(RERUN, json.dumps(sorted(self._rerun)))

    def _given(self) -> dict[str, Label] | None:
        """Values that are not left to the sampler."""
        if self._again:
            return self._again.pop(0)
        if self._grid is None:
            return None
        done = [t.labels for t in self.trials if not t.crashed]
        return next((point for point in self._grid if point not in done), None)


def _copy_of(study: optuna.Study, plan: Plan) -> optuna.Study:
    """The same study in memory."""
    import optuna

    with _quiet():
        copy = optuna.create_study(
            study_name=study.study_name,  # by it Hyperband shares trials out
            direction=study.direction,
            pruner=pruner_of(plan.pruning),
        )
    copy.add_trials(study.get_trials(deepcopy=False))
    return copy


def open_study(
    storage: optuna.storages.RDBStorage,
    name: str,
    *,
    space: Space,
    aim: Aim,
    plan: Plan,
    about: Mapping[str, Any],
    resume: bool,
) -> Study:
    """Make the study of a sweep, or go on with it.

    Raises
    ------
    OptionError
        When there is one of that name and `resume` is False, or there is none and it
        is True, or it is of another cell, space or metric.
    MissingExtraError
        Where Optuna is not installed.
    """
    optuna = optuna_module()
    grid = space.grid() if plan.sampler == "grid" else None
    direction = "minimize" if aim.goal == "min" else "maximize"
    with _quiet():
        known = optuna.get_all_study_names(storage)
        if resume and name not in known:
            hint = did_you_mean(name, known) or f" There are: {', '.join(known[-5:])}."
            raise OptionError(
                f"No sweep {shorten(repr(name), 60)} to go on with.{hint}"
            )
        if not resume and name in known:
            raise OptionError(
                f"There is a sweep {name!r} already: go on with it (--resume {name}), "
                "or give this one another --name."
            )
        study = optuna.create_study(
            storage=storage,
            study_name=name,
            direction=direction,
            load_if_exists=resume,
        )
    if resume:
        _check_same(name, about, json.loads(study.user_attrs.get(ABOUT, "{}")))
    else:
        study.set_user_attr(ABOUT, json.dumps(dict(about)))
        with _stable():
            study.set_metric_names([aim.metric])
    return Study(Ledger(study, storage), space, plan, grid=grid)


def open_storage(folder: Path) -> optuna.storages.RDBStorage:
    """Optuna's storage in a store's folder; its file is the owner's alone.

    Raises
    ------
    MissingExtraError
        Where Optuna is not installed.
    """
    optuna_module()
    import optuna
    import sqlalchemy

    path = folder / FILE_NAME
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    with _quiet():
        storage = optuna.storages.RDBStorage(
            f"sqlite:///{path}", engine_kwargs={"connect_args": {"timeout": _WAIT_S}}
        )

    @sqlalchemy.event.listens_for(storage.engine, "connect")
    def _connected(connection: Any, _: Any) -> None:
        # Survives kill -9 all the same; a commit takes 0.1 ms instead of 5.
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = normal")

    storage.engine.dispose()
    return storage


def storage_there(folder: Path) -> optuna.storages.RDBStorage | None:
    """Optuna's storage, where a store has one; to look is not to make it.

    >>> storage_there(Path("/nowhere")) is None
    True
    """
    return open_storage(folder) if (folder / FILE_NAME).exists() else None


def study_names(storage: optuna.storages.RDBStorage | None) -> list[str]:
    """The sweeps of a store, oldest first; none where it never had one.

    >>> study_names(None)
    []
    """
    if storage is None:
        return []
    return list(optuna_module().get_all_study_names(storage))


def sampler_of(plan: Plan, n_drawn: int) -> optuna.samplers.BaseSampler:
    """The sampler of one trial: by the sweep's seed and how many were drawn."""
    import optuna

    seed = (plan.seed * 1_000_003 + n_drawn) % 2**32
    if plan.sampler == "tpe":
        return optuna.samplers.TPESampler(seed=seed)
    if plan.sampler == "gp":
        with _stable():
            return optuna.samplers.GPSampler(seed=seed)
    return optuna.samplers.RandomSampler(seed=seed)


def pruner_of(name: Pruner) -> optuna.pruners.BasePruner:
    """The pruner of a name."""
    import optuna

    if name == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=0)
    if name == "asha":
        return optuna.pruners.SuccessiveHalvingPruner()
    if name == "hyperband":
        return optuna.pruners.HyperbandPruner()
    return optuna.pruners.NopPruner()


def _suggested(trial: optuna.Trial, axis: Axis) -> Label:
    if axis.kind == "choice":
        found: Label = trial.suggest_categorical(
            axis.name, [choice.label for choice in axis.choices]
        )
        return found
    low, high, step = axis.low, axis.high, axis.step
    if axis.kind == "int":
        whole = 1 if step is None else int(step)
        return trial.suggest_int(
            axis.name, int(low), int(high), step=whole, log=axis.log
        )
    return trial.suggest_float(axis.name, low, high, step=step, log=axis.log)


def _frozen(trial: optuna.trial.FrozenTrial, *, lost: bool) -> Trial:
    state = trial.state.name.lower()
    value = trial.values[0] if trial.values else None
    crashed = lost or bool(trial.user_attrs.get(CRASHED))
    return Trial(trial.number, state, dict(trial.params), value, crashed)


def _check_same(name: str, now: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    """A sweep that goes on is of the same cell, space and metric."""
    for key, what in (("space", "space"), ("metric", "metric"), ("cell", "cell")):
        if key in before and before[key] != now.get(key):
            shown = "" if key == "cell" else f" ({shorten(str(before[key]), 80)})"
            raise OptionError(
                f"Sweep {name!r} has another {what}{shown}: begin a new one, with "
                "another --name."
            )


@contextmanager
def _stable() -> Iterator[None]:
    """Optuna calls parts experimental that are years old: no word under the cell."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _quiet() -> Iterator[None]:
    """Optuna tells on stderr of every study and trial: not under the user's cell."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)

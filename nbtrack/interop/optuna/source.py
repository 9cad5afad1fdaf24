"""The studies of a storage: each trial that began is a run.

A trial is the same run here whether it comes by `import_runs`, `import_study` or an
`OptunaCallback`: its id is made of the study, its number and its start. What a callback
recorded stays as it is, with all that it saw.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from nbtrack.capture.values import decode
from nbtrack.errors import ImportSourceError
from nbtrack.interop.foreign import ForeignRun, ForeignSeries, FoundRun
from nbtrack.interop.optuna.storages import is_database, is_journal, open_storage
from nbtrack.records import Status
from nbtrack.sweeps.optuna_trials import (
    STATUS,
    end_of,
    params_of,
    run_id_of_trial,
    spaces_of,
    start_of,
)
from nbtrack.sweeps.studies import (
    SWEEP,
    TRIAL,
    Objectives,
    objectives_of,
    optuna_module,
)
from nbtrack.sweeps.study import ABOUT
from nbtrack.text import shorten, visible

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

_STATES: dict[str, Status] = {**STATUS, "RUNNING": "running"}
_ARTIFACTS = "artifacts:"  # of system attributes, in which Optuna notes files


def recognises(place: str) -> bool:
    """Whether a SQLite file or a journal of Optuna lies there.

    Addresses of other databases do not tell who wrote there: name the tool.
    """
    return is_database(place) or is_journal(place)


def open_source(place: str) -> OptunaRuns:
    """The studies at a file or an address.

    Raises
    ------
    ImportSourceError
        Where there is no storage, or only sweeps of nbtrack itself are in it.
    MissingExtraError
        Where Optuna is not installed.
    """
    folder = TemporaryDirectory(prefix="nbtrack-optuna-")
    try:
        storage = open_storage(place, Path(folder.name))
        return OptunaRuns(storage, _studies(storage, place), folder)
    except BaseException:
        folder.cleanup()
        raise


def _studies(storage: BaseStorage, place: str) -> list[Study]:
    optuna = optuna_module()
    names = optuna.get_all_study_names(storage)
    studies = [optuna.load_study(study_name=name, storage=storage) for name in names]
    foreign = [study for study in studies if ABOUT not in study.user_attrs]
    if studies and not foreign:
        shown = shorten(visible(repr(place)))
        raise ImportSourceError(
            f"{shown} has sweeps of nbtrack only: their trials are runs of the store "
            "beside it. `nbtrack.merge` takes the runs of another store."
        )
    return foreign


class OptunaRuns:
    """The trials of some studies."""

    tool = "optuna"

    def __init__(
        self,
        storage: BaseStorage,
        studies: Sequence[Study],
        folder: TemporaryDirectory[str],
    ) -> None:
        self._storage = storage
        self._studies = studies
        self._folder = folder

    def found(self) -> list[FoundRun]:
        """The trials that began, by study and number."""
        return [run for study in self._studies for run in _trials_of(study)]

    def close(self) -> None:
        """Let go of the database, and of the copy of it."""
        self._storage.remove_session()
        self._folder.cleanup()


def _trials_of(study: Study) -> Iterator[FoundRun]:
    objectives = objectives_of(study, None)
    for trial in study.get_trials(deepcopy=False):
        if trial.state.name in _STATES:
            yield FoundRun(
                f"{study.study_name}/{trial.number}",
                start_of(trial).timestamp(),
                partial(_run, study.study_name, trial, objectives=objectives),
                state=_state(trial),
                ours=run_id_of_trial(study.study_name, trial),
            )


def _state(trial: FrozenTrial) -> str:
    n_told = len(trial.params) + len(trial.user_attrs) + len(trial.intermediate_values)
    return f"{trial.state.name}.{n_told}"


def _run(name: str, trial: FrozenTrial, *, objectives: Objectives) -> ForeignRun:
    status = _STATES[trial.state.name]
    end = end_of(trial).timestamp()
    params = [replace(p, value=decode(p.value)) for p in params_of(trial)]
    attrs = {"attrs": trial.user_attrs} if trial.user_attrs else {}
    n_files = sum(key.startswith(_ARTIFACTS) for key in trial.system_attrs)
    gone = f"{n_files} files did not come: the storage does not say where they lie"
    return ForeignRun(
        name=f"{name}-{trial.number}",
        experiment=name,
        status=status,
        ended_at=None if status == "running" else end,
        params={p.name: p for p in params} | attrs,
        tags={SWEEP: name, TRIAL: str(trial.number)},
        facts=spaces_of(trial),
        series=list(_series(trial, objectives, end)),
        notices=[gone] if n_files else [],
    )


def _series(
    trial: FrozenTrial, objectives: Objectives, at: float
) -> Iterator[ForeignSeries]:
    """What was reported on the way, with the value at the end behind it.

    When something was reported Optuna does not say: all have the time of the end.
    """
    reported = sorted(trial.intermediate_values.items())
    values = trial.values or [None] * len(objectives.names)
    told = zip(objectives.names, objectives.goals, values, strict=True)
    for name, goal, value in told:
        steps = [step for step, _ in reported]
        points = [point for _, point in reported]
        # One that was reported last anyway does not come twice.
        if value is not None and (not points or points[-1] != value):
            steps.append(steps[-1] + 1 if steps else 0)
            points.append(value)
        if points:
            yield ForeignSeries(name, steps, points, [at] * len(points), goal)
        reported = []  # they are of the first objective

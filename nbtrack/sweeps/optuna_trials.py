"""A trial of Optuna as a run: who it is, what is told of it, how it ended.

Used while trials run (`OptunaCallback`) and for studies that are over (`import_study`).
The id of such a run follows from the study, the number and the start of the trial, so
that no trial is recorded twice, whoever comes first.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from nbtrack.records import Fact, Param, Status
from nbtrack.sweeps.studies import SWEEP, TRIAL, Objectives, optuna_module
from nbtrack.text import clean_name
from nbtrack.tracking.ids import run_id_of
from nbtrack.tracking.params import as_params
from nbtrack.tracking.session import process_session

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial, Trial

    from nbtrack.store import Store
    from nbtrack.tracking.run import Run

STATUS: dict[str, Status] = {
    "COMPLETE": "finished",
    "PRUNED": "pruned",
    "FAIL": "failed",
}

_NESTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")  # `opt.lr`, and no number in it


def run_id_of_trial(study_name: str, trial: Trial | FrozenTrial) -> str:
    """The id that the run of a trial has or would have."""
    start = start_of(trial)
    what = f"{study_name}\n{trial.number}\n{start.isoformat()}"
    return run_id_of(what, started_at=start.timestamp())


def known_trials(store: Store, study_name: str) -> dict[int, str]:
    """The trials of a sweep that the store has runs of: number to id, by their tags."""
    table = store.table(trashed=None, names=())
    sweep, found = clean_name(study_name), {}
    for run, tags in table.tags.items():
        number = tags.get(TRIAL) or ""
        if tags.get(SWEEP) == sweep and number.isdecimal():
            found[int(number)] = run
    return found


def begin_trial(
    study_name: str,
    trial: Trial | FrozenTrial,
    *,
    experiment: str | None,
    off: str = "",
) -> Run:
    """Begin the run of a trial, current in this thread until it is finished.

    Its experiment is, unless said, that of the run around it, else the study's name.
    """
    session = process_session()
    around = session.current
    named = around.experiment if around else study_name
    return session.start(
        f"{study_name}-{trial.number}",
        id=run_id_of_trial(study_name, trial),
        experiment=experiment or named,
        tags={SWEEP: study_name, TRIAL: str(trial.number)},
        started_at=start_of(trial).timestamp(),
        off=off,
        beside=True,
    )


def record_trial(
    study_name: str,
    trial: FrozenTrial,
    objectives: Objectives,
    *,
    experiment: str | None,
    off: str,
) -> str:
    """Record a trial that is over; returns the id of its run.

    When an intermediate value was reported Optuna does not say: those points have the
    time at which the trial ended.
    """
    run = begin_trial(study_name, trial, experiment=experiment, off=off)
    end = end_of(trial).timestamp()
    try:
        set_goals(run, objectives)
        tell_trial(run, trial)
        for step, value in sorted(trial.intermediate_values.items()):
            run.log({objectives.names[0]: value}, step=step, at=end)
        if trial.values is not None:
            tell_values(run, objectives, trial.values, at=end)
    finally:
        run.finish(STATUS[trial.state.name], ended_at=end)
    return run.id


def set_goals(run: Run, objectives: Objectives) -> None:
    """Tell the run in which direction each objective gets better."""
    for name, goal in zip(objectives.names, objectives.goals, strict=True):
        run.set_goal(name, goal)


def tell_trial(run: Run, trial: Trial | FrozenTrial) -> None:
    """Keep the params, the attributes (as `attrs.*`) and where params came from."""
    run.log_params(params_of(trial))
    run.log_params({"attrs": trial.user_attrs} if trial.user_attrs else {})
    run.log_facts(Fact(name, told) for name, told in spaces_of(trial).items())


def spaces_of(trial: Trial | FrozenTrial) -> dict[str, Any]:
    """Where the params came from, as facts."""
    to_json = optuna_module().distributions.distribution_to_json
    return {
        f"sweep.space.{name}": json.loads(to_json(distribution))
        for name, distribution in trial.distributions.items()
    }


def params_of(trial: Trial | FrozenTrial) -> list[Param]:
    """The params, typed; a dot in a name is nesting, as everywhere in a run."""
    found = []
    for name, value in trial.params.items():
        params = as_params({name: value}, {})
        if len(params) == 1 and _NESTED.fullmatch(name):
            params = [replace(params[0], name=name)]
        found += params
    return found


def tell_values(
    run: Run,
    objectives: Objectives,
    values: Any,  # floats, one for each objective
    *,
    at: float | None = None,
) -> None:
    """Keep the values of the objectives, behind what was reported on the way.

    One that was logged last anyway is not logged again.
    """
    latest, next_steps = run.latest_metrics(), run.next_steps()
    for name, value in zip(objectives.names, values, strict=True):
        if latest.get(clean_name(name)) != value:
            run.log({name: value}, step=next_steps.get(clean_name(name), 0), at=at)


def start_of(trial: Trial | FrozenTrial) -> datetime:
    """When it began; in local time without a zone, as Optuna has it."""
    start = trial.datetime_start or getattr(trial, "datetime_complete", None)
    return start or datetime.fromtimestamp(0)  # one that was added by hand


def end_of(trial: FrozenTrial) -> datetime:
    """When it ended, as far as that is known."""
    start = start_of(trial)
    return max(start, trial.datetime_complete or start)

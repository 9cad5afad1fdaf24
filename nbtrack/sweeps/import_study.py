"""`import_study`: the trials of an Optuna study that ran without us become runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nbtrack.sweeps.optuna_trials import STATUS, known_trials, record_trial
from nbtrack.sweeps.studies import (
    load_study_from,
    objectives_of,
    optuna_module,
    storage_of,
)
from nbtrack.text import shorten, visible
from nbtrack.tracking.session import process_session

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial


def import_study(
    study: Study | str,
    storage: str | BaseStorage | None = None,
    *,
    experiment: str | None = None,
    metric: str | Sequence[str] | None = None,
) -> list[str]:
    """Make the trials of a study runs, with their own times, params and values.

    A trial that this store has already, by the tags `sweep` and `trial`, is left as it
    is: importing again adds what is new. Trials that still run or wait are left out,
    and how many they are is said.

    Parameters
    ----------
    study : optuna.Study or str
        A study, or the name of one in `storage`.
    storage : str or storage of Optuna, optional
        An address such as "sqlite:///study.db". Default: that of this store's sweeps.
    experiment : str, optional
        Default: that of the current run, else the name of the study.
    metric : str or sequence of str, optional
        What the objectives are called; as in `nbtrack.OptunaCallback`.

    Returns
    -------
    list of str
        The ids of the runs of all trials that are over, by number.

    Raises
    ------
    OptionError
        When there is no such study, with a did-you-mean, or `metric` does not fit it.
    StoreError
        When no store can be opened or made here.
    MissingExtraError
        Where Optuna is not installed.

    Examples
    --------
    >>> import nbtrack, optuna
    >>> study = optuna.create_study(study_name="parabola", direction="minimize")
    >>> study.optimize(lambda trial: trial.suggest_float("x", -1, 1) ** 2, n_trials=3)
    >>> runs = nbtrack.import_study(study, metric="loss")
    >>> nbtrack.import_study(study) == runs, len(runs)
    (True, 3)
    """
    session = process_session()
    store = session.store_for()
    found = _study(study, storage or storage_of(store))
    objectives = objectives_of(found, metric)
    store.journal.flush()
    runs = known_trials(store, found.study_name)
    trials = found.get_trials(deepcopy=False)
    over = [trial for trial in trials if trial.state.name in STATUS]
    new = [trial for trial in over if trial.number not in runs]
    for trial in new:
        runs[trial.number] = record_trial(
            found.study_name, trial, objectives, experiment=experiment, off="all"
        )
    session.tell(_said(found.study_name, trials, len(over), len(new)))
    return [runs[trial.number] for trial in over]


def _study(study: Study | str, storage: str | BaseStorage) -> Study:
    optuna_module()
    return load_study_from(study, storage) if isinstance(study, str) else study


def _said(name: str, trials: Sequence[FrozenTrial], n_over: int, n_new: int) -> str:
    said = f"study {shorten(visible(repr(name)), 60)}: {n_new} trials imported"
    if n_over > n_new:
        said += f", {n_over - n_new} were here"
    left = Counter(t.state.name.lower() for t in trials if t.state.name not in STATUS)
    told = ", ".join(f"{n} {state}" for state, n in left.items())
    return f"{said}; left out: {told}" if told else said

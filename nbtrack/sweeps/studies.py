"""Optuna's studies, and where those of a store's sweeps lie: `<store>/sweeps.db`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbtrack.errors import MissingExtraError, OptionError
from nbtrack.text import did_you_mean, shorten, visible

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import BaseStorage

    from nbtrack.records import Goal
    from nbtrack.store import Store

FILE_NAME = "sweeps.db"
SWEEP, TRIAL = "sweep", "trial"  # the tags of a trial's run
VALUE = "value"  # the metric of a study that does not name its own
_SQLITE = "sqlite:///"


@dataclass(frozen=True, slots=True)
class Objectives:
    """What a study makes small or large: one metric each, in the study's order."""

    names: tuple[str, ...]
    goals: tuple[Goal, ...]


def optuna_module() -> Any:
    """The module of Optuna.

    Raises
    ------
    MissingExtraError
        Where it is not installed.
    """
    try:
        import optuna
    except ImportError as exc:
        raise MissingExtraError(
            "Sweeps need Optuna: `pip install 'nbtrack[sweeps]'`."
        ) from exc
    return optuna


def storage_of(store: Store) -> str:
    """The address of the studies of a store, as Optuna takes it."""
    return f"{_SQLITE}{store.path / FILE_NAME}"


def load_study(name: str, store: Store) -> Study:
    """The study of a sweep of this store.

    Raises
    ------
    OptionError
        When no sweep of this store is called so, with a did-you-mean.
    MissingExtraError
        Where Optuna is not installed.
    """
    return load_study_from(name, storage_of(store))


def load_study_from(name: str, storage: str | BaseStorage) -> Study:
    """The study of this name in any of Optuna's storages, with the errors above."""
    optuna = optuna_module()
    known: list[str] = []
    if _is_there(storage):  # Optuna would make an empty file
        known = optuna.get_all_study_names(storage)
    if name not in known:
        raise OptionError(_unknown(name, known))
    found: Study = optuna.load_study(study_name=name, storage=storage)
    return found


def objectives_of(study: Study, metric: str | Sequence[str] | None) -> Objectives:
    """The metrics of a study: as they are named here, else by the study, else "value".

    Raises
    ------
    OptionError
        When there are not as many names as objectives.

    Examples
    --------
    >>> import optuna
    >>> study = optuna.create_study(directions=["minimize", "maximize"])
    >>> objectives_of(study, ["loss", "acc"])
    Objectives(names=('loss', 'acc'), goals=('min', 'max'))
    >>> objectives_of(study, None).names
    ('value_0', 'value_1')
    """
    goals = [_goal_of(direction.name) for direction in study.directions]
    names = [metric] if isinstance(metric, str) else list(metric or ())
    names = names or list(study.metric_names or ()) or _plain_names(len(goals))
    if len(names) != len(goals) or len(set(names)) != len(names):
        raise OptionError(
            f"metric={shorten(visible(repr(metric)), 60)} has not one name for each of "
            f"the {len(goals)} objectives of study {_shown(study.study_name)}."
        )
    return Objectives(tuple(names), tuple(goals))


def _goal_of(direction: str) -> Goal:
    return "max" if direction == "MAXIMIZE" else "min"


def _plain_names(n: int) -> list[str]:
    return [VALUE] if n == 1 else [f"{VALUE}_{at}" for at in range(n)]


def _is_there(storage: str | BaseStorage) -> bool:
    if not isinstance(storage, str) or not storage.startswith(_SQLITE):
        return True
    path = storage.removeprefix(_SQLITE).partition("?")[0]
    return Path(path).exists()


def _unknown(name: str, known: Sequence[str]) -> str:
    if not known:
        return f"No sweep is called {_shown(name)}: there is none yet."
    told = ", ".join(visible(shorten(each, 40)) for each in known[:8])
    hint = did_you_mean(name, known) or f" There are: {told}."
    return f"No sweep is called {_shown(name)}.{visible(hint)}"


def _shown(name: object) -> str:
    return shorten(visible(repr(name)), 60)

"""Which of two versions is better, before anything of the new one is copied."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from nbtrack.errors import ArtifactError, ArtifactNotFoundError, OptionError
from nbtrack.metric_names import goal_of, judges
from nbtrack.records import ArtifactRecord, Goal, is_better
from nbtrack.text import clean_name

if TYPE_CHECKING:
    from nbtrack.store import Store


def checked_judge(
    best_by: str | None, goal: Goal | None, goals: Mapping[str, Goal]
) -> tuple[str | None, Goal | None]:
    """The metric that `best` goes by and its goal, as they were asked for.

    Parameters
    ----------
    goals
        What the run was told of its metrics' goals.

    Raises
    ------
    OptionError
        For a goal that is none, or a metric whose name does not say which is better.

    Examples
    --------
    >>> checked_judge("val_loss", None, {}), checked_judge(None, None, {})
    (('val_loss', 'min'), (None, None))
    """
    if goal is not None and goal not in ("min", "max"):
        raise OptionError(f"goal {goal!r} is neither 'min' nor 'max'.")
    if best_by is None:
        if goal is not None:
            raise OptionError(f"goal={goal!r} needs best_by=, the metric it is of.")
        return None, None
    metric = clean_name(str(best_by))
    goal = goal or goals.get(metric) or goal_of(metric)
    if goal is None:
        raise OptionError(
            f"The name {metric!r} does not say whether it should be small or large. "
            "Say goal='min' or goal='max'."
        )
    return metric, goal


def why_not_better(
    store: Store,
    name: str,
    metrics: Mapping[str, float],
    *,
    metric: str | None,
    goal: Goal | None,
) -> str:
    """Why a new version of an artifact is not better than its best; "" where it is.

    Raises
    ------
    ArtifactError
        When no metric can tell.
    """
    best = _best(store, name)
    metric = metric or (best and best.metric) or next(iter(judges(metrics)), None)
    if metric is None:
        raise ArtifactError(
            f"only_if_better: no metric says which version of {name!r} is better. "
            "Log one first, or give best_by= and metrics=."
        )
    if metric not in metrics:
        known = ", ".join(sorted(metrics)) or "none"
        raise ArtifactError(
            f"only_if_better: {metric!r} was not logged (there are: {known}). Log it "
            "first, or give metrics=."
        )
    value = metrics[metric]
    if math.isnan(value):
        return f"{metric} is NaN"
    if best is None:
        return ""
    known_value = _score(store, best, metric, goal)
    goal = goal or best.goal or goal_of(metric)
    if known_value is None or goal is None or is_better(value, known_value, goal):
        return ""
    return f"{metric} {value:.6g} is not better than {known_value:.6g} of {best.ref}"


def _best(store: Store, name: str) -> ArtifactRecord | None:
    try:
        return store.artifact(f"{name}:best")
    except ArtifactNotFoundError:
        return None


def _score(
    store: Store, best: ArtifactRecord, metric: str, goal: Goal | None
) -> float | None:
    """The best that was ever logged beside a version."""
    goal = goal or best.goal or goal_of(metric)
    score: float | None = None
    for use in store.artifact_uses(version=best.id, role="output"):
        value = use.metrics.get(metric)
        if not isinstance(value, int | float):
            continue
        if score is None or (goal is not None and is_better(value, score, goal)):
            score = float(value)
    return score

"""Which checkpoint of a run is meant by a step, by "last" or by "best".

Answers from the record alone; reads no file.
"""

from __future__ import annotations

from nbtrack.errors import CheckpointError
from nbtrack.records import (
    CheckpointRecord,
    Goal,
    RunRecord,
    goal_of,
    is_better,
    use_as_judge,
)
from nbtrack.text import did_you_mean, shorten


def choose_checkpoint(
    record: RunRecord,
    step: int | str | None = None,
    *,
    name: str | None = None,
    metric: str | None = None,
) -> CheckpointRecord:
    """Which checkpoint of a run is meant; see `load_checkpoint`."""
    found = [c for c in record.checkpoints if name is None or c.name == name]
    if not found:
        raise CheckpointError(_none_found(record, name))
    if step == "best":
        return _best(record, found, metric)
    if isinstance(step, int):
        found = [c for c in found if c.step == step] or _no_step(found, step)
    elif step not in (None, "last"):
        raise CheckpointError(f"step {step!r} is unknown. Use a number, last or best.")
    return max(found, key=lambda c: (c.created_at, c.version))


def _best(
    record: RunRecord, found: list[CheckpointRecord], metric: str | None
) -> CheckpointRecord:
    goals = _goals(record, found)
    chosen = metric or next(iter(sorted(goals, key=use_as_judge)), None)
    if chosen is None or chosen not in goals:
        raise CheckpointError(
            f"No checkpoint of run {record.name!r} has a metric {metric or ''!r} that "
            f"says what best means.{did_you_mean(metric or '', goals)} Set one with "
            "run.set_goal(metric, 'min' or 'max'), or pass metric=."
        )
    best: CheckpointRecord | None = None
    for each in found:
        if chosen in each.metrics and (
            best is None
            or is_better(each.metrics[chosen], best.metrics[chosen], goals[chosen])
        ):
            best = each
    assert best is not None  # goals holds only metrics that some checkpoint has
    return best


def _goals(record: RunRecord, found: list[CheckpointRecord]) -> dict[str, Goal]:
    names = {name for each in found for name in each.metrics}
    stored = {name: record.metrics[name].goal for name in names & set(record.metrics)}
    known = {name: stored.get(name) or goal_of(name) for name in names}
    return {name: goal for name, goal in known.items() if goal is not None}


def _none_found(record: RunRecord, name: str | None) -> str:
    if not record.checkpoints:
        return (
            f"Run {record.name!r} has no checkpoints. Files saved in a tracked cell "
            "become checkpoints; run.checkpoint(model) keeps one by hand."
        )
    names = sorted({c.name for c in record.checkpoints})
    hint = did_you_mean(name or "", names)
    return f"Run {record.name!r} has no checkpoint {name!r}.{hint} It has {names}."


def _no_step(found: list[CheckpointRecord], step: int) -> list[CheckpointRecord]:
    steps = sorted({c.step for c in found if c.step is not None})
    listed = shorten(", ".join(map(str, steps)), 120)
    raise CheckpointError(f"No checkpoint at step {step}. There are steps {listed}.")

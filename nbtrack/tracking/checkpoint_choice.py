"""Which checkpoint of a run is meant by a step, by "last" or by "best".

Answers from the record alone; reads no file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nbtrack.errors import CheckpointError
from nbtrack.metric_names import goal_of, use_as_judge
from nbtrack.records import CheckpointRecord, Goal, RunRecord, is_better
from nbtrack.text import did_you_mean, shorten


@dataclass(frozen=True, slots=True)
class Asked:
    """Which checkpoint is asked for; see `load_checkpoint`."""

    step: int | str | None = None
    name: str | None = None
    metric: str | None = None
    nearest: bool = False

    @property
    def is_specific(self) -> bool:
        """Whether anything is said beside the run."""
        return self != Asked()


def choose_checkpoint(record: RunRecord, asked: Asked) -> CheckpointRecord:
    """Which checkpoint of a run is meant; never one whose bytes were given up."""
    step, name = asked.step, asked.name
    found = [c for c in record.checkpoints if name is None or c.name == name]
    if not found:
        raise CheckpointError(_none_found(record, name))
    if step not in (None, "last", "best") and not isinstance(step, int):
        raise CheckpointError(f"step {step!r} is unknown. Use a number, last or best.")
    if step == "best":
        return _still_there(_best(record, found, asked.metric), found)
    kept = [c for c in found if not c.gone_at]
    if isinstance(step, int):
        if asked.nearest:
            kept = _at_or_before(kept, step) or _no_step(found, step)
            return max(kept, key=_by_step)
        found = [c for c in found if c.step == step] or _no_step(found, step)
        kept = [c for c in found if not c.gone_at]
        if not kept:
            of_name = [c for c in record.checkpoints if name in (None, c.name)]
            return _still_there(max(found, key=_by_time), of_name)
    elif not kept:
        return _still_there(max(found, key=_by_time), found)
    return max(kept, key=_by_time)


def why_gone(what: str, at: str, why: str | None, there: Sequence[str]) -> str:
    """Since when and why the bytes of something are gone, and what is still there.

    >>> why_gone("mlp:v1", "2026-01-01T00:00:00Z", "pruned", ["mlp:v2"])
    'Checkpoint mlp:v1 was pruned at 2026-01-01T00:00:00Z. Still kept: mlp:v2.'
    """
    listed = shorten(", ".join(there), 200) if there else "none"
    return f"Checkpoint {what} was {why or 'given up'} at {at}. Still kept: {listed}."


def _still_there(
    chosen: CheckpointRecord, of_run: list[CheckpointRecord]
) -> CheckpointRecord:
    if not chosen.gone_at:
        return chosen
    kept = sorted((c for c in of_run if not c.gone_at), key=_by_time, reverse=True)
    raise CheckpointError(
        why_gone(
            _shown(chosen), chosen.gone_at, chosen.gone_why, list(map(_shown, kept))
        )
    )


def _shown(c: CheckpointRecord) -> str:
    return f"{c.name}:v{c.version}" + ("" if c.step is None else f" (step {c.step})")


def _by_time(c: CheckpointRecord) -> tuple[str, int]:
    return c.created_at, c.version


def _by_step(c: CheckpointRecord) -> tuple[int, str, int]:
    return c.step or 0, c.created_at, c.version


def _at_or_before(found: list[CheckpointRecord], step: int) -> list[CheckpointRecord]:
    return [c for c in found if c.step is not None and c.step <= step]


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
    raise CheckpointError(
        f"No checkpoint at step {step}. There are steps {listed}; nearest=True takes "
        "the last one before it."
    )

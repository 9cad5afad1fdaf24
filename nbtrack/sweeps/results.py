"""What came of a trial, read from its run: the value, the error in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbtrack.guard import tolerated
from nbtrack.records import RunRecord
from nbtrack.sweeps.trial import Aim, Outcome, Task
from nbtrack.text import shorten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbtrack.tracking.run import Run


def outcome_of(
    task: Task,
    run: Run | None,
    error: BaseException | None,
    *,
    leaks: Mapping[str, str],
    duration_s: float,
    wrote: tuple[str, ...] = (),
) -> Outcome:
    """What a trial came to.

    Parameters
    ----------
    run
        That it recorded; None where it never came so far.
    error
        That left the user's code.
    leaks
        What the next trial would see of it.
    wrote
        The files that it wrote.
    """
    record = None if run is None else recorded(run)
    by_hand = isinstance(error, KeyboardInterrupt)
    return Outcome(
        number=task.number,
        status="failed" if record is None else record.status,
        run=None if run is None else run.id,
        value=None if record is None else value_of(record, task.aim),
        error=None if error is None or by_hand else in_one_line(error),
        duration_s=duration_s,
        leaks=leaks,
        logged=() if record is None else tuple(record.metrics),
        wrote=wrote,
        interrupted=by_hand and (run is None or not run.stop.requested),
    )


def value_of(record: RunRecord, aim: Aim) -> float | None:
    """The metric of a run as the aim takes it; None where it has none."""
    summary = record.metrics.get(aim.metric)
    if summary is None or summary.n == summary.n_nan:
        return None
    if aim.by == "last":
        return summary.last
    return summary.min if aim.goal == "min" else summary.max


def recorded(run: Run) -> RunRecord | None:
    """What the store has of a run that has ended; None where it has nothing.

    Its end was waited for, so its metrics are there; what else is looked at in the
    background may still come.
    """
    found: list[RunRecord] = []
    with tolerated(lambda exc: None):  # a store that was lost meanwhile
        found.append(run.store.run(run.id))
    return found[0] if found else None


def in_one_line(error: BaseException) -> str:
    r"""An exception as people read it.

    >>> in_one_line(ValueError("no\nway"))
    'ValueError: no'
    """
    said: list[str] = [type(error).__name__]
    with tolerated(lambda exc: None):  # an exception of theirs may not print itself
        said.append(str(error).strip().partition("\n")[0])
    return shorten(": ".join(part for part in said if part), 300)

"""Forking a run at a step: a new run that begins as the other one was there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbtrack.errors import OptionError
from nbtrack.tracking.numbers import whole_step
from nbtrack.tracking.run import Run
from nbtrack.tracking.session import process_session

if TYPE_CHECKING:
    from nbtrack.records import RunRecord
    from nbtrack.store import Store

FLUSH_S = 5.0


def fork(
    run: Run | RunRecord | str,
    *,
    step: int,
    name: str | None = None,
    store: Store | None = None,
    **about: Any,  # what `nbtrack.start` takes: params, tags, group, notes, off
) -> Run:
    """Begin a run with another one's past up to a step.

    The points up to that step are shared, not copied: curves, tables and panels of the
    fork show them, and each metric goes on behind its own last one. Params come along,
    and those given here replace them. The other run may go on or be trashed; purging
    it gives the fork a copy of what they share.

    Parameters
    ----------
    run : Run, RunRecord or str
        What to fork; its id, name or "last".
    step : int
        The last step that is shared, of each metric by its own steps.
    name : str, optional
        Default: the other run's.
    store : Store, optional
        Default: the live run's, else the one near the working folder.
    **about
        As for `nbtrack.start`.

    Returns
    -------
    Run
        The new run, which is the current one now.

    Raises
    ------
    RunNotFoundError
        When there is no such run.
    OptionError
        When it has no point up to that step.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base", params={"lr": 0.1}) as run:
    ...     for step in range(5):
    ...         run.log(loss=1 / (step + 1))
    >>> with nbtrack.fork("base", step=2, params={"lr": 0.01}) as other:
    ...     other.log(loss=0.1)
    >>> list(nbtrack.curve(other.id, "loss")["value"].round(2))
    [1.0, 0.5, 0.33, 0.1]
    """
    session, step = process_session(), whole_step(step)
    if isinstance(run, Run) and not run.is_recorded:
        return run  # in another rank: the first one forks
    if store is None:
        store = run.store if isinstance(run, Run) else session.store_for()
    store.journal.flush(FLUSH_S)  # what is shared has to be in the tables,
    store.recover()  # also of a process that has died
    record = store.run(run if isinstance(run, str) else run.id)
    steps = _next_steps(store, record, step)
    # Beside the other run, not inside: it is no fold of it.
    about = {
        "experiment": record.experiment, "parent": record.parent or "", **about
    }  # fmt: skip
    new = session.start(name or record.name, near=store.path, **about)
    new.become_fork(record.id, step, steps)
    return new


def _next_steps(store: Store, record: RunRecord, step: int) -> dict[str, int]:
    """Where each metric goes on that has points up to the step."""
    steps: dict[str, int] = {}
    for name in record.metrics:
        shared = [at for at in store.curve(record.id, name).steps if at <= step]
        if shared:
            steps[name] = max(shared) + 1
    if not steps:
        raise OptionError(
            f"run {record.name!r} has no point up to step {step}. Its metrics begin "
            f"later, or it has none: fork at a step of nbtrack.curve({record.name!r}, "
            "...)."
        )
    return steps

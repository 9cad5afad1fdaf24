"""Why two runs differ: `nbtrack.diff`, the door to `nbtrack.analysis.diff.run_diff`.

It stands on this floor because the slices of the two runs say which params and cells
their results depend on. The second store is only read.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from nbtrack.analysis.code_view import SETTLE_S
from nbtrack.analysis.diff.run_diff import RunDiff, diff_sides
from nbtrack.analysis.diff.side import Side, side_of
from nbtrack.errors import RunNotFoundError
from nbtrack.records import RunRecord
from nbtrack.slices.slice import slice_of_record
from nbtrack.text import shorten, visible

if TYPE_CHECKING:
    from nbtrack.store import Store
    from nbtrack.tracking.run import Run

_HINTED = ("Did you mean", "no runs yet", "Name one by its id")


def diff(
    a: Run | RunRecord | str,
    b: Run | RunRecord | str = "last",
    *,
    store: Store | None = None,
    other: Store | Path | str | None = None,
) -> RunDiff:
    """Why two runs differ: what of their params, code, data and machine does.

    Parameters
    ----------
    a, b : Run, RunRecord or str
        The runs, or their id, name, beginning of an id, or "last".
    store : Store, optional
        Default: the live run's own, or the one that belongs to this folder.
    other : Store or path, optional
        Where `b` lies, if that is another store; it is only read.

    Returns
    -------
    RunDiff
        `causes`: what most likely made the difference, in an order that
        `nbtrack.analysis.diff.cause` lays down, each with its evidence; `params`,
        `code`, `inputs`, `packages`, `environment`, `chance`, `metrics`; `unseen`:
        what was not recorded; `to_frame("params")` and `to_dict()`.

    Raises
    ------
    RunNotFoundError
        When no run, or more than one, answers, or it lies in the trash.
    StoreError
        Where there is no store, or it cannot be read.

    Notes
    -----
    The causes are in an order of plausibility: that a param differs is recorded, that
    it made the difference is not. Two runs that were compared this way and differ in
    nothing may still differ in what nobody recorded, which `unseen` names.

    Examples
    --------
    >>> import nbtrack
    >>> from nbtrack.slices.diff import diff
    >>> for lr in (0.1, 0.2):
    ...     with nbtrack.start(f"lr {lr}", params={"lr": lr}):
    ...         nbtrack.log(loss=2 * lr)
    >>> found = diff("lr 0.1", "lr 0.2")
    >>> found.causes[0].sentence
    'param lr: 0.1 in A, 0.2 in B'
    >>> [(m.name, m.delta, m.better) for m in found.metrics]
    [('loss', 0.2, 'a')]
    """
    from nbtrack.tracking.background import background

    background.settle(SETTLE_S)
    with ExitStack() as stack:
        here = store or _store_of(a)
        there = _other_store(other, stack) or store or _store_of(b)
        return diff_stored((here, _id_of(a)), (there, _id_of(b)))


def diff_stored(a: tuple[Store, str], b: tuple[Store, str]) -> RunDiff:
    """The same of two runs by what their stores have of them alone.

    Raises
    ------
    RunNotFoundError
        As `diff`.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("once") as run:
    ...     pass
    >>> once = (run.store, run.id)
    >>> diff_stored(once, once).is_same
    True
    """
    return diff_sides(_side(*a), _side(*b))


def _id_of(run: Run | RunRecord | str) -> str:
    return run if isinstance(run, str) else run.id


def _store_of(run: Run | RunRecord | str) -> Store:
    """A live run's own store, else the one of this folder; with all that was logged."""
    from nbtrack.tracking.settled import settled

    return settled(getattr(run, "store", None))


def _other_store(other: Store | Path | str | None, stack: ExitStack) -> Store | None:
    from nbtrack.store.read_only import open_to_read

    if isinstance(other, str | Path):
        return stack.enter_context(open_to_read(other))
    return other


def _side(store: Store, run: str) -> Side:
    record = _found(store, run)
    if record.trashed_at is not None:
        shown = shorten(visible(record.name), 60)
        raise RunNotFoundError(
            f"Run {shown!r} lies in the trash. Take it out first: %runs restore "
            f"{record.id}, or nbtrack.analysis.edits.restore."
        )
    made = slice_of_record(store, record)
    if made is None:
        return side_of(store, record)
    needed = frozenset(kept.cell.seq for kept in made.kept)
    return side_of(store, record, needed=needed, unknown=made.missing)


def _found(store: Store, name: str) -> RunRecord:
    try:
        return store.run(name)
    except RunNotFoundError as exc:
        if any(hint in str(exc) for hint in _HINTED):
            raise
        raise RunNotFoundError(
            f"{exc} If it was deleted, nothing is left to compare; nbtrack.runs() "
            "lists the runs that there are."
        ) from None

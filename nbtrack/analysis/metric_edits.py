"""Metrics renamed and deleted afterwards, over many runs in one call, and undone.

Points are never touched. Either all of the runs are changed or none; `undo` brings
back every number, goal and name as it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.runs_table import select, store_here
from nbtrack.errors import MetricNotFoundError, OptionError
from nbtrack.records import SYSTEM_PREFIX
from nbtrack.text import clean_name, did_you_mean, shorten

if TYPE_CHECKING:
    import pandas as pd

    from nbtrack.store import Store
    from nbtrack.store.edits import Edit


def rename_metric(
    old: str,
    new: str,
    runs: str | Iterable[str] | None = None,
    *,
    store: Store | None = None,
) -> Edit:
    """Give a metric another name, in all runs that have it; `undo` takes it back.

    Its axes, its goal and the numbers beside checkpoints come along; where it had no
    goal, it gets the one that the new name says.

    Parameters
    ----------
    old, new : str
        The name it has, and the one it gets.
    runs : str or iterable of str, optional
        A query as in `nbtrack.runs`, or runs by id or name. Default: every run that is
        not in the trash.
    store : Store, optional
        Default: the one of this folder.

    Raises
    ------
    MetricNotFoundError
        When none of the runs, or one that was named, has the metric.
    StoreError
        When a run has the new name already, or still goes on; nothing is changed then.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base"):
    ...     nbtrack.log(los=0.5)
    >>> rename_metric("los", "loss").text
    'metric los is now loss in 1 run'
    >>> nbtrack.curve("last", "loss")["value"].tolist()
    [0.5]
    """
    here = store or store_here()
    chosen = _new_name(old, new)
    return here.edits().rename_metric(old, chosen, _chosen(here, old, runs))


def delete_metric(
    name: str,
    runs: str | Iterable[str] | None = None,
    *,
    store: Store | None = None,
) -> Edit:
    """Take a metric out of every table, curve and panel; `undo` brings it back.

    Its points stay in the store until the run is purged.

    Parameters
    ----------
    name : str
        The metric.
    runs, store
        As in `rename_metric`.

    Raises
    ------
    MetricNotFoundError, StoreError
        As in `rename_metric`.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base"):
    ...     nbtrack.log(loss=0.5, oops=1.0)
    >>> delete_metric("oops").text
    'metric oops deleted in 1 run'
    """
    here = store or store_here()
    return here.edits().delete_metric(name, _chosen(here, name, runs))


def undo(edit_id: int | None = None, *, store: Store | None = None) -> Edit:
    """Take back a change over many runs: the latest, or the one with this id.

    What was done to the same runs since stays, unless it stands in the way.

    Raises
    ------
    OptionError
        When there is no such change, or it was undone.
    StoreError
        When a later change stands in the way; it is named, and nothing is changed.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base"):
    ...     nbtrack.log(acc=0.5)
    >>> edit = delete_metric("acc")
    >>> undo(edit.id).text
    'metric acc deleted in 1 run'
    >>> nbtrack.curve("last", "acc")["value"].tolist()
    [0.5]
    """
    return (store or store_here()).edits().undo(edit_id)


def edits(*, store: Store | None = None) -> pd.DataFrame:
    """What was changed over many runs, newest first: metrics, experiments, trash.

    Returns
    -------
    DataFrame
        `id` (for `undo`), `at`, `kind`, `what` in words, `n_runs`, and `undone_at`.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base"):
    ...     nbtrack.log(f1=0.5)
    >>> _ = rename_metric("f1", "val_f1")
    >>> edits()["what"].iloc[0]
    'metric f1 is now val_f1 in 1 run'
    """
    import pandas as pd

    done = (store or store_here()).edits().all()[::-1]
    return pd.DataFrame(
        {
            "id": pd.Series([edit.id for edit in done], dtype="int64"),
            "at": _times([edit.at for edit in done]),
            "kind": pd.Series([edit.kind for edit in done], dtype="str"),
            "what": pd.Series([edit.text for edit in done], dtype="str"),
            "n_runs": pd.Series([len(edit.runs) for edit in done], dtype="int64"),
            "undone_at": _times([edit.undone_at for edit in done]),
        }
    )


def _times(texts: list[str | None]) -> pd.Series[Any]:
    import pandas as pd

    column = pd.Series(texts, dtype="str")
    return pd.to_datetime(column, format="ISO8601", utc=True)


def _new_name(old: str, new: str) -> str:
    chosen = clean_name(new)
    if not chosen:
        raise OptionError("A metric needs a name that can be seen.")
    if chosen == old:
        raise OptionError(f"The metric is called {shorten(repr(old))} already.")
    if old.startswith(SYSTEM_PREFIX) or chosen.startswith(SYSTEM_PREFIX):
        raise OptionError(
            f"Names with {SYSTEM_PREFIX!r} are for what the machine was measured: "
            "they are not given and not changed."
        )
    return chosen


def _chosen(store: Store, metric: str, runs: str | Iterable[str] | None) -> list[str]:
    """The ids of the runs that are meant, before any is changed."""
    if runs is None:
        return list(select(store).ids)
    if isinstance(runs, str):
        found = list(select(store, runs).ids)
        if not found:
            raise OptionError(
                f"No run answers to the query {shorten(repr(runs))}. "
                "Runs by name are given as a list."
            )
        return found
    named = list(dict.fromkeys(store.run(run).id for run in runs))
    _check_each_has(store, metric, named)
    return named


def _check_each_has(store: Store, metric: str, runs: list[str]) -> None:
    """A run that is named and lacks the metric is a slip."""
    for record in store.runs(trashed=None, ids=runs):
        own = {**record.metrics, **record.system}
        if metric not in own:
            shown = shorten(record.name, 60)
            raise MetricNotFoundError(
                f"Run {shown!r} ({record.id}) has no metric {shorten(repr(metric))}."
                f"{did_you_mean(metric, own)} Nothing was changed."
            )

"""Runs by group, or by parent: means over seeds, with an interval.

A group's numbers come from its own runs alone: another group, or how many runs a
table shows, never changes them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from nbtrack.analysis.confidence import MeanCI, mean_ci
from nbtrack.analysis.query import MISSING
from nbtrack.analysis.runs_table import names_of, select, store_here
from nbtrack.errors import OptionError
from nbtrack.text import did_you_mean, shorten

if TYPE_CHECKING:
    import pandas as pd

    from nbtrack.store import Store, Table

By = Literal["group", "parent"]
_BY = ("group", "parent")


@dataclass(frozen=True, slots=True)
class Group:
    """Runs that belong together, and what their metrics are on average."""

    key: str  # the group, or the parent's id
    name: str  # the group, or the parent's name
    runs: tuple[str, ...]  # ids, newest first
    metrics: Mapping[str, MeanCI]  # of those that a run of it has


def groups(query: str | None = None, *, by: By = "group") -> pd.DataFrame:
    """One row per group of runs, or per parent: how many, and the mean of each metric.

    A run counts with its best value by goal, with the last one where there is no goal.
    Runs without a group, or without a parent, are left out, and so is the trash.

    Parameters
    ----------
    query : str, optional
        Which runs, as in `nbtrack.runs`: `"status == 'finished'"`.
    by : {"group", "parent"}
        With "parent" a row is what the children of one run are together.

    Returns
    -------
    DataFrame
        `group` (or `parent`, the id, and `name`), `n`, then of each metric
        `mean.<name>`, `std.<name>` (of the sample), `ci95.<name>` (Student's: the mean
        ± this; NaN for a single run), `n.<name>` (runs that count) and `n_nan.<name>`
        (runs left out, as their best value is NaN). Newest first.

    Raises
    ------
    QueryError, OptionError
        For a query or a `by` that cannot be understood.

    Examples
    --------
    >>> import nbtrack
    >>> for seed, loss in enumerate([0.50, 0.52, 0.51]):
    ...     with nbtrack.start(group="wide", params={"seed": seed}):
    ...         nbtrack.log(loss=loss)
    >>> frame = groups()
    >>> frame[["group", "n", "mean.loss", "n.loss"]].values.tolist()
    [['wide', 3, 0.51, 3]]
    """
    store = store_here()
    return frame_of_groups(groups_of(store, select(store, query), by=by), by=by)


def groups_of(store: Store, table: Table, *, by: str) -> list[Group]:
    """The groups of a table of runs, newest first."""
    if by not in _BY:
        hint = did_you_mean(by, _BY) or " Use group or parent."
        raise OptionError(f"Runs are not grouped by {shorten(repr(by))}.{hint}")
    members: dict[str, list[str]] = {}
    for run, key in zip(table.ids, table.fields[by], strict=True):
        if key is not None:
            members.setdefault(key, []).append(run)
    names = _names(store, list(members)) if by == "parent" else {}
    return [
        Group(key, names.get(key, key), tuple(runs), _means(table.take(runs)))
        for key, runs in members.items()
    ]


def frame_of_groups(found: list[Group], *, by: str) -> pd.DataFrame:
    """Groups as `groups` gives them."""
    import pandas as pd

    columns: dict[str, pd.Series[Any]] = {}
    columns[by] = pd.Series([group.key for group in found], dtype="str")
    if by == "parent":
        columns["name"] = pd.Series([group.name for group in found], dtype="str")
    columns["n"] = pd.Series([len(group.runs) for group in found], dtype="int64")
    for name in metrics_of(found):
        cells = [group.metrics.get(name, _NONE) for group in found]
        numbers = {
            "mean": [cell.mean for cell in cells],
            "std": [cell.std for cell in cells],
            "ci95": [_number(cell.half_width) for cell in cells],
        }
        for space, values in numbers.items():
            columns[f"{space}.{name}"] = pd.Series(values, dtype="float64")
        for space in ("n", "n_nan"):
            counts = [getattr(cell, space) for cell in cells]
            columns[f"{space}.{name}"] = pd.Series(counts, dtype="int64")
    return pd.DataFrame(columns)


def metrics_of(found: list[Group]) -> list[str]:
    """The metrics that at least one group has."""
    return list(dict.fromkeys(name for group in found for name in group.metrics))


def _means(table: Table) -> dict[str, MeanCI]:
    return {
        name: mean_ci(
            v for v in table.metric(name, "best", MISSING) if v is not MISSING
        )
        for name in names_of(table, table.metrics)
    }


def _names(store: Store, parents: list[str]) -> dict[str, str]:
    table = store.table(trashed=None, ids=parents, names={"name"})
    return dict(zip(table.ids, table.fields["name"], strict=True))


def _number(value: float | None) -> float:
    return math.nan if value is None else value


_NONE = MeanCI(math.nan, math.nan, None, 0, 0, 0.95)

"""Runs with their value of one metric, as every chart over runs needs them.

The value is the best one by the metric's goal, or the last one where it has none. A
run that cannot be drawn is left out, and how many were, and why, is said with the rest:
no chart loses a run silently.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.charts.axes import scale_of
from nbtrack.analysis.charts.figure import plain, titled
from nbtrack.analysis.comparing.columns import FIELDS, Column
from nbtrack.analysis.comparing.data import Compared, compared
from nbtrack.analysis.comparing.state import CompareState
from nbtrack.analysis.wording import number
from nbtrack.errors import MetricNotFoundError, OptionError, RunNotFoundError
from nbtrack.text import did_you_mean, shorten, visible
from nbtrack.tracking.settled import settled

if TYPE_CHECKING:
    from nbtrack.records import Goal
    from nbtrack.store import Store

HOVER_PARAMS = 12  # lines of one hover; more would cover the chart
_SPACES = ("", "params.", "best.", "metrics.")


@dataclass(frozen=True, slots=True)
class Scored:
    """The runs that have the metric, all parts in the same order."""

    metric: str
    goal: Goal | None
    values: tuple[float, ...]  # finite
    ids: tuple[str, ...]
    names: tuple[str, ...]
    started_at: tuple[str, ...]  # UTC
    columns: tuple[Column, ...]
    left_out: tuple[str, ...] = ()  # "2 without loss"

    @property
    def label(self) -> str:
        """What the values are: `best loss (min)`."""
        if self.goal is None:
            return f"last {self.metric}"
        return f"best {self.metric} ({self.goal})"

    @property
    def axis(self) -> dict[str, Any]:  # Any: what plotly takes
        """The axis of the values, for `dressed`."""
        return {"title": self.label, "type": scale_of(self.values)}

    @property
    def differing(self) -> list[Column]:
        """The params that differ between these runs."""
        return [c for c in self.columns if c.kind == "param" and c.differs]

    def column(self, name: str) -> Column:
        """The column of a name, bare or whole; a param before a metric.

        Raises
        ------
        OptionError
            With a did-you-mean.
        """
        known = {column.name: column for column in self.columns}
        for space in _SPACES:
            if space + name in known:
                return known[space + name]
        bare = [bare_name(column) for column in self.columns]
        hint = did_you_mean(name, [*bare, *known]) or _some(bare)
        raise OptionError(f"No param or column is called {_shown(name)}.{hint}")

    def take(self, places: Sequence[int], *left_out: str) -> Scored:
        """The runs at these places, in this order, with why others are gone."""
        return replace(
            self,
            values=tuple(self.values[at] for at in places),
            ids=tuple(self.ids[at] for at in places),
            names=tuple(self.names[at] for at in places),
            started_at=tuple(self.started_at[at] for at in places),
            columns=tuple(column.take(places) for column in self.columns),
            left_out=(*self.left_out, *left_out),
        )

    def title(self, what: str, *notes: str) -> str:
        """A title that says how many runs are drawn, and below it what is not."""
        below = [f"left out: {', '.join(self.left_out)}"] if self.left_out else []
        return titled(f"{shorten(what, 60)} · {runs_of(len(self.ids))}", *below, *notes)

    def hovers(self) -> list[str]:
        """Of each run its name, its value and the params that differ, line by line."""
        params = self.differing
        more = len(params) - HOVER_PARAMS
        tail = [f"… and {more} params more"] if more > 0 else []
        found = []
        for at, name in enumerate(self.names):
            told = [f"{bare_name(c)} = {_value(c, at)}" for c in params[:HOVER_PARAMS]]
            score = f"{self.label}: {number(self.values[at])}"
            found.append("<br>".join(map(plain, [name, score, *told, *tail])))
        return found


def scored(store: Store | None, query: str | None, metric: str | None) -> Scored:
    """The runs that answer to a query and have the metric, with their values.

    Raises
    ------
    RunNotFoundError
        When there is no run.
    MetricNotFoundError
        When none of them has the metric, with a did-you-mean.
    OptionError
        When all of its values are NaN or infinite.
    QueryError
        For a query that cannot be understood.

    Examples
    --------
    >>> import nbtrack
    >>> for loss in (0.5, float("nan")):
    ...     with nbtrack.start("base"):
    ...         nbtrack.log(loss=loss)
    >>> found = scored(None, None, "loss")
    >>> found.values, found.left_out
    ((0.5,), ('1 with loss NaN or infinite',))
    """
    return scored_of(compared(settled(store), CompareState(query or "")), metric)


def scored_of(found: Compared, metric: str | None) -> Scored:
    """The same of a comparison, with the errors of `scored`."""
    if not found.ids:
        query = found.state.query
        where = f"answers to {_shown(query)}" if query else "is in this store yet"
        raise RunNotFoundError(f"No run {where}: there is nothing to draw.")
    column = _metric(found, metric)
    name = bare_name(column)
    there = [at for at, value in enumerate(column.values) if value is not None]
    finite = [at for at in there if math.isfinite(column.values[at])]
    if not finite:
        raise OptionError(
            f"{_shown(name)} is NaN or infinite in each of {runs_of(len(there))}: "
            "there is nothing to draw."
        )
    n_without, n_odd = len(column.values) - len(there), len(there) - len(finite)
    return Scored(
        name,
        column.goal,
        tuple(0.0 if value is None else float(value) for value in column.values),
        tuple(found.ids),
        tuple(found.names),
        tuple(found.table.fields["started_at"]),
        (*found.columns, *_uniform_fields(found)),
    ).take(
        finite,
        *([f"{n_without} without {name}"] if n_without else []),
        *([f"{n_odd} with {name} NaN or infinite"] if n_odd else []),
    )


def bare_name(column: Column) -> str:
    """The name without its space: `lr` of `params.lr`.

    >>> bare_name(Column("params.opt.lr", "param", []))
    'opt.lr'
    """
    if column.kind == "field":
        return column.name
    return column.name.partition(".")[2]


def runs_of(n: int) -> str:
    """A number of runs.

    >>> runs_of(1), runs_of(12)
    ('1 run', '12 runs')
    """
    return f"{n} run" if n == 1 else f"{n} runs"


def _metric(found: Compared, metric: str | None) -> Column:
    known = {bare_name(c): c for c in found.columns if c.kind == "metric"}
    if not known:
        n = runs_of(len(found.ids))
        raise MetricNotFoundError(f"None of {n} has a metric: there is none to draw.")
    wanted = metric or found.metric()
    for column in known.values():
        if wanted in (column.name, bare_name(column)):
            return column
    hint = did_you_mean(wanted, known) or _some(list(known))
    raise MetricNotFoundError(f"No run here has a metric {_shown(wanted)}.{hint}")


def _uniform_fields(found: Compared) -> list[Column]:
    """Fields that a comparison has no column for, since all runs have the same."""
    known = {column.name for column in found.columns}
    fields = found.table.fields
    names = [name for name in FIELDS if name in fields and name not in known]
    return [Column(name, "field", list(fields[name])) for name in names]


def _some(names: Sequence[str]) -> str:
    told = ", ".join(visible(shorten(name, 40)) for name in names[:8])
    return f" There are: {told}{', …' if len(names) > 8 else ''}."


def _shown(name: object) -> str:
    return shorten(visible(repr(name)), 60)


def _value(column: Column, at: int) -> str:
    value = column.values[at]
    if value is None:
        return "missing"
    return f"{value:.6g}" if isinstance(value, float) else str(value)

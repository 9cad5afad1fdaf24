"""The runs of a report as of one look at the store, and which of them are best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from nbtrack.analysis.comparing.columns import Column
from nbtrack.analysis.comparing.data import Compared, compared
from nbtrack.analysis.comparing.state import SELECTED_MAX
from nbtrack.analysis.report.asked import Asked
from nbtrack.errors import MetricNotFoundError, RunNotFoundError
from nbtrack.metric_names import judges
from nbtrack.text import did_you_mean, shorten, visible

if TYPE_CHECKING:
    from nbtrack.store import Store

BEST_SELECTED = 5  # curves that are drawn where nobody says which
NAME_MAX = 60


@dataclass(frozen=True)
class Look:
    """What all pages are made from; `gone` are runs that were asked for and left."""

    store: Store
    asked: Asked
    found: Compared
    gone: Sequence[str] = ()

    @cached_property
    def metrics(self) -> list[Column]:
        """The metrics with a goal, those that judge first, then the others."""
        own = {bare(c): c for c in self.found.columns if c.kind == "metric"}
        with_goal = judges(name for name, c in own.items() if c.goal)
        rest = [name for name, c in own.items() if c.goal and name not in with_goal]
        without = [name for name, c in own.items() if not c.goal]
        return [own[name] for name in [*with_goal, *rest, *without]]

    @cached_property
    def judge(self) -> Column | None:
        """The metric that says which run is best: asked for, sorted by, or a judge."""
        own = {bare(c): c for c in self.metrics if c.goal}
        state = self.asked.state
        for name in (state.metric, state.sort.removeprefix("-").removeprefix("best.")):
            if name in own:
                return own[name]
        return next(iter(own.values()), None)

    @cached_property
    def ranked(self) -> list[int]:
        """Places of the runs that have the judge's metric, the best first, no NaN."""
        if self.judge is None:
            return []
        values, sign = self.judge.values, -1 if self.judge.goal == "max" else 1
        there = [
            at for at, v in enumerate(values)
            if isinstance(v, int | float) and not math.isnan(v)
        ]  # fmt: skip
        return sorted(there, key=lambda at: sign * values[at])

    @cached_property
    def selected(self) -> list[str]:
        """The runs whose curves are drawn."""
        state, ids = self.found.state, self.found.ids
        if state.selected:
            return [run for run in state.selected if run in ids]
        if len(ids) <= SELECTED_MAX:
            return list(ids)
        best = [ids[at] for at in self.ranked[:BEST_SELECTED]]
        return best or list(ids[:BEST_SELECTED])

    @cached_property
    def place(self) -> dict[str, int]:
        """Where a run stands in the table."""
        return {run: at for at, run in enumerate(self.found.ids)}

    def name(self, run: str) -> str:
        """What a run is called, with the end of its id where others are called so."""
        if run not in self.place:
            return self.store.run(run).name
        return self.names[self.place[run]]

    @cached_property
    def names(self) -> list[str]:
        """What the runs are called, told apart."""
        all_names = list(self.found.names)
        twice = {name for name in all_names if all_names.count(name) > 1}
        return [
            shown_name(f"{shorten(name, NAME_MAX - 7)} {run[-6:]}" if name in twice
                       else name)
            for run, name in zip(self.found.ids, all_names, strict=True)
        ]  # fmt: skip


def look_at(store: Store, asked: Asked, gone: Sequence[str] = ()) -> Look:
    """Read the runs that were asked for.

    Raises
    ------
    RunNotFoundError
        Where there is none.
    MetricNotFoundError
        Where none of them has the metric that was asked for.
    QueryError, OptionError
        For what cannot be understood.
    """
    found = compared(store, asked.state)
    if not found.ids:
        raise RunNotFoundError(_none(store, asked))
    asked = replace(asked, state=found.state)
    look = Look(store, asked, found, gone)
    metric, own = asked.state.metric, [bare(c) for c in look.metrics]
    if metric and metric not in own:
        hint = did_you_mean(metric, own)
        shown = shorten(visible(metric), 60)
        raise MetricNotFoundError(f"None of the runs has a metric {shown!r}.{hint}")
    return look


def bare(column: Column) -> str:
    """The name of a metric or param without the space before it.

    >>> bare(Column("best.loss", "metric", []))
    'loss'
    """
    return column.name.partition(".")[2]


def shown_name(text: str) -> str:
    """A name in one line, not too long."""
    return shorten(visible(" ".join(text.split())), NAME_MAX)


def shown_time(text: str) -> str:
    """A time of the store, in UTC, to the second.

    >>> shown_time("2026-11-26T01:02:03.000004Z")
    '2026-11-26 01:02:03'
    """
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S}"


def _none(store: Store, asked: Asked) -> str:
    query = asked.state.query
    if query and store.run_names():
        shown = shorten(visible(query), 80)
        return f"No run answers to {shown!r}: there is nothing to report. See %runs."
    return "There are no runs here to report. Record one with %%track first."

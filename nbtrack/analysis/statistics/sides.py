"""Which runs stand on each side of a comparison, and with which values.

A side is named by a group, by a query, or by its runs. A run counts with its best value
by goal. Nothing is left out in silence: whatever is, is told in `warnings`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.query import MISSING, bare, column, parse_query
from nbtrack.analysis.runs_table import names_of, select
from nbtrack.errors import MetricNotFoundError, OptionError, QueryError
from nbtrack.text import did_you_mean, shorten, visible

if TYPE_CHECKING:
    from nbtrack.store import Store, Table

BY = ("group", "parent")
GOALS = ("min", "max")
_SHOWN = 60  # characters of a label
_HUGE = 1e100  # beyond, a run has diverged, and squares overflow


@dataclass(frozen=True, slots=True)
class Side:
    """Runs that are compared together."""

    label: str
    runs: tuple[str, ...]  # ids


@dataclass(frozen=True, slots=True)
class Values:
    """What a side has of a metric."""

    side: Side
    kept: Mapping[str, float]  # finite, by run
    pair_keys: Mapping[str, str]  # by run, of those that have the param
    warnings: tuple[str, ...]  # what was left out or should be known

    @property
    def by_run(self) -> list[float]:
        """What is kept, in the order of the runs' ids: always the same."""
        return [value for _, value in sorted(self.kept.items())]


def side_of(store: Store, given: Any, *, by: str = "group") -> Side:
    """The runs that a group's name, a query, or a list of runs means.

    Raises
    ------
    OptionError, QueryError
        For what cannot be understood, or no run answers to.
    RunNotFoundError
        For a run of a list that is not there.
    """
    if by not in BY:
        hint = did_you_mean(str(by), BY) or " Use group or parent."
        raise OptionError(f"Runs are not grouped by {shorten(repr(by))}.{hint}")
    if isinstance(given, str):
        return _named(store, given, by)
    if not isinstance(given, Iterable):
        raise OptionError(
            f"{shorten(repr(given))} names no runs: give a group, a query or a list."
        )
    names: list[Any] = [getattr(run, "id", run) for run in given]
    for name in names or ["an empty list"]:
        if not names or not isinstance(name, str):
            raise OptionError(
                f"{shorten(repr(name))} is no run: give ids, names or runs."
            )
    found = list({run.id: run for run in map(store.run, names)}.values())
    listed = ", ".join(dict.fromkeys(run.name for run in found))
    return Side(_label(listed), tuple(run.id for run in found))


def _named(store: Store, given: str, by: str) -> Side:
    table = store.table(names={by})
    keys = {str(key): str(key) for key in table.fields[by] if key is not None}
    if by == "parent":
        parents = store.table(trashed=None, ids=list(keys), names={"name"})
        keys |= dict(zip(parents.fields["name"], parents.ids, strict=True))
    if given in keys:
        where = zip(table.ids, table.fields[by], strict=True)
        runs = tuple(run for run, key in where if key == keys[given])
        return Side(_label(given), runs)
    shown = shorten(visible(given), _SHOWN)
    unknown = f"No {by} is called {shown!r}"
    hint = did_you_mean(given, keys)
    try:
        is_name = parse_query(given).names == {given.strip()}
    except QueryError as exc:
        raise QueryError(f"{unknown}.{hint} As a query: {exc}") from None
    if is_name or not given.strip():
        raise OptionError(f"{unknown}.{hint} Or give a query, or a list of runs.")
    runs = tuple(select(store, given).ids)
    if not runs:
        raise OptionError(f"{unknown}, and no run answers to it as a query.{hint}")
    return Side(_label(given), runs)


def _label(text: str) -> str:
    return shorten(visible(text), _SHOWN)


def table_of(
    store: Store, sides: Sequence[Side], *, metrics: Iterable[str], pair_on: str | None
) -> Table:
    """What a comparison reads of all these runs, in one go."""
    runs = list(dict.fromkeys(run for side in sides for run in side.runs))
    names = {*metrics, "status", *([bare(pair_on)] if pair_on else [])}
    return store.table(trashed=None, ids=runs, names=names)


def goal_among(table: Table, metric: str, given: str | None) -> str:
    """The direction in which the metric gets better in these runs.

    Raises
    ------
    OptionError
        Where none is known, the runs do not agree, or the one given is none.
    """
    if given is not None:
        if given not in GOALS:
            raise OptionError(f'goal={shorten(repr(given))}: give "min" or "max".')
        return given
    cells = table.metrics.get(metric, {})
    goals = {cells[run].goal for run in table.ids if run in cells}
    if not goals:
        return "max"  # no run has the metric, which `values_of` tells
    if len(goals) == 1 and None not in goals:
        return str(goals.pop())
    why = "is not known" if goals <= {None} else "differs among the runs"
    shown = shorten(visible(metric), _SHOWN)
    raise OptionError(f'The goal of {shown!r} {why}: give goal="min" or "max".')


def values_of(
    store: Store,
    table: Table,
    side: Side,
    *,
    metric: str,
    goal: str,
    pair_on: str | None,
) -> Values:
    """The best values of one side.

    Raises
    ------
    MetricNotFoundError
        Where none of its runs has the metric.
    """
    part = table.take(side.runs)
    missing = Counter[str]()
    kept: dict[str, float] = {}
    for run, value in zip(part.ids, part.metric(metric, goal, MISSING), strict=True):
        if value is MISSING:
            missing["without the metric"] += 1
        elif not abs(value) < _HUGE:
            missing["with no finite value, which flatters it"] += 1
        else:
            kept[run] = value
    if not kept and missing["without the metric"] == len(part):
        raise _no_metric(store, side, metric)
    told = [f"{side.label}: {n} of {len(part)} runs left out, {why}"
            for why, n in missing.items()]  # fmt: skip
    ended = Counter(s for s in part.fields["status"] if s != "finished")
    told += [f"{side.label}: {n} of {len(part)} runs {status}"
             for status, n in ended.items()]  # fmt: skip
    return Values(side, kept, _pair_keys(part, pair_on), tuple(told))


def _no_metric(store: Store, side: Side, metric: str) -> MetricNotFoundError:
    whole = store.table(trashed=None, ids=side.runs)
    hint = did_you_mean(metric, names_of(whole, whole.metrics))
    shown = shorten(visible(metric), _SHOWN)
    return MetricNotFoundError(f"No run of {side.label} has a metric {shown!r}.{hint}")


def _pair_keys(part: Table, pair_on: str | None) -> dict[str, str]:
    if pair_on is None:
        return {}
    found = column(part, f"params.{bare(pair_on)}")
    # As text, since a param may be a list, and 1 and True are not the same seed.
    return {
        run: json.dumps(value, sort_keys=True)
        for run, value in zip(part.ids, found, strict=True)
        if value is not MISSING
    }

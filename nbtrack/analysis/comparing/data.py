"""The runs of a comparison, read from the store: which, in which order, which columns.

The panel, `nbtrack.compare` and the still picture all read here, so that what Python
says of a panel is what the panel shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nbtrack.analysis.comparing.columns import Column, columns_of
from nbtrack.analysis.comparing.state import CompareState
from nbtrack.analysis.query import FIELDS
from nbtrack.analysis.runs_table import chosen_of, frame_of, sorted_ids
from nbtrack.errors import OptionError, QueryError
from nbtrack.metric_names import judges
from nbtrack.text import did_you_mean, shorten

if TYPE_CHECKING:
    import pandas as pd

    from nbtrack.analysis.comparing.source import Source
    from nbtrack.store import Table


@dataclass(frozen=True, slots=True)
class Glance:
    """All runs of a store, newest first, as they were when somebody looked."""

    table: Table
    version: object  # of the store, see `Store.version`
    n_of_name: Mapping[str, int]  # how many runs are called so
    runs: frozenset[str]  # their ids

    def is_current(self, store: Source) -> bool:
        """Whether another look would show the same.

        Nobody writes down that a process is gone: a running run is looked at again.
        """
        is_quiet = "running" not in self.table.fields["status"]
        return is_quiet and store.version() == self.version


@dataclass(frozen=True, slots=True)
class Rows:
    """The runs that a state asks for, before they are sorted."""

    table: Table
    columns: tuple[Column, ...]  # all of them, whether they are shown or not


@dataclass(frozen=True, slots=True)
class Compared:
    """What a state means in a store, as of one look at it."""

    state: CompareState
    table: Table  # the runs, sorted
    columns: tuple[Column, ...]  # all of them, whether they are shown or not
    rows: Rows  # the same runs as they came
    glance: Glance

    @property
    def ids(self) -> Sequence[str]:
        """The runs, in the order of the state."""
        return self.table.ids

    @property
    def names(self) -> Sequence[str]:
        """What the runs are called."""
        return self.table.fields["name"]

    @property
    def shown(self) -> list[Column]:
        """The columns that the state shows."""
        state = self.state
        if state.columns:
            known = {column.name: column for column in self.columns}
            return [known[name] for name in state.columns if name in known]
        return [
            column
            for column in self.columns
            if column.name not in state.hidden
            and (column.kind != "param" or state.all_params or column.differs)
        ]

    @property
    def df(self) -> pd.DataFrame:
        """The same runs and columns as a frame, `id` and `name` first."""
        frame = frame_of(self.table)
        wanted = ["id", "name"]
        for column in self.shown:
            wanted.append(column.name)
            if column.steps is not None:
                wanted.append(f"best_step.{column.name.removeprefix('best.')}")
        return frame[[name for name in wanted if name in frame.columns]]

    def called(self) -> Mapping[str, str]:
        """The runs whose name says which one is meant, by their id."""
        return {
            run: name
            for run, name in zip(self.ids, self.names, strict=True)
            if self.glance.n_of_name[name] == 1 and name != "last"
        }

    def groups(self) -> dict[str, list[str]]:
        """The runs by their value of the group's column, in the order of the table."""
        columns = [c.values for c in self.columns if c.name == self.state.group]
        values = columns[0] if columns else [None] * len(self.ids)
        found: dict[str, list[str]] = {}
        for value, run in zip(values, self.ids, strict=True):
            found.setdefault("–" if value is None else str(value), []).append(run)
        return found

    def metric(self) -> str:
        """The metric of the curves: asked for, sorted by, or the one that judges."""
        columns = [column for column in self.columns if column.kind == "metric"]
        names = {column.name: column.name.partition(".")[2] for column in columns}
        by = names.get(self.state.sort.removeprefix("-"), "")
        n_runs = {
            names[column.name]: sum(value is not None for value in column.values)
            for column in columns
        }
        # One that few of the runs have compares little, however good a judge it is.
        most = max(n_runs.values(), default=0)
        common = [name for name, n in n_runs.items() if 2 * n >= most]
        known = [*judges(common), *common]
        return self.state.metric or by or next(iter(known), "")


def compared(
    store: Source, state: CompareState, *, before: Compared | None = None
) -> Compared:
    """Read the runs of a state.

    Parameters
    ----------
    before
        What was shown until now. Its runs serve again where the state asks for the same
        ones, or the store is as it was; its curves that are no longer shown go.

    Raises
    ------
    QueryError, OptionError, RunNotFoundError
        For a query, a column or a run that cannot be found, or a run that is selected
        and not shown.

    Examples
    --------
    >>> import nbtrack
    >>> for lr in (0.1, 0.01):
    ...     with nbtrack.start("base", params={"lr": lr}):
    ...         nbtrack.log(loss=lr)
    >>> compared(nbtrack.open(), CompareState(sort="loss")).df["best.loss"].tolist()
    [0.01, 0.1]
    """
    glance = None if before is None else _still_good(store, state, before)
    if glance is None:
        glance = _looked(store)
    state = _with_ids(store, state, glance)
    rows = _rows(glance, state, before)
    if before is None or state.selected != before.state.selected:
        _refuse_unseen(store, rows, state)
    return _sorted(state, rows, glance)


def refreshed(store: Source, before: Compared) -> Compared:
    """The same state in the store as it is now; curves of runs that went go too."""
    glance = _looked(store)
    return _sorted(before.state, _rows(glance, before.state, None), glance)


def _looked(store: Source) -> Glance:
    version = store.version()  # first: what is written meanwhile is looked at again
    table = store.table()
    n_of_name = Counter(table.fields["name"])
    return Glance(table, version, n_of_name, frozenset(table.ids))


def _still_good(store: Source, state: CompareState, before: Compared) -> Glance | None:
    """What was read before, where it is all that the state needs."""
    glance, known = before.glance, before.glance.runs
    named = {*state.runs, *state.selected, *state.pinned, state.baseline} - {""}
    is_same = _question(state) == _question(before.state) and named <= known
    return glance if is_same or glance.is_current(store) else None


def _question(state: CompareState) -> tuple[object, ...]:
    return state.query, state.runs, state.last


def _rows(glance: Glance, state: CompareState, before: Compared | None) -> Rows:
    if (
        before is not None
        and before.glance is glance
        and _question(before.state) == _question(state)
    ):
        return before.rows
    table = glance.table
    if state.query or state.last is not None:
        found = chosen_of(table, state.query, sort=None, last=state.last)
        table = table.take(found)
    if state.runs:
        table = _only(table, state.runs)
    return Rows(table, tuple(columns_of(table)))


def _refuse_unseen(store: Source, rows: Rows, state: CompareState) -> None:
    """A curve without its row could not be told from the others, nor taken away."""
    unseen = set(state.selected) - set(rows.table.ids)
    if unseen:
        name = store.run(min(unseen)).name
        raise QueryError(
            f"Run {shorten(name)} cannot be selected: it is in the trash, or not among "
            "the runs of the comparison. Give a query that it answers to, or take the "
            "run back with %runs restore."
        )


def _sorted(state: CompareState, rows: Rows, glance: Glance) -> Compared:
    table, columns = rows.table, rows.columns
    shown = set(table.ids)
    state = replace(state, selected=tuple(r for r in state.selected if r in shown))
    # Without runs there are no params and metrics to check a name against.
    known = [column.name for column in columns] if len(table) else []
    state = _with_columns(state, known)
    if state.sort and len(table):
        places = {run: at for at, run in enumerate(table.ids)}
        order = [places[run] for run in sorted_ids(table, state.sort)]
        table = table.take([table.ids[at] for at in order])
        columns = tuple(column.take(order) for column in columns)
    return Compared(state, table, columns, rows, glance)


def _with_ids(store: Source, state: CompareState, glance: Glance) -> CompareState:
    """The same with ids in place of names."""
    known = glance.runs

    def whole(run: str) -> str:
        return run if run in known else store.run(run).id

    def found(runs: Sequence[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(map(whole, runs)))

    return replace(
        state,
        runs=found(state.runs),
        pinned=found(state.pinned),
        selected=found(state.selected),
        baseline=whole(state.baseline) if state.baseline else "",
    )


def _only(table: Table, runs: Sequence[str]) -> Table:
    missing = set(runs) - set(table.ids)
    if missing:
        raise QueryError(
            f"Run {shorten(min(missing))} is in the trash, or does not answer to the "
            "query: leave the query out, or take the run back with %runs restore."
        )
    return table.take(runs)


def _with_columns(state: CompareState, known: Sequence[str]) -> CompareState:
    """The same with whole names: `best.loss` for a bare `loss`."""

    def found(name: str) -> str:
        for whole in (name, f"best.{name}", f"metrics.{name}", f"params.{name}"):
            if whole in known or not known:
                return whole
        hint = did_you_mean(name, [*known, *(c.partition(".")[2] for c in known)])
        raise OptionError(f"No column is called {shorten(repr(name), 60)}.{hint}")

    sort = state.sort.removeprefix("-")
    if sort and sort not in FIELDS:
        sort = found(sort)
    return replace(
        state,
        sort=f"-{sort}" if state.sort.startswith("-") else sort,
        columns=tuple(map(found, state.columns)),
        hidden=tuple(map(found, state.hidden)),
        group=found(state.group) if state.group else "",
    )

"""Runs as tables: which runs, in which order, as rows of a pandas frame.

Reads summaries only, never points, so that a thousand runs are a matter of tens of
milliseconds. Column names are those of the query language.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.query import (
    FIELDS,
    MISSING,
    Query,
    bare,
    check_names,
    column,
    parse_query,
)
from nbtrack.errors import OptionError, QueryError
from nbtrack.text import did_you_mean, shorten, visible

if TYPE_CHECKING:
    import pandas as pd

    from nbtrack.store import Store, Table

_TEXTS = ("id", "name", "experiment", "status")
_SIZES = ("peak_rss_bytes", "peak_vram_bytes", "model_bytes", "checkpoint_bytes")
_METRIC_COLUMNS = (
    ("metrics", "last", "float64"),
    ("best", "best", "float64"),
    ("best_step", "best_step", "Int64"),
)


def runs(
    query: str | None = None,
    *,
    sort: str | None = None,
    last: int | None = None,
    trashed: bool = False,
    store: Store | str | Path | Sequence[Store | str | Path] | None = None,
) -> pd.DataFrame:
    """All runs of the store that belongs to this folder, one row each.

    Parameters
    ----------
    query : str, optional
        `'loss < .3 and (params.opt == "adam" or "base" in tags)'`; a bare name is a
        metric's best value, else a param. Runs that lack a value are left out.
    sort : str, optional
        A column or a bare name; metrics best first, everything else ascending, with a
        minus in front the other way round. Default: newest first.
    last : int, optional
        Only the newest that many of those.
    trashed : bool
        Those in the trash instead.
    store : path, or several, optional
        Other stores: `.nbtrack` folders, or folders they stand in. The frame has a
        column `store` then; a run that is in several is shown once, from the first.

    Returns
    -------
    DataFrame
        `id, name, experiment, status, started_at, duration_s, tags, grade`, the sizes
        `peak_rss_bytes, peak_vram_bytes, model_bytes, checkpoint_bytes`, then
        `params.<name>`, `metrics.<name>` (the last value), `best.<name>` and
        `best_step.<name>`, with the types they had.

    Raises
    ------
    QueryError
        For a query or a sort that cannot be understood, with the place.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base", params={"lr": 0.1}):
    ...     nbtrack.log(loss=0.5)
    >>> nbtrack.runs("loss < 1", last=1)[["params.lr", "best.loss"]].values.tolist()
    [[0.1, 0.5]]
    """
    if store is None:
        found = select(store_here(), query, sort=sort, last=last, trashed=trashed)
        return frame_of(found)
    from nbtrack.analysis.several_stores import joined, tables_of

    table = joined(tables_of(store, trashed=trashed))
    return frame_of(table.take(chosen_of(table, query, sort=sort, last=last)))


def curve(run: str, metric: str) -> pd.DataFrame:
    """The points of one metric: `step`, `value`, `at`, and a column for each axis.

    Parameters
    ----------
    run : str
        Id, name, the beginning of an id, or "last".
    metric : str
        Its name.

    Raises
    ------
    RunNotFoundError, MetricNotFoundError
        With a did-you-mean.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base"):
    ...     nbtrack.log({"loss": 0.5}, step=10)
    >>> nbtrack.curve("last", "loss")[["step", "value"]].values.tolist()
    [[10.0, 0.5]]
    """
    import numpy as np
    import pandas as pd

    store = store_here()
    found = store.curve(store.run(run).id, metric)
    columns = {
        "step": np.asarray(found.steps, dtype=np.int64),
        "value": np.asarray(found.values, dtype=np.float64),
        "at": pd.to_datetime(
            np.asarray(found.at, dtype=np.float64), unit="s", utc=True
        ),
        **{name: np.asarray(axis) for name, axis in found.axes.items()},
    }
    return pd.DataFrame(columns)


def sql(query: str) -> pd.DataFrame:
    """Ask the store in SQL, read-only.

    These stay as they are in later versions, whatever becomes of what is behind them:

    - `runs`: id, name, experiment, status, started_at, ended_at, duration_s, "group",
      parent, notes, notebook, trashed_at. A process that died shows in `nbtrack.runs()`
      as crashed, here still as running.
    - `params`: run, name, value (JSON: `value ->> '$'`), origin, cell; `tags`: run,
      name, value.
    - `summaries`, one row for each run and metric: run, run_name, experiment, name,
      goal, n, last, last_step, min, min_step, max, max_step, best, best_step, n_nan,
      first_nan_step, thinned.
    - `points`, one row for each point: run, metric, axis_of, step, value, at (seconds
      since 1970). An axis (epoch) is the series whose `axis_of` is the metric.
    - `checkpoints`: run, name, version, type, digest, size_bytes, path, step, metrics
      (JSON), created_at, gone_at, gone_why.

    NaN is null, as everywhere in SQLite.

    Raises
    ------
    StoreError
        When the statement writes, or SQLite refuses it.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     nbtrack.log(loss=0.5)
    >>> nbtrack.sql(f"select status from runs where id = '{run.id}'").values.tolist()
    [['finished']]
    """
    import pandas as pd

    columns, rows = store_here().sql(query)
    return pd.DataFrame(rows, columns=list(columns))


def store_here() -> Store:
    """The store that the current run writes to, else the one of this folder."""
    from nbtrack.tracking.session import process_session

    session = process_session()
    return session.current.store if session.current else session.store_for()


def select(
    store: Store,
    query: str | None = None,
    *,
    sort: str | None = None,
    last: int | None = None,
    trashed: bool = False,
) -> Table:
    """The runs that answer to a query, in order; see `runs`.

    Raises
    ------
    QueryError, OptionError
        For a query, sort or number that cannot be understood.

    Examples
    --------
    >>> from nbtrack.store import Store
    >>> len(select(Store.open("/tmp/empty-store"), "loss < .3"))
    0
    """
    if last is not None and last < 0:
        raise OptionError(f"last={last}: give the number of runs to show.")
    if not query and not sort and last is None:
        return store.table(trashed=trashed)
    asked, key = parse_query(query or ""), (sort or "").removeprefix("-")
    # What decides is read first, of all runs; the rest, of those that were found.
    names = {*asked.names, key}
    some = store.table(trashed=trashed, names=names | set(map(bare, names)))
    known = names_in(some)
    if not known.issuperset(map(bare, names)):
        known = names_in(store.table(trashed=trashed))
        check_names(asked, known)
    found = answering(some, asked)
    found = found if last is None else found[:last]
    if sort:
        found = sorted_ids(some.take(found), sort, known)
    return store.table(trashed=None, ids=found)


def chosen_of(
    table: Table, query: str | None, *, sort: str | None, last: int | None
) -> Sequence[str]:
    """As `select`, of a table that is read already: the ids, in order."""
    if last is not None and last < 0:
        raise OptionError(f"last={last}: give the number of runs to show.")
    asked, known = parse_query(query or ""), names_in(table)
    check_names(asked, known)
    found = answering(table, asked)[:last]
    return sorted_ids(table.take(found), sort, known) if sort else found


def answering(table: Table, asked: Query) -> list[str]:
    """The runs of a table that answer to a query, as far as it has the columns."""
    columns = {name: column(table, name) for name in asked.names}
    rows = zip(*columns.values(), strict=True) if columns else repeat(())
    return [
        run
        for run, row in zip(table.ids, rows, strict=False)
        if asked.matches(dict(zip(columns, row, strict=True)))
    ]


def sorted_ids(table: Table, name: str, known: Collection[str] = ()) -> list[str]:
    """The runs in the order of a name; what lacks the value, or is NaN, comes last.

    Parameters
    ----------
    known : collection of str
        Names that the user may have meant, for the hint.

    Raises
    ------
    QueryError
        When no run has the name.

    Examples
    --------
    >>> from nbtrack.store import Table
    >>> runs = Table({"id": ["1", "2"], "duration_s": [9.0, 1.0]}, {}, {}, {})
    >>> sorted_ids(runs, "duration_s")
    ['2', '1']
    """
    key = name.removeprefix("-")
    values = column(table, key)
    if len(table) and all(value is MISSING for value in values):
        shown = shorten(visible(key), 60)
        hint = did_you_mean(key, known)
        if bare(key) in known:  # others have it: --last took these first
            hint = " None of the runs that are shown has it."
        raise QueryError(f"Cannot sort by {shown!r}.{hint}")
    backwards = name.startswith("-") != (_goal(table, key) == "max")
    pairs = list(zip(values, table.ids, strict=True))
    there = [pair for pair in pairs if not _is_hollow(pair[0])]
    there.sort(key=lambda pair: _sort_key(pair[0]), reverse=backwards)
    rest = [run for value, run in pairs if _is_hollow(value)]
    return [run for _, run in there] + rest


def frame_of(table: Table) -> pd.DataFrame:
    """A table as a frame, with the columns and types that `runs` promises.

    Examples
    --------
    >>> from nbtrack.store import Store
    >>> list(frame_of(Store.open("/tmp/empty-store").table()).columns)[:6]
    ['id', 'name', 'experiment', 'status', 'started_at', 'duration_s']
    """
    import pandas as pd

    ids, fields = table.ids, table.fields
    columns = {name: pd.Series(fields[name], dtype="str") for name in _TEXTS}
    if "store" in fields:
        columns["store"] = pd.Series(fields["store"], dtype="str")
    columns["started_at"] = _times(fields["started_at"])
    columns["duration_s"] = pd.Series(fields["duration_s"], dtype="float64")
    columns["tags"] = pd.Series(
        [tag_texts(table.tags.get(run, {})) for run in ids], dtype="object"
    )
    columns["grade"] = pd.Series(fields["grade"], dtype="object")
    for name in _SIZES:
        columns[name] = pd.Series(fields[name], dtype="Int64")
    for name in names_of(table, table.params):
        columns[f"params.{name}"] = _typed(list(map(table.params[name].get, ids)))
    metrics = names_of(table, table.metrics)
    for space, field, dtype in _METRIC_COLUMNS:
        for name in metrics:
            values = table.metric(name, field, None)
            columns[f"{space}.{name}"] = pd.Series(values, dtype=dtype)
    return pd.DataFrame(columns, copy=False)


def tag_texts(tags: Mapping[str, str | None]) -> list[str]:
    """Tags of a run as they are written: `first`, `data: mnist`.

    Examples
    --------
    >>> tag_texts({"first": None, "data": "mnist"})
    ['first', 'data: mnist']
    """
    return [key if value is None else f"{key}: {value}" for key, value in tags.items()]


def names_of(table: Table, parts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The params or metrics that at least one of the table's runs has."""
    ids = set(table.ids)
    return [name for name, runs in parts.items() if not ids.isdisjoint(runs)]


def names_in(table: Table) -> set[str]:
    """What a query may ask for; nothing, as the name of an empty sort, is among it."""
    named = {*names_of(table, table.params), *names_of(table, table.metrics)}
    return {*FIELDS, *table.fields, "", *named}


def _times(texts: Sequence[str]) -> pd.Series[Any]:
    import pandas as pd

    return pd.Series(pd.to_datetime(list(texts), format="ISO8601", utc=True))


def _typed(values: list[Any]) -> pd.Series[Any]:
    """A column of the one type that all values have, whole numbers with gaps too."""
    import numpy as np
    import pandas as pd

    kinds = set(map(type, values)) - {type(None)}
    whole = kinds == {int} and all(v is None or abs(v) < 2**63 for v in values)
    if kinds == {bool}:
        dtype = "boolean" if None in values else "bool"
    elif whole and None not in values:
        # As a list pandas would convert it twice, to compare.
        return pd.Series(np.array(values, dtype=np.int64), copy=False)
    elif whole:
        dtype = "Int64"
    elif kinds and kinds <= {int, float} and float in kinds:
        dtype = "float64"
    elif kinds == {str}:
        return pd.Series(values)  # object in pandas 2, str in pandas 3
    else:
        dtype = "object"
    return pd.Series(values, dtype=dtype)


def _goal(table: Table, key: str) -> str | None:
    """The direction of a metric that is sorted by its best value."""
    cells = table.metrics.get(key.removeprefix("best."), {})
    return next((cells[run].goal for run in table.ids if run in cells), None)


def _is_hollow(value: Any) -> bool:
    return (
        value is MISSING
        or value is None
        or (isinstance(value, float) and math.isnan(value))
    )


def _sort_key(value: Any) -> tuple[int, Any]:
    """Numbers before texts before the rest, so that mixed columns have an order."""
    if isinstance(value, bool | int | float):
        return 0, value
    return (1, value) if isinstance(value, str) else (2, str(value))

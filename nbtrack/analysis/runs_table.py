"""Runs as tables: which runs, in which order, as rows of a pandas frame.

Reads summaries only, never points, so that a thousand runs are a matter of tens of
milliseconds. Column names are those of the query language.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.query import MISSING, check_names, parse_query, value_of
from nbtrack.errors import OptionError, QueryError
from nbtrack.records import RunRecord
from nbtrack.text import did_you_mean, shorten, visible

if TYPE_CHECKING:
    import pandas as pd

    from nbtrack.store import Store

FIXED = ("id", "name", "experiment", "status", "started_at", "duration_s", "tags")


def runs(
    query: str | None = None, *, sort: str | None = None, last: int | None = None
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

    Returns
    -------
    DataFrame
        `id, name, experiment, status, started_at, duration_s, tags`, then
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
    return frame_of(select(store_here(), query, sort=sort, last=last))


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
    """Ask the store in SQL, read-only; the view `points` has every point as a row.

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
) -> list[RunRecord]:
    """The runs that answer to a query, in order; see `runs`.

    Raises
    ------
    QueryError, OptionError
        For a query, sort or number that cannot be understood.

    Examples
    --------
    >>> from nbtrack.store import Store
    >>> select(Store.open("/tmp/empty-store"), "loss < .3")
    []
    """
    if last is not None and last < 0:
        raise OptionError(f"last={last}: give the number of runs to show.")
    asked = parse_query(query or "")
    records = store.runs(trashed=trashed)
    check_names(asked, records)
    found = [record for record in records if asked.matches(record)]
    found = found if last is None else found[:last]
    return sorted_by(found, sort) if sort else found


def sorted_by(records: Sequence[RunRecord], name: str) -> list[RunRecord]:
    """Records in the order of a name; what lacks the value, or is NaN, comes last.

    Raises
    ------
    QueryError
        When no run has the name.

    Examples
    --------
    >>> slow = RunRecord("1", "slow", "x", "finished", "", None, 9.0)
    >>> quick = RunRecord("2", "quick", "x", "finished", "", None, 1.0)
    >>> [r.name for r in sorted_by([slow, quick], "duration_s")]
    ['quick', 'slow']
    """
    key = name.removeprefix("-")
    values = [value_of(record, key) for record in records]
    if records and all(value is MISSING for value in values):
        known = {name for r in records for name in (*r.metrics, *r.params)} | set(FIXED)
        shown = shorten(visible(key), 60)
        raise QueryError(f"Cannot sort by {shown!r}.{did_you_mean(key, known)}")
    backwards = name.startswith("-") != (_goal(records, key) == "max")
    pairs = list(zip(values, records, strict=True))
    there = [pair for pair in pairs if not _is_hollow(pair[0])]
    there.sort(key=lambda pair: _sort_key(pair[0]), reverse=backwards)
    rest = [record for value, record in pairs if _is_hollow(value)]
    return [record for _, record in there] + rest


def frame_of(records: Sequence[RunRecord]) -> pd.DataFrame:
    """Records as a frame, with the columns and types that `runs` promises.

    Examples
    --------
    >>> list(frame_of([]).columns)
    ['id', 'name', 'experiment', 'status', 'started_at', 'duration_s', 'tags']
    """
    import pandas as pd

    columns: dict[str, Any] = {
        "id": _texts(r.id for r in records),
        "name": _texts(r.name for r in records),
        "experiment": _texts(r.experiment for r in records),
        "status": _texts(r.status for r in records),
        "started_at": _times([r.started_at for r in records]),
        "duration_s": pd.Series([r.duration_s for r in records], dtype="float64"),
        "tags": pd.Series([tag_texts(r) for r in records], dtype=object),
    }
    for name in _names(r.params for r in records):
        values = [r.params[name].value if name in r.params else None for r in records]
        columns[f"params.{name}"] = _typed(values)
    metrics = _names(r.metrics for r in records)
    for space, dtype, read in _METRIC_COLUMNS:
        for name in metrics:
            found = [
                read(r.metrics[name]) if name in r.metrics else None for r in records
            ]
            columns[f"{space}.{name}"] = pd.Series(found, dtype=dtype)
    return pd.DataFrame(columns)


def tag_texts(record: RunRecord) -> list[str]:
    """Tags as they are written: `first`, `data: mnist`.

    Examples
    --------
    >>> tags = {"first": None, "data": "mnist"}
    >>> tag_texts(RunRecord("1", "base", "x", "running", "", None, None, tags=tags))
    ['first', 'data: mnist']
    """
    pairs = record.tags.items()
    return [key if value is None else f"{key}: {value}" for key, value in pairs]


_METRIC_COLUMNS: tuple[tuple[str, str, Any], ...] = (
    ("metrics", "float64", lambda metric: metric.last),
    ("best", "float64", lambda metric: metric.best),
    ("best_step", "Int64", lambda metric: metric.best_step),
)


def _names(maps: Iterable[Any]) -> list[str]:
    """All keys, in the order in which they first appear."""
    return list(dict.fromkeys(name for one in maps for name in one))


def _texts(values: Iterable[str]) -> pd.Series[Any]:
    import pandas as pd

    return pd.Series(list(values), dtype="str")


def _times(texts: list[str]) -> pd.Series[Any]:
    import pandas as pd

    return pd.Series(pd.to_datetime(texts, format="ISO8601", utc=True))


def _typed(values: list[Any]) -> pd.Series[Any]:
    """A column of the one type that all values have, whole numbers with gaps too."""
    import pandas as pd

    kinds = {type(value) for value in values if value is not None}
    whole = kinds == {int} and all(v is None or abs(v) < 2**63 for v in values)
    if kinds == {bool}:
        dtype = "boolean" if None in values else "bool"
    elif whole:
        dtype = "Int64" if None in values else "int64"
    elif kinds and kinds <= {int, float} and float in kinds:
        dtype = "float64"
    elif kinds == {str}:
        return pd.Series(values)  # object in pandas 2, str in pandas 3
    else:
        dtype = "object"
    return pd.Series(values, dtype=dtype)


def _goal(records: Sequence[RunRecord], key: str) -> str | None:
    """The direction of a metric that is sorted by its best value."""
    name = key.removeprefix("best.")
    goals = [r.metrics[name].goal for r in records if name in r.metrics]
    return goals[0] if goals else None


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

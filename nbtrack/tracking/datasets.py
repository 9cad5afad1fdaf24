"""`run.log_dataset`: a table kept with the run as parquet, schema and statistics.

The file goes the way of every file of a run: named by its content, so that the same
data again is the same version. The table is written before the call returns; hashing,
statistics and copying are the background's.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbtrack.capture.data_statistics import statistics_of
from nbtrack.capture.digests.contents import digest_of
from nbtrack.capture.digests.kinds import kind_of
from nbtrack.errors import MissingExtraError, ValueNotLoggedError
from nbtrack.guard import guard, tolerated
from nbtrack.records import InputRecord
from nbtrack.text import shorten, visible
from nbtrack.tracking.checkpoint_files import checkpoint_name
from nbtrack.tracking.checkpoints import keeper_of, moment_of
from nbtrack.tracking.data_worker import FEATURE

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run

LOGGED = "logged dataset"  # the type of its record among the inputs


def keep_dataset(
    run: Run,
    data: Any,  # whatever `as_table` takes
    name: str,
    *,
    type: str,
    metadata: Mapping[str, Any] | None,
) -> None:
    """Keep `data` as a version of `name`; see `Run.log_dataset`."""
    name = checkpoint_name(name)
    table = as_table(data)
    keeper = keeper_of(run)
    copy = keeper.new_path()
    try:
        _write(table, copy)
        size = copy.stat().st_size
    except OSError as exc:
        copy.unlink(missing_ok=True)
        why = exc.strerror or str(exc)
        guard.warn_once(f"data set {name}", f"data set {name!r} was not kept: {why}")
        return
    moment = moment_of(run, name=name, type=type, path=f"{name}.parquet", metrics={})
    keeper.keep_copy(copy, moment)
    _describe(run, table, name, size, dict(metadata or {}))


def as_table(data: Any) -> Any:
    """A table of pyarrow with the content of `data`.

    Raises
    ------
    ValueNotLoggedError
        For what has no rows and columns, or a column of mixed objects.
    MissingExtraError
        Without pyarrow.
    """
    try:
        import pyarrow
    except ImportError as exc:
        raise MissingExtraError(
            "Data sets are kept as parquet, which needs pyarrow: "
            'pip install "nbtrack[data]"'
        ) from exc
    try:
        return _converted(data, pyarrow)
    except (pyarrow.ArrowException, TypeError, ValueError) as exc:
        if isinstance(exc, ValueNotLoggedError):
            raise
        what = shorten(visible(str(exc)), 200)
        raise ValueNotLoggedError(
            f"The data set cannot be kept as parquet: {what}. Make each column of one "
            "type, for example with `.astype(str)`."
        ) from exc


def _converted(data: Any, pyarrow: Any) -> Any:
    kind = kind_of(data)
    if kind == "dataframe":
        return pyarrow.Table.from_pandas(data)
    if kind == "series":
        return pyarrow.Table.from_pandas(data.to_frame())
    if kind == "table":
        is_table = isinstance(data, pyarrow.Table)
        return data if is_table else pyarrow.Table.from_batches([data])
    if kind == "polars":
        held = data.to_arrow()
        is_table = isinstance(held, pyarrow.Table)
        return held if is_table else pyarrow.table({str(data.name) or "0": held})
    if kind == "hf":
        return data.with_format("arrow")[:]
    if kind == "tensor":
        return _converted(data.detach().cpu().clone().numpy(), pyarrow)
    if kind == "array":
        return _of_array(data, pyarrow)
    if kind == "dict":
        return pyarrow.table({str(name): column for name, column in data.items()})
    if kind == "list" and data and all(isinstance(row, dict) for row in data):
        return pyarrow.Table.from_pylist(list(data))
    raise ValueNotLoggedError(
        f"A {type(data).__name__} has no rows and columns. Give a DataFrame, a table "
        "of polars or pyarrow, an array, or a dict of columns."
    )


def _of_array(array: Any, pyarrow: Any) -> Any:
    """Columns `0`, `1`...; a record array has names of its own."""
    import numpy

    array = numpy.asarray(array)
    if array.dtype.names:
        names = array.dtype.names
        return pyarrow.table({n: numpy.ascontiguousarray(array[n]) for n in names})
    if array.ndim not in (1, 2):
        raise ValueNotLoggedError(
            f"An array of {array.ndim} axes is no table. Reshape it to rows and "
            "columns, or keep the file with run.checkpoint."
        )
    columns = array.reshape(len(array), -1).T if array.size else array.T
    columns = columns if columns.ndim == 2 else columns[None]
    return pyarrow.table(
        {str(at): numpy.ascontiguousarray(column) for at, column in enumerate(columns)}
    )


def _write(table: Any, path: Path) -> None:
    """Write with nothing in it that says when or where: equal tables, equal bytes."""
    import pyarrow.parquet

    with path.open("xb") as file:
        path.chmod(0o600)
        pyarrow.parquet.write_table(table, file, compression="zstd")


def _describe(
    run: Run, table: Any, name: str, size: int, metadata: dict[str, Any]
) -> None:
    from nbtrack.tracking.data_reading import DataReading

    detail: dict[str, Any] = {"role": "logged"}
    if metadata:
        # What JSON does not take is told by its text, as everywhere in the store.
        detail["metadata"] = json.loads(json.dumps(metadata, default=repr))
    record = InputRecord(name, LOGGED, None, size, table.num_rows, detail)
    reading = DataReading(run)
    reading.submit(
        _steps(reading, table, record, statistics=run.captures("statistics"))
    )


def _steps(
    reading: Any, table: Any, record: InputRecord, *, statistics: bool
) -> Generator[float, None, None]:
    yield 0.0
    with guard(FEATURE):
        record = replace(record, digest=digest_of(table))
    told: dict[str, Any] = {}
    if statistics:
        with tolerated(lambda _: None):
            told = yield from _statistics(table)
    reading.keep(replace(record, detail={**told, **record.detail}))


def _statistics(table: Any) -> Generator[float, None, dict[str, Any]]:
    """As of a DataFrame, which tells more; of what pandas cannot hold the schema."""
    steps = statistics_of(table.to_pandas(), "dataframe")
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: dict[str, Any] = end.value
            return found
        yield 0.0

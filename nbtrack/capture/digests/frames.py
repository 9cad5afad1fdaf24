"""DataFrames, Series and Indexes of pandas: names, index, dtypes, every value.

Columns are read a block of rows at a time. What pandas holds in a form of its own
(nullable, categorical, with a time zone, in arrow) is read through what it says in
public, so that the form in memory does not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nbtrack.capture.digests.arrays import array_pieces, raw_pieces
from nbtrack.capture.digests.elements import element_pieces, text_pieces
from nbtrack.capture.digests.pieces import ROWS, Pieces, framed


def frame_pieces(value: Any, kind: str, depth: int = 0) -> Pieces:
    """A DataFrame, a Series or an Index."""
    if kind == "index":
        yield from _index(value, depth)
        return
    if kind == "series":
        yield framed("series", len(value))
        yield from element_pieces([value.name], depth)
        yield from _index(value.index, depth)
        yield from _column(value, depth)
        return
    n_rows, n_columns = value.shape
    yield framed("dataframe", int(n_rows), int(n_columns))
    yield from _index(value.columns, depth)
    yield from _index(value.index, depth)
    for at in range(n_columns):  # by place: names may come twice
        yield from _column(value.iloc[:, at], depth)


def _index(index: Any, depth: int) -> Pieces:
    yield framed("index", len(index), index.nlevels)
    yield from element_pieces(list(index.names), depth)
    if index.nlevels == 1:
        yield from _column(index, depth)
        return
    for level in range(index.nlevels):
        yield from _column(index.get_level_values(level), depth)


def _column(column: Any, depth: int) -> Pieces:
    """A Series or a plain Index: its dtype and its values."""
    import numpy
    import pandas

    dtype = column.dtype
    if isinstance(dtype, numpy.dtype):
        # A range is its numbers: 8 bytes a row at a time, not all of them at once.
        if isinstance(column, pandas.RangeIndex):
            yield framed("array", "<i8", [len(column)])
            for block in _blocks(column):
                yield from raw_pieces(block.to_numpy())
        else:
            yield from array_pieces(column.to_numpy(), depth)
        return
    yield framed("column", str(dtype), len(column))
    yield from _extension(column, dtype, depth)


def _extension(column: Any, dtype: Any, depth: int) -> Pieces:
    import pandas

    if isinstance(dtype, pandas.CategoricalDtype):
        yield framed("categories", bool(dtype.ordered), len(dtype.categories))
        yield from _column(dtype.categories, depth)
        codes = pandas.Categorical(column, dtype=dtype).codes
        yield from array_pieces(codes, depth)
    elif isinstance(dtype, pandas.StringDtype):
        for block in _blocks(column):
            yield from _texts(block, dtype.storage)
    elif isinstance(dtype, pandas.DatetimeTZDtype | pandas.PeriodDtype):
        for block in _blocks(column):
            yield from raw_pieces(pandas.array(block).view("i8"))
    elif hasattr(dtype, "pyarrow_dtype"):
        from nbtrack.capture.digests.tables import column_pieces

        yield from column_pieces(pandas.array(column).__arrow_array__())
    elif hasattr(dtype, "numpy_dtype"):  # Int64, boolean, Float32: with a mask
        for block in _blocks(column):
            values = block.array if hasattr(block, "array") else block
            yield from raw_pieces(values.isna())
            yield from raw_pieces(values.to_numpy(dtype.numpy_dtype, na_value=0))
    elif isinstance(dtype, pandas.IntervalDtype):
        intervals = pandas.arrays.IntervalArray(column)
        yield from _column(intervals.left, depth)
        yield from _column(intervals.right, depth)
    elif isinstance(dtype, pandas.SparseDtype):
        for block in _blocks(column):
            yield from array_pieces(block.to_numpy(), depth)
    else:  # a dtype of another package: its values as Python objects
        for block in _blocks(column):
            yield from element_pieces(block.astype(object).tolist(), depth)


def _blocks(column: Any) -> Iterator[Any]:
    rows = getattr(column, "iloc", column)  # an Index is cut by place as it is
    for start in range(0, len(column), ROWS):
        yield rows[start : start + ROWS]


def _texts(block: Any, storage: str) -> Pieces:
    """The same bytes whichever library holds the texts."""
    if storage == "pyarrow":
        import pandas

        from nbtrack.capture.digests.tables import in_one, text_block

        yield from text_block(in_one(pandas.array(block).__arrow_array__()))
        return
    missing = block.isna().tolist()
    values = block.tolist()
    yield from text_pieces(
        [None if gone else v for v, gone in zip(values, missing, strict=True)]
    )

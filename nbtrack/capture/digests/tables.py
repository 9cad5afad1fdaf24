"""Tables of pyarrow, polars and Hugging Face: every row, however it is chunked.

A column is read in blocks of rows that begin at fixed places, and each block as its
nulls, its lengths and its bytes: offsets, slices, and what lies under a null do not
count. A Hugging Face dataset is its table and its mapping of indices.
"""

from __future__ import annotations

from typing import Any

from nbtrack.capture.digests.arrays import raw_pieces
from nbtrack.capture.digests.pieces import ROWS, NotDigestible, Pieces, framed


def table_pieces(value: Any, kind: str) -> Pieces:
    """A table, a column of one, or a dataset that is made of tables."""
    if kind == "hf dict":
        yield framed("splits", sorted(map(str, value)))
        for name in sorted(value, key=str):
            yield from table_pieces(value[name], "hf")
    elif kind == "hf":
        yield framed("rows", len(value))
        yield from _table(_plain_table(value.data))
        if value._indices is not None:  # no public name tells it
            yield framed("indices")
            yield from column_pieces(_plain_table(value._indices).column(0))
    elif kind == "polars":
        yield from _polars(value)
    elif kind == "column":
        yield from column_pieces(value)
    else:
        yield from _table(value)


def column_pieces(column: Any) -> Pieces:
    """An array of pyarrow, in one piece or many."""
    yield framed("arrow", str(column.type), len(column))
    for start in range(0, len(column), ROWS):
        yield from _block(column.slice(start, ROWS))


def _table(table: Any) -> Pieces:
    yield framed("table", [str(name) for name in table.schema.names], table.num_rows)
    for at in range(table.num_columns):
        yield from column_pieces(table.column(at))


def _plain_table(table: Any) -> Any:
    return getattr(table, "table", table)  # `datasets` wraps pyarrow's


def _polars(value: Any) -> Pieces:
    try:
        held = value.to_arrow()
    except ImportError as exc:
        raise NotDigestible("polars needs pyarrow to hand its rows over") from exc
    if hasattr(held, "num_columns"):
        yield from _table(held)
    else:
        yield framed("series", str(value.name))
        yield from column_pieces(held)


def _block(block: Any) -> Pieces:
    """A few rows of a column."""
    if len(block):
        yield from _values(in_one(block))


def in_one(block: Any) -> Any:
    """The rows as one array, whatever chunks they lie in."""
    import pyarrow

    if isinstance(block, pyarrow.ChunkedArray):
        return pyarrow.concat_arrays(block.chunks)
    return block


def _values(block: Any) -> Pieces:
    import pyarrow
    import pyarrow.compute

    kind, types = block.type, pyarrow.types
    yield raw_validity(block)
    if types.is_null(kind):
        return
    if isinstance(kind, pyarrow.BaseExtensionType):
        yield from _values(block.storage)
    elif types.is_dictionary(kind):
        yield from _values(block.dictionary_decode())
    elif types.is_boolean(kind):
        filled = pyarrow.compute.fill_null(block, False).cast("uint8")
        yield from raw_pieces(filled.to_numpy())
    elif _is_text(kind, types):
        yield from text_block(block)
    elif types.is_struct(kind):
        for field in block.flatten():
            yield from _values(field)
    elif types.is_list(kind) or types.is_large_list(kind):
        lengths = pyarrow.compute.list_value_length(block)
        yield from raw_pieces(lengths.fill_null(-1).to_numpy().astype("int64"))
        yield from _values(block.flatten())
    elif types.is_fixed_size_list(kind):
        yield from _values(block.flatten())
    elif types.is_primitive(kind) or types.is_decimal(kind):
        yield from _fixed(block)
    else:  # maps, unions, views, run-ends: rare enough to be read as Python's
        from nbtrack.capture.digests.elements import element_pieces

        yield from element_pieces(block.to_pylist())


def raw_validity(block: Any) -> bytes:
    """Which rows are there: nothing at all where all are, as is nearly always so."""
    if not block.null_count:
        return framed("full", len(block))
    import numpy

    there = block.is_valid().to_numpy(zero_copy_only=False)
    return framed("nulls", len(block)) + bytes(numpy.packbits(there))


def _is_text(kind: Any, types: Any) -> bool:
    return bool(
        types.is_string(kind)
        or types.is_large_string(kind)
        or types.is_binary(kind)
        or types.is_large_binary(kind)
    )


def text_block(block: Any) -> Pieces:
    """A block of texts as `elements.text_pieces` has it: how long, and the bytes.

    A null has the length -1; what lies under it is nobody's text.
    """
    import numpy
    import pyarrow
    import pyarrow.compute

    there = None
    if block.null_count:
        there = block.is_valid().to_numpy(zero_copy_only=False)
        is_text = block.type in (pyarrow.string(), pyarrow.large_string())
        block = pyarrow.compute.fill_null(block, "" if is_text else b"")
    is_long = block.type in (pyarrow.large_string(), pyarrow.large_binary())
    _, offsets, data = block.buffers()
    starts = numpy.frombuffer(offsets, "<i8" if is_long else "<i4")
    starts = starts[block.offset : block.offset + len(block) + 1].astype("int64")
    lengths = numpy.diff(starts)
    yield framed("texts", len(block))
    yield from raw_pieces(lengths if there is None else numpy.where(there, lengths, -1))
    if data is not None and len(starts):
        yield memoryview(data)[int(starts[0]) : int(starts[-1])]


def _fixed(block: Any) -> Pieces:
    """Numbers, dates, decimals: so many bytes each."""
    import numpy

    width = block.type.bit_width // 8
    data = block.buffers()[1]
    if data is None or not len(block):
        return
    start = block.offset * width
    raw = numpy.frombuffer(data, "u1")[start : start + len(block) * width]
    if block.null_count:
        there = block.is_valid().to_numpy(zero_copy_only=False)
        raw = numpy.where(there[:, None], raw.reshape(-1, width), 0).reshape(-1)
    yield from raw_pieces(raw)

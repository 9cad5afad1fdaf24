"""numpy arrays and scipy's sparse matrices by their values.

The dtype counts without its byte order, then the shape, then the elements in C order.
Bytes that stand for nothing (padding between fields, in a long double, under a mask)
do not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from nbtrack.capture.digests.pieces import COPY_BYTES, VIEW_BYTES, Pieces, framed


def array_pieces(array: Any, depth: int = 0) -> Pieces:
    """A numpy array: masked, structured, of objects, of any memory layout."""
    import numpy

    if isinstance(array, numpy.ma.MaskedArray):
        yield from _masked(array, depth)
        return
    array = numpy.asarray(array)  # a matrix or memmap counts as what it holds
    if array.dtype.names:
        yield framed("record", list(array.dtype.names), list(array.shape))
        for name in array.dtype.names:
            yield from array_pieces(array[name], depth)
        return
    yield framed("array", _dtype_name(array.dtype), list(array.shape))
    yield from _elements(array, depth)


def flat_blocks(array: Any, most_bytes: int = VIEW_BYTES) -> Iterator[Any]:
    """The elements in C order, as one-dimensional arrays; views where that is so."""
    import numpy

    if not array.nbytes:
        return
    if array.flags.c_contiguous:
        flat, step = array.reshape(-1), max(1, most_bytes // array.itemsize)
        for start in range(0, len(flat), step):
            yield flat[start : start + step]
    elif array.nbytes <= COPY_BYTES:
        yield numpy.ascontiguousarray(array).reshape(-1)
    elif len(array) == 1:
        yield from flat_blocks(array[0], most_bytes)
    else:
        step = max(1, len(array) * COPY_BYTES // array.nbytes)
        for start in range(0, len(array), step):
            yield from flat_blocks(array[start : start + step], most_bytes)


def raw_pieces(array: Any) -> Pieces:
    """The bytes of the elements, little end first, without a frame."""
    import numpy

    little = array.dtype.newbyteorder("<")
    for block in flat_blocks(array):
        yield memoryview(block.astype(little, copy=False).view(numpy.uint8))


def sparse_pieces(matrix: Any) -> Pieces:
    """A matrix of scipy.sparse, in the form in which it is held."""
    form = str(matrix.format)
    yield framed("sparse", form, [int(n) for n in matrix.shape])
    if form == "coo":
        parts = [*getattr(matrix, "coords", (matrix.row, matrix.col)), matrix.data]
    elif form in ("csr", "csc", "bsr"):
        parts = [matrix.indptr, matrix.indices, matrix.data]
    elif form == "dia":
        parts = [matrix.offsets, matrix.data]
    else:  # dok, lil: made of Python objects
        in_rows = matrix.tocsr()
        in_rows.sort_indices()
        parts = [in_rows.indptr, in_rows.indices, in_rows.data]
    for part in parts:
        # 32 or 64 bits for an index is scipy's own choice, by size.
        is_index = part is not parts[-1]
        yield from array_pieces(part.astype("int64", copy=False) if is_index else part)


def _elements(array: Any, depth: int) -> Pieces:
    kind = array.dtype.char
    if kind in "OT":  # objects, and numpy's own strings of any length
        from nbtrack.capture.digests.elements import element_pieces

        blocks = flat_blocks(array)
        yield from element_pieces(
            chain.from_iterable(block.tolist() for block in blocks), depth
        )
    elif kind in "gG":
        yield from _long_floats(array)
    else:
        yield from raw_pieces(array)


def _dtype_name(dtype: Any) -> str:
    """`<f8` on every machine, whatever order the bytes are in."""
    return "text" if dtype.char == "T" else str(dtype.newbyteorder("<").str)


def _masked(array: Any, depth: int) -> Pieces:
    import numpy

    mask = numpy.ma.getmaskarray(array)
    yield framed("masked")
    if array.dtype.names:  # a mask for each field
        for name in array.dtype.names:
            yield from _masked(array[name], depth)
        return
    yield from array_pieces(mask, depth)
    values = numpy.ma.getdata(array)
    yield from array_pieces(numpy.where(mask, values.dtype.type(), values), depth)


def _long_floats(array: Any) -> Pieces:
    """As pairs of doubles and an exponent: six of its sixteen bytes are noise."""
    import numpy

    for block in flat_blocks(array, COPY_BYTES):
        parts = [block.real, block.imag] if block.dtype.kind == "c" else [block]
        for part in parts:
            fraction, exponent = numpy.frexp(part)
            yield from raw_pieces(fraction.astype("<f8"))
            fraction = numpy.where(numpy.isfinite(part), fraction, 0)
            rest = fraction - fraction.astype("<f8")
            yield from raw_pieces(rest.astype("<f8"))
            yield from raw_pieces(exponent.astype("<i4"))

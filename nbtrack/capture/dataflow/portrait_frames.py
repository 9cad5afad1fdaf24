"""How frames of pandas, and tables of pyarrow below them, are read: column by column.

The columns lie together in blocks that pandas merges when it likes, so the blocks do
not count, only what is in them. Caches do not count either.
"""

from __future__ import annotations

from typing import Any

from nbtrack.capture.classes import is_a
from nbtrack.capture.dataflow.portrait_bytes import fingerprint
from nbtrack.capture.dataflow.portrait_inert import constant
from nbtrack.capture.dataflow.portrait_plans import LIBRARY_CACHES, attributes_of
from nbtrack.capture.dataflow.portrait_walk import Handler, Walk


def _pandas_object(walk: Walk, value: Any) -> None:
    facts = attributes_of(value)
    pairs = [pair for pair in list(facts.items()) if pair[0] not in LIBRARY_CACHES]
    flags = facts.get("_flags")
    if flags is not None:
        walk.tokens.append(bool(attributes_of(flags).get("_allows_duplicate_labels")))
    walk.roots.add("pandas")
    walk.add_members(("names",), [pair[0] for pair in pairs])
    walk.add_members(("values",), [pair[1] for pair in pairs])


def _blocks(walk: Walk, value: Any) -> None:
    import numpy

    from nbtrack.capture.dataflow.portrait_arrays import add_base

    axes = list(value.axes)
    columns: dict[int, Any] = {}
    for block in value.blocks:
        values = block.values
        places = block.mgr_locs.as_array.tolist()
        if is_a(values, numpy.ndarray):
            add_base(walk, values)
            walk.extra_parts.add(id(values))
            rows = [values] if values.ndim == 1 else list(values)
        elif len(places) > 1:
            rows = [values[at] for at in range(len(places))]
        else:
            rows = [values]
        columns.update(zip(places, rows, strict=False))
    walk.tokens.append(("blocks", len(columns)))
    walk.budget.spend(nodes=len(columns))
    for place in sorted(columns):
        _add_column(walk, columns[place])
    walk.stack.extend(axes)


def _add_column(walk: Walk, column: Any) -> None:
    import numpy

    from nbtrack.capture.dataflow.portrait_arrays import add_elements

    if type(column) is numpy.ndarray:
        walk.tokens.append((column.dtype.str, *column.shape))
        add_elements(walk, column)
    else:
        walk.alive.append(column)
        walk.stack.append(column)


def _backed(walk: Walk, value: Any) -> None:
    """Dates, periods and categories: an array and what its numbers mean."""
    walk.roots.add("pandas")
    walk.tokens.append("backed")
    walk.stack.extend((value._dtype, value._ndarray))


def _moment(walk: Walk, value: Any) -> None:
    walk.frozen.add(id(value))
    walk.roots.add("pandas")
    walk.tokens.append((type(value).__name__, value._value, value.unit))
    walk.stack.append(getattr(value, "tzinfo", None))


def _period(walk: Walk, value: Any) -> None:
    walk.frozen.add(id(value))
    walk.roots.add("pandas")
    walk.tokens.append(("Period", value.ordinal, value.freqstr))


def _offset(walk: Walk, value: Any) -> None:
    walk.frozen.add(id(value))
    walk.roots.add("pandas")
    walk.tokens.append(("offset", type(value).__name__, value.freqstr))


def _interval(walk: Walk, value: Any) -> None:
    walk.frozen.add(id(value))
    walk.roots.add("pandas")
    walk.tokens.append(("Interval", value.closed))
    walk.stack.extend((value.left, value.right))


def _chunks(walk: Walk, value: Any) -> None:
    """A column of pyarrow by its buffers: pandas puts another one in its place."""
    walk.frozen.add(id(value))
    walk.roots.add("pyarrow")
    walk.tokens.append(("chunks", str(value.type), len(value)))
    for chunk in value.chunks:
        walk.tokens.append((chunk.offset, len(chunk)))
        for buffer in chunk.buffers():
            if buffer is None:
                walk.tokens.append("none")
            elif walk.can_pay(buffer.size):
                walk.tokens.append(fingerprint(buffer) if buffer.size else 0)


FRAMES: dict[str, Handler] = {
    **dict.fromkeys(("NDFrame", "Index"), _pandas_object),
    **dict.fromkeys(("BlockManager", "SingleBlockManager"), _blocks),
    "NDArrayBacked": _backed,
    **dict.fromkeys(("_Timestamp", "_Timedelta"), _moment),
    "_Period": _period,
    "BaseOffset": _offset,
    "Interval": _interval,
    **dict.fromkeys(("NaTType", "NAType", "SparseIndex", "PeriodDtypeBase"), constant),
    "ChunkedArray": _chunks,
    "_PandasConvertible": constant,
    **dict.fromkeys(("DataType", "Field", "Schema", "Scalar", "Buffer"), constant),
}

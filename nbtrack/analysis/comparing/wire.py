"""What the panel of a comparison is told: a table once, curves as they are asked for.

The mirror of `shared/compare/wire.ts`. Numbers of curves go as packed doubles behind a
short head; what JSON cannot say (NaN, infinities) goes as the text of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.comparing.columns import Column
from nbtrack.text import shorten

if TYPE_CHECKING:
    from array import array

    from nbtrack.analysis.comparing.overlay import Drawn

STAR = "star"  # the tag of a run that somebody starred
_TEXT_MAX = 200  # characters of a cell
_WHOLE_MAX = 2**53  # from here on doubles leave whole numbers out
Message = tuple[dict[str, Any], bytes]


def table_message(
    ids: Sequence[str],
    names: Sequence[str],
    columns: Iterable[Column],
    starred: Iterable[str],
    n_all: int,
) -> Message:
    """The whole table, by column: five thousand runs are a megabyte.

    A column of numbers is packed, and what is missing is NaN there.
    """
    import array

    packed = array.array("d")
    heads = [_column(column, packed) for column in columns]
    head = {
        "type": "table",
        "ids": list(ids),
        "names": [shorten(name, _TEXT_MAX) for name in names],
        "columns": heads,
        "starred": list(starred),
        "n_all": n_all,
    }
    return head, packed.tobytes()


def curves_message(drawn: Iterable[Drawn], told: Mapping[str, Any]) -> Message:
    """Curves with the head that cuts them apart: x, y, then what else each has."""
    import numpy as np

    heads, parts = [], []
    for curve in drawn:
        extra = {"smooth": curve.smooth, "low": curve.low, "high": curve.high}
        there = {name: column for name, column in extra.items() if column is not None}
        heads.append(
            {
                "key": curve.key,
                "n": len(curve.x),
                "columns": list(there),
                "n_runs": curve.n_runs,
                "n_points": curve.n_points,
                "thinned": curve.is_thinned,
            }
        )
        parts += [curve.x, curve.y, *there.values()]
    packed = np.concatenate(parts) if parts else np.zeros(0)
    return {**told, "curves": heads}, packed.astype("<f8").tobytes()


def _column(column: Column, packed: array[float]) -> dict[str, Any]:
    is_packed = _fits_doubles(column)
    if is_packed:
        packed.extend(math.nan if v is None else v for v in column.values)
    return {
        "name": column.name,
        "kind": column.kind,
        "goal": column.goal,
        "numeric": column.is_number,
        "differs": column.differs,
        "values": None if is_packed else [_cell(value) for value in column.values],
        "steps": None if column.steps is None else list(column.steps),
    }


def _fits_doubles(column: Column) -> bool:
    """Whether doubles tell all values apart, and from one that is missing."""
    if not column.is_number:
        return False
    if int in column.kinds and any(
        type(value) is int and abs(value) >= _WHOLE_MAX for value in column.values
    ):
        return False
    return not any(value != value for value in column.values)


def _cell(value: Any) -> Any:  # Any: params are what the user had
    """As JSON has it; a number that JSON lacks as {"n": "NaN"}."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < _WHOLE_MAX else {"n": str(value)}
    if isinstance(value, float):
        return value if math.isfinite(value) else {"n": _NAMES[str(value)]}
    return shorten(value if isinstance(value, str) else repr(value), _TEXT_MAX)


_NAMES = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}

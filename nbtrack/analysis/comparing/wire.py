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
    from nbtrack.analysis.comparing.overlay import Drawn

STAR = "star"  # the tag of a run that somebody starred
_TEXT_MAX = 200  # characters of a cell
Message = tuple[dict[str, Any], bytes]


def table_message(
    ids: Sequence[str],
    names: Sequence[str],
    columns: Iterable[Column],
    starred: Iterable[str],
    n_all: int,
) -> dict[str, Any]:
    """The whole table, by column: five thousand runs are a megabyte."""
    return {
        "type": "table",
        "ids": list(ids),
        "names": [shorten(name, _TEXT_MAX) for name in names],
        "columns": [_column(column) for column in columns],
        "starred": list(starred),
        "n_all": n_all,
    }


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


def _column(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "kind": column.kind,
        "goal": column.goal,
        "numeric": column.is_number,
        "differs": column.differs,
        "values": _cells(column),
        "steps": None if column.steps is None else list(column.steps),
    }


def _cells(column: Column) -> list[Any]:
    """As JSON has them; finite numbers need no look at each."""
    is_full = column.kinds == {float} and None not in column.values
    if is_full and math.isfinite(sum(column.values)):
        return list(column.values)
    return [_cell(value) for value in column.values]


def _cell(value: Any) -> Any:  # Any: params are what the user had
    """As JSON has it; a number that JSON lacks as {"n": "NaN"}."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else {"n": str(value)}
    if isinstance(value, float):
        return value if math.isfinite(value) else {"n": _NAMES[str(value)]}
    return shorten(value if isinstance(value, str) else repr(value), _TEXT_MAX)


_NAMES = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}

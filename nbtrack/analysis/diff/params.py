"""What differs between the params of two runs, where each came from, and who reads it.

Numbers are compared as numbers and types beside them: 1 and 1.0 are the same number of
another type, True and 1 are not the same, NaN is the same as NaN.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from nbtrack.analysis.diff.cell_names import loops_in, names_in, texts_in
from nbtrack.analysis.diff.side import Side
from nbtrack.capture.loops import NAMELESS
from nbtrack.records import CellRecord, Param
from nbtrack.text import shorten, visible

Sameness = Literal["same", "type", "changed"]
VALUE_MAX = 60  # characters of a value in a sentence or a table
_LEAD = 12  # characters shown before the first that differs, of long values
_NUMBERS = (int, float)


@dataclass(frozen=True, slots=True)
class ParamChange:
    """One param beside the two runs."""

    name: str
    change: str  # "same", "changed", "type", "origin", "only in a", "only in b"
    a: Any  # a JSON value; None also where it is not there: see `change`
    b: Any
    origin_a: str | None  # "literal", "inherited from [3]"...; None: it is not there
    origin_b: str | None
    # The cells of the slices that read it; None where that cannot be told.
    read_by: tuple[str, ...] | None = None
    kind: str = ""  # the origin in the records, of b where it has it
    is_outcome: bool = False  # how far a loop came: a result, and no input


def compare_values(a: Any, b: Any) -> Sameness:
    """Whether two JSON values are the same, the same number of another type, or not.

    Examples
    --------
    >>> compare_values(1, 1.0), compare_values(True, 1), compare_values([1], [2])
    ('type', 'changed', 'changed')
    >>> compare_values(float("nan"), float("nan")), compare_values([1], [1.0])
    ('same', 'type')
    """
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        if a.keys() != b.keys():
            return "changed"
        return _worst([compare_values(a[key], b[key]) for key in a])
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        if len(a) != len(b):
            return "changed"
        pairs = zip(a, b, strict=True)
        return _worst([compare_values(one, other) for one, other in pairs])
    if _is_number(a) and _is_number(b):
        if not (a == b or (_is_nan(a) and _is_nan(b))):
            return "changed"
        return "same" if type(a) is type(b) else "type"
    return "same" if type(a) is type(b) and a == b else "changed"


def diff_params(a: Side, b: Side) -> tuple[ParamChange, ...]:
    """All params of the two runs, in the order of the second, then of the first.

    Examples
    --------
    >>> from nbtrack.records import RunRecord
    >>> def side(**params):
    ...     told = {n: Param(n, v, "option") for n, v in params.items()}
    ...     return Side(RunRecord("1", "x", "e", "finished", "", None, 1, params=told))
    >>> [(p.name, p.change) for p in diff_params(side(lr=1, n=2), side(lr=1.0))]
    [('lr', 'type'), ('n', 'only in a')]
    """
    old, new = a.record.params, b.record.params
    names = dict.fromkeys([*new, *old])
    return tuple(_change(name, old.get(name), new.get(name), a, b) for name in names)


def value_text(value: Any) -> str:
    r"""A value as Python writes it, on one line.

    >>> value_text(0.1), value_text("a\n"), value_text(None)
    ('0.1', "'a\\n'", 'None')
    """
    return shorten(visible(repr(value)), VALUE_MAX)


def pair_text(a: Any, b: Any) -> tuple[str, str]:
    """Two values as text; of long ones the part where they differ.

    >>> pair_text("x" * 90 + "1", "x" * 90 + "2")[1]
    "…xxxxxxxxxxxx2'"
    """
    one, other = visible(repr(a)), visible(repr(b))
    if shorten(one, VALUE_MAX) != shorten(other, VALUE_MAX) or one == other:
        return shorten(one, VALUE_MAX), shorten(other, VALUE_MAX)
    pairs = enumerate(zip(one, other, strict=False))
    shorter = min(len(one), len(other))
    first = next((at for at, (x, y) in pairs if x != y), shorter)
    start = max(0, first - _LEAD)
    return _from(one, start), _from(other, start)


def _from(text: str, start: int) -> str:
    return ("…" if start else "") + shorten(text[start:], VALUE_MAX)


def _worst(found: Sequence[Sameness]) -> Sameness:
    if "changed" in found:
        return "changed"
    return "type" if "type" in found else "same"


def _is_number(value: Any) -> bool:
    return isinstance(value, _NUMBERS) and not isinstance(value, bool)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _change(
    name: str, old: Param | None, new: Param | None, a: Side, b: Side
) -> ParamChange:
    readers = [_read_by(p, side) for p, side in ((new, b), (old, a)) if p is not None]
    read_by = next((found for found in readers if found), readers[0])
    told = new or old or Param(name, None, "call")
    return ParamChange(
        name,
        _what(old, new),
        old.value if old else None,
        new.value if new else None,
        _origin(old),
        _origin(new),
        None if None in readers and not read_by else read_by,
        told.origin,
        _is_outcome(told, b if new is not None else a),
    )


def _is_outcome(param: Param, side: Side) -> bool:
    """`epoch.done`, of a loop that was left early."""
    loop, _, last = param.name.rpartition(".")
    if last != "done" or param.origin != "literal":
        return False
    own = side.needed_cells[-1:]
    return loop == NAMELESS or any(loop in loops_in(cell) for cell in own)


def _what(old: Param | None, new: Param | None) -> str:
    if old is None or new is None:
        return "only in b" if old is None else "only in a"
    change = compare_values(old.value, new.value)
    if change == "same" and old.origin != new.origin:
        return "origin"
    return change


def _origin(param: Param | None) -> str | None:
    """Where a value came from, in words."""
    if param is None:
        return None
    return param.origin + (f" from {param.cell}" if param.cell else "")


def _read_by(param: Param, side: Side) -> tuple[str, ...] | None:
    """The cells of the slice in which the name of the param is read."""
    if side.needed is None or param.origin == "call":
        return None  # no name tells which values the code handed over
    if param.origin == "object":  # it is there because the cell reads the object
        return tuple(_label(cell) for cell in side.needed_cells[-1:])
    root = param.name.partition(".")[0].partition("[")[0]
    found = [cell for cell in side.needed_cells if _reads(cell, root, param)]
    if not found and any(cell.source is None for cell in side.needed_cells):
        return None
    return tuple(map(_label, found))


def _reads(cell: CellRecord, root: str, param: Param) -> bool:
    if root in names_in(cell):
        return True
    return param.origin == "option" and root in texts_in(cell)


def _label(cell: CellRecord) -> str:
    number = cell.execution
    return f"cell {cell.seq + 1}" if number is None else f"[{number}]"

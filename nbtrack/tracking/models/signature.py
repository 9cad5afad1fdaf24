"""What a model takes and gives, and whether a new version breaks who uses the old one.

A signature is inferred from data. Types are compared by kind (number, text, ...): a
column of whole numbers that becomes one of fractions breaks nobody. The first axis of
an array is the batch and has no length.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from nbtrack.errors import ModelError
from nbtrack.text import shorten

Shape = tuple[int | None, ...]
_KINDS = {
    "b": "bool", "i": "int", "u": "int", "f": "float", "c": "complex", "M": "time",
    "m": "duration", "S": "bytes", "U": "text", "T": "text",
}  # fmt: skip
# Whoever fed the first kind may feed the second.
_WIDER = {("int", "float"), ("bool", "int"), ("bool", "float"), ("float", "complex")}


@dataclass(frozen=True, slots=True)
class Column:
    """One input or output."""

    name: str  # "" for an array that has none
    type: str  # bool, int, float, text, time, ...
    shape: Shape = (None,)
    optional: bool = False  # may be missing, or hold missing values

    def __str__(self) -> str:
        size = "×".join("n" if n is None else str(n) for n in self.shape)
        words = [self.name, f"{self.type}[{size}]", "optional" if self.optional else ""]
        return " ".join(word for word in words if word)


@dataclass(frozen=True, slots=True)
class Signature:
    """Inputs and outputs of a model."""

    inputs: tuple[Column, ...] = ()
    outputs: tuple[Column, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            side: [
                {"name": c.name, "type": c.type, "shape": list(c.shape),
                 "optional": c.optional}
                for c in columns
            ]
            for side, columns in (("inputs", self.inputs), ("outputs", self.outputs))
        }  # fmt: skip

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Signature:
        """Read back what `to_json` gave."""
        return cls(*(
            tuple(
                Column(c["name"], c["type"], tuple(c["shape"]), bool(c["optional"]))
                for c in kept.get(side) or ()
            )
            for side in ("inputs", "outputs")
        ))  # fmt: skip

    def __str__(self) -> str:
        sides = (
            ", ".join(map(str, side)) or "?" for side in (self.inputs, self.outputs)
        )
        return " → ".join(sides)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of a signature."""

    kind: Literal["same", "compatible", "breaking"]
    reasons: tuple[str, ...] = ()


def signature_of(
    inputs: Any = None,  # a table, an array, a tensor, columns by name, or rows
    outputs: Any = None,
    *,
    model: Any = None,
) -> Signature:
    """The signature by examples of inputs and outputs, else by what the model says.

    >>> import numpy as np
    >>> str(signature_of(np.zeros((5, 3)), np.zeros(5, int)))
    'float[n×3] → int[n]'
    """
    told = infer(inputs) if inputs is not None else _told_by(model)
    return Signature(told, infer(outputs) if outputs is not None else ())


def infer(data: Any) -> tuple[Column, ...]:  # Any: see `signature_of`
    """The columns of an example.

    >>> [str(c) for c in infer([{"age": 3, "name": "x"}, {"age": None, "name": "y"}])]
    ['age int[n] optional', 'name text[n]']

    Raises
    ------
    ModelError
        For what is no example of data.
    """
    if hasattr(data, "columns") and hasattr(data, "dtypes"):
        return tuple(_of_series(str(name), data[name]) for name in data.columns)
    if hasattr(data, "dtype") and hasattr(data, "isna") and hasattr(data, "name"):
        return (_of_series("" if data.name is None else str(data.name), data),)
    if isinstance(data, Mapping):
        return tuple(_named(str(key), value) for key, value in data.items())
    if hasattr(data, "shape") and hasattr(data, "dtype"):
        return (Column("", _kind_of(data), _shape_of(data)),)
    if isinstance(data, Sequence) and data and isinstance(data[0], Mapping):
        return _of_rows(data)
    if isinstance(data, Sequence) and not isinstance(data, str | bytes) and data:
        import numpy as np

        return infer(np.asarray(data))
    raise ModelError(
        f"{shorten(repr(data))} is no example of data. Pass a table, an array, a "
        "tensor, columns by name, or rows."
    )


def compare(old: Signature, new: Signature) -> Comparison:
    """Whether who uses `old` can use `new` unchanged, and why not.

    >>> old = Signature((Column("age", "int"), Column("sum", "float")))
    >>> compare(old, Signature((Column("age", "float"),))).reasons
    ("input 'sum' is gone",)
    """
    breaking = [*_broken_inputs(old.inputs, new.inputs),
                *_broken_outputs(old.outputs, new.outputs)]  # fmt: skip
    if breaking:
        return Comparison("breaking", tuple(breaking))
    if old == new:
        return Comparison("same")
    return Comparison("compatible", tuple(_additions(old, new)))


def check(signature: Signature, data: Any) -> None:  # Any: what is to be predicted on
    """Raise ModelError where data does not fit the inputs, naming what is missing."""
    if not signature.inputs:
        return
    told = infer(data)
    broken = _broken_inputs(signature.inputs, told, is_data=True)
    if broken:
        raise ModelError(
            f"The data does not fit the model: {'; '.join(broken[:5])}. It takes "
            f"{', '.join(map(str, signature.inputs[:20]))}."
        )


def _broken_inputs(
    old: Iterable[Column], new: Iterable[Column], *, is_data: bool = False
) -> list[str]:
    here, there = _by_name(old), _by_name(new)
    found = []
    for name, column in here.items():
        if name not in there:
            if not (is_data and column.optional):
                found.append(f"input {name!r} is {'missing' if is_data else 'gone'}")
        elif not _takes(column, there[name], is_data=is_data):
            found.append(f"input {name!r} was {column}, now {there[name]}")
    if not is_data and here:
        found += [
            f"input {name!r} is new and required"
            for name, column in there.items()
            if name not in here and not column.optional
        ]
    return found


def _broken_outputs(old: Iterable[Column], new: Iterable[Column]) -> list[str]:
    here, there = _by_name(old), _by_name(new)
    if not there:  # nothing is said of the new outputs
        return []
    gone = [f"output {name!r} is gone" for name in here if name not in there]
    changed = [
        f"output {name!r} was {column}, now {there[name]}"
        for name, column in here.items()
        if name in there
        and (column.type, column.shape) != (there[name].type, there[name].shape)
    ]
    return gone + changed


def _takes(old: Column, new: Column, *, is_data: bool) -> bool:
    """Whether what fits `old` fits `new`; of data, whether it fits `old`."""
    kinds = (new.type, old.type) if is_data else (old.type, new.type)
    if kinds[0] != kinds[1] and kinds not in _WIDER and "any" not in kinds:
        return False
    if old.optional and not new.optional and not is_data:
        return False
    return old.shape == new.shape


def _additions(old: Signature, new: Signature) -> Iterable[str]:
    for what, before, after in (
        ("input", old.inputs, new.inputs), ("output", old.outputs, new.outputs)
    ):  # fmt: skip
        known = _by_name(before)
        for column in after:
            if column.name not in known:
                yield f"{what} {column.name!r} is new"
            elif known[column.name] != column:
                yield f"{what} {column.name!r} was {known[column.name]}, now {column}"


def _by_name(columns: Iterable[Column]) -> dict[str, Column]:
    return {column.name: column for column in columns}


def _told_by(model: Any) -> tuple[Column, ...]:
    """What an estimator remembers of the data that it was fitted on."""
    names = getattr(model, "feature_names_in_", None)
    if names is not None:
        return tuple(Column(str(name), "any") for name in names)
    n_features = getattr(model, "n_features_in_", None)
    if isinstance(n_features, int):
        return (Column("", "float", (None, n_features)),)
    return ()


def _named(name: str, value: Any) -> Column:
    [column] = infer(value)
    return Column(name, column.type, column.shape, column.optional)


def _of_series(name: str, series: Any) -> Column:
    kind = getattr(series.dtype, "kind", "O")
    type_ = _KINDS.get(kind) or _kind_of_values(series.dropna())
    return Column(name, type_, (None,), bool(series.isna().any()))


def _of_rows(rows: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
    names = dict.fromkeys(str(name) for row in rows for name in row)
    found = []
    for name in names:
        values = [row.get(name) for row in rows]
        known = [value for value in values if value is not None]
        column = Column(name, _kind_of_values(known), (None,), len(known) < len(values))
        found.append(column)
    return tuple(found)


def _kind_of_values(values: Iterable[Any]) -> str:
    kinds = {_kind_of_value(value) for value in values}
    if kinds == {"int", "float"}:
        return "float"
    return kinds.pop() if len(kinds) == 1 else "any"


def _kind_of_value(value: Any) -> str:
    names = {bool: "bool", int: "int", float: "float", str: "text", bytes: "bytes"}
    return names.get(type(value)) or _kind_of(value)


def _kind_of(data: Any) -> str:
    """The kind of an array's or tensor's elements."""
    dtype = getattr(data, "dtype", None)
    kind = getattr(dtype, "kind", None)
    if isinstance(kind, str):
        return _KINDS.get(kind, "any")
    words = str(dtype).removeprefix("torch.")
    for word in ("bool", "uint", "int", "float", "complex"):
        if words.startswith(word) or (word == "float" and words == "bfloat16"):
            return word.removeprefix("u")
    return "any"


def _shape_of(data: Any) -> Shape:
    return (None, *(int(n) for n in data.shape[1:])) if len(data.shape) else ()

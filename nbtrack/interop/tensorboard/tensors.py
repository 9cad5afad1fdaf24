"""The numbers and bytes in a tensor message, without TensorFlow."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from nbtrack.tracking.media.content import FILE_BYTES_MAX

FLOAT, DOUBLE, STRING = 1, 2, 7
_BFLOAT16, _HALF = 14, 19
# dtype: letter of `struct`, and the field where numbers stand that are not packed.
_NUMBERS: dict[int, tuple[str, str]] = {
    FLOAT: ("f", "floats"), DOUBLE: ("d", "doubles"), 3: ("i", "ints"),
    4: ("B", "ints"), 5: ("h", "ints"), 6: ("b", "ints"), 9: ("q", "longs"),
    10: ("?", "bools"), 17: ("H", "ints"), _HALF: ("e", "halves"),
    _BFLOAT16: ("H", "halves"),
}  # fmt: skip

Tensor = Mapping[str, Any]


def numbers_of(tensor: Tensor) -> Sequence[float]:
    """All numbers of a tensor, row by row; none where it has no numbers.

    Raises
    ------
    ValueError
        For a type that is not known, or too many.
    """
    dtype = tensor.get("dtype", 0)
    if dtype not in _NUMBERS:
        raise ValueError(f"a tensor of type {dtype} is not read")
    letter, field = _NUMBERS[dtype]
    content = tensor.get("content", b"")
    if content:
        n = len(content) // struct.calcsize(f"<{letter}")
        numbers = struct.unpack_from(f"<{n}{letter}", content)
        return [_bfloat(bits) for bits in numbers] if dtype == _BFLOAT16 else numbers
    plain: Sequence[float] = tensor.get(field, ())
    if field == "halves":
        letters = {_HALF: _half, _BFLOAT16: _bfloat}
        plain = [letters[dtype](int(bits)) for bits in plain]
    return _repeated(plain, size_of(tensor))


def shape_of(tensor: Tensor) -> list[int]:
    """The sizes of its axes; none for a scalar."""
    return [dim.get("size", 0) for dim in tensor.get("shape", {}).get("dim", ())]


def size_of(tensor: Tensor) -> int:
    """How many values it has, by its shape.

    Raises
    ------
    ValueError
        For more than there can be.
    """
    size = 1
    for n in shape_of(tensor):
        size *= max(n, 0)
    if size > FILE_BYTES_MAX // 8:
        raise ValueError(f"a tensor of shape {shape_of(tensor)} is too large")
    return size


def _repeated(numbers: Sequence[float], size: int) -> Sequence[float]:
    """The last of fewer numbers than values stands for the rest."""
    if 0 < len(numbers) < size:
        return [*numbers, *[numbers[-1]] * (size - len(numbers))]
    return numbers


def _half(bits: int) -> float:
    return float(struct.unpack("<e", struct.pack("<H", bits & 0xFFFF))[0])


def _bfloat(bits: float) -> float:
    return float(struct.unpack("<f", struct.pack("<I", (int(bits) & 0xFFFF) << 16))[0])

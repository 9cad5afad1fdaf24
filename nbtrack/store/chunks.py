"""The packed form of points: `chunks.body`, one blob per run, metric and chunk.

    byte 0      format, 1
    byte 1      steps: 0 regular (first + i * stride), else the width of a delta in
                bytes: 1, 2, 4 unsigned, added up from the first; 8: int64 as they are
    byte 2      times: 0 int32 deltas in microseconds, 1 float64 seconds as they are
    byte 3      0
    4 - 7       n, uint32
    8 - 15      first step, int64
    16 - 23     stride, int64
    24 - 31     first time, int64 microseconds since the epoch
    then        values, n float64; steps, n - 1 deltas or n int64 (none if regular);
                times, n - 1 int32 or n float64

All little endian, 12 bytes a point when steps are regular. Packing and unpacking use
whole-column operations: a loop over points in a background thread would hold the GIL.
"""

from __future__ import annotations

import struct
import sys
from array import array
from dataclasses import dataclass
from itertools import accumulate, pairwise, repeat
from operator import mul, sub
from typing import Any

_HEADER = struct.Struct("<BBBxIqqq")
_FORMAT = 1
_REGULAR, _RAW_STEPS = 0, 8
_DELTA_TIMES, _RAW_TIMES = 0, 1
_WIDTHS = ((1, "B"), (2, "H"), (4, "I"))
_CODES = dict(_WIDTHS)
MAX_POINTS = 1 << 24


@dataclass(frozen=True, slots=True)
class Columns:
    """Points as columns of one length, in the order they were logged."""

    steps: array[int]
    values: array[float]
    at: array[float]


@dataclass(frozen=True, slots=True)
class Packed:
    """A body taken apart but not unpacked."""

    n: int
    step_code: int
    time_code: int
    first_step: int
    stride: int
    first_us: int
    values: bytes
    steps: bytes
    times: bytes


def pack(columns: Columns) -> bytes:
    """The body of a chunk that holds these points (at least one).

    >>> points = Columns(array("q", [0, 1]), array("d", [.5, .2]), array("d", [1, 2]))
    >>> unpack(pack(points)).values
    array('d', [0.5, 0.2])
    """
    step_code, stride, steps = _pack_steps(columns.steps)
    time_code, first_us, times = _pack_times(columns.at)
    head = _HEADER.pack(
        _FORMAT, step_code, time_code, len(columns.values), columns.steps[0], stride,
        first_us,
    )  # fmt: skip
    return b"".join((head, columns.values.tobytes(), steps, times))


def take_apart(body: bytes) -> Packed:
    """Split a body into its parts; ValueError for one that is not whole."""
    if len(body) < _HEADER.size:
        raise ValueError("chunk body too short")
    version, step_code, time_code, n, first, stride, us = _HEADER.unpack_from(body)
    if version != _FORMAT or not 0 < n <= MAX_POINTS:
        raise ValueError(f"chunk body of unknown format {version}")
    steps_at = _HEADER.size + 8 * n
    times_at = steps_at + _steps_bytes(step_code, n)
    if len(body) != times_at + (4 * (n - 1) if time_code == _DELTA_TIMES else 8 * n):
        raise ValueError("chunk body of the wrong length")
    return Packed(
        n, step_code, time_code, first, stride, us,
        body[_HEADER.size : steps_at], body[steps_at:times_at], body[times_at:],
    )  # fmt: skip


def unpack(body: bytes) -> Columns:
    """The points of a body, exact to the microsecond."""
    packed = take_apart(body)
    return Columns(
        unpack_steps(packed), _array("d", packed.values), unpack_times(packed)
    )


def unpack_steps(packed: Packed) -> array[int]:
    """The steps of a chunk."""
    if packed.step_code == _REGULAR:
        return _regular(packed.first_step, packed.stride, packed.n)
    if packed.step_code == _RAW_STEPS:
        return _array("q", packed.steps)
    deltas = _array(_CODES[packed.step_code], packed.steps)
    return array("q", accumulate(deltas, initial=packed.first_step))


def unpack_times(packed: Packed) -> array[float]:
    """The times of a chunk, in seconds since the epoch."""
    if packed.time_code == _RAW_TIMES:
        return _array("d", packed.times)
    if numpy := _numpy():
        deltas = numpy.frombuffer(packed.times, dtype="<i4").cumsum(dtype="int64")
        us = numpy.concatenate(([packed.first_us], deltas + packed.first_us))
        return _array("d", (us / 1e6).tobytes())
    moments = accumulate(_array("i", packed.times), initial=packed.first_us)
    return array("d", map((1e6).__rtruediv__, moments))


def joined(bodies: list[bytes]) -> bytes:
    """One body with the points of several, in order."""
    parts = [take_apart(body) for body in bodies]
    if _follow_on(parts):
        return _joined_as_they_are(parts)
    whole = Columns(array("q"), array("d"), array("d"))
    for body in bodies:
        columns = unpack(body)
        whole.steps.extend(columns.steps)
        whole.values.extend(columns.values)
        whole.at.extend(columns.at)
    return pack(whole)


def _follow_on(parts: list[Packed]) -> bool:
    """Whether steps go on regularly from part to part, and all times are deltas."""
    stride = next((p.stride for p in parts if p.n > 1), None)
    if stride is None:
        stride = parts[1].first_step - parts[0].first_step if len(parts) > 1 else 1
    return all(
        p.step_code == _REGULAR and p.time_code == _DELTA_TIMES
        and (p.n == 1 or p.stride == stride)
        for p in parts
    ) and all(
        b.first_step - a.first_step == stride * a.n and _fits_delta(a, b)
        for a, b in pairwise(parts)
    )  # fmt: skip


def _fits_delta(a: Packed, b: Packed) -> bool:
    return abs(b.first_us - _last_us(a)) < 1 << 31


def _last_us(packed: Packed) -> int:
    deltas: array[int] = _array("i", packed.times)
    return packed.first_us + sum(deltas)


def _joined_as_they_are(parts: list[Packed]) -> bytes:
    first = parts[0]
    stride = parts[1].first_step - first.first_step if len(parts) > 1 else first.stride
    stride = stride // first.n if len(parts) > 1 else stride
    times = [first.times]
    for a, b in pairwise(parts):
        times.append(struct.pack("<i", b.first_us - _last_us(a)))
        times.append(b.times)
    head = _HEADER.pack(
        _FORMAT, _REGULAR, _DELTA_TIMES, sum(p.n for p in parts), first.first_step,
        stride, first.first_us,
    )  # fmt: skip
    return b"".join((head, *(p.values for p in parts), *times))


def _pack_steps(steps: array[int]) -> tuple[int, int, bytes]:
    first, n = steps[0], len(steps)
    stride = steps[1] - first if n > 1 else 1
    # An int64 stride cannot hold every difference of two int64 steps.
    fits = -(1 << 62) < stride < 1 << 62 and steps[-1] == first + stride * (n - 1)
    if fits and (n <= 2 or steps == _regular(first, stride, n)):
        return _REGULAR, stride, b""
    deltas = list(map(sub, steps[1:], steps))
    low, high = min(deltas), max(deltas)
    for width, code in _WIDTHS:
        if low >= 0 and high < 1 << (8 * width):
            return width, 0, array(code, deltas).tobytes()
    return _RAW_STEPS, 0, steps.tobytes()


def _pack_times(at: array[float]) -> tuple[int, int, bytes]:
    try:
        moments = list(map(round, map(mul, at, repeat(1e6))))
        # Signed: threads may log a few microseconds out of order.
        deltas = array("i", map(sub, moments[1:], moments))
        if -(1 << 63) <= moments[0] < 1 << 63:
            return _DELTA_TIMES, moments[0], deltas.tobytes()
    except (OverflowError, ValueError):  # a pause of over 35 minutes, a NaN
        pass
    return _RAW_TIMES, 0, at.tobytes()


def _steps_bytes(code: int, n: int) -> int:
    if code == _REGULAR:
        return 0
    if code == _RAW_STEPS:
        return 8 * n
    if code in _CODES:
        return code * (n - 1)
    raise ValueError(f"chunk steps of unknown code {code}")


def _regular(first: int, stride: int, n: int) -> array[int]:
    if stride == 0:
        return array("q", [first]) * n
    if numpy := _numpy():
        steps = numpy.arange(n, dtype="int64") * stride + first
        return _array("q", steps.tobytes())
    return array("q", range(first, first + stride * n, stride))


def _array(code: str, body: bytes) -> array[Any]:
    column: array[Any] = array(code)
    column.frombytes(body)
    return column


def _numpy() -> Any:  # Any: the module, when the user's code has loaded it already
    numpy = sys.modules.get("numpy")
    return numpy if hasattr(numpy, "concatenate") else None

"""Protocol buffers without their library: messages by tables of their fields.

Only the fields that a table names are read, so that nesting is no deeper than the
tables and what is in a message costs what of it is wanted. Bytes that are no message
raise ValueError. Written is what the table says, in the order of the numbers.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

_VARINT, _EIGHT, _LENGTH, _FOUR = 0, 1, 2, 5  # the wire types that are in use
_VARINT_BYTES_MAX = 10
_DOUBLE, _FLOAT = struct.Struct("<d"), struct.Struct("<f")
_FLOAT_MAX = 3.4028234663852886e38
_ROUNDS_UP = 3.4028235677973366e38  # from here on the nearest float is infinite

_BEYOND = "a field goes beyond the end of its message"

Kind = Literal["int", "bool", "double", "float", "text", "bytes"]
_Taken = tuple[str, Callable[[Any], Any] | None, bool, bool]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message, or one that repeats (`is_many`)."""

    number: int
    kind: Kind | Message
    is_many: bool = False


def one(number: int, kind: Kind | Message) -> Field:
    """A field that stands once; of several the last one counts."""
    return Field(number, kind)


def many(number: int, kind: Kind | Message) -> Field:
    """A field that repeats: a list."""
    return Field(number, kind, is_many=True)


class Message:
    """A kind of message: its fields by name.

    >>> Point = Message(x=one(1, "int"), name=one(2, "text"), y=many(3, "double"))
    >>> Point.read(Point.write({"x": -1, "name": "a", "y": [0.5, 2.0]}))
    {'x': -1, 'name': 'a', 'y': [0.5, 2.0]}
    """

    def __init__(self, **fields: Field) -> None:
        self._fields = dict(sorted(fields.items(), key=lambda item: item[1].number))
        self._by_tag: dict[int, _Taken] = {}
        for name, field in fields.items():
            wire = _wire_of(field.kind)
            take = _taker_of(field.kind)
            self._by_tag[field.number << 3 | wire] = (name, take, field.is_many, False)
            if field.is_many and wire != _LENGTH:  # numbers may come packed
                packed = _unpacker_of(wire, take)
                self._by_tag[field.number << 3 | _LENGTH] = (name, packed, True, True)

    def read(self, body: bytes) -> dict[str, Any]:
        """What is in a message; a field that is not there has no key.

        Raises
        ------
        ValueError
            For bytes that are no message.
        """
        found: dict[str, Any] = {}
        known = self._by_tag
        at, end = 0, len(body)
        while at < end:
            tag = body[at]
            at += 1
            if tag > 127:
                tag, at = read_varint(body, at - 1)
            # A short text or message, as most are: a call less is a third of the time.
            if tag & 7 == _LENGTH and at < end and (size := body[at]) < 128:
                start = at + 1
                at = start + size
                if at > end:
                    raise ValueError(_BEYOND)
                raw: Any = body[start:at]
            else:
                raw, at = _value(body, at, tag & 7)
            taken = known.get(tag)
            if taken is None:
                continue
            name, take, is_many, is_packed = taken
            value = raw if take is None else take(raw)
            if not is_many:
                found[name] = value
            elif is_packed:
                found.setdefault(name, []).extend(value)
            else:
                found.setdefault(name, []).append(value)
        return found

    def write(self, values: Mapping[str, Any]) -> bytes:
        """A message of these values; None is left out."""
        parts = []
        for name, field in self._fields.items():
            value = values.get(name)
            if value is not None:
                every = value if field.is_many else (value,)
                parts += [_written(field, item) for item in every]
        return b"".join(parts)


# ---- reading


def _value(body: bytes, at: int, wire: int) -> tuple[Any, int]:
    """The raw value at a place, and where the next field begins."""
    if wire == _VARINT:
        if at < len(body) and body[at] < 128:
            return body[at], at + 1
        return read_varint(body, at)
    if wire == _LENGTH:
        size, at = read_varint(body, at)
    elif wire == _EIGHT:
        size = 8
    elif wire == _FOUR:
        size = 4
    else:
        raise ValueError(f"no field is of wire type {wire}")
    end = at + size
    if end > len(body):
        raise ValueError(_BEYOND)
    return body[at:end], end


def read_varint(body: bytes, at: int) -> tuple[int, int]:
    """The number at a place, without a sign, and where it ends.

    Raises
    ------
    ValueError
        Where it has no end.
    """
    value = shift = 0
    for byte in body[at : at + _VARINT_BYTES_MAX]:
        value |= (byte & 127) << shift
        shift += 7
        at += 1
        if byte < 128:
            return value & (2**64 - 1), at
    raise ValueError("a number has no end")


def _wire_of(kind: Kind | Message) -> int:
    wires = {"int": _VARINT, "bool": _VARINT, "double": _EIGHT, "float": _FOUR}
    return wires.get(kind, _LENGTH) if isinstance(kind, str) else _LENGTH


def _taker_of(kind: Kind | Message) -> Callable[[Any], Any] | None:
    """What makes a value of the raw one; None where that is the value."""
    if isinstance(kind, Message):
        return kind.read
    takers: dict[str, Callable[[Any], Any] | None] = {
        "int": _signed,
        "bool": bool,
        "double": lambda raw: _DOUBLE.unpack(raw)[0],
        "float": lambda raw: _FLOAT.unpack(raw)[0],
        "text": _text,
        "bytes": None,
    }
    return takers[kind]


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _signed(number: int) -> int:
    return number - 2**64 if number >= 2**63 else number


def _unpacker_of(
    wire: int, take: Callable[[Any], Any] | None
) -> Callable[[bytes], list[Any]]:
    def unpacked(body: bytes) -> list[Any]:
        at, values = 0, []
        while at < len(body):
            raw, at = _value(body, at, wire)
            values.append(raw if take is None else take(raw))
        return values

    if wire == _VARINT:
        return unpacked
    size, letter = (8, "d") if wire == _EIGHT else (4, "f")
    return lambda body: list(struct.unpack(f"<{len(body) // size}{letter}", body))


# ---- writing


def _written(field: Field, value: Any) -> bytes:
    tag = as_varint(field.number << 3 | _wire_of(field.kind))
    if isinstance(field.kind, Message):
        return tag + _sized(field.kind.write(value))
    if field.kind in ("int", "bool"):
        return tag + as_varint(int(value))
    if field.kind == "double":
        return tag + _DOUBLE.pack(value)
    if field.kind == "float":
        return tag + _FLOAT.pack(as_float(value))
    return tag + _sized(value if isinstance(value, bytes) else _as_bytes(value))


def _as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _sized(body: bytes) -> bytes:
    return as_varint(len(body)) + body


def as_varint(number: int) -> bytes:
    """A whole number, up to 64 bits with its sign, as it stands in a message."""
    number %= 2**64
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def as_float(value: float) -> float:
    """The value, infinite where a float of four bytes has no room for it."""
    if -_FLOAT_MAX <= value <= _FLOAT_MAX or value != value:
        return value
    if abs(value) < _ROUNDS_UP:
        return _FLOAT_MAX if value > 0 else -_FLOAT_MAX
    return float("inf") if value > 0 else float("-inf")

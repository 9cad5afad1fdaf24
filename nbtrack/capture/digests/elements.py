"""Python's own values: numbers, texts, dates, and lists, dicts and sets of them.

Each element counts with its type. Blocks of one type are packed at once, which makes a
million numbers a matter of milliseconds; the blocks begin at fixed places, so that the
same list always gives the same bytes.
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import fractions
import hashlib
import pathlib
import struct
import sys
import uuid
from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, islice
from typing import Any

from nbtrack.capture.digests.pieces import (
    MAX_DEPTH,
    NotDigestible,
    Pieces,
    framed,
    gathered,
)

_BLOCK = 4096  # elements: about a millisecond of Python


def element_pieces(values: Iterable[Any], depth: int = 0) -> Pieces:
    """The elements one after another, however many there are."""
    rest = iter(values)
    while block := list(islice(rest, _BLOCK)):
        packed = _packing_of(block)
        if packed is not None:
            yield from packed(block, depth)
        else:
            yield framed("each", len(block))
            yield from gathered(p for value in block for p in _one(value, depth))
    yield framed("end")


def container_pieces(value: Any, depth: int) -> Pieces:
    """A list, tuple, set, range, dict or text."""
    if isinstance(value, dict):
        yield from _mapping(value, depth)
    elif isinstance(value, set | frozenset):
        yield framed("set", len(value))
        yield from sorted(_small_digest(item, depth) for item in value)
    elif isinstance(value, str | bytes | bytearray):
        raw = _encoded(value) if isinstance(value, str) else bytes(value)
        yield framed(type(value).__name__, len(raw))
        yield raw
    else:
        code = getattr(value, "typecode", "")  # of an array.array
        yield framed(type(value).__name__, code, len(value))
        yield from element_pieces(value, depth + 1)


def text_pieces(texts: Sequence[str | None]) -> Pieces:
    """A block of texts, None among them: which are there, how long, and the bytes."""
    raw = [None if text is None else _encoded(text) for text in texts]
    lengths = array("q", [-1 if text is None else len(text) for text in raw])
    yield framed("texts", len(raw))
    yield _little(lengths)
    yield b"".join(text for text in raw if text is not None)


def _packing_of(block: list[Any]) -> Packing | None:
    """How a block of one type is packed; None where its elements go one by one."""
    kind = type(block[0])
    if len(set(map(type, block))) > 1:
        return None
    if kind is dict and not _have_same_keys(block):
        return None
    if kind not in _PACKED and _is_numpy_scalar(kind):
        return _scalars
    return _PACKED.get(kind)


def _one(value: Any, depth: int) -> Pieces:
    plain = _PLAIN.get(type(value))
    if plain is not None:
        raw = plain(value)
        yield b"%s:%d:" % (type(value).__name__.encode(), len(raw))
        yield raw
    elif type(value) in (list, tuple, dict, set):
        yield from _nested(value, depth)
    else:
        yield from _other(value, depth)


def _nested(value: Any, depth: int) -> Pieces:
    if depth >= MAX_DEPTH:
        raise NotDigestible(f"data nested more than {MAX_DEPTH} deep, or in a circle")
    yield b"data:"
    yield from container_pieces(value, depth + 1)


def _other(value: Any, depth: int) -> Pieces:
    """What is not among the plain types: named values, data within data."""
    from nbtrack.capture.digests.contents import pieces_of
    from nbtrack.capture.digests.kinds import kind_of

    kind = type(value)
    name = f"{kind.__module__}.{kind.__qualname__}"
    if isinstance(value, enum.Enum):
        yield framed("enum", name, value.name)
    elif _is_named_tuple(value):
        yield framed("named", name)
        yield from _mapping(dict(zip(value._fields, value, strict=True)), depth)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield framed("named", name)
        fields = dataclasses.fields(value)
        yield from _mapping({f.name: getattr(value, f.name) for f in fields}, depth)
    elif kind_of(value) is not None:
        yield framed("data")
        yield from pieces_of(value, depth + 1)
    else:
        yield framed("value", name)
        yield _foreign(value)


def _mapping(value: dict[Any, Any], depth: int) -> Pieces:
    yield framed("dict", len(value))
    items = [(_small_digest(key, depth), item) for key, item in value.items()]
    items.sort(key=lambda pair: pair[0])
    for key, item in items:
        yield key
        yield from gathered(_one(item, depth + 1))


def _small_digest(value: Any, depth: int) -> bytes:
    digest = hashlib.sha256()
    for piece in _one(value, depth + 1):
        digest.update(piece)
    return digest.digest()


def _foreign(value: Any) -> bytes:
    """Scalars of numpy and pandas, pictures of PIL, and subclasses of plain types."""
    kind = type(value)
    home = kind.__module__.partition(".")[0]
    if _is_numpy_scalar(kind):
        return b"".join(_scalars([value], 0))
    if home == "pandas":
        # Timestamp, Timedelta, NaT, NA, Period, Interval: texts that tell all of them.
        zone = getattr(value, "tzinfo", None) or getattr(value, "freqstr", "")
        return f"{value!s}|{zone}|{getattr(value, 'closed', '')}".encode()
    if home == "PIL" and hasattr(value, "tobytes"):
        head = framed("picture", value.mode, list(value.size), value.getpalette())
        return head + bytes(value.tobytes())
    for plain, packed in _PLAIN.items():
        if isinstance(value, plain) and plain is not type(None):
            return packed(value)
    if isinstance(value, pathlib.PurePath):
        return _encoded(str(value))
    raise NotDigestible(f"it holds an object of type {kind.__name__}")


def _is_named_tuple(value: Any) -> bool:
    return isinstance(value, tuple) and hasattr(type(value), "_fields")


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _little(numbers: array[Any]) -> bytes:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _is_numpy_scalar(kind: type) -> bool:
    return kind.__module__ == "numpy" and hasattr(kind, "dtype")


def _have_same_keys(block: list[Any]) -> bool:
    keys = block[0].keys()
    return all(row.keys() == keys for row in block)


def _floats(block: list[Any], _: int) -> Pieces:
    yield framed("floats", len(block))
    yield _little(array("d", block))


def _ints(block: list[Any], _: int) -> Pieces:
    try:
        packed = array("q", block)
    except OverflowError:
        yield framed("each", len(block))
        yield from gathered(p for value in block for p in _one(value, 0))
        return
    yield framed("ints", len(block))
    yield _little(packed)


def _bools(block: list[Any], _: int) -> Pieces:
    yield framed("bools", len(block))
    yield bytes(block)


def _strings(block: list[Any], _: int) -> Pieces:
    yield from text_pieces(block)


def _scalars(block: list[Any], depth: int) -> Pieces:
    """Scalars of numpy, which a list of an array's elements is full of."""
    import numpy

    from nbtrack.capture.digests.arrays import array_pieces

    yield framed("scalars", str(block[0].dtype))
    yield from array_pieces(numpy.array(block), depth)


def _lists(block: list[Any], depth: int) -> Pieces:
    """Lists of lists: how long each is, then the elements of all in a row."""
    if depth >= MAX_DEPTH:
        raise NotDigestible(f"data nested more than {MAX_DEPTH} deep, or in a circle")
    yield framed("lists", type(block[0]).__name__, len(block))
    yield _little(array("q", map(len, block)))
    yield from element_pieces(chain.from_iterable(block), depth + 1)


def _dicts(block: list[Any], depth: int) -> Pieces:
    """Rows with the same keys, column by column."""
    if depth >= MAX_DEPTH:
        raise NotDigestible(f"data nested more than {MAX_DEPTH} deep, or in a circle")
    yield framed("dicts", len(block))
    named = {_small_digest(key, depth): key for key in block[0]}
    for digest, key in sorted(named.items(), key=lambda pair: pair[0]):
        yield digest
        yield from element_pieces([row[key] for row in block], depth + 1)


Packing = Callable[[list[Any], int], Pieces]
_PACKED: dict[type, Packing] = {
    float: _floats,
    int: _ints,
    bool: _bools,
    str: _strings,
    list: _lists,
    tuple: _lists,
    dict: _dicts,
}
_PLAIN: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda _: b"",
    bool: lambda value: b"1" if value else b"0",
    int: lambda value: b"%d" % value,
    float: lambda value: struct.pack("<d", value),
    complex: lambda value: struct.pack("<dd", value.real, value.imag),
    str: _encoded,
    bytes: lambda value: value,
    bytearray: bytes,
    decimal.Decimal: lambda value: str(value).encode(),
    fractions.Fraction: lambda value: str(value).encode(),
    datetime.datetime: lambda v: f"{v.isoformat()}|{v.tzinfo}|{v.fold}".encode(),
    datetime.date: lambda value: value.isoformat().encode(),
    datetime.time: lambda v: f"{v.isoformat()}|{v.tzinfo}|{v.fold}".encode(),
    datetime.timedelta: lambda v: f"{v.days}|{v.seconds}|{v.microseconds}".encode(),
    uuid.UUID: lambda value: bytes(value.bytes),
}

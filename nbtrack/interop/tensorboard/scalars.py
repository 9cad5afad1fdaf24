"""Scalars, the quick way: an event of one scalar is a time, a step, a tail and a value.

The tail says the tag, and is the same for all events of it. So what was read once as a
message is known again by it: ten times quicker than to read it as a message.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from nbtrack.interop.tensorboard.messages import EVENT
from nbtrack.interop.wire_format import as_float, as_varint, read_varint

_TAILS_MAX = 10_000  # tags that are known again
_TIME, _STEP = b"\x09", b"\x10"  # the fields 1 (eight bytes) and 2 (a number)
_STEP_AT = 9
_DOUBLE, _FLOAT = struct.Struct("<d"), struct.Struct("<f")

Scalar = tuple[str, int, float, float]  # tag, step, value, wall time


def tail_of(tag: str) -> bytes:
    """What stands between the step and the value."""
    value = {"tag": tag, "simple": 0.0}
    return EVENT.write({"summary": {"value": [value]}})[: -_FLOAT.size]


def scalar_event(tail: bytes, *, step: int, value: float, at: float) -> bytes:
    """The event of a scalar."""
    parts = (_TIME, _DOUBLE.pack(at), _STEP, as_varint(step))
    return b"".join((*parts, tail, _FLOAT.pack(as_float(value))))


class KnownScalars:
    """The tails that were seen in a file."""

    def __init__(self) -> None:
        self._tags: dict[bytes, str] = {}

    def learn(self, event: Mapping[str, Any], body: bytes) -> None:
        """Remember the tail of an event that was read, if it is one scalar alone."""
        values = event.get("summary", {}).get("value", ())
        if len(values) == 1 and "simple" in values[0] and len(self._tags) < _TAILS_MAX:
            tag = values[0].get("tag", "")
            tail = tail_of(tag)
            if body[: -_FLOAT.size].endswith(tail):
                self._tags[tail] = tag

    def read(self, body: bytes) -> Scalar | None:
        """A scalar whose tail is known; None for any other event."""
        if body[:1] != _TIME:
            return None
        step, at = 0, _STEP_AT
        if body[at : at + 1] == _STEP:
            step, at = read_varint(body, at + 1)
            step = step - 2**64 if step >= 2**63 else step
        tag = self._tags.get(body[at : -_FLOAT.size])
        if tag is None:
            return None
        value = _FLOAT.unpack_from(body, len(body) - _FLOAT.size)[0]
        return tag, step, value, _DOUBLE.unpack_from(body, 1)[0]

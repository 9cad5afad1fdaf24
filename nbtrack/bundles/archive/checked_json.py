"""JSON of somebody else, parsed within bounds of size, depth and number of values.

A key that comes twice, a number that is not finite and text that is no UTF-8 are
refused: two readers must not read two things. The bounds are looked at before a value
is made, since ten megabytes of brackets are half a gigabyte of lists.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from nbtrack.bundles.archive.limits import MAX_DEPTH, MAX_MANIFEST_BYTES
from nbtrack.bundles.archive.trouble import only_bundle_errors, refuse, shown

MAX_CONTAINERS = 250_000
MAX_VALUES = 2_000_000
_MAX_DIGITS = 100  # the state of a generator is a number of 39
# Possessive, and content with a text that never ends: linear whatever comes.
_MARK = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)


def parse_json(
    content: bytes,
    *,
    name: str,
    limit_bytes: int = MAX_MANIFEST_BYTES,
    n_values: int = MAX_VALUES,
) -> Any:  # Any: what JSON can hold
    """The value of a JSON text; `name` is what messages call it.

    Raises
    ------
    BundleError
        Where it is no JSON, or beyond a bound.

    Examples
    --------
    >>> parse_json(b'{"a": [1.5]}', name="manifest.json")
    {'a': [1.5]}
    """
    if len(content) > limit_bytes:
        refuse(f"{shown(name)} has {len(content):,} bytes; at most {limit_bytes:,}")
    if content.count(b",") > n_values:
        refuse(f"{shown(name)} holds more than {n_values:,} values")
    _check_depth(content, name)
    with only_bundle_errors(f"Reading {shown(name)} as JSON"):
        return _DECODER.decode(content.decode("utf-8"))


def _check_depth(content: bytes, name: str) -> None:
    depth = n_containers = 0
    for found in _MARK.finditer(content):
        mark = found[0]
        if mark in (b"[", b"{"):
            depth += 1
            n_containers += 1
        elif mark in (b"]", b"}"):
            depth -= 1
        if depth > MAX_DEPTH or n_containers > MAX_CONTAINERS:
            refuse(f"{shown(name)} is nested too deep, or holds too many lists")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"key {shown(key)} stands twice")
            seen.add(key)
    return found


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{shown(text)} is no finite number")
    return number


def _int(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)


def _constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs,
    parse_float=_float,
    parse_int=_int,
    parse_constant=_constant,
)

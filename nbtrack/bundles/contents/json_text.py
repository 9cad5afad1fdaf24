"""JSON as a bundle has it: the same bytes for the same values, and always valid.

Keys sorted, floats as Python's repr. JSON has no NaN and no infinity: they are null,
but in the lines of a series, where they stand as words.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def json_bytes(value: Any) -> bytes:  # Any: what JSON can hold
    r"""A document, indented by 1, that ends with a newline.

    Examples
    --------
    >>> json_bytes({"b": float("nan"), "a": "é"}).decode()
    '{\n "a": "é",\n "b": null\n}\n'
    """
    text = json.dumps(finite(value), sort_keys=True, indent=1, ensure_ascii=False)
    return as_utf8(f"{text}\n")


def line_bytes(value: Any) -> bytes:  # Any: what JSON can hold
    r"""A document in one line.

    Examples
    --------
    >>> line_bytes({"b": 1, "a": [0.1]})
    b'{"a":[0.1],"b":1}\n'
    """
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False,
        allow_nan=False,
    )  # fmt: skip
    return as_utf8(f"{text}\n")


def finite(value: Any) -> Any:  # Any: what JSON can hold
    """The same with None for every number that is not finite.

    Examples
    --------
    >>> finite({"a": [float("inf"), -0.0]})
    {'a': [None, -0.0]}
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value


def as_utf8(text: str) -> bytes:
    r"""UTF-8; half of a pair stands as the escape that JSON has for it.

    Examples
    --------
    >>> as_utf8('"\ud800"')
    b'"\\ud800"'
    """
    return text.encode("utf-8", "backslashreplace")

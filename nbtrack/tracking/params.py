"""Params given by hand: to `nbtrack.start(params=...)` and `run.log_params(...)`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nbtrack.capture.params import flatten
from nbtrack.records import Param


def as_params(
    given: Mapping[str, Any] | Sequence[Param] | None,
    named: Mapping[str, Any],
) -> list[Param]:
    """Typed params with dotted names; what was captured already passes through."""
    if given is not None and not isinstance(given, Mapping):
        return [*given, *flatten(dict(named), origin="option")]
    return flatten({**(given or {}), **named}, origin="option")

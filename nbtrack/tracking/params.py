"""Params given by hand: to `nbtrack.start(params=...)` and `run.log_params(...)`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nbtrack.capture.values import flatten
from nbtrack.guard import guard
from nbtrack.records import Param


def as_params(
    given: Mapping[str, Any] | Sequence[Param] | None,
    named: Mapping[str, Any],
) -> list[Param]:
    """Typed params with dotted names; what was captured already passes through."""
    if given is not None and not isinstance(given, Mapping):
        return [*given, *_by_hand(named)]
    return _by_hand({**(given or {}), **named})


def _by_hand(values: Mapping[str, Any]) -> list[Param]:
    leaves = flatten(values, tell=_say)
    return [Param(name, _safe(name, leaf), "call") for name, leaf in leaves.items()]


def _safe(name: str, leaf: Any) -> Any:
    if leaf is None or isinstance(leaf, bool | int | float):
        return leaf
    from nbtrack.redact import redact_param  # its patterns take a while to compile

    value, n_secrets = redact_param(name, leaf)
    if n_secrets:
        _say(f"param {name} looks like a secret and was not recorded")
    return value


def _say(text: str) -> None:
    guard.warn_once(text, text)

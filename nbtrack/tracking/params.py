"""Params given by hand: to `nbtrack.start(params=...)` and `run.log_params(...)`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nbtrack.capture.values import flatten
from nbtrack.errors import OptionError
from nbtrack.guard import guard
from nbtrack.records import Param
from nbtrack.text import shorten


def as_params(
    given: Mapping[str, Any] | Sequence[Param] | None,
    named: Mapping[str, Any],
) -> list[Param]:
    """Typed params with dotted names; what was captured already passes through."""
    if given is not None and not isinstance(given, Mapping):
        return [*_captured(given), *_by_hand(named)]
    return _by_hand({**(given or {}), **named})


def _captured(given: Any) -> list[Param]:
    """The params that a cell was seen to have.

    Raises OptionError where they are none.
    """
    if isinstance(given, Sequence) and all(isinstance(p, Param) for p in given):
        return list(given)
    raise OptionError(
        f"params is {shorten(repr(given), 60)}. Give a dict, such as {{'lr': 0.1}}."
    )


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

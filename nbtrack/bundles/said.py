"""Pairs that people type: `--set lr=.1`, `--tolerance acc=.01`."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from nbtrack.errors import OptionError
from nbtrack.text import shorten, visible


def settings_of(pairs: Iterable[str]) -> dict[str, Any]:
    """The values of `--set lr=.1`: literals of Python, other words as text.

    Raises
    ------
    OptionError
        For a pair without a name or a value.

    Examples
    --------
    >>> settings_of(("lr=.1", "opt=adam"))
    {'lr': 0.1, 'opt': 'adam'}
    """
    return {name: _literal(text) for name, text in map(_pair, pairs)}


def tolerances_of(pairs: Iterable[str]) -> dict[str, float]:
    """The values of `--tolerance acc=.01`.

    Raises
    ------
    OptionError
        For what is no number from 0 on.

    Examples
    --------
    >>> tolerances_of(("acc=.01",))
    {'acc': 0.01}
    """
    found = {}
    for name, text in map(_pair, pairs):
        try:
            found[name] = float(text)
        except ValueError:
            found[name] = -1.0
        if not 0 <= found[name] < float("inf"):
            shown = shorten(visible(text), 40)
            raise OptionError(f"A tolerance is a number from 0 on, not {shown!r}.")
    return found


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        shown = shorten(visible(text), 40)
        raise OptionError(f"{shown!r} is no name=value.")
    return name, value


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text

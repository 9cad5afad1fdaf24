"""How deep runs are nested in others, so that parents come before their children."""

from __future__ import annotations

from collections.abc import Mapping


def depth_in(parents: Mapping[str, str | None], id_: str) -> int:
    """How many runs it is nested in, itself included; a ring of parents has an end too.

    >>> depth_in({"sweep": None, "trial": "sweep"}, "trial"), depth_in({"a": "a"}, "a")
    (2, 1)
    """
    seen: set[str] = set()
    at: str | None = id_
    while at is not None and at in parents and at not in seen:
        seen.add(at)
        at = parents[at]
    return len(seen)

"""What a replay held after each cell: digests of variables and of random generators.

Two replays are compared cell by cell by these, so that the first difference has a place
and a name. A digest that takes too long, or cannot be, is told as why it is not there.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any

from nbtrack.guard import tolerated
from nbtrack.slices.segments import Segment
from nbtrack.text import shorten

CELL_MAX_S = 5.0  # for the variables of one cell; what is left over is not looked at
_TYPE_MAX = 120


def seen_after(
    segment: Segment, namespace: Mapping[str, Any], generators: Mapping[str, str]
) -> dict[str, Any]:
    """The variables that a cell set, as they are after it.

    >>> segment = Segment("cell 1", "x = 1", looks=("x", "y"))
    >>> seen_after(segment, {"x": 1}, {})["values"]["x"]["type"]
    'builtins.int'
    """
    until = time.monotonic() + CELL_MAX_S
    values = {
        name: _seen(namespace[name], until)
        for name in segment.looks
        if name in namespace
    }
    return {"label": segment.label, "values": values, "generators": dict(generators)}


def generators_now() -> dict[str, str]:
    """The digests of the states of the generators that libraries share.

    >>> "random" in generators_now()
    True
    """
    found: dict[str, str] = {}
    for name, generator in _shared():
        with tolerated(lambda exc: None):  # one of a library that we do not know
            from nbtrack.capture.generators import state_of

            found[name] = state_of(generator).digest
    return found


def _shared() -> list[tuple[str, Any]]:
    """Those of modules that are imported by now; nothing is imported for it."""
    import random

    found: list[tuple[str, Any]] = [("random", random._inst)]
    numpy = sys.modules.get("numpy.random")
    if numpy is not None and hasattr(numpy, "mtrand"):
        found.append(("numpy", numpy.mtrand._rand))
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "default_generator"):
        found.append(("torch", torch.default_generator))
    return found


def _seen(value: Any, until: float) -> dict[str, str]:
    from nbtrack.capture.generators import kinds_of_generators
    from nbtrack.slices.value_digest import NotComparable, code_digest, value_digest

    kind = type(value)
    told = {"type": shorten(f"{kind.__module__}.{kind.__qualname__}", _TYPE_MAX)}
    if kind in kinds_of_generators():
        return told | {"why": "its state is put back where it is drawn from"}
    if time.monotonic() > until:
        return told | {"why": "no time was left to look at it"}
    why: list[Exception] = []
    with tolerated(why.append):  # a class of theirs may not be readable
        code = code_digest(value)
        if code is not None:
            return told | {"sha256": code}
        return told | {"sha256": value_digest(value)}
    said = str(why[0]) if isinstance(why[0], NotComparable) else repr(why[0])
    return told | {"why": shorten(said, 200)}

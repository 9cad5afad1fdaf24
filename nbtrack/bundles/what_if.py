"""Params of a bundle's script set anew: `--set lr=.1` changes the cell that says `lr`.

The literal in the cell's text is replaced, as in a sweep; everything else stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from nbtrack.errors import OptionError
from nbtrack.slices.segments import Segment
from nbtrack.sweeps.sites import CellText


def with_params(
    segments: Sequence[Segment], params: Mapping[str, Any]
) -> tuple[Segment, ...]:
    """The cells with other values, each in the last cell that says its name.

    Raises
    ------
    OptionError
        For a name that no cell says.

    >>> cells = [Segment("cell 1", "lr = 0.1"), Segment("cell 2", "x = lr")]
    >>> with_params(cells, {"lr": 0.5})[0].source
    'lr = 0.5'
    """
    made = list(segments)
    for name, value in params.items():
        at = _place_of(made, name)
        text = CellText(made[at].source).with_values({name: repr(value)})
        made[at] = replace(made[at], source=text)
    return tuple(made)


def _place_of(segments: Sequence[Segment], name: str) -> int:
    why: OptionError | None = None
    for at in range(len(segments) - 1, -1, -1):
        try:
            if CellText(segments[at].source).site_of(name).how != "read":
                return at
        except OptionError as exc:
            why = why or exc  # of the tracked cell, which says most
    raise why or OptionError(f"No cell sets {name!r} to a value that can be changed.")

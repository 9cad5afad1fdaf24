"""Which random generators a script was seen to seed, wherever in it that stands.

A cell's text tells what it seeds before it draws; a script seeds in `main()`, behind
its command line. But it begins in a fresh process, whose generators tell whether
somebody has seeded them since. What it drew before that is not told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nbtrack.capture.dataflow.pseudo import GENERATOR
from nbtrack.capture.randomness import capture_states
from nbtrack.capture.seeding import LIBRARIES, names_random, seeds

if TYPE_CHECKING:
    from nbtrack.capture.session import ExecutedCell


def note_seeded(cell: ExecutedCell, namespace: Mapping[str, Any]) -> None:
    """Let the record of a script say that these generators begin with its own seed.

    >>> from nbtrack.capture.session import ExecutedCell
    >>> note_seeded(ExecutedCell("", "", None, 1, ""), {})  # nothing was drawn
    """
    if cell.flow is None:
        return
    unseeded = set(seeds.unseeded({}, capture_states(namespace)))
    if not names_random(namespace):
        unseeded.discard("random")
    drawn = set(LIBRARIES) & cell.states.keys()
    names = {GENERATOR + name for name in drawn - unseeded}
    cell.flow = replace(
        cell.flow,
        reads=tuple(name for name in cell.flow.reads if name not in names),
        kills=(*cell.flow.kills, *sorted(names.difference(cell.flow.kills))),
    )

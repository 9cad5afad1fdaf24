"""Before which kept cells the states of random generators have to be put back.

A seed that is kept makes the states after it come by themselves, as long as every cell
that drew since is kept too. Where a drawing cell was dropped, or nobody seeded, the
state recorded at the cell's start is put back: this replays unseeded runs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from nbtrack.capture.dataflow.pseudo import GENERATOR
from nbtrack.records import CellRecord, FlowRecord


def generators_to_restore(
    cells: Sequence[CellRecord],
    kept: Collection[int],
    flow_of: Callable[[CellRecord], FlowRecord],
) -> dict[int, tuple[str, ...]]:
    """`seq` of a kept cell -> the generators to put back before it.

    >>> drew = CellRecord(0, None, 1, "random.random()", "", "", rng={"random": "..."})
    >>> flow = FlowRecord(reads=("@rng:random",))
    >>> generators_to_restore([drew], {0}, lambda cell: flow)
    {0: ('random',)}
    """
    in_step: set[str] = set()  # generators that the script has where the session had
    found: dict[int, tuple[str, ...]] = {}
    for cell in cells:
        flow = flow_of(cell)
        seeded = generators_among(flow.kills)
        moved = generators_among(flow.writes) | set(cell.rng) | seeded
        if cell.seq not in kept:
            in_step -= moved
            continue
        drawn = [g for g in cell.rng if _draws(flow, g)]
        behind = tuple(g for g in drawn if g not in in_step and g not in seeded)
        if behind:
            found[cell.seq] = behind
        # Moved by something that gives nothing, as an import of scikit-learn does: the
        # script's own import may not move it. One that is made anew begins anew.
        in_step -= moved - set(drawn) - seeded
        in_step |= set(drawn) | seeded
        in_step -= {f"variable:{n}" for n, how in flow.writes.items() if how == "set"}
    return found


def _draws(flow: FlowRecord, generator: str) -> bool:
    """Whether what the cell gives depends on what it drew; unknown: yes."""
    return "unknown" in flow.notes or GENERATOR + generator in flow.reads


def generators_among(names: Iterable[str]) -> set[str]:
    """The generators that a flow names.

    >>> generators_among(["x", "@rng:numpy"])
    {'numpy'}
    """
    return {n.removeprefix(GENERATOR) for n in names if n.startswith(GENERATOR)}

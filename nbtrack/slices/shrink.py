"""Leaves cells out of a proven slice one by one, as long as it proves again.

Records err large: a cell that was kept to be sure may turn out not to be needed. What
is left is minimal when each of its cells was tried and is needed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from nbtrack.slices.attempt import Trial, attempt
from nbtrack.slices.claim import Attempt, Claim, ProofRung
from nbtrack.slices.closure import KeptCell, flow_of
from nbtrack.slices.generator_states import generators_to_restore


@dataclass(frozen=True, slots=True)
class Shrunk:
    """What is left of a slice."""

    kept: tuple[KeptCell, ...]
    last: Attempt | None  # the attempt that proved it; None where nothing was left out
    minimal: bool
    n_tried: int


def shrink(
    claim: Claim,
    kept: Sequence[KeptCell],
    *,
    rung: ProofRung,
    budget_s: float,
    timeout_s: float,
) -> Shrunk:
    """Try to leave out each cell but the tracked one, the costliest first."""
    until = time.monotonic() + budget_s
    left, last, n_tried = tuple(kept), None, 0
    needed: set[int] = set()  # in the set that is left now
    while candidate := _next(claim, left, needed):
        remaining = until - time.monotonic()
        if remaining <= 0:
            return Shrunk(left, last, False, n_tried)
        fewer = without(claim, left, candidate.cell.seq)
        tried = _attempt(claim, fewer, rung, min(timeout_s, remaining))
        n_tried += 1
        if tried.proven:
            left, last = fewer, tried
            needed.clear()  # who was needed for that cell may not be any more
        elif time.monotonic() < until:
            needed.add(candidate.cell.seq)
        else:
            return Shrunk(left, last, False, n_tried)  # cut short: it says nothing
    return Shrunk(left, last, True, n_tried)


def without(claim: Claim, kept: Sequence[KeptCell], seq: int) -> tuple[KeptCell, ...]:
    """The cells but one; generators that it drew from are put back behind it."""
    fewer = [cell for cell in kept if cell.cell.seq != seq]
    seqs = frozenset(cell.cell.seq for cell in fewer)
    restore = generators_to_restore(claim.cells, seqs, flow_of)
    return tuple(replace(k, restore=restore.get(k.cell.seq, ())) for k in fewer)


def _next(claim: Claim, left: Sequence[KeptCell], needed: set[int]) -> KeptCell | None:
    """Of the cells that are not known to be needed, the costliest."""
    open_ = [
        kept
        for kept in left
        if kept.cell.seq != claim.target and kept.cell.seq not in needed
    ]
    if len(left) < 2:
        return None
    return max(open_, key=_cost, default=None)


def _cost(kept: KeptCell) -> tuple[float, int]:
    return (kept.cell.duration_s or 0.0, len(kept.cell.source or ""))


def _attempt(
    claim: Claim, kept: tuple[KeptCell, ...], rung: ProofRung, timeout_s: float
) -> Attempt:
    cells = tuple(cell.cell for cell in kept)
    from nbtrack.slices.script import script_of

    script = script_of(kept, title=claim.title)
    return attempt(claim, Trial(rung, cells, script), timeout_s=timeout_s)

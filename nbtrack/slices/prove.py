"""The proof of a slice: a fresh process runs its script, and the result is the same.

The result of a run is every point of its metrics and every param; of a variable, its
value. A proof changes nothing of the user's and sees nothing that the session left, so
that what it says is true of anybody who has the script and the inputs. What it cannot
show is UNPROVEN, with the reason; it never says PROVEN by anything but an equal result.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from nbtrack.guard import guard
from nbtrack.slices.begin import start_of
from nbtrack.slices.claim import Attempt, Claim, Outcome, Proof, ProofRung
from nbtrack.slices.compare import why_not_comparable
from nbtrack.slices.ladder import Climb, climb, time_for

if TYPE_CHECKING:
    from nbtrack.slices.slice import Slice
    from nbtrack.store import Store

__all__ = ["Attempt", "Outcome", "Proof", "ProofRung", "keep_proof", "prove"]

_FEATURE = "keeping the proof"
_BUDGET_TIMES = 2  # of what the whole session may take: for all rungs together


def prove(
    slice: Slice,
    *,
    timeout: float | None = None,
    budget: float | None = None,
    shrink_s: float = 0.0,
    allow_writes: bool = False,
    tell: Callable[[str], None] = lambda text: None,
) -> Proof:
    """Run the script of a slice in a fresh process, and compare what it gives.

    Parameters
    ----------
    slice
        What `nbtrack.slice` gave.
    timeout
        Seconds for one script. Default: three times what its cells took, and a minute.
    budget
        Seconds for all that is tried. Default: enough for the whole session, twice.
    shrink_s
        Seconds in which cells may be left out one by one, as long as it proves.
    allow_writes
        Whether the script may write outside the folder of the proof.
    tell
        Hears in a few words what is tried now.

    Examples
    --------
    >>> from nbtrack.records import CellRecord
    >>> from nbtrack.slices.slice import slice_of_variable
    >>> made = CellRecord(0, "a", 1, "x = 1", "", "", ok=True)
    >>> proof = prove(slice_of_variable([made], "x"))
    >>> proof.outcome, proof.reason
    ('UNPROVEN', 'there is no variable x in this session')
    """
    began = time.monotonic()
    claim = claim_of(slice, allow_writes=allow_writes)
    why = why_no_proof(claim)
    if why is not None:
        proof = Proof("UNPROVEN", None, why, n_session=cells_of_session(claim))
    else:
        if budget is None:
            budget = _BUDGET_TIMES * time_for(claim.cells)
        climbed = climb(claim, timeout_s=timeout, budget_s=budget, tell=tell)
        if climbed.proven is not None and shrink_s > 0:
            tell(f"leaving cells out, for {shrink_s:.0f} s")
        proof = proof_of(claim, climbed, began, timeout=timeout, shrink_s=shrink_s)
    if claim.run is not None:
        with guard(_FEATURE):
            keep_proof(claim.store, claim.run.id, proof)
    return proof


def claim_of(
    slice: Slice,
    *,
    allow_writes: bool = False,
    store: Store | None = None,
) -> Claim:
    """What is to be proven of a slice, with all that the proof needs to know.

    >>> from nbtrack.records import CellRecord
    >>> from nbtrack.slices.slice import slice_of_variable
    >>> made = CellRecord(0, "a", 1, "x = 1", "", "", ok=True)
    >>> claim_of(slice_of_variable([made], "x")).wanted
    ('x',)
    """
    from nbtrack.analysis.code_view import settled_store

    store = store or settled_store()
    run = slice.run
    live = run is None or store.pid_of(run.id) == os.getpid()
    value = None
    if slice.variable is not None:
        value = vars(sys.modules["__main__"]).get(slice.variable)
    return Claim(
        cells=slice.cells,
        start=start_of(slice.cells, run, live=live),
        store=store,
        run=run,
        target=slice.target_seq,
        nth=_place_in_cell(store, slice),
        variable=slice.variable,
        value=value,
        live=live,
        title=slice.target,
        allow_writes=allow_writes,
    )


def _place_in_cell(store: Store, slice: Slice) -> int:
    """How many runs the cell had begun before this one: a loop may begin several."""
    run = slice.run
    if run is None or run.execution is None or not slice.kept:
        return 0
    began = slice.kept[-1].cell.started_at
    return sum(
        other.execution == run.execution
        and other.kernel_id == run.kernel_id
        and began <= other.started_at < run.started_at
        for other in store.runs(trashed=None)
    )


def keep_proof(store: Store, run_id: str, proof: Proof) -> None:
    """Keep what came of it with the run, as facts `slice.proof`, `.rung`, `.cells`.

    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     pass
    >>> store = nbtrack.open()
    >>> keep_proof(store, run.id, Proof("UNPROVEN", None, "no metric to compare"))
    >>> store.facts(run.id)["slice.proof.reason"].value
    'no metric to compare'
    """
    told = {
        "slice.proof": proof.outcome,
        "slice.proof.rung": proof.rung,
        "slice.proof.cells": proof.n_cells if proof.is_proven else None,
        "slice.proof.of": proof.n_session,
        "slice.proof.reason": proof.reason,
    }
    facts = [
        [name, value, None if value is not None else "it is not proven"]
        for name, value in told.items()
    ]
    store.edit({"kind": "facts", "run": run_id, "facts": facts})


def why_no_proof(claim: Claim) -> str | None:
    """Why there is nothing to be tried; None where there is."""
    if claim.run is not None:
        return why_not_comparable(claim.run)
    name = claim.variable
    if name not in vars(sys.modules["__main__"]):
        return f"there is no variable {name} in this session"
    from nbtrack.slices.value_digest import NotComparable, value_digest

    try:
        value_digest(claim.value)
    except NotComparable as exc:
        return f"{name} cannot be compared: {exc}"
    return None


def proof_of(
    claim: Claim,
    climbed: Climb,
    began: float,
    *,
    timeout: float | None = None,
    shrink_s: float = 0.0,
) -> Proof:
    """What a climb that began at that monotonic time has shown."""
    proven, n_all = climbed.proven, cells_of_session(claim)
    tried = tuple(climbed.tried)
    if proven is None:
        reason = _why_unproven(climbed)
        took = time.monotonic() - began
        return Proof("UNPROVEN", None, reason, tried, n_session=n_all, duration_s=took)
    shrunk = minimal = False
    if shrink_s > 0 and not climbed.snapshots:
        from nbtrack.slices.shrink import shrink

        most = time_for([k.cell for k in climbed.kept]) if timeout is None else timeout
        smaller = shrink(
            claim, climbed.kept, rung=proven.rung, budget_s=shrink_s, timeout_s=most
        )
        minimal = smaller.minimal
        if smaller.last is not None:
            shrunk, proven = True, smaller.last
            tried = (*tried, proven)
    return Proof(
        outcome="PROVEN",
        rung=proven.rung,
        reason=_what_is_proven(proven, n_all, climbed.snapshots),
        tried=tried,
        n_cells=proven.n_cells,
        n_session=n_all,
        duration_s=time.monotonic() - began,
        shrunk=shrunk,
        minimal=minimal,
        seqs=proven.seqs,
        remarks=proven.remarks,
    )


def _what_is_proven(proven: Attempt, n_session: int, snapshots: Sequence[str]) -> str:
    cells = f"{proven.n_cells} of {n_session} cells give the same result"
    if snapshots:
        return f"WITH THE KEPT VALUE OF {', '.join(snapshots)}, {cells}"
    return cells


def _why_unproven(climbed: Climb) -> str:
    """Of the slice, and of all cells where that is something else."""
    if not climbed.tried:
        return "no cell is known"
    first, last = climbed.tried[0].reason, climbed.tried[-1].reason
    said = first if first == last else f"{first}; with more cells: {last}"
    snapshot = climbed.why_no_snapshot
    return f"{said}; no value to fall back on ({snapshot})" if snapshot else said


def cells_of_session(claim: Claim) -> int:
    """How many cells ran up to the tracked one."""
    if claim.target is None:
        return len(claim.cells)
    return sum(cell.seq <= claim.target for cell in claim.cells)


def proof_kept(store: Store, run_id: str) -> str | None:
    """What came of the last proof of a run, in words; None where none was tried.

    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     pass
    >>> store = nbtrack.open()
    >>> proof = Proof("PROVEN", "slice", "", n_cells=5, n_session=31)
    >>> keep_proof(store, run.id, proof)
    >>> proof_kept(store, run.id)
    'proven by the slice (5 of 31 cells)'
    """
    facts = store.facts(run_id)
    if "slice.proof" not in facts:
        return None
    if facts["slice.proof"].value != "PROVEN":
        return f"not proven: {facts['slice.proof.reason'].value}"
    by = {"history": "all cells", "snapshot": "the slice and kept values"}
    rung = str(facts["slice.proof.rung"].value)
    cells, of = facts["slice.proof.cells"].value, facts["slice.proof.of"].value
    return f"proven by {by.get(rung, 'the slice')} ({cells} of {of} cells)"

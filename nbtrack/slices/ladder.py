"""From the smallest script to the largest, until one gives the result again.

    slice -> may-mutate -> history -> snapshot

Each rung keeps more cells than the one before; the last one takes values of the running
session for what no cell can make again. The same script is never run twice.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from nbtrack.capture.dataflow.pseudo import MARK
from nbtrack.slices.attempt import Trial, attempt
from nbtrack.slices.claim import Attempt, Claim, ProofRung
from nbtrack.slices.closure import KeptCell, Rung, close_over, label_of
from nbtrack.slices.snapshot import FOLDER, snapshots_of, without_reading

TIMES_RECORDED = 3  # what the cells took, so many times, and
MORE_S = 60.0  # so much for imports
_RUNGS: tuple[Rung, ...] = ("slice", "may-mutate", "history")
_NO_NAME = re.compile(r"name '(\w+)' is not defined")


class Tries(Protocol):
    """Runs the script of a trial, and compares what it gives with the claim."""

    def __call__(self, claim: Claim, trial: Trial, *, timeout_s: float) -> Attempt:
        """Never raises for what the script does."""


@dataclass(slots=True)
class Climb:
    """What was tried, and the cells of the rung that held."""

    tried: list[Attempt]
    kept: tuple[KeptCell, ...] = ()
    snapshots: tuple[str, ...] = ()  # variables whose value was taken as it is
    why_no_snapshot: str = ""

    @property
    def proven(self) -> Attempt | None:
        """The attempt that gave the result again, if one did."""
        return self.tried[-1] if self.tried and self.tried[-1].proven else None


def climb(
    claim: Claim,
    *,
    timeout_s: float | None,
    budget_s: float | None,
    tell: Callable[[str], None] = lambda text: None,
    tries: Tries = attempt,
) -> Climb:
    """Try rung after rung until one holds or the time is up; `tell` hears of each.

    `tries` runs a trial and says what came of it; a bundle runs it in another way.
    """
    until = None if budget_s is None else time.monotonic() + budget_s
    done = Climb([])
    seen: set[tuple[object, ...]] = set()
    for rung, kept, snapshots in _rungs(claim, done):
        cells = tuple(k.cell for k in kept)
        unkept = [cell for cell in cells if cell.source is None]
        if unkept:
            why = f"the text of {label_of(unkept[0])} was not kept"
            done.tried.append(_not_run(rung, cells, why))
            continue
        trial = _trial(claim, rung, kept, snapshots)
        if trial.key in seen:
            continue
        seen.add(trial.key)
        left = None if until is None else until - time.monotonic()
        if left is not None and left <= 0:
            done.tried.append(_not_run(rung, cells, "the time was up"))
            break
        most = time_for(cells) if timeout_s is None else timeout_s
        most = most if left is None else min(most, left)
        tell(f"{rung}: {len(cells)} cells, at most {most:.0f} s")
        done.tried.append(tries(claim, trial, timeout_s=most))
        if done.tried[-1].proven:
            done.kept, done.snapshots = kept, tuple(snapshots)
            break
    return done


def time_for(cells: Sequence[object]) -> float:
    """Seconds that running these cells again may take.

    >>> time_for([])
    60.0
    """
    took = sum(getattr(cell, "duration_s", None) or 0.0 for cell in cells)
    return TIMES_RECORDED * took + MORE_S


def _rungs(
    claim: Claim, done: Climb
) -> Iterator[tuple[ProofRung, tuple[KeptCell, ...], Mapping[str, bytes]]]:
    missing: dict[str, str] = {}
    for rung in _RUNGS:
        closure = close_over(
            claim.cells, target=claim.target, wanted=claim.wanted, rung=rung
        )
        if rung == "slice":
            missing.update(closure.missing)
        yield rung, closure.kept, {}
    names = _unmade(claim, missing, done.tried)
    values, refused = snapshots_of(claim, names)
    done.why_no_snapshot = "; ".join(f"{n}: {why}" for n, why in refused.items())
    if values:
        cells = without_reading(claim.cells, values)
        closure = close_over(cells, target=claim.target, wanted=claim.wanted)
        yield "snapshot", closure.kept, values


def _unmade(
    claim: Claim, missing: Mapping[str, str], tried: Sequence[Attempt]
) -> list[str]:
    """Variables that no script has made: unknown to the records, or to a replay."""
    names = dict.fromkeys(name for name in missing if name not in claim.wanted)
    for cell in claim.cells:
        if claim.target is not None and cell.seq >= claim.target:
            break
        if cell.flow is not None and cell.flow.notes.keys() & {"input", "threads"}:
            names |= dict.fromkeys(
                n for n in cell.flow.writes if not n.startswith(MARK)
            )
    for attempted in tried:
        names |= dict.fromkeys(_NO_NAME.findall(attempted.reason))
    return [name for name in names if name not in claim.wanted]


def _trial(
    claim: Claim,
    rung: ProofRung,
    kept: Sequence[KeptCell],
    values: Mapping[str, bytes],
) -> Trial:
    paths = {name: f"{FOLDER}/{name}.pickle" for name in values}
    from nbtrack.slices.script import script_of

    script = script_of(kept, title=claim.title, snapshots=paths)
    return Trial(
        rung=rung,
        cells=tuple(k.cell for k in kept),
        script=script,
        snapshots=tuple((paths[name], value) for name, value in values.items()),
        kept=tuple(kept),
    )


def _not_run(rung: ProofRung, cells: Sequence[object], why: str) -> Attempt:
    return Attempt(rung, len(cells), 0.0, why)

"""What a proof is asked, what it tried and what came of it: values alone.

A claim is "these cells give that result"; it holds what the session began with, as the
proof must begin there too. Nothing here runs or looks at anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nbtrack.records import CellRecord, RunRecord
from nbtrack.text import counted

if TYPE_CHECKING:
    from nbtrack.store import Store

Outcome = Literal["PROVEN", "UNPROVEN"]
ProofRung = Literal["slice", "may-mutate", "history", "snapshot"]


@dataclass(frozen=True, slots=True)
class Start:
    """What the session had before its first cell."""

    folder: Path  # the working folder
    environment: Mapping[str, str]
    began_at: float  # seconds since the epoch; what changed since may be the session's


@dataclass(frozen=True, slots=True)
class Claim:
    """What is to be proven: that cells of the session give this result again."""

    cells: tuple[CellRecord, ...]  # of the session, all of them
    start: Start
    store: Store
    run: RunRecord | None = None  # whose metrics are to come again
    target: int | None = None  # `seq` of the tracked cell
    nth: int = 0  # of the runs that this cell began, from 0
    variable: str | None = None  # whose value is to come again
    value: Any = None  # Any: the user's own, as it is now
    live: bool = False  # whether the session is the one of this process
    title: str = ""
    allow_writes: bool = False  # also outside the folder of the proof

    @property
    def wanted(self) -> tuple[str, ...]:
        """The variables that are asked for."""
        return () if self.variable is None else (self.variable,)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One script that was tried.

    >>> Attempt("slice", 3, 0.0, "").proven
    True
    """

    rung: ProofRung
    n_cells: int
    duration_s: float
    reason: str  # what went wrong, in one line; empty when it is proven
    remarks: tuple[str, ...] = ()  # what was left out of the comparison, and why
    seqs: tuple[int, ...] = ()  # of the cells

    @property
    def proven(self) -> bool:
        """Whether the script gave the result again."""
        return not self.reason


@dataclass(frozen=True, slots=True)
class Proof:
    """What became of a claim.

    >>> Proof("UNPROVEN", None, "no metric to compare").is_proven
    False
    """

    outcome: Outcome
    rung: ProofRung | None
    reason: str  # what was proven, or why it was not
    tried: tuple[Attempt, ...] = ()
    n_cells: int = 0
    n_session: int = 0  # cells up to the tracked one
    duration_s: float = 0.0
    shrunk: bool = False  # cells were left out and it held
    minimal: bool = False  # no single cell can be left out: each was tried
    seqs: tuple[int, ...] = ()  # of the proven cells
    remarks: tuple[str, ...] = field(default=())

    @property
    def is_proven(self) -> bool:
        """Whether a fresh process gave the result again."""
        return self.outcome == "PROVEN"

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """The proof in words: what came of it, and each attempt.

        >>> print(*Proof("UNPROVEN", None, "it was stopped").lines())
        UNPROVEN: it was stopped (0.0 s)
        """
        shown = [f"{self.outcome}: {self.reason} ({self.duration_s:.1f} s)"]
        for tried in self.tried:
            what = tried.reason or "the same result"
            cells = counted(tried.n_cells, "cell")
            shown.append(f"  {tried.rung}: {cells}, {tried.duration_s:.1f} s: {what}")
        return shown + [f"  {remark}" for remark in self.remarks]

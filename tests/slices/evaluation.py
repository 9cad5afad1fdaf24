"""Judges slices: is the script right, how large is it, and is a proof ever false.

A slice is right when its script, run in a fresh process and a fresh folder by this
harness and not by nbtrack's own proof, tells the same metrics to the bit.
"""

from __future__ import annotations

import statistics
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slices.corpus import Session, Truth
from slices.farm import Job, run_jobs
from slices.replays import Series

RECORD = "slices.recording.record"
PLAY_SCRIPT = "slices.replays.play_script"
PLAY_CELLS = "slices.replays.play_cells"


@dataclass
class Verdict:
    """What became of one session under one method."""

    session: Session
    right: bool = False
    kept: list[int] = field(default_factory=list)
    why: str = ""
    recorded: Mapping[str, Any] = field(default_factory=dict)
    outcome: str | None = None  # of the proof, where there was one
    rung: str | None = None
    falsely_verified: bool = False

    @property
    def right_after_ladder(self) -> bool:
        return self.outcome == "PROVEN" and not self.falsely_verified


def judge(
    found: Sequence[Session], *, prove: Collection[str] = (), record_s: float = 60
) -> list[Verdict]:
    """Record, slice and replay each session; prove those of these names."""
    given = [
        Job(s.name, RECORD, {"session": s, "prove": s.name in prove}, record_s)
        for s in found
    ]
    recorded = run_jobs(given)
    replays = []
    for session in found:
        value = recorded[session.name].value
        if value is not None:
            replays += _replays_of(session, value)
    replayed = run_jobs(replays)
    verdicts = []
    for session in found:
        answer = recorded[session.name]
        if answer.value is None:
            error = (answer.error or "").strip().splitlines()
            verdicts.append(Verdict(session, why=error[-1] if error else "no answer"))
            continue
        first = replayed[session.name, "slice"]
        proven = replayed.get((session.name, "proven"))
        verdicts.append(_verdict(session, answer.value, first, proven))
    return verdicts


def _replays_of(session: Session, value: Mapping[str, Any]) -> list[Job]:
    scripts = {"slice": (value["source"], value["files"])}
    proof = value.get("proof")
    if proof and proof["outcome"] == "PROVEN":
        scripts["proven"] = (proof["source"], proof["files"])
    return [
        Job(
            (session.name, which),
            PLAY_SCRIPT,
            {"source": source, "files": files, "given": session.files},
            timeout_s=20,
        )
        for which, (source, files) in scripts.items()
    ]


def _verdict(
    session: Session, value: Mapping[str, Any], first: Any, proven: Any
) -> Any:
    why = _difference(value, first)
    proof = value.get("proof") or {}
    verdict = Verdict(
        session,
        right=not why,
        kept=value["kept"],
        why=why,
        recorded=value,
        outcome=proof.get("outcome"),
        rung=proof.get("rung"),
    )
    if proven is not None and (differs := _difference(value, proven)):
        verdict.falsely_verified = True
        verdict.why = f"FALSELY VERIFIED: {differs}"
    return verdict


def _difference(value: Mapping[str, Any], replay: Any) -> str:
    """Why a replay is not the recorded run; empty where it is."""
    if replay.value is None:
        return f"replay: {(replay.error or 'no answer').strip().splitlines()[-1]}"
    if replay.value["error"]:
        return f"script: {replay.value['error']}"
    return differs(value["series"], value["counts"], replay.value["series"])


def differs(
    recorded: Mapping[str, Mapping[int, float]], counts: Mapping[str, int], got: Series
) -> str:
    """The first difference of the recorded points; nbtrack may have thinned them."""
    compared = 0
    for name, points in recorded.items():
        values = got.get(name)
        if values is None:
            continue
        compared += 1
        if len(values) != counts[name]:
            return f"{name} has {len(values)} points, recorded {counts[name]}"
        for step, value in points.items():
            if repr(values[step]) != repr(value):
                return f"{name}[{step}] is {values[step]!r}, recorded {value!r}"
    return "" if compared else f"nothing to compare: {sorted(recorded)}, {sorted(got)}"


def size_over_minimum(
    verdicts: Iterable[Verdict], truths: Mapping[str, Truth]
) -> float | None:
    """Cells kept over cells needed, of the slices that are right."""
    kept = needed = 0
    for verdict in verdicts:
        truth = truths.get(verdict.session.name)
        if verdict.right and truth is not None and truth.size:
            kept += len(verdict.kept)
            needed += truth.size
    return kept / needed if needed else None


def kept_fraction(verdicts: Iterable[Verdict]) -> float:
    right = [v for v in verdicts if v.right]
    cells = sum(len(v.session.cells) for v in right)
    return sum(len(v.kept) for v in right) / cells if cells else 0.0


def capture_ms(verdicts: Iterable[Verdict]) -> float:
    """Median of what our hooks take in a cell that is not tracked."""
    spent = [ms for v in verdicts for ms in v.recorded.get("hook_ms", [])]
    return statistics.median(spent) if spent else 0.0


def percent(part: int, of: int) -> str:
    return f"{100 * part / of:.0f} %" if of else "-"

"""One attempt at a proof: a script in a fresh process, and whether its result is equal.

The process has a folder, a store and an environment of its own, and nothing of it is
left afterwards: it is killed with all that it started, at the end, at the timeout and
on Ctrl-C, and its folder is removed.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nbtrack.errors import NbtrackError, OptionError
from nbtrack.records import CellRecord, RunRecord
from nbtrack.slices.answered import answered
from nbtrack.slices.claim import Attempt, Claim, ProofRung
from nbtrack.slices.closure import KeptCell
from nbtrack.slices.command import PACKAGE, command_of
from nbtrack.slices.compare import Comparison, compare_runs
from nbtrack.slices.job import Answer, Borders, Job
from nbtrack.slices.scratch import Known, Scratch, known_of, paths_of, writes_elsewhere
from nbtrack.slices.segments import recording, segments_of
from nbtrack.store import Store
from nbtrack.text import shorten

if TYPE_CHECKING:
    from nbtrack.slices.script import Script

# What a replay does not need to look at; metrics and params do not depend on it.
_OFF = "system code environment figures statistics cells data"
_NOT_PASSED_ON = ("JPY_", "NBTRACK_", "PYTEST_", "COV_")
_NO_ANSWER = re.compile(r"URLError|ConnectionError|Connection refused|gaierror")


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried: cells, their script, and files that lie beside it."""

    rung: ProofRung
    cells: tuple[CellRecord, ...]
    script: Script
    snapshots: tuple[tuple[str, bytes], ...] = ()  # relative path, content
    kept: tuple[KeptCell, ...] = ()  # the same cells, with what they are kept for

    @property
    def key(self) -> tuple[object, ...]:
        """Equal trials give the same: they are not run twice."""
        return (self.script.source, tuple(sorted(self.script.files.items())))


def attempt(claim: Claim, trial: Trial, *, timeout_s: float) -> Attempt:
    """Run the script of a trial and compare its result with the claim's.

    Never raises for what the script does; KeyboardInterrupt goes through, with the
    process killed and the folder removed.
    """
    began = time.monotonic()
    comparison = Comparison("")
    try:
        with Scratch(claim, known_of(claim)) as scratch:
            comparison = _tried(claim, trial, scratch, timeout_s)
    except (OSError, NbtrackError) as exc:
        comparison = Comparison(f"the proof cannot be made: {shorten(str(exc), 200)}")
    return Attempt(
        rung=trial.rung,
        n_cells=len(trial.cells),
        duration_s=time.monotonic() - began,
        reason=comparison.reason,
        remarks=comparison.remarks,
        seqs=tuple(cell.seq for cell in trial.cells),
    )


def _tried(
    claim: Claim, trial: Trial, scratch: Scratch, timeout_s: float
) -> Comparison:
    refused = _refused(claim, trial.cells, scratch)
    if refused is not None:
        return Comparison(refused)
    try:
        segments = segments_of(trial.script.source, _n_lines(trial.script))
    except OptionError as exc:
        return Comparison(str(exc))
    trial.script.write(scratch.folder)
    for relative, content in trial.snapshots:
        place = scratch.folder / relative
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    known = known_of(claim)
    job = Job(
        segments=recording(segments, claim.nth),
        answer=str(scratch.root / "answer.json"),
        borders=_borders(claim, known, scratch),
        variable=claim.variable,
        view=scratch.view,
    )
    answer = _replayed(job, claim, scratch, timeout_s)
    if isinstance(answer, str):
        return Comparison(answer)
    comparison = _judged(claim, answer, scratch)
    return with_network_told(comparison, trial.cells)


def with_network_told(
    comparison: Comparison, cells: Collection[CellRecord]
) -> Comparison:
    """A comparison that says so where cells that failed had used a network."""
    calls = any(c.flow is not None and "network" in c.flow.notes for c in cells)
    if not comparison.reason or not (calls or _NO_ANSWER.search(comparison.reason)):
        return comparison
    why = f"{comparison.reason}; a proof has no network, which a cell of it used"
    return replace(comparison, reason=why)


def _n_lines(script: Script) -> dict[int, int] | None:
    """Of its cells, by the line in which they begin; None where nobody counted."""
    return {part.first_line: part.n_lines for part in script.segments} or None


def _refused(claim: Claim, cells: Sequence[CellRecord], scratch: Scratch) -> str | None:
    """Why the script is not even run."""
    for cell in cells:
        reads = cell.flow.reads if cell.flow is not None else ()
        if (problem := scratch.problem(paths_of(reads))) is not None:
            return problem
        path = writes_elsewhere(cell, scratch)
        if path is not None and not claim.allow_writes:
            label = f"cell [{cell.execution or cell.seq + 1}]"
            return f"{label} writes {path}: run it yourself or allow_writes=True"
    return None


def _borders(claim: Claim, known: Known, scratch: Scratch) -> Borders:
    told = {*known.written, *scratch.hidden} - set(scratch.readable)
    there = (path for path in told if os.path.exists(path))
    inside = str(scratch.root)
    return Borders(
        scratch=inside,
        began_at=claim.start.began_at,
        written=tuple(sorted(p for p in there if not p.startswith(inside))),
        readable=tuple(scratch.readable),
        allow_writes=claim.allow_writes,
    )


def _moved(path: str, scratch: Scratch) -> str:
    real = os.path.realpath(path) if path else ""
    # The environment may lie beside the notebook: packages stay where they are.
    if not real or not scratch.is_near(real) or _is_of_python(real):
        return path
    return str(scratch.place(Path(real)))


def _is_of_python(path: str) -> bool:
    folders = (os.path.realpath(p) for p in (sys.prefix, sys.base_prefix, PACKAGE))
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def _environment(claim: Claim, scratch: Scratch) -> dict[str, str]:
    """The session's own from before its first cell, with our folders in it."""
    began = claim.start.environment
    kept = {
        name: value
        for name, value in began.items()
        if not name.startswith(_NOT_PASSED_ON)
    }
    if "PYTHONPATH" in kept:
        parts = kept["PYTHONPATH"].split(os.pathsep)
        kept["PYTHONPATH"] = os.pathsep.join(_moved(part, scratch) for part in parts)
    from nbtrack.tracking.settings import read_off

    off = {*_OFF.split(), *read_off(claim.store.path)}
    kept |= {
        "NBTRACK_STORE": str(scratch.root / ".nbtrack"),
        "NBTRACK_OFF": " ".join([*sorted(off), began.get("NBTRACK_OFF", "")]),
        "TMPDIR": str(scratch.root / "tmp"),
        "IPYTHONDIR": str(scratch.root / "ipython"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return kept


def _replayed(
    job: Job, claim: Claim, scratch: Scratch, timeout_s: float
) -> Answer | str:
    """The answer of the process, or why there is none."""
    asked = scratch.root / "job.json"
    job.write(asked)
    return answered(
        command_of("nbtrack.slices.replay", str(asked)),
        job,
        root=scratch.root,
        folder=scratch.folder,
        environment=_environment(claim, scratch),
        timeout_s=timeout_s,
    )


def _judged(claim: Claim, answer: Answer, scratch: Scratch) -> Comparison:
    if answer.error is not None:
        where = f"{answer.label}: " if answer.label else ""
        return Comparison(f"{where}{_with_refusals(answer)}")
    if claim.run is None:
        return _judged_value(claim, answer)
    if answer.run is None:
        return Comparison("the replay recorded no run")
    with Store.open(scratch.root / ".nbtrack") as store:
        again = store.run(answer.run)
        moved = {str(scratch.tree): ""}
        was = (claim.store, claim.run)
        comparison = compare_runs(was, (store, again), moved=moved)
    if not comparison.reason:
        return comparison
    hints = [*_numerics(claim.store, claim.run, answer), *_refusals(answer.refused)]
    return Comparison("; ".join([comparison.reason, *hints]), comparison.remarks)


def _judged_value(claim: Claim, answer: Answer) -> Comparison:
    from nbtrack.slices.value_digest import NotComparable, value_digest

    name = claim.variable
    try:
        digest = value_digest(claim.value)
    except NotComparable as exc:
        return Comparison(f"{name} cannot be compared: {exc}")
    if answer.digest is None:
        return Comparison(f"{name} cannot be compared: {answer.why_no_digest}")
    if digest != answer.digest:
        return Comparison(f"the replay has another {name}")
    return Comparison("")


def _with_refusals(answer: Answer) -> str:
    error = answer.error or ""
    new = [what for what in _refusals(answer.refused) if what not in error]
    return "; ".join([error, *new])


def _refusals(refused: Collection[str]) -> list[str]:
    return [f"it {what}" for what in list(refused)[:2]]


def _numerics(store: Store, run: RunRecord, answer: Answer) -> list[str]:
    """Settings that move bits and were others in the run: the likely cause."""
    facts = store.facts(run.id)
    return [
        f"{name.removeprefix('numerics.')} was {facts[name].value}, is {value}"
        for name, value in answer.numerics.items()
        if name in facts
        and facts[name].missing is None
        and facts[name].value != value
        and isinstance(value, int | str | bool)
    ]

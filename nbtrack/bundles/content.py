"""What a bundle of a run would hold: cells, files, secrets to ask for, a script.

Nothing is run here, and nothing is written. What is told of the session is redacted.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbtrack.bundles.frame import frame_of
from nbtrack.bundles.judging import Tolerance
from nbtrack.bundles.ledger import Ledger, Wish, ledger_of
from nbtrack.bundles.pins import RECORDED, environment_for, machine_flags
from nbtrack.bundles.redactions import Needs, with_needs
from nbtrack.bundles.variables_read import variables_read
from nbtrack.bundles.verdict import MetricVerdict, Word
from nbtrack.bundles.work import OFF, Work, segments_with
from nbtrack.capture.dataflow.pseudo import ENVIRONMENT, MARK
from nbtrack.records import CellRecord
from nbtrack.slices.attempt import Trial
from nbtrack.slices.claim import Claim
from nbtrack.slices.closure import KeptCell
from nbtrack.slices.job import Answer
from nbtrack.slices.script import Script, script_of
from nbtrack.store import Store

_NO_PACKAGES: Mapping[str, Any] = {"python": "3", "packages": []}
# What a check of one's own bundle need not record: it is in the run already.
_OFF = f"{OFF} code environment data statistics cells"


@dataclass(frozen=True, slots=True)
class Check:
    """One rerun of what goes into a bundle, by the one who makes it."""

    verdict: Word
    metrics: tuple[MetricVerdict, ...] = ()
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As `checks/export-rerun-1.json` has it.

        >>> Check("IDENTICAL").to_dict()["verdict"]
        'IDENTICAL'
        """
        differences = {
            m.name: {"verdict": m.verdict, "max_abs_difference": _finite(m)}
            for m in self.metrics
        }
        return {
            "verdict": self.verdict, "environment": "current",
            "metrics": differences, "reason": self.reason,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Content:
    """What a trial would put into the bundle."""

    trial: Trial
    nth: int  # of the runs of the tracked cell
    kept: tuple[KeptCell, ...]
    script: Script
    ledger: Ledger
    needs: Needs
    answer: Answer | None = None  # of the run that proved it
    checks: tuple[Check, ...] = ()
    tolerances: Mapping[str, Tolerance] = field(default_factory=dict)


def content_of(
    claim: Claim,
    trial: Trial,
    *,
    wish: Wish = "auto",
    private: Sequence[str] = (),
    also: Sequence[str] = (),
) -> Content:
    """What a bundle of these cells holds, not run yet."""
    kept, needs = with_needs(trial.kept)
    cells = [each.cell for each in kept]
    ledger = ledger_of(claim, cells, wish=wish, private=private, needs=needs, also=also)
    own = RECORDED | _variables_set(cells)
    read = [n for n in variables_read(_texts(kept, ledger)) if n not in own]
    needs.read(read, {**os.environ, **(claim.start.environment if claim.live else {})})
    script = scripted(claim, trial, kept, _NO_PACKAGES, needs)
    return Content(trial, claim.nth, kept, script, ledger, needs)


def _variables_set(cells: Sequence[CellRecord]) -> set[str]:
    """Variables of the environment that the cells set themselves."""
    names = (n for c in cells if c.flow is not None for n in c.flow.writes)
    return {n.removeprefix(ENVIRONMENT) for n in names if n.startswith(ENVIRONMENT)}


def _texts(kept: Sequence[KeptCell], ledger: Ledger) -> Iterator[str]:
    yield from (each.cell.source or "" for each in kept)
    yield from (f.body.decode("utf-8", "replace") for f in ledger.files if f.body)


def scripted(
    claim: Claim,
    trial: Trial,
    kept: Sequence[KeptCell],
    packages: Mapping[str, Any],
    needs: Needs,
) -> Script:
    """The script of a bundle; its header names the packages, the cells are as tried."""
    names = {Path(path).stem: path for path, _ in trial.snapshots}
    return script_of(
        kept,
        title=claim.title,
        snapshots=names,
        frame=frame_of(kept, packages, needs),
    )


def work_of(content: Content, facts: Mapping[str, Any]) -> Work:
    """What is run to check a bundle's content, here."""
    ledger, cwd = content.ledger, Path(content.ledger.cwd)
    files: dict[str, Path | bytes] = {
        f.place: f.source if f.body is None else f.body
        for f in ledger.files
        if f.place is not None
    }
    for path, text in content.script.files.items():
        files[str(cwd / path)] = text.encode("utf-8", "surrogatepass")
    files |= {str(cwd / path): body for path, body in content.trial.snapshots}
    return Work(
        segments_with(
            content.script.source,
            lines_of(content.script),
            looks_of(content),
            content.nth,
        ),
        ledger.cwd,
        files,
        ledger.folders,
        environment_for(facts, flags=machine_flags()) | content.needs.values_now(),
        _OFF,
    )


def lines_of(script: Script) -> dict[int, int]:
    """How many lines each cell of a script has, by the line in which it begins.

    >>> lines_of(script_of([], title="nothing"))
    {}
    """
    return {part.first_line: part.n_lines for part in script.segments}


def looks_of(content: Content) -> dict[str, tuple[str, ...]]:
    """The variables that each cell sets, by its label; none that holds a secret."""
    found, secrets = {}, set(content.needs.variables.values())
    for each, part in zip(content.kept, content.script.segments, strict=True):
        flow = each.cell.flow
        names = () if flow is None else flow.writes
        exec_no = "" if part.execution is None else f" · exec {part.execution}"
        label = f"cell {part.seq + 1}{exec_no}"
        found[label] = tuple(
            n for n in names if n[0] not in (MARK, "_") and n not in secrets
        )
    return found


def facts_of(store: Store, run_id: str) -> dict[str, Any]:
    """What is known of a run's surroundings, by name.

    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     pass
    >>> isinstance(facts_of(nbtrack.open(), run.id), dict)
    True
    """
    facts = store.facts(run_id)
    return {n: f.value for n, f in facts.items() if f.missing is None}


def _finite(metric: MetricVerdict) -> float | None:
    off = metric.max_difference
    return off if off < float("inf") else None

"""A bundle's script tried before it is written: a rung of the proof is a bundle.

Each trial lays out what the bundle would hold, and nothing else, and runs the script in
a fresh process, as whoever gets the bundle will. What the proven one showed (digests
cell by cell, the modules it loaded, how far repeats were apart) goes into the bundle.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nbtrack.bundles.frame import frame_of
from nbtrack.bundles.judging import Tolerance, judged
from nbtrack.bundles.ledger import Ledger, Wish, ledger_of, named_in
from nbtrack.bundles.pins import RECORDED, environment_for, machine_flags
from nbtrack.bundles.redactions import Needs, with_needs
from nbtrack.bundles.series import Series, series_of_run
from nbtrack.bundles.variables_read import variables_read
from nbtrack.bundles.verdict import GOOD, MetricVerdict, Word, worst
from nbtrack.bundles.work import OFF, Ran, Work, Workplace, segments_with
from nbtrack.capture.dataflow.pseudo import ENVIRONMENT, MARK
from nbtrack.errors import NbtrackError
from nbtrack.records import CellRecord
from nbtrack.slices.attempt import Trial
from nbtrack.slices.claim import Attempt, Claim
from nbtrack.slices.closure import KeptCell
from nbtrack.slices.compare import Comparison, compare_runs
from nbtrack.slices.job import Answer, Borders
from nbtrack.slices.scratch import known_of
from nbtrack.slices.script import Script, script_of
from nbtrack.store import Store
from nbtrack.text import shorten

Tell = Callable[[str], None]
_MISSED_MAX = 5  # files that nobody saw being read
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
    kept: tuple[KeptCell, ...]
    script: Script
    ledger: Ledger
    needs: Needs
    answer: Answer | None = None  # of the run that proved it
    checks: tuple[Check, ...] = ()
    tolerances: Mapping[str, Tolerance] = field(default_factory=dict)


@dataclass(slots=True)
class Checker:
    """Tries the trials of a climb as bundles; keeps what the last one would hold."""

    facts: Mapping[str, Any]
    wish: Wish = "auto"
    private: tuple[str, ...] = ()
    also: tuple[str, ...] = ()  # files that a script turned out to need
    repeat: int = 1
    declared: Mapping[str, Tolerance] = field(default_factory=dict)
    tell: Tell = lambda text: None
    first: Content | None = None  # of the slice itself, should nothing be proven
    content: Content | None = None
    series: Mapping[str, Series] = field(default_factory=dict)  # of the run
    repeats: list[Mapping[str, Series]] = field(default_factory=list)

    def __call__(self, claim: Claim, trial: Trial, *, timeout_s: float) -> Attempt:
        """Run what the bundle would hold. Never raises for what the script does."""
        began = time.monotonic()
        try:
            comparison = self._tried(claim, trial, timeout_s)
        except (OSError, NbtrackError) as exc:
            why = f"the check cannot be made: {shorten(str(exc), 200)}"
            comparison = Comparison(why)
        return Attempt(
            rung=trial.rung,
            n_cells=len(trial.cells),
            duration_s=time.monotonic() - began,
            reason=comparison.reason,
            remarks=comparison.remarks,
            seqs=tuple(cell.seq for cell in trial.cells),
        )

    def _tried(self, claim: Claim, trial: Trial, timeout_s: float) -> Comparison:
        """Once more with each file that nobody saw being read, and that is missed."""
        for _ in range(_MISSED_MAX):
            comparison = self._tried_once(claim, trial, timeout_s)
            missed = named_in(comparison.reason, claim.start.folder)
            if "FileNotFoundError" not in comparison.reason or missed is None:
                break
            if missed in self.also or missed in known_of(claim).written:
                break
            self.also = (*self.also, missed)
        return comparison

    def _tried_once(self, claim: Claim, trial: Trial, timeout_s: float) -> Comparison:
        self.content = content_of(
            claim, trial, wish=self.wish, private=self.private, also=self.also
        )
        self.first = self.first or self.content
        content = self.content
        if content.ledger.problems:
            return Comparison(next(iter(content.ledger.problems.values())))
        missing = [
            n for n in content.needs.names if n not in content.needs.values_now()
        ]
        if missing:
            named = ", ".join(missing)
            return Comparison(f"it needs {named} in the environment")
        assert claim.run is not None
        self.series = series_of_run(claim.store, claim.run)
        self.repeats = []
        comparison = self._run_once(claim, timeout_s)
        for nth in range(2, self.repeat + 1):
            if comparison.reason and not self._may_be_noise():
                break
            self.tell(f"repeat {nth} of {self.repeat}")
            again = self._run_once(claim, timeout_s)
            comparison = again if again.reason and not comparison.reason else comparison
        return self._with_noise(comparison)

    def _run_once(self, claim: Claim, timeout_s: float) -> Comparison:
        content, run = self.content, claim.run
        assert content is not None
        assert run is not None
        work = work_of(content, self.facts)
        with Workplace(work) as place:
            ran = place.run(
                timeout_s=timeout_s,
                borders=_borders(claim, content, place.root),
                tell=self.tell,
            )
            if ran.problem:
                return self._checked(ran, (), Comparison(ran.problem))
            if ran.answer is None or ran.answer.run is None:
                return self._checked(ran, (), Comparison("no run was recorded"))
            with Store.open(place.store) as store:
                again = store.run(ran.answer.run)
                now = series_of_run(store, again)
                moved = {str(place.root / "tree"): str(content.ledger.base)}
                pair = (claim.store, run), (store, again)
                comparison = compare_runs(*pair, moved=moved)
        self.repeats.append(now)
        return self._checked(ran, judged(self.series, now, self.declared), comparison)

    def _checked(
        self, ran: Ran, metrics: Sequence[MetricVerdict], comparison: Comparison
    ) -> Comparison:
        """Keep what one rerun said."""
        word: Word = worst(m.verdict for m in metrics) if metrics else "FAILED"
        check = Check(word, tuple(metrics), comparison.reason)
        assert self.content is not None
        self.content = replace(
            self.content,
            answer=self.content.answer or ran.answer,
            checks=(*self.content.checks, check),
        )
        return comparison

    def _may_be_noise(self) -> bool:
        """Whether the same points came, only with other values."""
        assert self.content is not None
        return self.content.checks[-1].verdict == "DRIFTED"

    def _with_noise(self, comparison: Comparison) -> Comparison:
        """Judge all repeats by the spread that they have shown."""
        content = self.content
        assert content is not None
        tolerances = {
            name: self._tolerance(name)
            for name, series in self.series.items()
            if not series.is_timing
        }
        self.content = content = replace(content, tolerances=tolerances)
        if not comparison.reason or len(self.repeats) < 2:
            return comparison
        checks, good = [], True
        for check, now in zip(content.checks, self.repeats, strict=False):
            metrics = judged(self.series, now, tolerances)
            word = worst(m.verdict for m in metrics)
            good = good and word in GOOD
            checks.append(replace(check, verdict=word, metrics=metrics, reason=""))
        if not good or len(checks) != len(content.checks):
            return comparison
        self.content = replace(content, checks=tuple(checks))
        said = f"inside the noise of {len(checks)} repeats: {comparison.reason}"
        return Comparison("", (*comparison.remarks, said), comparison.n_series)

    def _tolerance(self, name: str) -> Tolerance:
        declared = self.declared.get(name, Tolerance())
        if len(self.repeats) < 2:
            return declared
        source = declared.source if declared.source == "declared" else "repeat"
        spread = _spread([r[name] for r in self.repeats if name in r])
        return replace(declared, spread=spread, k=len(self.repeats), source=source)


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
    return Content(trial, kept, script, ledger, needs)


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
            content.script.source, lines_of(content.script), looks_of(content)
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


def _borders(claim: Claim, content: Content, root: Path) -> Borders:
    """What the session left behind is not there for a check of its bundle."""
    written = known_of(claim).written
    outside = [f for f in content.ledger.files if f.body is None]
    return Borders(
        scratch=str(root),
        began_at=claim.start.began_at,
        written=tuple(sorted(p for p in written if Path(p).exists())),
        readable=tuple(sorted(str(f.source.resolve()) for f in outside)),
        allow_writes=claim.allow_writes,
    )


def _spread(repeats: Sequence[Series]) -> float:
    """The largest difference between two repeats at the same place."""
    most = 0.0
    for values in zip(*(series.values for series in repeats), strict=False):
        known = [value for value in values if value == value]
        if known:
            most = max(most, max(known) - min(known))
    return most


def _finite(metric: MetricVerdict) -> float | None:
    off = metric.max_difference
    return off if off < float("inf") else None


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

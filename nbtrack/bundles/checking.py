"""A bundle's script tried before it is written: a rung of the proof is a bundle.

Each trial lays out what the bundle would hold, and nothing else, and runs the script in
a fresh process, as whoever gets the bundle will. What the proven one showed (digests
cell by cell, the modules it loaded, how far repeats were apart) goes into the bundle.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nbtrack.bundles.content import Check, Content, content_of, work_of
from nbtrack.bundles.judging import Tolerance, judged
from nbtrack.bundles.ledger import Wish, named_in
from nbtrack.bundles.series import Series, series_of_run
from nbtrack.bundles.verdict import GOOD, MetricVerdict, Word, worst
from nbtrack.bundles.work import Ran, Workplace
from nbtrack.errors import NbtrackError
from nbtrack.slices.attempt import Trial, with_network_told
from nbtrack.slices.claim import Attempt, Claim
from nbtrack.slices.compare import Comparison, compare_runs
from nbtrack.slices.job import Borders
from nbtrack.slices.scratch import known_of
from nbtrack.store import Store
from nbtrack.text import shorten

Tell = Callable[[str], None]
_MISSED_MAX = 5  # files that nobody saw being read


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
        return with_network_told(comparison, trial.cells)

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

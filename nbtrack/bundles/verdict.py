"""What a rerun said: a verdict for each metric, one for all, and why.

    BITWISE          every series and every tensor of the checkpoints, bit for bit
    IDENTICAL        every metric equal as doubles
    WITHIN-NOISE     inside the spread that the exporter measured by repeating
    WITHIN-DECLARED  inside a tolerance that somebody only declared
    DRIFTED          it ran to the same steps, outside of that
    DIVERGED         other metrics, other steps, NaN where there was none
    FAILED           a cell raised
    BLOCKED          it could not run: data, a package, a variable is missing
    UNPROVEN         it differs, and the exporter never showed that it would not
    WHAT-IF          a param was set anew: nothing is judged, the metrics stand there

Words alone, no comparison is made here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from nbtrack.analysis.diff.cause import Cause
from nbtrack.text import shorten, visible

Word = Literal[
    "BITWISE", "IDENTICAL", "WITHIN-NOISE", "WITHIN-DECLARED", "DRIFTED", "DIVERGED",
    "FAILED", "BLOCKED", "UNPROVEN", "WHAT-IF",
]  # fmt: skip
FROM_BEST: tuple[Word, ...] = (
    "BITWISE", "IDENTICAL", "WITHIN-NOISE", "WITHIN-DECLARED", "DRIFTED", "DIVERGED",
)  # fmt: skip
SAME: frozenset[Word] = frozenset({"BITWISE", "IDENTICAL"})
GOOD: frozenset[Word] = SAME | {"WITHIN-NOISE", "WITHIN-DECLARED"}
_CAUSES_SHOWN, _METRICS_SHOWN = 3, 12


@dataclass(frozen=True, slots=True)
class MetricVerdict:
    """One metric: how it came out."""

    name: str
    verdict: Word
    was: float | None  # the last value of the run, and of the rerun
    now: float | None
    n: int = 0  # points that were compared
    max_difference: float = 0.0  # the largest, in the metric's own unit
    first_step: int | None = None  # where it first differs at all
    allowed: float = 0.0  # the largest difference that was allowed at the worst point
    why: str = ""


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where a rerun first held something else: the cell and the variable, or step."""

    cell: str | None = None  # "cell 3 · exec 7"
    variable: str | None = None
    metric: str | None = None
    step: int | None = None
    what: str = ""

    @property
    def sentence(self) -> str:
        """In words.

        >>> Divergence("cell 3", "X", "loss", 4, "other content").sentence
        'X after cell 3 (other content); loss from step 4 on'
        """
        parts = []
        if self.cell is not None:
            why = f" ({self.what})" if self.what else ""
            parts.append(f"{self.variable or 'something'} after {self.cell}{why}")
        if self.metric is not None:
            parts.append(f"{self.metric} from step {self.step} on")
        return visible("; ".join(parts))


@dataclass(frozen=True, slots=True, repr=False)
class Verdict:
    """What came of a rerun; see `nbtrack.rerun`."""

    verdict: Word
    metrics: tuple[MetricVerdict, ...] = ()
    reason: str = ""  # why it failed, is blocked, is unproven
    divergence: Divergence | None = None
    causes: tuple[Cause, ...] = ()  # the likeliest first
    environment: str = "current"  # "locked": a fresh one from the bundle's lock
    remarks: tuple[str, ...] = ()
    run: str | None = None  # id of the rerun, in the store that it was kept in
    origin: str | None = None  # id of the run that was rerun
    bundle_id: str | None = None
    duration_s: float = 0.0
    changed: Mapping[str, Any] = field(default_factory=dict)  # params that were set

    @property
    def is_same(self) -> bool:
        """Whether every metric came again as it was."""
        return self.verdict in SAME

    @property
    def is_good(self) -> bool:
        """Whether the result came again, at least inside of what was allowed."""
        return self.verdict in GOOD

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        r"""The verdict in words, a line each.

        >>> print(*Verdict("BLOCKED", reason="x.csv is missing").lines(), sep="\n")
        BLOCKED: x.csv is missing (0.0 s, current environment)
        """
        said = f": {visible(self.reason)}" if self.reason else ""
        took = f"({self.duration_s:.1f} s, {self.environment} environment)"
        shown = [f"{self.verdict}{said} {took}"]
        judged = self.verdict != "WHAT-IF"
        lines = [_metric_line(m, judged=judged) for m in self.metrics]
        shown += [f"  {line}" for line in lines[:_METRICS_SHOWN]]
        if len(self.metrics) > _METRICS_SHOWN:
            shown.append(f"  and {len(self.metrics) - _METRICS_SHOWN} metrics more")
        if self.divergence is not None:
            shown.append(f"  first difference: {self.divergence.sentence}")
        shown += [f"  likely cause: {c.sentence}" for c in self.causes[:_CAUSES_SHOWN]]
        return shown + [f"  {visible(remark)}" for remark in self.remarks]

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON can hold it.

        >>> Verdict("FAILED").to_dict()["verdict"]
        'FAILED'
        """
        from dataclasses import asdict

        return asdict(self) | {"is_same": self.is_same, "is_good": self.is_good}


def worst(words: Iterable[Word]) -> Word:
    """The one that speaks for all.

    >>> worst(["IDENTICAL", "DRIFTED", "WITHIN-NOISE"])
    'DRIFTED'
    """
    return max(words, key=FROM_BEST.index)


def _metric_line(metric: MetricVerdict, *, judged: bool) -> str:
    name = shorten(visible(metric.name), 60)
    values = " → ".join("none" if v is None else repr(v) for v in _both(metric))
    why = f" ({visible(metric.why)})" if metric.why else ""
    return f"{name}: {metric.verdict}, {values}{why}" if judged else f"{name}: {values}"


def _both(metric: MetricVerdict) -> tuple[float | None, float | None]:
    return metric.was, metric.now

"""The verdict of each metric: its points in the run, and in the rerun.

Values are doubles: NaN equals NaN. A difference `|a - b|` is allowed up to
`max(atol, rtol * |a|, 3 * spread)`, where the spread is the largest difference between
the exporter's own repeats at that metric; no tolerance is taken from hope. Series are
compared by step, never by time; what measures time is never judged.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from nbtrack.bundles.series import Series
from nbtrack.bundles.verdict import MetricVerdict, Word

SPREADS = 3  # the measured spread, so many times


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a metric may be off, and who says so."""

    atol: float = 0.0  # in the metric's own unit
    rtol: float = 0.0
    spread: float = 0.0  # measured over `k` repeats
    k: int = 0
    source: Literal["repeat", "declared", "default"] = "default"

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Tolerance:
        """Of a manifest.

        Raises
        ------
        ValueError, TypeError
            For what is none.
        """
        source = str(told.get("source", "default"))
        if source not in ("repeat", "declared", "default"):
            raise ValueError(f"no source of a tolerance: {source!r}")
        names = ("atol", "rtol", "spread")
        atol, rtol, spread = (float(told.get(name, 0.0)) for name in names)
        if not all(0 <= number < math.inf for number in (atol, rtol, spread)):
            raise ValueError("a tolerance is a finite number from 0 on")
        return cls(atol, rtol, spread, int(told.get("k", 0)), source)  # type: ignore[arg-type]

    def noise(self) -> float:
        """The difference that chance alone has shown."""
        return SPREADS * self.spread

    def declared(self, value: float) -> float:
        """The difference that somebody allowed, at this value."""
        return max(self.atol, self.rtol * abs(value))


_NONE = Tolerance()


def judged(
    was: Mapping[str, Series],
    now: Mapping[str, Series],
    tolerances: Mapping[str, Tolerance],
) -> tuple[MetricVerdict, ...]:
    """A verdict for each metric of either.

    >>> old = Series("loss", array("q", [0]), array("d", [0.5]))
    >>> new = Series("loss", array("q", [0]), array("d", [0.25]))
    >>> [m.verdict for m in judged({"loss": old}, {"loss": new}, {})]
    ['DRIFTED']
    """
    names = [*was, *(name for name in now if name not in was)]
    return tuple(
        _judged(name, was.get(name), now.get(name), tolerances.get(name, _NONE))
        for name in names
        if not _is_timing(was.get(name), now.get(name))
    )


def _is_timing(*series: Series | None) -> bool:
    return any(each is not None and each.is_timing for each in series)


def _judged(
    name: str, was: Series | None, now: Series | None, tolerance: Tolerance
) -> MetricVerdict:
    old, new = _last(was), _last(now)
    if was is None or now is None:
        why = "only the rerun has it" if was is None else "the rerun has it not"
        return MetricVerdict(name, "DIVERGED", old, new, why=why)
    if _same_bits(was, now):
        return MetricVerdict(name, "BITWISE", old, new, len(was.steps))
    common = _common(was, now)
    if isinstance(common, str):
        return MetricVerdict(name, "DIVERGED", old, new, why=common)
    return _by_points(name, common, tolerance, (old, new))


def _last(series: Series | None) -> float | None:
    return series.values[-1] if series is not None and len(series.values) else None


def _same_bits(was: Series, now: Series) -> bool:
    axes = [{n: c.tobytes() for n, c in s.axes.items()} for s in (was, now)]
    return (
        was.steps == now.steps
        and was.values.tobytes() == now.values.tobytes()
        and axes[0] == axes[1]
    )


_Points = list[tuple[int, float, float]]  # step, value then and now


def _common(was: Series, now: Series) -> _Points | str:
    """The points to compare, or why the two cannot be."""
    if was.thinned > 1 or now.thinned > 1:
        old, new = (dict(zip(s.steps, s.values, strict=True)) for s in (was, now))
        steps = sorted(old.keys() & new.keys())
        if not steps or was.steps[-1] != now.steps[-1]:
            return "both are thinned, and kept no step in common"
        return [(step, old[step], new[step]) for step in steps]
    if was.steps != now.steps:
        return _other_steps(was.steps, now.steps)
    return list(zip(was.steps, was.values, now.values, strict=True))


def _other_steps(was: array[int], now: array[int]) -> str:
    if len(was) != len(now):
        return f"{len(was):,} points, in the rerun {len(now):,}"
    at = next(i for i in range(len(was)) if was[i] != now[i])
    return f"point {at} is at step {was[at]}, in the rerun at {now[at]}"


def _by_points(
    name: str,
    points: _Points,
    tolerance: Tolerance,
    lasts: tuple[float | None, float | None],
) -> MetricVerdict:
    word: Word = "IDENTICAL"
    first_step, most, allowed = None, 0.0, 0.0
    for step, old, new in _differing(points):
        first_step = step if first_step is None else first_step
        if math.isnan(old) or math.isnan(new):
            why = f"at step {step} it is {old!r}, in the rerun {new!r}"
            return MetricVerdict(
                name, "DIVERGED", *lasts, len(points), math.inf, first_step, 0.0, why
            )
        off = abs(old - new)
        word = _worse(word, off, old, tolerance)
        if off > most:
            most = off
            allowed = max(tolerance.noise(), tolerance.declared(old))
    why = "" if first_step is None else f"off by up to {most:.3g}"
    return MetricVerdict(
        name, word, *lasts, len(points), most, first_step, allowed, why
    )


def _differing(points: _Points) -> Iterator[tuple[int, float, float]]:
    for step, old, new in points:
        if not (old == new or (old != old and new != new)):
            yield step, old, new


def _worse(word: Word, off: float, value: float, tolerance: Tolerance) -> Word:
    from nbtrack.bundles.verdict import worst

    if off <= tolerance.noise():
        here: Word = "WITHIN-NOISE"
    elif off <= tolerance.declared(value):
        here = "WITHIN-DECLARED"
    else:
        here = "DRIFTED"
    return worst([word, here])

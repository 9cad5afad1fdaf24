"""Whether two runs gave the same result: every point of every series, every param.

Values are compared as the doubles they are: NaN equals NaN, 0.0 equals -0.0, and
nothing else is near enough. Series of the machine are left out; a series or a param
that measures time is looked at as well, but may differ, which is said. Where a series
was thinned the steps that both kept are compared, which is said too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbtrack.records import MetricSummary, Param, RunRecord
from nbtrack.text import shorten
from nbtrack.tracking.callbacks.pace import PERF

if TYPE_CHECKING:
    from array import array

    from nbtrack.store import Store
    from nbtrack.store.curves import Curve

# A clock never says the same twice. Words of a name, split at _ / . - and space.
TIMING_WORDS = frozenset(
    {"time", "times", "timestamp", "elapsed", "duration", "durations", "seconds"}
    | {"secs", "sec", "latency", "throughput", "eta", "fps", "walltime", "runtime"}
)
_RATE = re.compile(r"(?:per|/)[_ ]?(?:s|sec|second)s?$|(?:^|[_/])ms$|(?:it|samples)/s$")
# A series with one of these in its name is a result, whatever else it says.
_RESULT_WORDS = frozenset(
    {"loss", "acc", "accuracy", "err", "error", "mse", "mae", "rmse", "f1", "auc"}
    | {"score", "r2", "nll", "ppl", "perplexity", "precision", "recall", "reward"}
)
CLOCK_PARAMS = frozenset(
    {"t0", "t1", "tic", "toc", "now", "start_time", "started", "began", "begin_time"}
)
# `tempfile` ends its names in 8 characters by chance. As many folders as a path has:
# without a limit, a text of nothing but folders is gone through from each of them.
_TEMPORARY = re.compile(r"(?:/[^/\s'\"]{1,255}+){0,32}/tmp[a-z0-9_]{8}\b")
_SHOWN = 5  # names in a remark


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of a comparison; `reason` is empty when the result is the same."""

    reason: str
    remarks: tuple[str, ...] = ()
    n_series: int = 0


def is_timing(name: str) -> bool:
    """Whether a name says that its value measures time or speed.

    >>> [is_timing(name) for name in ("epoch_time", "samples_per_s", "time_loss")]
    [True, True, False]
    """
    if name.startswith(PERF):  # what callbacks measure of the speed
        return True
    words = set(re.split(r"[_/.\-\s]+", name.lower()))
    if words & _RESULT_WORDS:
        return False
    return bool(words & TIMING_WORDS) or _RATE.search(name.lower()) is not None


def why_not_comparable(run: RunRecord) -> str | None:
    """Why no replay can give the result of this run again; None where one can.

    >>> why_not_comparable(RunRecord("1", "a", "e", "running", "", None, None))
    'it is still running'
    """
    if run.status == "running":
        return "it is still running"
    if run.status != "finished":
        return _how_it_ended(run)
    if run.forked_from is not None:
        return "its first points are another run's (a fork)"
    if not any(not is_timing(name) for name in run.metrics):
        return "no metric to compare"
    return None


def compare_runs(
    was: tuple[Store, RunRecord],
    now: tuple[Store, RunRecord],
    *,
    moved: Mapping[str, str] | None = None,
) -> Comparison:
    """Compare a run with a replay of it.

    Parameters
    ----------
    was, now
        The run and its replay, each with its store.
    moved
        Folders of the replay, and which of the run they stand for.
    """
    _, run = was
    _, again = now
    if again.status != "finished":
        return Comparison(f"the replay is {again.status}: {_last_line(again.error)}")
    remarks: list[str] = []
    ignored: list[str] = []
    n_series = 0
    for name in dict.fromkeys([*run.metrics, *again.metrics]):
        difference = _series_difference(name, was, now, remarks)
        if difference is None:
            n_series += not is_timing(name)
        elif is_timing(name):
            ignored.append(name)
        else:
            return Comparison(difference, tuple(remarks))
    difference = _params_difference(run.params, again.params, moved or {}, ignored)
    if ignored:
        listed = ", ".join(ignored[:_SHOWN]) + (", ..." if ignored[_SHOWN:] else "")
        remarks.append(f"not compared, as a clock's: {listed}")
    reason = difference or ("" if n_series else "no metric to compare")
    return Comparison(reason, tuple(remarks), n_series)


def _series_difference(
    name: str,
    was: tuple[Store, RunRecord],
    now: tuple[Store, RunRecord],
    remarks: list[str],
) -> str | None:
    before, after = was[1].metrics.get(name), now[1].metrics.get(name)
    if before is None:
        return f"the replay has a metric {name} that the run has not"
    if after is None:
        return f"the replay has no metric {name}"
    old, new = was[0].curve(was[1].id, name), now[0].curve(now[1].id, name)
    if _same(old, new):
        return None
    if before.thinned > 1 or after.thinned > 1:
        return _common_difference(name, old, new, (before, after), remarks)
    if old.steps != new.steps:
        return _steps_difference(name, old.steps, new.steps)
    for axis in dict.fromkeys(["", *old.axes, *new.axes]):
        mine, theirs = _column(old, axis), _column(new, axis)
        shown = f"{name}, axis {axis}" if axis else name
        if mine is None or theirs is None:
            return f"{shown}: only one of them has it"
        if at := _first_difference(shown, old.steps, mine, theirs):
            return at
    return None


def _same(old: Curve, new: Curve) -> bool:
    """By their bytes, which is quick and almost always the answer."""
    return (
        old.steps == new.steps
        and old.values.tobytes() == new.values.tobytes()
        and {n: a.tobytes() for n, a in old.axes.items()}
        == {n: a.tobytes() for n, a in new.axes.items()}
    )


def _common_difference(
    name: str,
    old: Curve,
    new: Curve,
    summaries: tuple[MetricSummary, MetricSummary],
    remarks: list[str],
) -> str | None:
    mine = dict(zip(old.steps, old.values, strict=True))
    theirs = dict(zip(new.steps, new.values, strict=True))
    common = sorted(mine.keys() & theirs.keys())
    if not common:
        return f"{name}: both are thinned, and kept no step in common"
    if old.steps[-1] != new.steps[-1]:
        return f"{name}: it went to step {old.steps[-1]}, the replay {new.steps[-1]}"
    for step in common:
        if not _equal(mine[step], theirs[step]):
            return _diverged(name, step, mine[step], theirs[step])
    thinned = max(summary.thinned for summary in summaries)
    told = f"{name} is thinned 1:{thinned}: {len(common):,} common steps compared"
    remarks.append(told)
    return None


def _steps_difference(name: str, old: array[int], new: array[int]) -> str:
    if len(old) != len(new):
        return f"{name}: {len(old):,} points, in the replay {len(new):,}"
    at = next(i for i in range(len(old)) if old[i] != new[i])
    return f"{name}: point {at} is at step {old[at]}, in the replay at {new[at]}"


def _column(curve: Curve, axis: str) -> array[float] | None:
    return curve.axes.get(axis) if axis else curve.values


def _first_difference(
    shown: str, steps: array[int], old: array[float], new: array[float]
) -> str | None:
    for step, mine, theirs in zip(steps, old, new, strict=True):
        if not _equal(mine, theirs):
            return _diverged(shown, step, mine, theirs)
    return None


def _equal(one: float, other: float) -> bool:
    return one == other or (one != one and other != other)


def _diverged(shown: str, step: int, old: float, new: float) -> str:
    return f"{shown} at step {step} is {old!r}, in the replay {new!r}"


def _params_difference(
    old: Mapping[str, Param],
    new: Mapping[str, Param],
    moved: Mapping[str, str],
    ignored: list[str],
) -> str | None:
    for name in dict.fromkeys([*old, *new]):
        difference = _param_difference(name, old.get(name), new.get(name), moved)
        if difference is not None and _is_clock_param(name, old.get(name)):
            ignored.append(name)
        elif difference is not None:
            return difference
    return None


def _param_difference(
    name: str, old: Param | None, new: Param | None, moved: Mapping[str, str]
) -> str | None:
    if old is None or new is None:
        whose = "the replay has no" if new is None else "only the replay has a"
        return f"{whose} param {name}"
    there = _moved_back(new.value, moved)
    if _same_json(old.value, there):
        return None
    shown = [shorten(repr(value), 60) for value in (old.value, there)]
    return f"param {name} is {shown[0]}, in the replay {shown[1]}"


def _is_clock_param(name: str, param: Param | None) -> bool:
    if param is None or param.origin != "inherited":
        return False
    if not isinstance(param.value, float):
        return False
    return name in CLOCK_PARAMS or is_timing(name)


def _moved_back(value: Any, moved: Mapping[str, str]) -> Any:
    """A path in the proof's folder is the one that it stands for."""
    if isinstance(value, str):
        for there, here in moved.items():
            value = value.replace(there, here)
    elif isinstance(value, list):
        return [_moved_back(item, moved) for item in value]
    elif isinstance(value, dict):
        return {key: _moved_back(item, moved) for key, item in value.items()}
    return value


def _without_chance(text: str) -> str:
    """A path without the folder and the name that `tempfile` made up."""
    return _TEMPORARY.sub("<temporary>", text)


def _same_json(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return _equal(one, other)
    if isinstance(one, str):
        return one == other or _without_chance(one) == _without_chance(other)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same_json, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(
            _same_json(one[key], other[key]) for key in one
        )
    return bool(one == other)


def _how_it_ended(run: RunRecord) -> str:
    last = max((m.last_step for m in run.metrics.values()), default=None)
    at = "" if last is None else f" at step {last}"
    how = {
        "stopped": f"it was stopped by hand{at}",
        "failed": f"it failed{at}: {_last_line(run.error)}",
        "crashed": f"its process died{at}",
        "pruned": f"it was pruned{at}",
    }
    return how.get(run.status, f"it is {run.status}")


def _last_line(text: str | None) -> str:
    lines = [line for line in _lines(text or "") if line.strip()]
    return shorten(lines[-1].strip(), 200) if lines else "no error is kept"


def _lines(text: str) -> Iterator[str]:
    yield from text.splitlines()

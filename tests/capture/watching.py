"""Runs cells through the watcher into a sink that keeps what it was given."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from nbtrack.capture.watch import Watcher, WatchReport
from nbtrack.errors import RunStopped


class RecordingSink:
    """What a run would keep; `stop_after` presses Stop after that many points."""

    def __init__(self, *, stop_after: int | None = None) -> None:
        self.stop = SimpleNamespace(requested=False)
        self.logged_names: set[str] = set()
        self.series: list[tuple[str, str | None]] = []
        self.points: list[tuple[int, int, float, float]] = []
        self.thinning: dict[str, int] = {}
        self._stop_after = stop_after

    def declare(self, name: str, *, axis_of: str | None = None) -> int:
        self.series.append((name, axis_of))
        return len(self.series) - 1

    def point(self, series: int, step: int, value: float, at: float) -> None:
        self.points.append((series, step, value, at))
        if self._stop_after is not None and len(self.points) >= self._stop_after:
            self.stop.requested = True

    axis_point = point

    def check_stop(self) -> None:
        raise RunStopped

    def thinned(self, name: str, k: int) -> None:
        self.thinning[name] = k

    def steps_and_values(self, name: str, axis_of: str | None = None):
        wanted = (name, axis_of)
        return sorted((p[1], p[2]) for p in self.points if self.series[p[0]] == wanted)

    def values(self, name: str) -> list[float]:
        return [value for _, value in self.steps_and_values(name)]

    def axis(self, name: str, axis: str) -> list[float]:
        """One value per point, carried forward as readers do."""
        changes = dict(self.steps_and_values(axis, name))
        found, current = [], float("nan")
        for step, _ in self.steps_and_values(name):
            current = changes.get(step, current)
            found.append(current)
        return found

    @property
    def names(self) -> set[str]:
        return {name for name, axis_of in self.series if axis_of is None}


@dataclass
class Watched:
    sink: RecordingSink
    report: WatchReport
    namespace: dict[str, Any]
    error: BaseException | None = None
    names: set[str] = field(default_factory=set)


def run_watched(
    cell: str,
    *setup: str,
    namespace: dict[str, Any] | None = None,
    sink: RecordingSink | None = None,
    watch: tuple[str, ...] = (),
    zero_edit: bool = True,
) -> Watched:
    """Run setup cells plainly and one cell watched, as a notebook would."""
    namespace = {"__name__": "__main__"} if namespace is None else namespace
    sources: Mapping[str, str] = {f"<cell {n}>": text for n, text in enumerate(setup)}
    for filename, text in sources.items():
        exec(compile(text, filename, "exec"), namespace)
    sink = sink or RecordingSink()
    watcher = Watcher(sink, watch=watch, zero_edit=zero_edit)
    tree = ast.parse(cell)
    watched = watcher.instrument(tree, namespace)
    watcher.instrument_functions(tree, namespace, sources.get)
    error = None
    try:
        exec(compile(watched, "<tracked>", "exec"), namespace)
    except BaseException as exc:
        error = exc
    finally:
        report = watcher.finish()
    return Watched(sink, report, namespace, error, set(report.watched))

"""What a tracked cell needs before its run exists.

The watch calls are put into the cell when it is compiled; the run begins when line 1
runs. In between stands a sink without a target, and what was prepared waits under a
number in the begin call. A cell that does not compile leaves nothing behind.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nbtrack.notebook.options import TrackOptions

if TYPE_CHECKING:
    from nbtrack.capture.watch import Watcher
    from nbtrack.tracking.run import Run


class DeferredSink:
    """A metric sink that drops everything until `attach` hands it the run."""

    def __init__(self) -> None:
        self._run: Run | None = None

    def attach(self, run: Run) -> None:
        """Send everything to `run` from now on; no detour is left in the hot call."""
        self._run = run
        self.point = run.point  # type: ignore[method-assign]
        self.check_stop = run.check_stop  # type: ignore[method-assign]

    @property
    def stop_requested(self) -> bool:
        """Whether Stop was pressed."""
        return self._run is not None and self._run.stop.requested

    def declare(self, name: str, *, axis_of: str | None = None) -> int:
        """A series of the run; -1 while there is none."""
        return -1 if self._run is None else self._run.declare(name, axis_of=axis_of)

    def point(self, series: int, step: int, value: float, at: float) -> None:
        """Nothing yet: `attach` puts the run's own method here."""

    def check_stop(self) -> None:
        """Nothing yet: `attach` puts the run's own method here."""

    def thinned(self, name: str, k: int) -> None:
        """Tell the run, if there is one."""
        if self._run is not None:
            self._run.thinned(name, k)


@dataclass(slots=True)
class PreparedCell:
    """A tracked cell that was compiled and has not begun."""

    options: TrackOptions
    sink: DeferredSink = field(default_factory=DeferredSink)
    watcher: Watcher | None = None
    tree: Any = None  # ast.Module of the user's code, as instrumented
    inner: str | None = None  # dump of the body an inner cell magic will compile
    broken: bool = False  # that body is no Python: begin no run

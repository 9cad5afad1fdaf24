"""What tracked code needs before its run exists.

The watch calls are put into it when it is compiled; the run begins when line 1 runs. In
between stands a sink without a target; of a cell, what was prepared waits under a
number in the begin call. Code that does not compile leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nbtrack.tracked.options import TrackOptions

if TYPE_CHECKING:
    from nbtrack.capture.watch import Watcher
    from nbtrack.capture.watch_recorder import StopFlag
    from nbtrack.tracking.run import Run


class DeferredSink:
    """A metric sink that drops everything until `attach` hands it the run.

    A watcher keeps `logged_names` from the first moment on, so that stays the same
    object; it binds the rest anew when a series is declared, straight to the run.
    """

    def __init__(self) -> None:
        self._run: Run | None = None
        self.stop: StopFlag = _NoStop()
        self.point: Callable[[int, int, float, float], None] = _dropped
        self.axis_point: Callable[[int, int, float, float], None] = _dropped
        self.logged_names: set[str] = set()  # by hand
        self.on_declared: Callable[[], None] = _dropped  # a series is about to begin

    def attach(self, run: Run) -> None:
        """Send everything to `run` from now on."""
        self._run, self.stop = run, run.stop
        self.point, self.axis_point = run.point, run.axis_point
        self.logged_names |= run.logged_names
        run.logged_names = self.logged_names

    def declare(self, name: str, *, axis_of: str | None = None) -> int:
        """A series of the run; -1 while there is none."""
        if self._run is None:
            return -1
        self.on_declared()
        return self._run.declare(name, axis_of=axis_of)

    def check_stop(self) -> None:
        """Raise RunStopped when that is due."""
        if self._run is not None:
            self._run.check_stop()

    def thinned(self, name: str, k: int) -> None:
        """Tell the run, if there is one."""
        if self._run is not None:
            self._run.thinned(name, k)


class _NoStop:
    requested = False


def _dropped(*_: object) -> None:
    """Where points go while there is no run."""


@dataclass(slots=True)
class Prepared:
    """A tracked cell or script that was compiled and has not begun."""

    options: TrackOptions
    sink: DeferredSink = field(default_factory=DeferredSink)
    watcher: Watcher | None = None
    tree: Any = None  # ast.Module of the user's code
    inner: str | None = None  # dump of the body an inner cell magic will compile
    broken: bool = False  # that body is no Python: begin no run

    def discard(self) -> None:
        """Take the watch calls back where no run comes to do so."""
        if self.watcher is not None:
            self.watcher.finish()
            self.watcher = None

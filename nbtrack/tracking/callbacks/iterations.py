"""The iterations of one boosting as points of a run.

The step is the iteration. When a second training of the same run begins at 0 again the
steps go on where the first one ended, with the iteration as an axis beside them: no
point of the first is covered.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from nbtrack.records import Goal
from nbtrack.tracking.callbacks.fits import Fits, fits_of, softly
from nbtrack.tracking.run import Run

RATE_EVERY_S = 1.0
AXIS = "iteration"


class Iterations:
    """Takes the values of each iteration; says when training is to stop."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._fits: Fits = fits_of(run)
        self._offset: int | None = None
        self._goals: set[str] = set()
        self._began = self._rated_at = time.perf_counter()
        self._n = self._n_rated = 0

    def log(
        self,
        iteration: int,
        values: Mapping[str, float],
        *,
        goals: Mapping[str, Goal] | None = None,
    ) -> None:
        """Keep what was evaluated after an iteration, and now and then the speed."""
        self._n += 1
        with softly(self.run):
            for name, goal in (goals or {}).items():
                if name not in self._goals:
                    self._goals.add(name)
                    self.run.set_goal(name, goal)
            self._log(iteration, values)

    @property
    def seconds(self) -> float:
        """Since the training began."""
        return time.perf_counter() - self._began

    def should_stop(self) -> bool:
        """Whether Stop was pressed; the framework ends the training in its own way."""
        if not self.run.stop.requested or self.run.status != "running":
            return False
        self.run.stop.honour()
        return True

    def finish(self, values: Mapping[str, float]) -> None:
        """Keep the speed of the whole training, and what is known only now."""
        seconds = self.seconds
        if self._n and seconds > 0:
            values = {"perf/it_per_s": self._n / seconds, **values}
        if values:
            with softly(self.run):
                self.run.log(values)

    def _log(self, iteration: int, values: Mapping[str, float]) -> None:
        step = self._step(iteration, values)
        self.run.set_axis(AXIS, iteration)
        try:
            if values:
                self.run.log(values, step=step)
            rate = self._rate()
            if rate is not None:
                self.run.log({"perf/it_per_s": rate})
        finally:
            self.run.drop_axis(AXIS)

    def _step(self, iteration: int, names: Iterable[str]) -> int:
        next_steps = self._fits.next_steps
        if self._offset is None:
            behind = max((next_steps.get(name, 0) for name in names), default=0)
            self._offset = 0 if iteration >= behind else behind - iteration
        step = self._offset + iteration
        next_steps.update(dict.fromkeys(names, step + 1))
        return step

    def _rate(self) -> float | None:
        """Iterations per second since it was said last; None when it was just said."""
        now = time.perf_counter()
        seconds, n = now - self._rated_at, self._n - self._n_rated
        if seconds < RATE_EVERY_S:
            return None
        self._rated_at, self._n_rated = now, self._n
        return n / seconds

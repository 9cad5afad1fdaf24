"""`for epoch in nbtrack.epochs(10)`: a range that the run knows of.

While it runs, metrics logged inside have the epoch as an axis, the panel knows how far
the run is, and Stop ends the loop after the epoch, so that the cell completes. Without
a run it is `range` and nothing else.
"""

from __future__ import annotations

import logging
import operator
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, SupportsIndex
from weakref import WeakKeyDictionary

from nbtrack.errors import OptionError
from nbtrack.tracking.agreed_stop import loop_is_through, stops
from nbtrack.tracking.run import Run

if TYPE_CHECKING:
    from nbtrack.tracking.resume_state import ResumeState

logger = logging.getLogger("nbtrack")


# The loops that are running in each run, the outermost first.
_loops: WeakKeyDictionary[Run, list[Epochs]] = WeakKeyDictionary()
_cut: WeakKeyDictionary[Run, set[str]] = WeakKeyDictionary()


class Epochs:
    """One loop over epochs; iterating it again starts anew."""

    def __init__(
        self,
        n: int,
        *,
        name: str,
        run: Run | None,
        resumed: Mapping[str, Any] | None = None,
    ) -> None:
        self.n = n
        self.name = name
        self.begun = 0
        self._first = 0
        self._resumed = resumed  # the objects to restore; None: begin with 0
        self._run = run
        self._started = 0.0
        self._epoch_s = 0.0

    def __len__(self) -> int:
        return self.n

    def __iter__(self) -> Iterator[int]:
        run = self._run or _current()
        if run is None:
            logger.debug("epochs() without a run: a plain range")
            return iter(range(self.n))
        return self._epochs_of(run)

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes at the pace so far; None in the first epoch."""
        if self.begun < self._first + 2:
            return None
        elapsed = time.monotonic() - self._started
        return max(0.0, self._epoch_s * (self.n - self._first) - elapsed)

    def _epochs_of(self, run: Run) -> Iterator[int]:
        kept = self._kept_state(run)
        self._first = kept.restore() if kept else 0
        self.begun, self._started = self._first, time.monotonic()
        run.log_params({self._param: self.n})
        loops = _loops.setdefault(run, [])
        loops.append(self)
        run.stop.enter_soft_loop()
        try:
            for epoch in range(self._first, self.n):
                if epoch > self._first:
                    took = time.monotonic() - self._started
                    self._epoch_s = took / (epoch - self._first)
                if stops(run):
                    # Here and not in the `finally`: after a break nothing honours it.
                    run.stop.honour()
                    return
                self.begun = epoch + 1
                run.set_axis(self.name, epoch)
                yield epoch
                if kept:
                    kept.save(epoch)
                run.save_if_asked()
            loop_is_through(run)
        finally:
            run.stop.leave_soft_loop()
            loops.remove(self)
            self._leave(run, loops)

    def _kept_state(self, run: Run) -> ResumeState | None:
        if self._resumed is None:
            return None
        from nbtrack.tracking.resume_state import ResumeState

        return ResumeState.of(run, self.name, self._resumed)

    @property
    def _param(self) -> str:
        return f"{self.name}s"

    def _leave(self, run: Run, outer: list[Epochs]) -> None:
        run.drop_axis(self.name)
        for loop in outer:  # a loop of the same name may be around this one
            if loop.name == self.name:
                run.set_axis(loop.name, loop.begun - 1)
        cut = _cut.setdefault(run, set())
        # Said where a loop ended early; a later full loop of that name corrects it.
        if run.status == "running" and (self.begun != self.n or self._param in cut):
            cut.add(self._param)
            run.log_params({self._param: {"done": self.begun}})


def progress_of(run: Run) -> Epochs | None:
    """The outermost loop that is running in `run`: `.begun`, `.n`, `.seconds_left`."""
    return next(iter(_loops.get(run, ())), None)


def epochs(
    n: SupportsIndex,
    *,
    name: str = "epoch",
    run: Run | None = None,
    resume: bool = False,
    state: Mapping[str, Any] | None = None,
) -> Epochs:
    """Count epochs from 0 to `n - 1`, as part of the current run.

    Metrics that are logged inside carry the epoch as an axis. The param `epochs` is
    recorded, and `epochs.done` (those that began) where the loop ended early. When
    Stop is pressed the loop ends after the epoch, the rest of the cell runs, and the
    run's status is `stopped`. Where processes train together it ends one epoch later,
    in all of them, if all have begun the run and loop over `epochs`.

    Parameters
    ----------
    n : int
        How many.
    name : str
        The axis, where these are no epochs (`name="fold"`).
    run : Run, optional
        Default: the run that is current when the loop begins; without one this is a
        plain range.
    resume : bool
        Survive a crash: at each epoch's end the state is kept, and in a resumed run
        (`%%track --resume last`, `nbtrack.start(resume=...)`) it is put back and the
        loop goes on behind the last epoch that was completed. Random generators and
        the steps of metrics are part of the state.
    state : mapping, optional
        What else is, by name: models, optimizers, schedulers (`state_dict`),
        generators (`get_state`), dicts of plain values. What a `TorchCallback` of
        the run was given is kept without being said.

    Raises
    ------
    OptionError
        When `n` is negative, or `state` stands without `resume`.
    TypeError
        When it is not a whole number.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     for epoch in nbtrack.epochs(3):
    ...         nbtrack.log(loss=1 / (epoch + 1))
    >>> run.record().params["epochs"].value
    3

    >>> progress = {"best": 1.0}
    >>> with nbtrack.start("careful") as run:
    ...     for epoch in nbtrack.epochs(3, resume=True, state={"progress": progress}):
    ...         progress["best"] /= 2
    """
    count = operator.index(n)
    if count < 0:
        raise OptionError(f"epochs({count}) is negative. Use 0 or more.")
    if state is not None and not resume:
        raise OptionError("state is for epochs(n, resume=True, state={...}).")
    return Epochs(count, name=name, run=run, resumed=(state or {}) if resume else None)


def _current() -> Run | None:
    from nbtrack.tracking.session import process_session

    return process_session().current

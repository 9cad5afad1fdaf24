"""The run that a fit is recorded in: the current one, or one of its own.

`nbtrack.autolog()` lets a fit outside of every run begin one; it ends with the fit, as
finished, failed or stopped. In tracked cells and under `nbtrack.start` the fit belongs
to that run, which goes on.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from nbtrack.guard import guard

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run

SETTING = "autolog"  # as `nbtrack.configure(off=...)` names it


class FitRun:
    """A run for the length of one fit; ends it only where it began it."""

    def __init__(self, run: Run, *, is_own: bool) -> None:
        self.run = run
        self._is_own = is_own

    @classmethod
    def of(cls, framework: str, name: str, *, may_start: bool = True) -> FitRun | None:
        """None where nothing is to be recorded."""
        from nbtrack.tracking.autolog import hooks
        from nbtrack.tracking.session import process_session
        from nbtrack.tracking.settings import switched_off

        session = process_session()
        run = session.current
        if run is not None:
            return cls(run, is_own=False) if run.captures(SETTING) else None
        if not may_start or framework not in hooks.everywhere or session.inert:
            return None
        if SETTING in switched_off(session.store_for().path):
            return None
        return cls(session.start(name), is_own=True)

    def __enter__(self) -> FitRun:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._is_own:
            with guard("the end of runs"):
                self.run.__exit__(kind, exc, trace)


def current_for(who: str) -> Run | None:
    """The current run; without one a callback says once that it records nothing."""
    from nbtrack.tracking.session import process_session

    session = process_session()
    if session.current is None and not session.inert:
        guard.warn_once(
            f"{who} without a run",
            f"{who} was used without a run: nothing is recorded. Put %%track on the "
            "cell or use `with nbtrack.start():`.",
        )
    return session.current

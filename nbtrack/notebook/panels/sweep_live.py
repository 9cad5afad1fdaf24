"""What stands under a `%%sweep` while it runs in the kernel, and what it leaves there.

A page gets the monitor of the panel, whose buttons work while trials keep the kernel
busy; a kernel without widgets a table that is replaced; a terminal nothing but the
sweep itself. At the end a still table and picture stand in its place.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from nbtrack.guard import guard
from nbtrack.notebook.panels.outlets import (
    WIDGET_VIEW,
    Outlet,
    best_surface,
    current_shell,
    placeholder,
)
from nbtrack.notebook.panels.sweep_feed import FEATURE
from nbtrack.notebook.panels.sweep_still import still_bundle
from nbtrack.notebook.panels.sweep_view import SweepView

if TYPE_CHECKING:
    from nbtrack.sweeps.sweep import Sweep

SNAPSHOT_EVERY_S = 1.0  # HTML that is replaced, where there are no widgets


class SweepUnderCell:
    """From the first trial to the still picture; `line` is the one of the cell."""

    def __init__(self, line: str) -> None:
        self.is_shown = False
        self._line = line
        self._sweep: Sweep | None = None
        self._outlet = Outlet()
        self._view: SweepView | None = None
        self._publisher: object = None
        self._snapshot_at = 0.0

    def begin(self, sweep: Sweep) -> None:
        """Show it, before the first trial."""
        self._sweep = sweep
        with guard(FEATURE):
            surface = best_surface()
            if surface == "widget":
                self._open(sweep)
            elif surface == "html":
                self._publisher = current_shell().display_pub
                sweep.on_change(self._snapshot)
                self._show_still(sweep)

    def end(self) -> None:
        """Leave the still picture."""
        sweep = self._sweep
        if sweep is None or not self.is_shown:
            return
        with guard(FEATURE):
            if self._view is not None and self._view.feed is not None:
                self._view.feed.end()
            self._show_still(sweep)
        with guard(FEATURE):
            if self._view is not None:
                self._view.close()

    def _open(self, sweep: Sweep) -> None:
        self._view = SweepView(lambda content: None)
        text = f"sweep {sweep.name} · running"
        self._outlet.show({WIDGET_VIEW: self._view.view(), **placeholder(text)})
        self.is_shown = True
        self._view.follow(sweep, {"line": self._line, "has_kernel": False})

    def _snapshot(self) -> None:
        """Between trials: within one, what is shown is taken for the trial's."""
        now = time.monotonic()
        is_outside = current_shell().display_pub is self._publisher
        if self._sweep is None or not is_outside:
            return
        if now - self._snapshot_at >= SNAPSHOT_EVERY_S:
            self._snapshot_at = now
            self._show_still(self._sweep)

    def _show_still(self, sweep: Sweep) -> None:
        self._outlet.show(still_bundle(sweep, self._line))
        self.is_shown = True

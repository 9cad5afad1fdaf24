"""The part of a tracked cell that shows its live panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbtrack.notebook.panels.live import LivePanel
    from nbtrack.tracked.parts import Tracking


class Panel:
    """The live picture under the cell; `close` comes after the run has ended."""

    feature = "the live panel"
    setting = "panel"

    def __init__(self) -> None:
        self._panel: LivePanel | None = None

    def begin(self, on: Tracking) -> None:
        """Show it, unless asked not to."""
        if not on.prepared.options.live:
            return
        from nbtrack.notebook.panels.live import LivePanel

        run, watcher = on.run, on.prepared.watcher
        self._panel = LivePanel(
            run.id,
            run.store,
            on_stop=lambda: run.request_stop("panel"),
            total=lambda: watcher.totals if watcher is not None else {},
        )
        self._panel.show()

    def end(self, on: Tracking) -> None:
        """Nothing yet: the picture that stays is drawn of the finished run."""

    def close(self, on: Tracking) -> None:
        """Leave the static picture in the notebook."""
        if self._panel is not None and on.record is not None:
            self._panel.finish(on.record)

"""The part of tracked code that hooks into the frameworks which it uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbtrack.tracked.parts import Tracking


class Autolog:
    """Hooks for the length of the code: for what is imported, or imported by it."""

    feature = "autolog"
    setting = "autolog"

    def begin(self, on: Tracking) -> None:
        """Hook in, and know the names of the code, which describe what they hold."""
        from nbtrack.tracking.autolog import hooks
        from nbtrack.tracking.callbacks.fits import fits_of

        hooks.open_cell()
        fits_of(on.run).namespace = on.namespace

    def end(self, on: Tracking) -> None:
        """Put everything back."""
        from nbtrack.tracking.autolog import hooks
        from nbtrack.tracking.callbacks.fits import fits_of

        hooks.close_cell()
        fits_of(on.run).settle(on.run)

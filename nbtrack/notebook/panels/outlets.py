"""Where a panel can be shown: as a widget, as HTML that is replaced, or as text.

The decision is made once, at the start: a kernel gets a widget (a page without a
widget manager shows the HTML beside it), a kernel without anywidget gets HTML that is
replaced, a terminal gets text at the end. Never `clear_output`.
"""

from __future__ import annotations

import importlib.util
import secrets
from typing import TYPE_CHECKING, Any, Literal

from nbtrack.text import escape, visible

if TYPE_CHECKING:
    from collections.abc import Mapping

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
Surface = Literal["widget", "html", "text", "none"]


def best_surface() -> Surface:
    """What this process can show."""
    shell = current_shell()
    if shell is None:
        return "none"
    if getattr(shell, "kernel", None) is None:
        return "text"
    return "widget" if _has_widget() else "html"


def current_shell() -> Any:  # IPython's shell, untyped
    """The running IPython shell; None outside of one."""
    import sys

    # A process that has not loaded IPython is not a notebook: do not load it here.
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


class Outlet:
    """One output under a cell, replaced in place by its display id.

    With `run_id` a page that is loaded anew follows that run there.
    """

    def __init__(self, run_id: str | None = None) -> None:
        self._metadata = {} if run_id is None else {"nbtrack": {"run": run_id}}
        self._display_id = f"nbtrack-{run_id or 'panel'}-{secrets.token_hex(4)}"
        self.is_shown = False

    def show(self, bundle: Mapping[str, Any]) -> None:
        """Show `bundle`, in place of what was shown before."""
        from IPython.display import display

        display(
            dict(bundle),
            raw=True,
            metadata=self._metadata,
            display_id=self._display_id,
            update=self.is_shown,
        )
        self.is_shown = True


def placeholder(text: str) -> dict[str, str]:
    """What stands there until the first frame, and where widgets cannot be seen."""
    dot = "<span style='color:#2e9d57'>●</span>"
    return {
        "text/html": f"<div style='font:13px system-ui'>{dot} {escape(text)}</div>",
        "text/plain": visible(text),
    }


def _has_widget() -> bool:
    from nbtrack.notebook.panels.widget import front_end

    if importlib.util.find_spec("anywidget") is None:
        return False
    try:
        front_end()
    except FileNotFoundError:
        return False
    return True

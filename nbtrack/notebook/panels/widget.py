"""The panel's anywidget: binary frames out, two kinds of messages in.

Imported only where a kernel runs; the front end is one built file, with nothing
fetched from anywhere.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib import resources
from typing import Any

from nbtrack.analysis.wire import FrameHead

_KINDS = ("stop", "resync")
_PANEL = ("uplot.js", "panel.js")  # what draws stands in front of what it draws for
EMPTY_FRONT_END = "export default { render() {} };"


class PanelWidget:
    """One widget of one run; its comm is open from the start.

    Parameters
    ----------
    run_id : str
        Told to the page, which needs it to reach the server.
    hear : callable
        Takes the kind of a message of the page and its id. It may be called in any
        thread and more than once for one message.
    """

    def __init__(self, run_id: str, hear: Callable[[str, str], None]) -> None:
        self._hear = hear
        self._widget = _widget_class()(run_id=run_id)
        self._widget.on_msg(self._on_message)

    @property
    def comm(self) -> Any:  # ipykernel's comm, untyped
        """The comm of the widget."""
        return self._widget.comm

    def view(self) -> dict[str, Any]:
        """The value of the widget-view mime type."""
        return {
            "version_major": 2,
            "version_minor": 0,
            "model_id": self._widget.model_id,
        }

    def send(self, head: FrameHead, columns: bytes) -> None:
        """Send one message; safe from any thread."""
        self._widget.send(head, buffers=[columns])

    def close(self) -> None:
        """Close the comm: views of the page go dark."""
        # Who saves the state of all widgets (nbclient does) keeps closed ones too, and
        # the front end is 80 KB of it.
        self._widget._esm = EMPTY_FRONT_END
        self._widget.close()

    def hear_raw(self, data: object) -> None:
        """Take the data of a comm message before the kernel has dispatched it."""
        if isinstance(data, dict) and data.get("method") == "custom":
            self._hear_content(data.get("content"))

    def _on_message(self, _widget: object, content: object, _buffers: object) -> None:
        self._hear_content(content)

    def _hear_content(self, content: object) -> None:
        if isinstance(content, dict) and content.get("type") in _KINDS:
            self._hear(str(content["type"]), str(content.get("id", "")))


def front_end(*scripts: str) -> str:
    """The built front end of a widget as one module; of the live panel, by default.

    Raises
    ------
    FileNotFoundError
        In a checkout that was not built.
    """
    folder = resources.files("nbtrack.notebook").joinpath("static")
    texts = [folder.joinpath(name).read_text("utf-8") for name in scripts or _PANEL]
    return "\n".join(texts)


@functools.cache
def _widget_class() -> type[Any]:
    import anywidget
    import traitlets

    # Made once per process: anywidget reads the front end when a class is made.
    class RunPanel(anywidget.AnyWidget):  # type: ignore[misc]  # untyped base
        _esm = front_end()
        run_id = traitlets.Unicode().tag(sync=True)

    return RunPanel

"""The widget of a sweep: messages out, messages in, of which buttons never wait.

What a button says reaches the feed of a running sweep while the kernel is busy; see
`stop_channel`. Everything else is handed on when the kernel has time.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nbtrack.guard import guard
from nbtrack.notebook.panels.outlets import current_shell
from nbtrack.notebook.panels.sweep_feed import COMMANDS, FEATURE, SweepFeed
from nbtrack.notebook.panels.sweep_wire import Message
from nbtrack.notebook.panels.widget import EMPTY_FRONT_END, front_end

if TYPE_CHECKING:
    from nbtrack.notebook.panels.stop_channel import MainThreadCall
    from nbtrack.sweeps.sweep import Sweep

REMEMBERED = 64  # ids of messages that came, of which some come twice
_SCRIPT = "sweep.js"


class SweepView:
    """One widget; its comm is open from the start.

    Parameters
    ----------
    hear
        Takes what a page says, but for the buttons of a sweep that is followed. It is
        called in the main thread, or in the page's own subshell.
    """

    def __init__(self, hear: Callable[[Mapping[str, Any]], None]) -> None:
        self.feed: SweepFeed | None = None
        self._hear = hear
        self._seen: deque[str] = deque(maxlen=REMEMBERED)
        self.widget = _widget_class()()
        self.widget.on_msg(self._on_message)
        self._poll = self._hear_early()

    def follow(self, sweep: Sweep, about: Mapping[str, object]) -> SweepFeed:
        """Show a sweep from now on, as long as it runs."""
        self.feed = SweepFeed(sweep, self.send, about=about, poll=self._poll)
        self.feed.begin()
        return self.feed

    def view(self) -> dict[str, Any]:
        """The value of the widget-view mime type."""
        return view_of(self.widget)

    def send(self, message: Message) -> None:
        """Tell every page that shows it; from any thread."""
        self.widget.send(message)

    def close(self) -> None:
        """Close the comm: views of the page go dark."""
        # Who saves the state of all widgets keeps closed ones too, with the front end.
        self.widget._esm = EMPTY_FRONT_END
        self.widget.close()

    # ---- what pages say

    def _hear_early(self) -> MainThreadCall | None:
        from nbtrack.notebook.panels.stop_channel import (
            MainThreadCall,
            ShellPoller,
            open_early,
        )

        kernel = getattr(current_shell(), "kernel", None)
        if open_early(self.widget.comm, self._hear_raw) or not ShellPoller.fits(kernel):
            return None
        poller = ShellPoller(kernel, self.widget.comm.comm_id)
        return MainThreadCall(functools.partial(_guarded, poller.poll))

    def _hear_raw(self, data: object) -> None:
        """Before the kernel has dispatched it: in its thread, so only note it."""
        if isinstance(data, dict) and data.get("method") == "custom":
            content = data.get("content")
            if isinstance(content, dict):
                self._to_feed(content)

    def _on_message(self, _widget: object, content: object, _buffers: object) -> None:
        if not isinstance(content, dict):
            return
        with guard(FEATURE):
            self.send({"type": "heard", "id": str(content.get("id", ""))})
            was_fed = self._to_feed(content)
            if was_fed and content.get("type") != "hello":
                return
            if was_fed or self._is_new(content):
                self._hear(content)

    def _to_feed(self, content: Mapping[str, Any]) -> bool:
        """Whether it is for the feed; what it has heard before it is not told again."""
        kind = content.get("type")
        if kind not in (*COMMANDS, "hello") or self.feed is None:
            return False
        if not self.feed.is_alive:
            return False
        if self._is_new(content):
            self.feed.hear(str(kind), str(content.get("id", "")))
        return True

    def _is_new(self, content: Mapping[str, Any]) -> bool:
        """Pages say things again until they are answered, and kernels twice."""
        number = str(content.get("id", ""))
        if number and number in self._seen:
            return False
        self._seen.append(number)
        return True


def view_of(widget: Any) -> dict[str, Any]:  # Any: ipywidgets has no types
    """The value of the widget-view mime type of any widget."""
    return {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}


def _guarded(call: Callable[[], None]) -> None:
    """What runs in the main thread, between two lines of the user's, never raises."""
    with guard(FEATURE):
        call()


@functools.cache
def _widget_class() -> type[Any]:
    import anywidget

    # Made once per process: anywidget reads the front end when a class is made.
    class SweepWidget(anywidget.AnyWidget):  # type: ignore[misc]  # untyped base
        _esm = front_end(_SCRIPT)

    return SweepWidget

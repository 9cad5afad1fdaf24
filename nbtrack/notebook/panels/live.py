"""The live panel of one run: a thread reads the store and feeds the page.

It never touches the run: it reads the same rows as everybody, at most ten times a
second, and sends only what is new. At the end its output becomes a still picture.
Every call is safe to make from a hook: what goes wrong is said once, and the panel is
off for the session.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.frames import RunFeed, Totals
from nbtrack.analysis.static_panel import static_bundle, static_panel
from nbtrack.analysis.wire import messages
from nbtrack.errors import RunNotFoundError
from nbtrack.guard import guard
from nbtrack.interrupts import Signal, Thread
from nbtrack.notebook.panels.outlets import (
    WIDGET_VIEW,
    Outlet,
    Surface,
    best_surface,
    current_shell,
    placeholder,
)

if TYPE_CHECKING:
    from nbtrack.notebook.panels.stop_channel import MainThreadCall
    from nbtrack.notebook.panels.widget import PanelWidget
    from nbtrack.records import RunRecord
    from nbtrack.store import Store

LIVE, PICTURE = "live panel", "panel picture"  # what may fail, each by itself
TICK_S = 0.1  # at most ten frames a second
STATUS_EVERY_S = 1.0  # the header goes out this often when no point came
SNAPSHOT_EVERY_S = 1.0  # HTML that is replaced, where there are no widgets
SETTLE_S = 0.15  # shorter runs are over before a widget would be seen
UNHEARD_RESENDS_S = (1.0, 2.0, 4.0, 8.0)  # all the data again until the page answers
JOIN_S = 2.0
REMEMBERED = 64  # ids of messages that came, of which some come twice


class LivePanel:
    """What stands under a tracked cell.

    Parameters
    ----------
    run_id : str
        The full id of the run.
    store : Store
        Where it is; the panel only reads.
    on_stop : callable
        Called in the panel's thread when Stop was pressed; it must only set flags.
    total : mapping or callable, optional
        Declared bounds of loops by the name of their axis, or what returns them, for
        progress and ETA; it is asked for each frame, in the panel's thread.
    unattended : bool
        Nobody will call `finish`: the panel ends when the store says the run has.

    Examples
    --------
    >>> panel = LivePanel(run.id, run.store, on_stop=run.request_stop)  # doctest: +SKIP
    >>> panel.show()                                                    # doctest: +SKIP
    >>> panel.finish()                                                  # doctest: +SKIP
    """

    def __init__(
        self,
        run_id: str,
        store: Store,
        *,
        on_stop: Callable[[], object],
        total: Totals = None,
        unattended: bool = False,
    ) -> None:
        self.run_id = run_id
        self.surface: Surface = "none"
        self._store = store
        self._on_stop = on_stop
        self._unattended = unattended
        self._feed = RunFeed(store, run_id, totals=total)
        self._outlet = Outlet(run_id)
        self._widget: PanelWidget | None = None
        self._poll: MainThreadCall | None = None
        self._thread: threading.Thread | None = None
        self._wake = Signal()
        self._over = Signal()
        self._stops: deque[str] = deque()
        self._seen: deque[str] = deque(maxlen=REMEMBERED)
        self._resync = False
        self._was_heard = False
        self._stopping = False
        self._sampler: Any = None  # capture.system.SystemSampler

    def show(self) -> None:
        """Show the panel under the running cell and begin to follow the run."""
        with guard(LIVE):
            self.surface = best_surface()
            if self.surface not in ("widget", "html") or guard.is_off(LIVE):
                return
            self._outlet.show(placeholder("run starts"))
            # The display and comm messages of the thread belong to this cell.
            follow = contextvars.copy_context().run
            self._thread = Thread(partial(follow, self._follow), name="nbtrack-panel")
            self._thread.start()

    def finish(self, record: RunRecord | None = None) -> None:
        """Leave the still picture in the panel's place, close what was open.

        Parameters
        ----------
        record : RunRecord, optional
            Taken for symmetry with the other parts of a cell; the store is read.
        """
        with guard(PICTURE):
            is_quiet = self._end_thread()
            if self.surface != "none":
                self._outlet.show(self._still(is_quiet=is_quiet))
        with guard(LIVE):
            if self._widget is not None:
                self._widget.close()
                self._widget = None

    # -- the panel's thread ------------------------------------------------------------

    def _follow(self) -> None:
        if self._over.wait(SETTLE_S):
            return
        with guard(LIVE):
            if not self._wait_for_run():
                return
            if self.surface == "widget":
                self._open_widget()
                self._feed_widget()
            else:
                self._feed_snapshots()

    def _wait_for_run(self) -> bool:
        """The run's row comes with the writer's first commit; False when it is over."""
        while True:
            try:
                self._feed.advance()
            except RunNotFoundError:
                if self._over.wait(TICK_S):
                    return False
            else:
                return True

    def _open_widget(self) -> None:
        from nbtrack.notebook.panels.widget import PanelWidget

        self._widget = widget = PanelWidget(self.run_id, self._hear)
        self._open_stop_channel(widget)
        text = f"{self._feed.require().name} · running"
        self._outlet.show({WIDGET_VIEW: widget.view(), **placeholder(text)})

    def _open_stop_channel(self, widget: PanelWidget) -> None:
        from nbtrack.notebook.panels.stop_channel import (
            MainThreadCall,
            ShellPoller,
            open_early,
        )

        kernel = current_shell().kernel
        if not open_early(widget.comm, widget.hear_raw) and ShellPoller.fits(kernel):
            poller = ShellPoller(kernel, widget.comm.comm_id)
            self._poll = MainThreadCall(partial(_guarded, poller.poll))

    def _feed_widget(self) -> None:
        self._send(full=True)
        resends = [time.monotonic() + after for after in UNHEARD_RESENDS_S]
        status_at = time.monotonic() + STATUS_EVERY_S
        while not self._over.is_set():
            self._listen()
            now = time.monotonic()
            full = self._is_full_due(resends, now)
            if self._feed.advance() or full or now >= status_at:
                self._send(full=full)
                status_at = now + STATUS_EVERY_S
            if self._leave_alone():
                return
            # A click is answered at once, but frames stay a tick apart.
            self._over.wait(max(0.0, now + TICK_S - time.monotonic()))

    def _listen(self) -> None:
        """Wait for the next tick or for the page, whichever is first."""
        if self._poll is not None:
            self._poll.schedule()
        self._wake.wait(TICK_S)
        self._wake.clear()
        self._honour_stops()

    def _is_full_due(self, resends: list[float], now: float) -> bool:
        """Whether a page wants all the data, or may have missed it."""
        asked, self._resync = self._resync, False
        # A page that was not ready lost the first frames, and could not say so.
        is_late = bool(resends) and now >= resends[0]
        if is_late:
            resends.pop(0)
        return asked or (is_late and not self._was_heard)

    def _leave_alone(self) -> bool:
        """Whether a run that somebody else ends has ended; then so does the panel."""
        if not self._unattended or self._feed.require().status == "running":
            return False
        self._outlet.show(static_bundle(self._feed))
        if self._widget is not None:
            self._widget.close()
        return True

    def _feed_snapshots(self) -> None:
        while not self._over.wait(SNAPSHOT_EVERY_S):
            if self._feed.advance():
                self._outlet.show(static_bundle(self._feed))
            if self._leave_alone():
                return

    def _send(self, *, full: bool) -> None:
        run, deltas, is_full = self._feed.frame(full=full)
        run["stopping"] = self._stopping
        run["system"] = self._system()
        widget = self._widget
        if widget is not None:
            for head, columns in messages(run, deltas, full=is_full):
                widget.send(head, columns)

    def _system(self) -> dict[str, float]:
        from nbtrack.capture.system import SystemSampler

        if self._sampler is None:
            self._sampler = _Slowly(SystemSampler().sample, STATUS_EVERY_S)
        sample: dict[str, float] = self._sampler()
        return sample

    def _honour_stops(self) -> None:
        while self._stops:
            self._stops.popleft()
            self._stopping = True
            self._on_stop()
            self._send(full=False)

    # -- any thread --------------------------------------------------------------------

    def _hear(self, kind: str, message_id: str) -> None:
        """A message of the page: note it, nothing else."""
        if message_id and message_id in self._seen:
            return
        self._seen.append(message_id)
        self._was_heard = True
        if kind == "stop":
            self._stops.append(message_id)
        else:
            self._resync = True
        self._wake.set()

    def _end_thread(self) -> bool:
        """Whether the thread is gone, and with it every other user of the feed."""
        self._over.set()
        self._wake.set()
        if self._thread is None:
            return True
        self._thread.join(JOIN_S)
        return not self._thread.is_alive()

    def _still(self, *, is_quiet: bool) -> dict[str, str]:
        if is_quiet:
            bundle = static_bundle(self._feed)
        else:
            bundle = static_panel(self._store, self.run_id)
        return (
            {"text/plain": bundle["text/plain"]} if self.surface == "text" else bundle
        )


class _Slowly:
    """A sample that is taken again only when it is old."""

    def __init__(self, sample: Callable[[], dict[str, float]], every_s: float) -> None:
        self._sample, self._every_s = sample, every_s
        self._value, self._at = sample(), time.monotonic()

    def __call__(self) -> dict[str, float]:
        if time.monotonic() - self._at >= self._every_s:
            self._value, self._at = self._sample(), time.monotonic()
        return self._value


def _guarded(call: Callable[[], None]) -> None:
    """What runs in the main thread, between two lines of the user's, never raises."""
    with guard("panel stop"):
        call()


def show_panel(store: Store, run_id: str) -> LivePanel | None:
    """Show the panel of any run: live if it runs, else as it ended.

    Parameters
    ----------
    store : Store
        Where the run is.
    run_id : str
        The full id.

    Returns
    -------
    LivePanel or None
        The live panel, which ends by itself when the run has ended; None for a still
        picture.
    """
    if store.run(run_id).status == "running" and best_surface() in ("widget", "html"):
        panel = LivePanel(
            run_id,
            store,
            on_stop=lambda: store.control(run_id, "stop", by="panel"),
            unattended=True,
        )
        panel.show()
        return panel
    Outlet(run_id).show(static_panel(store, run_id))
    return None

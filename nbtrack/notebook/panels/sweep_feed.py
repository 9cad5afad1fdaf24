"""Follows a sweep for a page: tells it what is new, hears its buttons.

A thread of its own, so that both work while the kernel is busy with a trial. The page
is told at most five times a second; a button is answered at once. Whoever hears a
message only notes it: this thread acts.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from nbtrack.guard import guard
from nbtrack.interrupts import Signal, Thread
from nbtrack.notebook.panels.sweep_wire import Message, sweep_message, total_of

if TYPE_CHECKING:
    from nbtrack.notebook.panels.stop_channel import MainThreadCall
    from nbtrack.sweeps.sweep import Sweep

FEATURE = "sweep panel"
EVERY_S = 0.2  # at most five times a second
TICK_S = 0.1
UNHEARD_RESENDS_S = (1.0, 2.0, 4.0, 8.0)  # until the page has said something
JOIN_S = 2.0
COMMANDS = ("stop", "pause", "go_on")


class SweepFeed:
    """Between a sweep and a page; `begin` and `end` around the sweep.

    Parameters
    ----------
    sweep
        That is followed.
    send
        Tells the page; it may be called in any thread.
    about
        What every message says besides.
    poll
        Has the main thread look for messages, where nobody else can.
    """

    def __init__(
        self,
        sweep: Sweep,
        send: Callable[[Message], object],
        *,
        about: Mapping[str, object],
        poll: MainThreadCall | None = None,
    ) -> None:
        self.was_heard = False
        self._about = about
        self._sweep = sweep
        self._send = send
        self._poll = poll
        self._n_total = total_of(sweep)
        self._wake, self._over = Signal(), Signal()
        self._asked: deque[str] = deque()
        self._heard: deque[str] = deque()  # ids of messages
        self._is_new = True
        self._told: tuple[object, ...] = ()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Follow it from now on."""
        self._sweep.on_change(self._changed)
        # Its messages belong to the cell in which it began.
        follow = contextvars.copy_context().run
        self._thread = Thread(partial(follow, self._follow), name="nbtrack-sweep-panel")
        self._thread.start()

    def end(self) -> None:
        """The sweep is over: tell the last of it, and follow it no longer."""
        self._over.set()
        self._wake.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(JOIN_S)

    @property
    def is_alive(self) -> bool:
        """Whether it follows the sweep now."""
        return self._thread is not None and self._thread.is_alive()

    def hear(self, kind: str, message_id: str) -> None:
        """Note a message of the page; from any thread."""
        self._heard.append(message_id)
        self.was_heard = True
        if kind in COMMANDS:
            self._asked.append(kind)
        self._is_new = True
        self._wake.set()

    def message(self) -> Message:
        """How the sweep stands."""
        return {**sweep_message(self._sweep, n_total=self._n_total), **self._about}

    # ---- its thread

    def _follow(self) -> None:
        with guard(FEATURE):
            began = time.monotonic()
            resends = [began + after for after in UNHEARD_RESENDS_S]
            sent_at = 0.0
            while not self._over.is_set():
                self._listen()
                now = time.monotonic()
                is_late = bool(resends) and now >= resends[0]
                if is_late:
                    resends.pop(0)
                self._is_new |= is_late and not self.was_heard
                self._is_new |= self._signs() != self._told
                if self._is_new and now - sent_at >= EVERY_S:
                    self._tell()
                    sent_at = now
                if self._sweep.wait(0):
                    break
            self._tell()

    def _listen(self) -> None:
        if self._poll is not None:
            self._poll.schedule()
        self._wake.wait(TICK_S)
        self._wake.clear()
        while self._heard:
            self._send({"type": "heard", "id": self._heard.popleft()})
        while self._asked:
            self._obey(self._asked.popleft())

    def _obey(self, kind: str) -> None:
        if kind == "stop":
            self._sweep.stop("panel")
        elif kind == "pause":
            self._sweep.pause()
        else:
            self._sweep.go_on()

    def _signs(self) -> tuple[object, ...]:
        """What may change without a trial that begins or ends."""
        return self._sweep.state, len(self._sweep.notes)

    def _tell(self) -> None:
        self._is_new, self._told = False, self._signs()
        self._send(self.message())

    def _changed(self) -> None:
        self._is_new = True  # it is told within a tick

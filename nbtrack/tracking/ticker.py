"""One thread for what is to be looked at again and again while runs live.

Each call says after how many seconds it wants to be called again, or None when it is
done with. Without calls there is no thread; in a forked child there is none either.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from nbtrack.guard import guard
from nbtrack.interrupts import Changes, Thread

Call = Callable[[], float | None]
_IDLE_S = 2.0  # an idle thread ends; the next call starts another


@dataclass
class _Due:
    at: float
    feature: str


class Ticker:
    """Calls what is due, each under the guard: a call that raises is called no more.

    >>> said = []
    >>> ticker = Ticker()
    >>> ticker.call(lambda: said.append("now"), feature="greeting")
    >>> ticker.is_quiet(timeout_s=1.0), said
    (True, ['now'])
    """

    def __init__(self) -> None:
        self._changed = Changes()
        self._due: dict[Call, _Due] = {}
        self._is_calling = False
        self._thread: threading.Thread | None = None
        self._inert = False
        os.register_at_fork(after_in_child=self._forked)

    def call(self, call: Call, *, feature: str) -> None:
        """Call at once in the thread, and again as often as the call says."""
        if self._inert:
            return
        with self._changed:
            self._due[call] = _Due(time.monotonic(), feature)
            if self._thread is None:
                self._thread = Thread(self._work, name="nbtrack-ticker")
                self._thread.start()
            self._changed.notify_all()

    def drop(self, call: Call) -> None:
        """Call no more; one that is under way is not waited for."""
        with self._changed:
            self._due.pop(call, None)
            self._changed.notify_all()

    def is_quiet(self, *, timeout_s: float) -> bool:
        """Wait until nothing is to be called any more; False when time is up."""
        with self._changed:
            return self._changed.wait_for(
                lambda: not self._due and not self._is_calling, timeout_s
            )

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._due:
                    self._changed.wait(_IDLE_S)
                if not self._due:
                    self._thread = None
                    return
                call, due = min(self._due.items(), key=lambda one: one[1].at)
                wait_s = due.at - time.monotonic()
                if wait_s > 0:
                    self._changed.wait(wait_s)
                    continue
                self._is_calling = True
            self._call(call, due)
            del call, due

    def _call(self, call: Call, due: _Due) -> None:
        again_s = None
        with guard(due.feature):
            again_s = call()
        with self._changed:
            self._is_calling = False
            # Asked for anew, or dropped, while it was under way: that holds.
            if self._due.get(call) is due:
                if again_s is None:
                    del self._due[call]
                else:
                    due.at = time.monotonic() + again_s
            self._changed.notify_all()

    def _forked(self) -> None:
        self._changed = Changes()
        self._inert, self._thread = True, None
        self._due.clear()


ticker = Ticker()

"""Scalars that a device still computes: kept in order, read when it is done.

Nothing here waits while the user's loop runs. A device that does not tell when it is
done is asked at the end. When the queue is full every second waiting value is let go,
and the series counts as thinned.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from nbtrack.capture.watch_values import Later
from nbtrack.guard import guard

QUEUE_MAX = 4096  # a clone takes 512 bytes of device memory: 2 MB
LOOK_EVERY = 16  # how often the oldest is asked; a query costs about a microsecond

Keep = Callable[[int, float, float], None]  # step, value, at


class DeviceQueue:
    """Waiting device scalars of a run, oldest first.

    >>> queue, seen = DeviceQueue(), []
    >>> keep = lambda step, value, at: seen.append((step, value))
    >>> queue.put(Later(lambda: 0.5, lambda: None), 7, 1.0, keep)
    >>> queue.finish()
    >>> seen
    [(7, 0.5)]
    """

    def __init__(self, limit: int = QUEUE_MAX) -> None:
        self.limit = limit
        self.n_dropped = 0
        self._waiting: deque[tuple[Later, int, float, Keep]] = deque()
        self._puts = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, later: Later, step: int, at: float, keep: Keep) -> None:
        """Add one; now and then hand over those that are ready."""
        self._waiting.append((later, step, at, keep))
        self._puts += 1
        if self._puts % LOOK_EVERY == 0:
            self.hand_over_ready()
        if len(self._waiting) > self.limit:
            self._thin()

    def hand_over_ready(self) -> None:
        """Read what the device says it has finished, oldest first."""
        while self._waiting and self._waiting[0][0].ready():
            self._hand_over(*self._waiting.popleft())

    def finish(self) -> None:
        """Read all that is left; this may wait for the device."""
        while self._waiting:
            self._hand_over(*self._waiting.popleft())

    def _hand_over(self, later: Later, step: int, at: float, keep: Keep) -> None:
        with guard("device values"):
            keep(step, later.read(), at)

    def _thin(self) -> None:
        kept = list(self._waiting)[::2]
        self.n_dropped += len(self._waiting) - len(kept)
        self._waiting = deque(kept)

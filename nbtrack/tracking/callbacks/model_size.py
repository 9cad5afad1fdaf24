"""How large a trained model is, counted without making the file.

The pickler writes to nowhere and gives up in time: large arrays pass it without a copy,
and a forest of millions of small objects does not hold up a cell.
"""

from __future__ import annotations

import pickle
import time
from typing import Any


class TooSlowError(Exception):
    """The time for measuring is over."""


class _Counter:
    """A file that keeps nothing but the number of bytes."""

    def __init__(self, deadline: float) -> None:
        self.n_bytes = 0
        self._deadline = deadline

    def write(self, data: bytes | memoryview) -> int:
        """Count; the pickler comes here every 64 KiB."""
        size = memoryview(data).nbytes
        self.n_bytes += size
        if time.perf_counter() > self._deadline:
            raise TooSlowError
        return size


def pickled_bytes(value: Any, *, within_s: float) -> int:
    """How large the pickle of a value is, without making it.

    >>> pickled_bytes([1, 2], within_s=1.0)
    20

    Raises
    ------
    TooSlowError
        When it takes longer than `within_s`.
    """
    counter = _Counter(time.perf_counter() + within_s)
    pickle.Pickler(counter, protocol=5).dump(value)
    return counter.n_bytes

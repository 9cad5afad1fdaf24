"""Stop in processes that train together: every rank's loop ends at the same epoch.

A rank that left alone would let the others wait in `all_reduce` for ever. The rank that
is asked to stop says so in the key-value store of the process group, does one more
epoch, and all stop behind it. They have seen it by then: an epoch of a distributed
training has a collective call that needs every rank, and what was said before it is
there after it. Nothing is broadcast: a rank that is dead, or that has no loop of ours,
holds nobody up.
"""

from __future__ import annotations

import itertools
import sys
from typing import Any
from weakref import WeakKeyDictionary

from nbtrack.guard import guard
from nbtrack.tracking.ranks import group_is_there
from nbtrack.tracking.run import Run

_numbers = itertools.count()  # of runs with a loop: the same in every rank
_of_run: WeakKeyDictionary[Run, AgreedStop] = WeakKeyDictionary()


class AgreedStop:
    """What the ranks have agreed on in one run; `n_asked` counts alike in all."""

    def __init__(self) -> None:
        self._key = f"nbtrack/stop/{next(_numbers)}"
        self._n_asked = 0
        self._last: int | None = None

    def is_due(self, run: Run) -> bool:
        """Whether the loop ends here; asked before each epoch, in every rank."""
        now = self._n_asked
        self._n_asked += 1
        if self._last is None:
            # What holds where the group cannot be asked: this rank stops alone.
            self._last = now if run.stop.requested else None
            with guard("agreeing on a stop"):
                self._last = self._agreed(now, is_asked=run.stop.requested)
        if self._last is None or now < self._last:
            return False
        if not run.stop.requested:
            run.stop.request("another rank")
        return True

    def _agreed(self, now: int, *, is_asked: bool) -> int | None:
        store = _group_store()
        if is_asked:  # the first to say so decides
            return int(store.compare_set(self._key, "", str(now + 1)))
        return int(store.get(self._key)) if store.check([self._key]) else None


def stops(run: Run) -> bool:
    """Whether a loop over epochs ends here."""
    if run.place is None or not group_is_there():
        return run.stop.requested
    if run not in _of_run:
        _of_run[run] = AgreedStop()
    return _of_run[run].is_due(run)


def loop_is_through(run: Run) -> None:
    """All epochs are done; a stop that was to end them is no exception later on."""
    if run.place is not None and run.stop.requested:
        run.stop.honour()


def _group_store() -> Any:  # Any: torch is not imported to name its type
    return sys.modules["torch.distributed.distributed_c10d"]._get_default_store()

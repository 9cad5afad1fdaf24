"""How fast a training goes: iterations, samples and tokens per second.

Counted while batches are trained, data loading included; validation, saving and what
else happens between epochs is left out. Counting a batch costs below a microsecond and
never asks a device to wait.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

PERF = "perf/"  # how the names of these metrics begin
EVERY_S = 10.0  # an epoch may last for hours: within it the speed is told this often


class Pace:
    """Counts batches; `read` tells the speed since it was read last.

    >>> now = iter([0.0, 0.0, 2.0, 4.0]).__next__
    >>> pace = Pace(clock=now)
    >>> pace.mark(), pace.tick(n_samples=8), pace.tick(n_samples=8)
    (None, None, None)
    >>> pace.read()
    {'perf/it_per_s': 0.5, 'perf/samples_per_s': 4.0}
    """

    def __init__(self, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._marked = clock()
        self._start()

    @property
    def is_due(self) -> bool:
        """Whether it was not read for so long that it should be, within an epoch."""
        return self._seconds >= EVERY_S

    def mark(self) -> None:
        """What was done since the last batch ended was not training."""
        self._marked = self._clock()

    def tick(
        self, *, n_batches: int = 1, n_samples: int = 0, n_tokens: int = 0
    ) -> None:
        """A batch has ended, or several at once."""
        now = self._clock()
        self._seconds += now - self._marked
        self._marked = now
        self._n_batches += n_batches
        self._n_samples += n_samples
        self._n_tokens += n_tokens

    def count(self, *, n_samples: int = 0, n_tokens: int = 0) -> None:
        """Add what is known of a batch apart from its end."""
        self._n_samples += n_samples
        self._n_tokens += n_tokens

    def read(self) -> dict[str, float]:
        """Metrics of what was counted, which then begins anew; empty for nothing."""
        seconds = self._seconds
        counted = {
            f"{PERF}it_per_s": self._n_batches,
            f"{PERF}samples_per_s": self._n_samples,
            f"{PERF}tokens_per_s": self._n_tokens,
        }
        self._start()
        if seconds <= 0:
            return {}
        return {name: n / seconds for name, n in counted.items() if n}

    def _start(self) -> None:
        self._seconds = 0.0
        self._n_batches = self._n_samples = self._n_tokens = 0


def n_samples_in(batch: Any) -> int:  # Any: batches of every framework
    """The length of the first array in a batch; 0 where there is none.

    >>> n_samples_in({"x": [1, 2]}), n_samples_in("text")
    (0, 0)
    """
    shape = getattr(batch, "shape", None)
    if shape is not None:
        return int(shape[0]) if len(shape) else 0
    for part in _parts_of(batch):
        n = n_samples_in(part)
        if n:
            return n
    return 0


def n_tokens_in(batch: Any, *, key: str = "input_ids") -> int:
    """How many token ids a batch holds, padding included; 0 where it holds none.

    >>> n_tokens_in({"x": 1})
    0
    """
    # `BatchEncoding` of Transformers is no Mapping by its class, but by its methods.
    if not hasattr(batch, "keys") or key not in batch:
        return 0
    n = 1
    for size in getattr(batch[key], "shape", (0,)):
        n *= int(size)
    return n


def _parts_of(batch: Any) -> Iterable[Any]:
    if isinstance(batch, Mapping) or hasattr(batch, "values"):
        return batch.values() if callable(batch.values) else ()
    return batch if isinstance(batch, list | tuple) else ()

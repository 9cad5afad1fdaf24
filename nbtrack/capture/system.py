"""The machine under a run: memory and CPU, cheap enough to ask for ten times a second.

A sample costs under 100 us and never waits: CPU shares are those since the sample
before (0.0 in the first). Nothing is started, nothing is read but /proc.
"""

from __future__ import annotations

import time
from collections.abc import Callable


class SystemSampler:
    """Samples this process and its machine; one for each place that shows it.

    Parameters
    ----------
    clock, cpu_clock : callable, optional
        Seconds that passed, and CPU seconds that this process used.

    Examples
    --------
    >>> sampler = SystemSampler()
    >>> sorted(sampler.sample())
    ['cpu_percent', 'peak_rss_bytes', 'process_cpu_percent', 'ram_percent', 'rss_bytes']
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        cpu_clock: Callable[[], float] = time.process_time,
    ) -> None:
        import psutil

        self._psutil = psutil
        self._process = psutil.Process()
        self._clock = clock
        self._cpu_clock = cpu_clock
        self._at, self._cpu_s = clock(), cpu_clock()
        self._peak_bytes = 0
        self._busy_s, self._total_s = self._machine_seconds()

    def sample(self) -> dict[str, float]:
        """The state of now.

        Returns
        -------
        dict
            `rss_bytes` and `peak_rss_bytes` (the highest one sampled) of this process;
            `process_cpu_percent`, 100 for each busy core; `cpu_percent` and
            `ram_percent` of the whole machine.
        """
        rss = self._process.memory_info().rss
        self._peak_bytes = max(self._peak_bytes, rss)
        return {
            "rss_bytes": rss,
            "peak_rss_bytes": self._peak_bytes,
            "process_cpu_percent": self._process_cpu_percent(),
            "cpu_percent": self._cpu_percent(),
            "ram_percent": self._psutil.virtual_memory().percent,
        }

    def _process_cpu_percent(self) -> float:
        # psutil reads /proc for this and costs 25 us; the clock of the process 0.3.
        at, cpu_s = self._clock(), self._cpu_clock()
        passed, used = at - self._at, cpu_s - self._cpu_s
        self._at, self._cpu_s = at, cpu_s
        return round(100.0 * used / passed, 1) if passed > 0 else 0.0

    def _cpu_percent(self) -> float:
        # Not psutil.cpu_percent(): its marks are shared by all callers of a thread.
        busy_s, total_s = self._machine_seconds()
        busy, passed = busy_s - self._busy_s, total_s - self._total_s
        self._busy_s, self._total_s = busy_s, total_s
        return round(100.0 * max(0.0, busy) / passed, 1) if passed > 0 else 0.0

    def _machine_seconds(self) -> tuple[float, float]:
        """Busy and all CPU seconds of the machine since it started."""
        times = self._psutil.cpu_times()
        idle = times.idle + getattr(times, "iowait", 0.0)
        # Guest time is counted in user time already.
        guest = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
        total = sum(times) - guest
        return total - idle, total

"""The machine under a run: memory, CPU, disk, network and GPU, cheap to ask often.

A look at everything costs a fifth of a millisecond and never waits: the files of /proc
are read once each, and shares and rates are those since the look before. What cannot be
had on a machine is left out with its reason; what fails later is said once and left out
from then on. Nothing is started, no framework is imported, no GPU is initialised.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Protocol

from nbtrack.errors import NbtrackError
from nbtrack.guard import guard, tolerated

PROC = Path("/proc")
MIN_PERIOD_S = 0.05  # counters of the kernel tick every 10 ms: nearer ones tell nothing
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class NotHereError(NbtrackError):
    """A machine has nothing of the kind; no trouble, only a fact."""


class Probe(Protocol):
    """One look at one part of the machine."""

    def read(self) -> dict[str, float]:
        """What is known now; rates only when some time has passed."""


class Probes:
    """Several probes under one call: what one raises costs the others nothing.

    Parameters
    ----------
    makers : mapping
        What makes each probe, by the name under which a warning speaks of it.

    Examples
    --------
    >>> probes = Probes({"memory": Memory})
    >>> sorted(probes.read())
    ['ram_percent', 'rss_bytes']
    """

    def __init__(self, makers: Mapping[str, Callable[[], Probe]] | None = None) -> None:
        self.missing: dict[str, str] = {}  # why a probe says nothing, by its name
        self._probes: dict[str, Probe] = {}
        for name, make in (makers or {}).items():
            self.add(name, make)

    def __contains__(self, name: str) -> bool:
        return name in self._probes

    def add(self, name: str, make: Callable[[], Probe]) -> None:
        """Make a probe; one that this machine cannot have is noted, not warned of."""
        with tolerated(partial(self._not_made, name)):
            self._probes[name] = make()

    def read(self) -> dict[str, float]:
        """What all probes know now."""
        found: dict[str, float] = {}
        for name, probe in list(self._probes.items()):
            with tolerated(partial(self._fails, name)):
                found.update(probe.read())
        return found

    def _not_made(self, name: str, exc: Exception) -> None:
        if isinstance(exc, NotHereError | OSError):
            self.missing[name] = str(exc)
        else:
            self._fails(name, exc)

    def _fails(self, name: str, exc: Exception) -> None:
        self._probes.pop(name, None)
        self.missing[name] = f"{type(exc).__name__}: {exc}"
        guard.failed(f"the {name} probe", exc)


class Rates:
    """How fast counters grow, per second; nothing when the looks are too close.

    >>> now = [0.0]
    >>> rates = Rates(clock=lambda: now[0])
    >>> rates.since({"read": 100.0})
    {}
    >>> now[0] = 2.0
    >>> rates.since({"read": 300.0})
    {'read': 100.0}
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        min_s: float = MIN_PERIOD_S,
    ) -> None:
        self._clock, self._min_s = clock, min_s
        self._at: float | None = None
        self._before: Mapping[str, float] = {}

    def since(self, totals: Mapping[str, float]) -> dict[str, float]:
        """The growth of each counter since it was last told of."""
        now = self._clock()
        if self._at is None:
            self._at, self._before = now, totals
            return {}
        passed = now - self._at
        if passed < self._min_s or passed <= 0:
            return {}
        before, self._at, self._before = self._before, now, totals
        # A counter that is new (a disk plugged in) or began anew has not grown.
        return {
            name: max(0.0, total - before.get(name, total)) / passed
            for name, total in totals.items()
        }


class Cpu:
    """Busy shares: `cpu_percent` of all cores, `process_cpu_percent` 100 for each."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        cpu_clock: Callable[[], float] = time.process_time,
    ) -> None:
        self._cpu_clock = cpu_clock
        # The clock of the process is exact: any time between two looks will do.
        self._own = Rates(clock=clock, min_s=0.0)
        self._machine = Rates(clock=clock)
        self.read()

    def read(self) -> dict[str, float]:
        """Shares since the look before."""
        found = {}
        own = self._own.since({"cpu": self._cpu_clock()})
        if own:
            found["process_cpu_percent"] = round(100.0 * own["cpu"], 1)
        busy_s, total_s = _machine_seconds()
        machine = self._machine.since({"busy": busy_s, "total": total_s})
        if machine and machine["total"] > 0:
            share = machine["busy"] / machine["total"]
            found["cpu_percent"] = round(100.0 * min(1.0, share), 1)
        return found


class Memory:
    """`rss_bytes` of this process, and `ram_percent` of the machine."""

    def read(self) -> dict[str, float]:
        """Levels of now."""
        return {"rss_bytes": resident_bytes("self"), "ram_percent": _ram_percent()}


class SystemSampler:
    """The line under a live panel: this process and its machine.

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
        self._cpu = Cpu(clock=clock, cpu_clock=cpu_clock)
        self._memory = Memory()
        self._peak_bytes = 0.0

    def sample(self) -> dict[str, float]:
        """The state of now.

        Returns
        -------
        dict
            `rss_bytes` and `peak_rss_bytes` (the highest one sampled) of this process;
            `process_cpu_percent`, 100 for each busy core; `cpu_percent` and
            `ram_percent` of the whole machine. Shares are 0.0 in the first sample.
        """
        memory = self._memory.read()
        self._peak_bytes = max(self._peak_bytes, memory["rss_bytes"])
        return {
            "process_cpu_percent": 0.0,
            "cpu_percent": 0.0,
            **memory,
            "peak_rss_bytes": self._peak_bytes,
            **self._cpu.read(),
        }


def resident_bytes(process: str) -> float:
    """Memory that a process holds now; OSError when it is gone.

    >>> resident_bytes("self") > 1_000_000
    True
    """
    if not PROC.is_dir():
        import psutil

        return float(psutil.Process().memory_info().rss)
    pages = (PROC / process / "statm").read_bytes().split()[1]
    return float(int(pages) * _PAGE_BYTES)


def high_water_bytes() -> float | None:
    """The most memory that this process ever held; None where the kernel is silent.

    It is the kernel's own mark (`VmHWM`), right to some 100 KB: it sees what stands
    between two samples, but is of the process's whole life, and is lowered when
    somebody writes to `clear_refs`.
    """
    try:
        status = (PROC / "self" / "status").read_bytes()
    except OSError:
        return None
    _, found, rest = status.partition(b"VmHWM:")
    return float(int(rest.split(maxsplit=1)[0]) * 1024) if found else None


def _ram_percent() -> float:
    if not PROC.is_dir():
        import psutil

        return float(psutil.virtual_memory().percent)
    # The two numbers stand in the first three lines of some fifty.
    with (PROC / "meminfo").open("rb") as file:
        known = dict(_meminfo_line(file.readline()) for _ in range(3))
    total, free = known["MemTotal"], known["MemAvailable"]
    return round(100.0 * (total - free) / total, 1)


def _meminfo_line(line: bytes) -> tuple[str, int]:
    name, _, rest = line.partition(b":")
    return name.decode(), int(rest.split()[0])


def _machine_seconds() -> tuple[float, float]:
    """Busy and all CPU seconds of the machine since it started."""
    if not PROC.is_dir():
        import psutil

        times = psutil.cpu_times()
        return sum(times) - times.idle, sum(times)
    with (PROC / "stat").open("rb") as file:
        # user nice system idle iowait irq softirq steal; guests are in user already.
        ticks = [int(number) for number in file.readline().split()[1:9]]
    total = sum(ticks)
    return float(total - ticks[3] - ticks[4]), float(total)

"""The series of the machine under every run: `system/cpu_percent` and its like.

One look at the machine serves all runs of the process: every second while a run is
younger than ten minutes, then every five. The series have a time axis of their own
(their step is the number of the sample) and go straight to the journal: they are no
metrics of the run, name no checkpoint and stand in no table. The first sample comes at
once and the last at the end, so that a short run has some too.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from nbtrack.capture.gpu_load import Nvidia, TorchMemory, torch_peak_bytes
from nbtrack.capture.system import Cpu, Memory, Probe, Probes, high_water_bytes
from nbtrack.capture.system_io import Children, Disk, DiskFree, Network
from nbtrack.records import SYSTEM_PREFIX, Fact
from nbtrack.tracking.ticker import ticker

if TYPE_CHECKING:
    from nbtrack.records import RunRecord
    from nbtrack.tracking.run import Run

FEATURE = "system"
EVERY_S = 1.0
LATER_EVERY_S = 5.0  # of a run that is older than
LONG_RUN_S = 600.0
TELL_PEAK_EVERY_S = 5.0  # a process that the kernel kills tells nothing at its end
LAST_LOOK_S = 0.2  # a run's end waits no longer for a driver that hangs
_GROWN = 1.02  # a peak is told again when it has grown by more
_GPU = "GPU"


class SystemPart:
    """Follows the machine while a run lives; see the module."""

    feature = FEATURE

    def begin(self, run: Run) -> None:
        """Have the run looked after; the first look is the thread's."""
        _machine.follow(run)

    def end(self, run: Run) -> None:
        """Take the last sample, and keep the peaks."""
        _machine.leave(run)


class _Peaks:
    """The most memory that a run took, as exactly as it can be known.

    The kernel and torch keep a mark of the process's whole life. Where the mark rose
    during the run it is the run's own peak; where it did not, the highest sample is
    what is known. No mark is reset: they may be the user's.
    """

    def __init__(self, before: RunRecord | None = None) -> None:
        self._rss_mark = high_water_bytes()
        self._vram_mark = torch_peak_bytes()
        # Of a run that is resumed: what its earlier life took counts too.
        self._rss: float | None = before.peak_rss_bytes if before else None
        self._vram: float | None = before.peak_vram_bytes if before else None
        self._told = 0.0
        self._told_at = time.monotonic()

    def see(self, sample: dict[str, float]) -> None:
        """Take the levels of a sample."""
        self._rss = _highest(self._rss, sample.get("rss_bytes"))
        own = _total(sample, "cuda", "_allocated_bytes")
        if own is None:
            own = _total(sample, "gpu", "_own_memory_bytes")
        self._vram = _highest(self._vram, own)

    def to_tell(self) -> dict[str, int]:
        """What is worth keeping now, in case the process is killed; often nothing."""
        now = time.monotonic()
        has_grown = (self._rss or 0.0) > _GROWN * self._told
        if not has_grown or now - self._told_at < TELL_PEAK_EVERY_S:
            return {}
        self._told, self._told_at = self._rss or 0.0, now
        return _whole({"peak_rss_bytes": self._rss, "peak_vram_bytes": self._vram})

    def at_end(self) -> tuple[dict[str, int], list[Fact]]:
        """The peaks of the ended run, and where each number is from."""
        rss, rss_from = _peak(self._rss, self._rss_mark, high_water_bytes())
        vram, vram_from = _peak(self._vram, self._vram_mark, torch_peak_bytes())
        facts = [Fact("system.peak_rss_from", rss_from)]
        if vram is not None:
            facts.append(Fact("system.peak_vram_from", vram_from))
        return _whole({"peak_rss_bytes": rss, "peak_vram_bytes": vram}), facts

    @property
    def knows_vram(self) -> bool:
        """Whether anything was seen of this process's memory on a GPU."""
        return self._vram is not None


class _Followed:
    """One run and its series."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.since = time.monotonic()
        before = run.earlier.record if run.earlier else None
        self.peaks = _Peaks(before)
        self._journal = run.store.journal
        known = before.system.values() if before else ()
        self._steps = count(max((m.last_step + 1 for m in known), default=0))
        self._series: dict[str, int] = {}

    def keep(self, sample: dict[str, float]) -> None:
        """Write a sample; its names become series when they are first seen."""
        step, at = next(self._steps), time.time()
        for name, value in sample.items():
            series = self._series.get(name)
            if series is None:
                series = self._journal.series(self.run.id, f"{SYSTEM_PREFIX}{name}")
                self._series[name] = series
            self._journal.point(series, step, value, at)
        self.peaks.see(sample)

    def tell_peaks(self) -> None:
        """Keep peaks that have grown."""
        self.run.log_measured(**self.peaks.to_tell())


class Machine:
    """The one sampler of the process, with the runs that it serves."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # of the list of runs: held for moments
        self._looking = threading.Lock()  # of the probes: a driver may take its time
        self._followed: list[_Followed] = []
        self._probes: Probes | None = None
        os.register_at_fork(after_in_child=self._forked)

    def follow(self, run: Run) -> None:
        """Serve this run too, from now on."""
        followed = _Followed(run)
        with self._lock:
            self._followed.append(followed)
        ticker.call(self._tick, feature=FEATURE)

    def leave(self, run: Run) -> None:
        """Take a last sample for the run and serve it no more."""
        with self._lock:
            mine = [one for one in self._followed if one.run is run]
            self._followed = [one for one in self._followed if one.run is not run]
        sample, missing = self._last_look(run.store.path) if mine else ({}, {})
        for followed in mine:
            followed.keep(sample)
            measured, facts = followed.peaks.at_end()
            run.log_measured(**measured)
            run.log_facts([*facts, *_missing_facts(missing, followed.peaks)])

    def _last_look(self, store: Path) -> tuple[dict[str, float], dict[str, str]]:
        if not self._looking.acquire(timeout=LAST_LOOK_S):
            return {}, {}
        try:
            probes = self._ready(store)
            sample, missing = probes.read(), dict(probes.missing)
            if not self._followed:
                self._probes = None  # shares of a later run are not of the time between
        finally:
            self._looking.release()
        return sample, missing

    def _tick(self) -> float | None:
        """One look for all; how long to wait for the next."""
        with self._lock:
            served = list(self._followed)
        if not served:
            return None
        with self._looking:
            probes = self._ready(served[0].run.store.path)
            sample = probes.read()
            for followed in served:
                followed.keep(sample)
                followed.tell_peaks()
        if _GPU not in probes and _GPU not in probes.missing:
            # Loading the driver's library takes a while: a run that ends meanwhile
            # must not wait for it.
            probes.add(_GPU, Nvidia)
        youngest_s = min(time.monotonic() - one.since for one in served)
        return EVERY_S if youngest_s < LONG_RUN_S else LATER_EVERY_S

    def _ready(self, store: Path) -> Probes:
        if self._probes is None:
            self._probes = Probes({**_PROBES, "disk space": partial(DiskFree, store)})
        return self._probes

    def _forked(self) -> None:
        self._lock, self._looking = threading.Lock(), threading.Lock()
        self._followed, self._probes = [], None


def _missing_facts(missing: dict[str, str], peaks: _Peaks) -> list[Fact]:
    """Why a series or a peak is not there."""
    facts = [
        Fact(f"system.{name.replace(' ', '_').lower()}", missing=why)
        for name, why in missing.items()
    ]
    if not peaks.knows_vram:
        why = missing.get(_GPU) or (
            "torch has no CUDA context, and the driver does not tell the memory of "
            "this process"
        )
        facts.append(Fact("system.peak_vram_from", missing=why))
    return facts


def _peak(
    sampled: float | None, before: float | None, after: float | None
) -> tuple[float | None, str]:
    """The peak of a run from its samples and a mark of the process's life."""
    if after is not None and after > (before or 0.0):
        # More was sampled in an earlier life alone, of a run that was resumed.
        return _highest(after, sampled), "a high-water mark that rose during the run"
    return sampled, "samples: peaks between two of them are not seen"


def _highest(known: float | None, new: float | None) -> float | None:
    return max((n for n in (known, new) if n is not None), default=None)


def _total(sample: dict[str, float], start: str, end: str) -> float | None:
    parts = [
        value
        for name, value in sample.items()
        if name.startswith(start) and name.endswith(end)
    ]
    return sum(parts) if parts else None


def _whole(measured: dict[str, float | None]) -> dict[str, int]:
    return {name: int(value) for name, value in measured.items() if value is not None}


_PROBES: dict[str, Callable[[], Probe]] = {
    "CPU": Cpu,
    "memory": Memory,
    "disk": Disk,
    "network": Network,
    "children": Children,
    "torch": TorchMemory,
}
_machine = Machine()

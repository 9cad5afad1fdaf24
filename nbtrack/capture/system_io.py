"""Disk, network and child processes under a run, from the counters of the kernel.

Disks and network are the whole machine's: what other programs do is in them too. Layers
upon disks (partitions, device mapper, loop files) and upon network cards (bridges of
containers) are left out, as their bytes would be counted twice.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from nbtrack.capture import system
from nbtrack.capture.system import NotHereError, Rates

_SECTOR_BYTES = 512  # the unit of /proc/diskstats, whatever the disk's own
_LAYER = re.compile(rb"loop|ram|zram|dm-|md|sr|fd|nbd")
_OWN_TRAFFIC = re.compile(rb"lo$|ifb|veth|docker|br-|virbr|tun|tap|dummy|bond")
_FIND_CHILDREN_S = 5.0  # workers live for an epoch at least
MAX_CHILDREN = 256  # processes looked at; a sampler must stay cheap


class Disk:
    """`disk_read_bytes_per_s` and `disk_write_bytes_per_s` of all disks."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rates = Rates(clock=clock)
        self.read()

    def read(self) -> dict[str, float]:
        """Rates since the look before."""
        read, written = 0, 0
        for line in (system.PROC / "diskstats").read_bytes().splitlines():
            fields = line.split()
            if _is_whole_disk(fields[2]):
                read += int(fields[5])
                written += int(fields[9])
        return self._rates.since(
            {
                "disk_read_bytes_per_s": read * _SECTOR_BYTES,
                "disk_write_bytes_per_s": written * _SECTOR_BYTES,
            }
        )


class DiskFree:
    """`disk_free_bytes` where a folder lies, for this user."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self) -> dict[str, float]:
        """The level of now."""
        found = os.statvfs(self._folder)
        return {"disk_free_bytes": float(found.f_bavail * found.f_frsize)}


class Network:
    """`network_received_bytes_per_s` and `network_sent_bytes_per_s` of all cards."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rates = Rates(clock=clock)
        self.read()

    def read(self) -> dict[str, float]:
        """Rates since the look before."""
        received, sent = 0, 0
        lines = (system.PROC / "net" / "dev").read_bytes().splitlines()[2:]
        for line in lines:
            name, _, numbers = line.partition(b":")
            fields = numbers.split()
            if not _OWN_TRAFFIC.match(name.strip()):
                received += int(fields[0])
                sent += int(fields[8])
        return self._rates.since(
            {"network_received_bytes_per_s": received, "network_sent_bytes_per_s": sent}
        )


class Children:
    """`children_rss_bytes`: memory of the processes that this one started.

    Pages that a forked worker shares with its parent count again. Nothing is said
    before the first child is seen.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        if not (system.PROC / "self" / "task").is_dir():
            raise NotHereError("this system does not list the children of a process")
        self._clock = clock
        self._known: list[str] = []
        self._looked_at = float("-inf")
        self._had_any = False

    def read(self) -> dict[str, float]:
        """The level of now; who the children are is looked up every few seconds."""
        now = self._clock()
        if now - self._looked_at >= _FIND_CHILDREN_S:
            self._known, self._looked_at = list(_descendants("self")), now
        self._had_any = self._had_any or bool(self._known)
        return {"children_rss_bytes": self._total()} if self._had_any else {}

    def _total(self) -> float:
        total, living = 0.0, []
        for child in self._known:
            try:
                total += system.resident_bytes(child)
            except (OSError, IndexError):
                continue  # it has ended
            living.append(child)
        self._known = living
        return total


def _descendants(process: str) -> dict[str, None]:
    """Ids of the processes below one, itself left out."""
    found: dict[str, None] = {}
    waiting = [process]
    while waiting and len(found) < MAX_CHILDREN:
        for child in _children(waiting.pop()):
            if child not in found:
                found[child] = None
                waiting.append(child)
    return found


def _children(process: str) -> list[str]:
    """The children of every thread of a process; none when it has ended."""
    tasks = system.PROC / process / "task"
    children: list[str] = []
    try:
        for thread in os.listdir(tasks):
            children += (tasks / thread / "children").read_text("ascii").split()
    except OSError:
        return children
    return children


def _is_whole_disk(name: bytes) -> bool:
    """`sda`, `nvme0n1`, `vda`, `mmcblk0`; not `sda1`, `nvme0n1p2`, `loop3`."""
    if _LAYER.match(name):
        return False
    if name.startswith((b"nvme", b"mmcblk")):
        return re.search(rb"p\d+$", name) is None
    return not name[-1:].isdigit()

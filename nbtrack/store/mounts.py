"""Tells network and FUSE mounts apart, from the kernel's own mount table.

On those SQLite's WAL and shared memory maps are not safe, so the store uses neither.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

MOUNTINFO = Path("/proc/self/mountinfo")
# fmt: off
_NETWORK = frozenset((
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "lustre", "afs", "ceph", "glusterfs",
    "gpfs", "beegfs", "virtiofs", "vboxsf", "prl_fs", "ocfs2", "gfs2", "davfs", "fuse",
))
# fmt: on
_OCTAL = re.compile(r"\\([0-7]{3})")


def is_network(path: Path, *, mountinfo: Path | None = None) -> bool:
    """Whether `path` lies on a mount where WAL and mmap must not be used.

    An unreadable mount table counts as local: it is the ordinary case on one machine.
    """
    kind = _kind_of(os.path.realpath(path), mountinfo or MOUNTINFO)
    return kind in _NETWORK or kind.startswith("fuse.")


def _kind_of(path: str, mountinfo: Path) -> str:
    best, kind = "", ""
    for point, fstype in _mounts(mountinfo):
        # The later of two mounts on one point hides the earlier, hence >=.
        if _holds(point, path) and len(point) >= len(best):
            best, kind = point, fstype
    return kind


def _holds(point: str, path: str) -> bool:
    return point == "/" or path == point or path.startswith(point + "/")


def _mounts(mountinfo: Path) -> Iterator[tuple[str, str]]:
    try:
        lines = mountinfo.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(" "), after.split(" ")
        if len(fields) > 4 and kinds[0]:
            yield _OCTAL.sub(lambda m: chr(int(m[1], 8)), fields[4]), kinds[0]

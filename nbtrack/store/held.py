"""Who holds a lock on a file, by the kernel's own list: the file is not opened.

To open and close it would drop the locks that this process has on it. Files are told by
their inode alone: some file systems (btrfs, overlays) name another device there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

LOCKS = Path("/proc/locks")


def holders(paths: Iterable[Path], *, kinds: tuple[str, ...] = ("WRITE",)) -> set[int]:
    """The processes that hold locks of these kinds on these files, this one too.

    Empty where the list cannot be read; one of another machine or container is not in
    it, or is called -1.
    """
    inodes = set()
    for path in paths:
        with suppress(OSError):
            inodes.add(str(os.stat(path).st_ino))
    found = set()
    with suppress(OSError):
        for line in LOCKS.read_text().splitlines():
            fields = line.split()
            # "1: POSIX ADVISORY WRITE 123 fd:01:456 0 EOF"; who waits has a "->".
            is_held = len(fields) > 5 and fields[3] in kinds
            if is_held and fields[5].rpartition(":")[2] in inodes:
                found.add(int(fields[4]))
    return found

"""Copies a damaged database byte by byte, in a process of its own.

Whoever opens a database file but through SQLite drops the locks of its own process on
it when closing; a child has none to lose. What the disk cannot read becomes zeros: one
page that is lost, not all behind it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from nbtrack.errors import StoreError

_COPY = """
import os, sys
source, target = sys.argv[1:]
reading = os.open(source, os.O_RDONLY)
writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
size, step, at = os.fstat(reading).st_size, 1 << 20, 0
while at < size:
    try:
        piece = os.pread(reading, min(step, size - at), at)
    except OSError:
        if step > 512:
            step //= 2
            continue
        piece = bytes(min(step, size - at))
    if not piece:
        break
    view = memoryview(piece)
    while view:
        view = view[os.write(writing, view):]
    at += len(piece)
    step = 1 << 20
"""


def copy_apart(source: Path, target: Path) -> None:
    """Copy a database file, or its log; StoreError where that cannot be done."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", _COPY, str(source), str(target)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()[-1:] or ["it cannot be read"]
        raise StoreError(f"{source} cannot be copied to be read: {said[0]}.")

"""R12: a folder that cannot be written is read, and logging only warns."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]

READ_ONLY = """
import os, sys
from nbtrack.store import Store
from nbtrack.errors import StoreError
import nbtrack.store.curves, nbtrack.store.events  # the stdlib may be root's alone
os.setgid(65534); os.setuid(65534)
store = Store.open(sys.argv[1])
print(store.read_only, len(store.runs()), len(store.curve("r0", "loss")))
journal = store.journal
journal.emit({"kind": "run_started", "run": "new"})
journal.point(journal.series("new", "loss"), 0, 1.0, 1e9)
try:
    store.edit({"kind": "tags", "run": "r0", "set": {"a": None}})
except StoreError as exc:
    print(exc)
print(journal.dropped, journal.flush(0.1))
store.close()
"""


def test_r12_a_read_only_folder_is_read_and_logging_only_warns(filled):
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    for path in (filled, *filled.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    for parent in filled.parents:
        if not parent.stat().st_mode & 0o005 and parent != parent.parent:
            parent.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", READ_ONLY, str(filled)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "True 20 500", done.stderr
    assert "open for reading only" in lines[1]
    assert lines[2] == "3 False"
    assert done.stderr.count("nbtrack:") == 1
    assert "open for reading only. Set NBTRACK_STORE to" in done.stderr

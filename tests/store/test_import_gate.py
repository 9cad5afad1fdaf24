"""The gate that keeps forks out of imports of other threads."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from nbtrack.store.import_gate import FORK_WAIT_S, ImportGate

FORKS_IN_MID_IMPORT = """
import os, sys, threading, time
import nbtrack.store
threading.Thread(target=lambda: __import__("slow_to_import")).start()
while "slow_to_import" not in sys.modules:
    time.sleep(0.001)
for _ in range(2):
    pid = os.fork()
    if pid == 0:
        import json.tool, slow_to_import
        os._exit(0 if slow_to_import.is_whole else 1)
    assert os.waitpid(pid, 0)[1] == 0
import slow_to_import, wave
assert slow_to_import.is_whole
"""


def forked(folder, takes_s, wait_s):
    """Run the script in which a module takes so long to be imported."""
    module = f"import time\ntime.sleep({takes_s})\nis_whole = True\n"
    (folder / "slow_to_import.py").write_text(module)
    return subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKS_IN_MID_IMPORT],
        cwd=folder,
        env={"PYTHONPATH": ":".join([str(folder), *sys.path])},
        timeout=wait_s,
    ).returncode


def test_a_child_that_is_forked_in_mid_import_can_import_the_same(tmp_path):
    assert forked(tmp_path, takes_s=0.2, wait_s=30) == 0


@pytest.mark.reproduce
def test_a_fork_waits_for_an_import_no_longer_than_its_time(tmp_path, monkeypatch):
    import threading

    (tmp_path / "very_slow_to_import.py").write_text("import time\ntime.sleep(3)\n")
    monkeypatch.syspath_prepend(tmp_path)
    thread = threading.Thread(target=lambda: __import__("very_slow_to_import"))
    thread.start()
    while "very_slow_to_import" not in sys.modules:
        time.sleep(0.001)
    gate, began = ImportGate(), time.monotonic()
    gate.close()
    assert FORK_WAIT_S * 0.9 < time.monotonic() - began < FORK_WAIT_S + 2
    gate.open()
    thread.join()
    gate.close()
    gate.open()

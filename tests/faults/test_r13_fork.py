"""R13: after fork the child's journal is inert and the parent loses nothing."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from nbtrack.store import Store

pytestmark = [pytest.mark.faults, pytest.mark.timeout(90)]
FORKS = 300


def in_child(store, journal, series, n):
    """All that a worker might do with what it inherited."""
    journal.point(series, 10**9 + n, 0.0, 0.0)
    journal.emit({"kind": "tags", "run": "r", "set": {"child": None}})
    alright = journal.dropped == 0 and not journal.flush(0.1)
    alright = alright and store.run("r").status == "running"
    store.close()
    return 0 if alright else 1


# Python 3.12 warns of any fork in a process with threads, which is the point here.
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_r13_forks_in_mid_run_leave_the_parent_whole(store):
    journal = store.journal
    journal.emit({"kind": "run_started", "run": "r"})
    series = journal.series("r", "loss")
    assert journal.flush()
    assert store.run("r").id == "r"
    stop, logged = threading.Event(), 0

    def log():
        nonlocal logged
        while not stop.is_set():
            for _ in range(20):
                journal.point(series, logged, float(logged), 1e9)
                logged += 1
            time.sleep(0.0005)

    thread = threading.Thread(target=log)
    thread.start()
    codes = []
    for n in range(FORKS):
        pid = os.fork()
        if pid == 0:
            code = 9
            try:
                code = in_child(store, journal, series, n)
            finally:
                os._exit(code)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    stop.set()
    thread.join()
    assert codes == [0] * FORKS
    assert journal.flush()
    assert list(store.curve("r", "loss").steps) == list(range(logged))
    assert store.run("r").tags == {}
    checker = sqlite3.connect(store.path / "nbtrack.db")
    assert checker.execute("pragma integrity_check").fetchall() == [("ok",)]
    checker.close()


CHILD_THAT_EXITS_ORDINARILY = """
import os, sys
from nbtrack.store import Store
store = Store.open(sys.argv[1])
store.journal.emit({"kind": "run_started", "run": "r"})
series = store.journal.series("r", "loss")
store.journal.point(series, 0, 0.0, 1e9)
store.runs()
pid = os.fork()
if pid == 0:
    store.journal.point(series, 100, 0.0, 1e9)
    sys.exit(0)                        # atexit and destructors run in the child
assert os.waitpid(pid, 0)[1] == 0
store.journal.point(series, 1, 0.0, 1e9)
assert store.journal.flush()
pid = os.fork()
if pid == 0:
    with Store.open(sys.argv[1]) as own:   # a child may begin a run of its own
        own.journal.emit({"kind": "run_started", "run": "child"})
        own.journal.point(own.journal.series("child", "loss"), 5, 0.0, 1e9)
        assert own.journal.flush()
    sys.exit(0)
assert os.waitpid(pid, 0)[1] == 0
store.journal.point(series, 2, 0.0, 1e9)
print(store.run("r").status, store.run("child").status)
"""


def test_r13_a_child_that_exits_ordinarily_takes_nothing_along(tmp_path):
    # Python 3.12 warns of any fork beside a thread, whatever the child does.
    quiet = ["-W", "ignore::DeprecationWarning"]
    done = subprocess.run(
        [sys.executable, *quiet, "-c", CHILD_THAT_EXITS_ORDINARILY, str(tmp_path)],
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("running crashed\n", "")
    with Store.open(tmp_path) as store:
        assert list(store.curve("r", "loss").steps) == [0, 1, 2]
        assert list(store.curve("child", "loss").steps) == [5]

"""R17: a dead run shows `crashed` at the next look, a sleeping one never does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from examples import often

from faults.children import Acknowledged
from nbtrack.store import Store

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]


@pytest.fixture
def reader(tmp_path):
    with Store.open(tmp_path) as store:
        yield store


@pytest.fixture
def steady(tmp_path, child, until, reader):
    done = Acknowledged(str(tmp_path / "ack"))
    process = child("steady", tmp_path, tmp_path / "ack")
    until(lambda: done.get() > 400 and len(reader.runs()) == 1)
    return process


def test_r17_a_killed_run_is_crashed_at_the_next_look(steady, reader, tmp_path):
    assert reader.run("r").status == "running"
    tail = reader.tail("r")
    steady.kill()
    steady.wait()
    assert reader.run("r").status == "crashed"
    assert reader.tail("r", tail.cursor).run.status == "crashed"
    with Store.open(tmp_path) as next_opener:
        run = next_opener.run("r")
        assert (run.status, run.reason) == ("crashed", "process gone")
        assert run.ended_at > run.started_at
        assert 0.3 < run.duration_s < 60
    assert reader.sql("select status from runs")[1] == [("crashed",)]


@pytest.mark.parametrize("seconds", often(3, 60))
def test_r17_a_sleeping_run_stays_running(steady, reader, tmp_path, seconds):
    steady.send_signal(signal.SIGSTOP)
    for _ in range(10):
        time.sleep(seconds / 10)
        assert reader.run("r").status == "running"
        Store.open(tmp_path).close()  # nobody takes a sleeper's journal
    n = reader.run("r").metrics["loss"].n
    steady.send_signal(signal.SIGCONT)
    time.sleep(1.0)
    assert reader.run("r").status == "running"
    assert reader.run("r").metrics["loss"].n > n


def test_r17_looking_does_not_wake_nor_hurt_the_lock(steady, reader):
    for _ in range(200):
        assert reader.runs()[0].status == "running"
    assert steady.poll() is None


def test_r17_a_pid_that_is_another_process_now_does_not_live_for_it(
    steady, reader, tmp_path
):
    """The lock tells, not the number: give the dead session the pid of a living one."""
    steady.kill()
    steady.wait()
    [folder] = (tmp_path / ".nbtrack" / "journal").iterdir()
    lock = folder / "lock"
    facts = json.loads(lock.read_text())
    assert facts["pid"] == steady.pid
    lock.write_text(json.dumps({**facts, "pid": os.getpid()}))
    assert reader.run("r").status == "crashed"
    with Store.open(tmp_path) as next_opener:
        assert next_opener.run("r").reason == "process gone"


FORKING = """
import os, sys, time
from nbtrack.store import Store
store = Store.open(sys.argv[1])
store.journal.emit({"kind": "run_started", "run": "r", "name": "r"})
assert store.journal.flush()
pid = os.fork()
if pid == 0:
    time.sleep(60)
    os._exit(0)
print(pid, flush=True)
time.sleep(60)
"""


def test_r17_a_child_that_outlives_its_parent_keeps_no_run_alive(tmp_path, reader):
    quiet = ["-W", "ignore::DeprecationWarning"]
    parent = subprocess.Popen(
        [sys.executable, *quiet, "-c", FORKING, str(tmp_path)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    child = int(parent.stdout.readline())
    try:
        assert reader.run("r").status == "running"
        parent.kill()
        parent.wait()  # its child has the other end of the pipe
        os.kill(child, 0)
        assert reader.run("r").status == "crashed"
    finally:
        os.kill(child, signal.SIGKILL)
        parent.stdout.close()


def test_r17_a_child_that_ends_first_leaves_the_run_running(tmp_path, reader):
    quiet = ["-W", "ignore::DeprecationWarning"]
    parent = subprocess.Popen(
        [sys.executable, *quiet, "-c", FORKING, str(tmp_path)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        os.kill(int(parent.stdout.readline()), signal.SIGKILL)
        time.sleep(0.2)
        assert reader.run("r").status == "running"
    finally:
        parent.kill()
        parent.communicate()

"""R17: a dead run shows `crashed` at the next look, a sleeping one never does."""

from __future__ import annotations

import signal
import time

import pytest

from faults.children import Acknowledged
from nbtrack.store import Store

pytestmark = [pytest.mark.faults, pytest.mark.timeout(90)]


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


def test_r17_a_sleeping_run_stays_running(steady, reader, tmp_path):
    steady.send_signal(signal.SIGSTOP)
    for _ in range(10):
        time.sleep(0.3)
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

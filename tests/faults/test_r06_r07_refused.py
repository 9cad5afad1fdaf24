"""R6, R7: a locked store, a full disk, a deleted store: points wait, or are counted."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import time

import pytest
from examples import often

from nbtrack.guard import guard
from nbtrack.store import Store

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]


def begin(store):
    store.journal.emit({"kind": "run_started", "run": "r"})
    return store.journal.series("r", "loss")


def log(store, series, start, stop):
    for n in range(start, stop):
        store.journal.point(series, n, float(n), 1.7e9 + n / 1000)


def is_sound(store):
    checker = sqlite3.connect(store.path / "nbtrack.db")
    try:
        return checker.execute("pragma integrity_check").fetchall() == [("ok",)]
    finally:
        checker.close()


@pytest.mark.parametrize("seconds", often(11, 130))
def test_r06_points_wait_for_a_stopped_lock_holder_and_arrive_in_order(
    store, child, seconds, capsys
):
    series = begin(store)
    assert store.journal.flush()
    holder = child("hold_lock", store.path)
    assert holder.stdout.readline() == "held\n"
    holder.send_signal(signal.SIGSTOP)
    log(store, series, 0, 50_000)
    assert not store.journal.flush(1.0)
    assert store.run("r").status == "running"  # readers go on
    assert guard.failures["store locked"] == 0
    time.sleep(seconds)
    assert guard.failures["store locked"] >= 1
    assert capsys.readouterr().err.count("another process has locked the store") == 1
    log(store, series, 50_000, 100_000)
    holder.kill()
    assert store.journal.flush(20.0)
    assert list(store.curve("r", "loss").steps) == list(range(100_000))
    assert store.journal.dropped == 0


def test_r07_points_wait_for_room_on_a_full_disk_and_all_arrive(small_disk):
    store = Store.open(small_disk.path)
    series = begin(store)
    assert store.journal.flush()
    small_disk.fill()
    log(store, series, 0, 150_000)
    assert not store.journal.flush(1.0)
    assert guard.failures["store not written"] >= 1
    small_disk.enlarge()
    log(store, series, 150_000, 200_000)
    assert store.journal.flush(20.0)
    assert list(store.curve("r", "loss").steps) == list(range(200_000))
    assert store.journal.dropped == 0
    assert is_sound(store)
    store.close()


def test_r07_beyond_disk_and_memory_points_are_counted(small_disk):
    store = Store.open(small_disk.path)
    series = begin(store)
    assert store.journal.flush()
    small_disk.fill()
    n = 3_000_000
    point = store.journal.point
    for i in range(n):
        point(series, i, 1.0, 1e9)
    assert store.journal.dropped > 0
    assert guard.failures["journal"] >= 1
    small_disk.enlarge()
    assert store.journal.flush(30.0)
    log(store, series, n, n + 1000)
    assert store.journal.flush(30.0)
    curve = store.curve("r", "loss")
    assert len(curve) + store.journal.dropped == n + 1000
    assert list(curve.steps[-1000:]) == list(range(n, n + 1000))
    assert is_sound(store)
    store.close()


def test_r07_a_file_size_limit_is_no_different(tmp_path, child):
    Store.open(tmp_path).close()
    process = child("limited", tmp_path, 100_000)
    answer, warnings = process.communicate(timeout=60)
    assert process.returncode == 0, warnings
    assert json.loads(answer) == [True, 0]
    with Store.open(tmp_path) as store:
        assert list(store.curve("r", "loss").steps) == list(range(100_000))
        assert is_sound(store)


def test_r06_more_than_memory_takes_waits_on_disk(store, child):
    """64 MB are a limit of memory alone: what is on disk stays there."""
    series = begin(store)
    assert store.journal.flush()
    holder = child("hold_lock", store.path)
    assert holder.stdout.readline() == "held\n"
    n = (80 << 20) // 32
    point = store.journal.point
    for i in range(n):
        point(series, i, 1.0, 1e9)
    waiting = sum(p.stat().st_size for p in store.path.glob("journal/*/*.seg"))
    assert waiting > 80 << 20
    holder.communicate("go\n")
    assert store.journal.flush(60.0)
    assert (len(store.curve("r", "loss")), store.journal.dropped) == (n, 0)


def test_r07_a_store_deleted_in_mid_run_ends_quietly(tmp_path, child, until):
    from faults.children import Acknowledged

    done = Acknowledged(str(tmp_path / "ack"))
    home = tmp_path / "home"
    home.mkdir()
    process = child("exit_with", home, "wait", 5)
    assert process.stdout.readline().startswith("logged")
    steady = child("steady", home, tmp_path / "ack")
    until(lambda: done.get() > 100)
    shutil.rmtree(home / ".nbtrack")
    at = done.get()
    until(lambda: done.get() > at + 500)
    steady.send_signal(signal.SIGINT)
    _, errors = steady.communicate(timeout=20)
    assert errors.count("the store was deleted or moved") == 1
    assert errors.count("nbtrack:") == 1
    assert "KeyboardInterrupt" in errors  # the test's own, nothing else was raised
    assert errors.count("Traceback") == 1


def test_r07_a_deleted_store_counts_what_was_not_kept(store):
    series = begin(store)
    assert store.journal.flush()
    shutil.rmtree(store.path)
    log(store, series, 0, 1000)
    deadline = time.monotonic() + 5
    while not store.journal.is_gone and time.monotonic() < deadline:
        time.sleep(0.02)
    log(store, series, 1000, 1500)
    time.sleep(0.3)
    assert store.journal.dropped == 1500

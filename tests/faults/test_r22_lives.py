"""R22: the write-ahead log stays small while panels poll, and lives leak nothing."""

from __future__ import annotations

import os
import threading

import pytest

from nbtrack.store import Store

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]
WRITTEN_BYTES = 200 << 20
LOG_BYTES = 64 << 20
PANELS = 3


def test_r22_fifty_lives_leak_no_handle_and_no_thread(tmp_path):
    def live():
        with Store.open(tmp_path) as store:
            store.journal.emit({"kind": "run_started", "run": "r"})
            store.journal.point(store.journal.series("r", "loss"), 0, 1.0, 1e9)
            assert store.journal.flush()
            store.runs(), store.sql("select 1")

    live()
    handles, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    for _ in range(50):
        live()
    assert len(os.listdir("/proc/self/fd")) <= handles + 2
    assert threading.active_count() == threads


def written_bytes():
    """What this process has given to `write` by now; what it maps is not in it."""
    with open("/proc/self/io") as file:
        return int(next(line for line in file if line.startswith("wchar")).split()[1])


def test_r22_the_log_stays_small_while_panels_poll(tmp_path, child):
    with Store.open(tmp_path) as store:
        store.journal.emit({"kind": "run_started", "run": "r"})
        series = store.journal.series("r", "loss")
        assert store.journal.flush()
        panels = [child("panel", tmp_path) for _ in range(PANELS)]
        for panel in panels:
            assert panel.stdout.readline() == "looked\n"
        largest, n, before = 0, 0, written_bytes()
        while written_bytes() - before < WRITTEN_BYTES:
            for _ in range(60_000):
                store.journal.point(series, n, n * 1.1, 1e9 + n)
                n += 1
            assert store.journal.flush(20.0)
            wal = store.path / "nbtrack.db-wal"
            largest = max(largest, wal.stat().st_size if wal.exists() else 0)
        seen = [int(panel.communicate("end\n", timeout=30)[0]) for panel in panels]
        assert largest < LOG_BYTES
        assert store.run("r").metrics["loss"].n == n
        assert all(0 < points <= n for points in seen)  # they did look

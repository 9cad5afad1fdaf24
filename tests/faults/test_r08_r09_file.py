"""R8, R9, R12, R22: the file is opened by SQLite alone, and left alone when damaged."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import threading

import pytest

from nbtrack.errors import NbtrackError
from nbtrack.store import Store

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]

WHOLE_LIFE = """
import sys
opened = []
sys.addaudithook(lambda e, a: opened.append(str(a[0])) if e == "open" else None)
from nbtrack.store import Store
with Store.open(sys.argv[1]) as store:
    store.journal.emit({"kind": "run_started", "run": "r", "name": "r"})
    store.journal.point(store.journal.series("r", "loss"), 0, 1.0, 1e9)
    store.journal.emit({"kind": "run_finished", "run": "r", "status": "finished"})
    store.journal.flush(), store.runs(), store.run("r"), store.curve("r", "loss").at
    store.edit({"kind": "tags", "run": "r", "set": {"a": None}})
    store.sql("select * from points"), store.tail("r"), store.put_file(__file__)
    store.purge("r")
Store.open(sys.argv[1]).close()
print([path for path in opened if "nbtrack.db" in path])
"""


def test_r08_nobody_but_sqlite_opens_the_database(tmp_path):
    script = tmp_path / "life.py"
    script.write_text(WHOLE_LIFE)
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.fixture
def filled(tmp_path):
    with Store.open(tmp_path / "good") as store:
        for run in range(20):
            store.journal.emit(
                {"kind": "run_started", "run": f"r{run}", "notes": "n" * 3000}
            )
            series = store.journal.series(f"r{run}", "loss")
            for n in range(500):
                store.journal.point(series, n, float(n), 1e9)
            store.journal.emit(
                {"kind": "run_finished", "run": f"r{run}", "status": "finished"}
            )
        assert store.journal.flush()
    return tmp_path / "good" / ".nbtrack"


def looked_through(path):
    """Read all there is; only our own errors may come."""
    try:
        with Store.open(path) as store:
            for run in store.runs():
                store.run(run.id)
                curve = store.curve(run.id, "loss")
                assert len(curve.values) == len(curve.at)
        return None
    except NbtrackError as exc:
        return exc


@pytest.mark.parametrize("seed", range(40))
def test_r09_a_damaged_page_is_said_or_survived_and_never_written(
    filled, tmp_path, seed
):
    chance = random.Random(seed)
    copy = tmp_path / ".nbtrack"
    shutil.copytree(filled, copy)
    body = bytearray((copy / "nbtrack.db").read_bytes())
    place = chance.randrange(len(body) // 4096) * 4096
    body[place : place + 4096] = chance.randbytes(4096)
    (copy / "nbtrack.db").write_bytes(body)
    error = looked_through(copy)
    assert (copy / "nbtrack.db").read_bytes() == bytes(body)
    if place == 0:
        assert "It was left untouched" in str(error)


def test_r09_a_truncated_file_is_said_or_survived(filled):
    file = filled / "nbtrack.db"
    body = file.read_bytes()
    for cut in (4096, 10_000, len(body) // 2, len(body) - 1):
        file.write_bytes(body[:cut])
        looked_through(filled)
        assert file.read_bytes() == body[:cut]


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
    assert "open for reading only" in done.stderr


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


def test_r22_the_log_stays_small_while_panels_poll(tmp_path):
    with Store.open(tmp_path) as store, Store.open(tmp_path) as panel:
        store.journal.emit({"kind": "run_started", "run": "r"})
        series = store.journal.series("r", "loss")
        largest, cursor, n = 0, None, 0
        for _ in range(60):
            for _ in range(60_000):
                store.journal.point(series, n, n * 1.1, 1e9 + n)
                n += 1
            assert store.journal.flush(20.0)
            cursor = panel.tail("r", cursor).cursor
            wal = store.path / "nbtrack.db-wal"
            largest = max(largest, wal.stat().st_size if wal.exists() else 0)
        assert largest < 64 << 20
        assert store.run("r").metrics["loss"].n == n

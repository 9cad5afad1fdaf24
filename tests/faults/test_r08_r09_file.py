"""R8, R9, R12, R22: the file is opened by SQLite alone, and left alone when damaged."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading

import pytest

from nbtrack.errors import NbtrackError, StoreError
from nbtrack.store import Store
from nbtrack.store.salvage.rebuild import SCHEMAS
from nbtrack.store.salvage.salvaging import salvage
from nbtrack.store.schema import APPLICATION_ID

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]

WHOLE_LIFE = """
import sys
opened = []
sys.addaudithook(lambda e, a: opened.append(str(a[0])) if e == "open" else None)
from pathlib import Path
from nbtrack.analysis.doctor.examine import doctor
from nbtrack.store import Store
from nbtrack.store.backup import back_up
from nbtrack.store.salvage.salvaging import salvage
with Store.open(sys.argv[1]) as store:
    store.journal.emit({"kind": "run_started", "run": "r", "name": "r"})
    store.journal.point(store.journal.series("r", "loss"), 0, 1.0, 1e9)
    store.journal.emit({"kind": "run_finished", "run": "r", "status": "finished"})
    store.journal.flush(), store.runs(), store.run("r"), store.curve("r", "loss").at
    store.edit({"kind": "tags", "run": "r", "set": {"a": None}})
    store.sql("select * from points"), store.tail("r"), store.put_file(__file__)
    store.purge("r")
    back_up(store, Path(sys.argv[1]) / "copy")
Store.open(sys.argv[1]).close()
doctor(sys.argv[1], deep=True, fix=True)
salvage(Path(sys.argv[1]) / ".nbtrack", Path(sys.argv[1]) / "saved")
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


@pytest.mark.parametrize("seed", range(100))
def test_r09_a_damaged_page_is_said_or_survived_never_written_and_salvaged(
    filled, tmp_path, seed
):
    chance = random.Random(seed)
    body = bytearray((filled / "nbtrack.db").read_bytes())
    # Those that a seed may miss: the header's, the map of parents, where tables begin.
    pages = range(len(body) // 4096)
    place = 4096 * (seed if seed < 20 else chance.choice(pages))
    body[place : place + 4096] = chance.randbytes(4096)
    (filled / "nbtrack.db").write_bytes(body)
    error = looked_through(filled)
    if place == 0:
        assert "nbtrack salvage" in str(error)
    made = salvage(filled, tmp_path / "saved")
    assert (filled / "nbtrack.db").read_bytes() == bytes(body)
    n_lost = check_saved(made)
    assert n_lost <= 10 * 500  # of one page: at most ten chunks
    if n_lost:
        assert not made.is_whole


def check_saved(made):
    """What is there is right, and what is not is said; how many points are lost."""
    raw = sqlite3.connect(made.path / "nbtrack.db")
    assert raw.execute("pragma integrity_check").fetchall() == [("ok",)]
    assert raw.execute("pragma foreign_key_check").fetchall() == []
    raw.close()
    n_lost = 0
    with Store.open(made.path, create=False) as store:
        for nth in range(20):
            run = store.run(f"r{nth}")
            if run.experiment != "salvaged":
                assert run.notes == "n" * 3000
            points = store.curve(run.id, "loss").values if run.metrics else []
            assert list(points) in ([], [float(n) for n in range(500)])
            n_lost += 500 - len(points)
            if run.metrics and not len(points):
                assert any("points of loss" in said for said in store.notices(run.id))
    return n_lost


def test_r09_a_zeroed_header_is_said_and_all_is_salvaged(filled, tmp_path):
    file = filled / "nbtrack.db"
    body = bytes(100) + file.read_bytes()[100:]
    file.write_bytes(body)
    assert "It was left untouched" in str(looked_through(filled))
    made = salvage(filled, tmp_path / "saved")
    assert (check_saved(made), made.is_whole, file.read_bytes()) == (0, True, body)


def test_r09_a_lost_first_page_is_made_good_also_after_a_purge(filled, tmp_path):
    with Store.open(filled) as store:
        store.journal.emit({"kind": "run_started", "run": "gone"})
        assert store.journal.flush()
        store.journal.emit({"kind": "run_finished", "run": "gone", "status": "failed"})
        assert store.journal.flush()
        store.purge("gone")  # which moves all tables, as `vacuum` does
    file = filled / "nbtrack.db"
    file.write_bytes(random.randbytes(4096) + file.read_bytes()[4096:])
    made = salvage(filled, tmp_path / "saved")
    assert check_saved(made) == 0


def test_r09_a_truncated_file_is_said_or_survived(filled, tmp_path):
    file = filled / "nbtrack.db"
    body = file.read_bytes()
    for cut in (len(body) - 1, len(body) // 2, 10_000, 4096, 1000):
        file.write_bytes(body[:cut])
        looked_through(filled)
        if cut < len(body) // 2:
            with pytest.raises(StoreError, match="No row of a store can be read"):
                salvage(filled, tmp_path / f"saved{cut}")
            assert not (tmp_path / f"saved{cut}").exists()
        else:
            made = salvage(filled, tmp_path / f"saved{cut}")
            assert (made.n_runs, made.is_whole) == (20, False)
        assert file.read_bytes() == body[:cut]


@pytest.mark.parametrize("body", [b"", b"x" * 100, b"some text\n" * 10_000])
def test_r09_what_is_no_database_is_said_and_left_alone(filled, tmp_path, body):
    (filled / "nbtrack.db").write_bytes(body)
    assert "was left untouched" in str(looked_through(filled))
    with pytest.raises(StoreError, match="No row of a store can be read"):
        salvage(filled, tmp_path / "saved")
    assert (filled / "nbtrack.db").read_bytes() == body
    assert not (tmp_path / "saved").exists()
    assert not list(tmp_path.glob(".partial-*"))


LEAVE_A_LOG = """
import os, sys
from nbtrack.store import Store
store = Store.open(sys.argv[1])
store.journal.emit({"kind": "run_started", "run": "late", "name": "late"})
series = store.journal.series("late", "loss")
for n in range(500):
    store.journal.point(series, n, float(n), 1e9)
assert store.journal.flush()
os._exit(0)
"""


@pytest.fixture
def with_log(filled):
    """The same, with a run that is in the write-ahead log alone."""
    subprocess.run([sys.executable, "-c", LEAVE_A_LOG, str(filled)], check=True)
    assert (filled / "nbtrack.db-wal").stat().st_size > 0
    (filled / "nbtrack.db-shm").unlink()
    return filled


def runs_in(made):
    with Store.open(made.path, create=False) as store:
        return {run.id for run in store.runs()}


def test_r09_what_is_in_the_log_alone_is_salvaged(with_log, tmp_path):
    before = (with_log / "nbtrack.db-wal").read_bytes()
    made = salvage(with_log, tmp_path / "saved")
    assert (check_saved(made), "late" in runs_in(made)) == (0, True)
    assert (with_log / "nbtrack.db-wal").read_bytes() == before


def test_r09_a_log_that_is_missing_or_cut_gives_what_was_committed_before(
    with_log, tmp_path
):
    log = with_log / "nbtrack.db-wal"
    body = log.read_bytes()
    for cut in (0, 20, len(body) // 2, len(body) - 1):
        log.write_bytes(body[:cut])
        made = salvage(with_log, tmp_path / f"saved{cut}")
        assert (check_saved(made), made.is_whole) == (0, True)
    log.unlink()
    assert check_saved(salvage(with_log, tmp_path / "saved")) == 0
    assert looked_through(with_log) is None


def test_r09_a_log_of_noise_is_as_good_as_none(filled, tmp_path):
    (filled / "nbtrack.db-wal").write_bytes(random.randbytes(100_000))
    made = salvage(filled, tmp_path / "saved")
    assert (check_saved(made), made.is_whole) == (0, True)
    assert looked_through(filled) is None


def test_r09_the_log_of_another_store_is_left_out(filled, with_log, tmp_path):
    other = tmp_path / "other"
    with Store.open(other) as store:
        for run in range(40):
            store.journal.emit({"kind": "run_started", "run": f"x{run}"})
        assert store.journal.flush()
    subprocess.run([sys.executable, "-c", LEAVE_A_LOG, str(other)], check=True)
    log = other / ".nbtrack" / "nbtrack.db-wal"
    shutil.copy(log, filled / "nbtrack.db-wal")
    body = (filled / "nbtrack.db").read_bytes()
    made = salvage(filled, tmp_path / "saved")
    assert check_saved(made) == 0
    assert "does not belong to this database" in made.notices[0]
    # SQLite would write it into the database; opening looks first, and refuses.
    assert "nbtrack.db-wal belongs to another database" in str(looked_through(filled))
    assert (filled / "nbtrack.db").read_bytes() == body
    (filled / "nbtrack.db-wal").unlink()
    assert looked_through(filled) is None


def test_r09_files_that_are_whole_and_dead_journals_are_salvaged(tmp_path):
    with Store.open(tmp_path / "good") as store:
        large = os.urandom(3 << 20)
        refs = [store.put_bytes(large), store.put_bytes(b"small"),
                store.put_bytes(b"damaged")]  # fmt: skip
        for nth, ref in enumerate(refs):
            store.keep_artifact(
                {"name": f"a{nth}", "type": "model",
                 "files": [["f", ref.digest, ref.size_bytes, None, None]]}
            )  # fmt: skip
        damaged = store.file_path(refs[2].digest)
        damaged.chmod(0o600)
        damaged.write_bytes(b"DAMAGED")
    folder = tmp_path / "good" / ".nbtrack"
    dying = subprocess.run(
        [sys.executable, "-c", LEAVE_IN_THE_JOURNAL, str(folder)], check=False
    )
    assert dying.returncode == -9
    made = salvage(folder, tmp_path / "saved")
    assert made.lost_files == (f"a2:v0, file {refs[2].digest[:12]}…",)
    assert (made.n_files, made.is_whole) == (2, False)
    with Store.open(made.path) as store:
        assert b"".join(store.file_pieces(refs[0].digest)) == large
        assert len(store.curve("late", "loss").values) == 500
        assert store.run("late").status == "crashed"


LEAVE_IN_THE_JOURNAL = LEAVE_A_LOG.replace(
    "assert store.journal.flush()\nos._exit(0)",
    "import signal; os.kill(os.getpid(), signal.SIGKILL)",
)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_r09_a_store_of_an_older_version_is_salvaged_and_brought_up_to_date(
    tmp_path, version
):
    folder = tmp_path / "old" / ".nbtrack"
    folder.mkdir(parents=True)
    old = sqlite3.connect(folder / "nbtrack.db")
    old.executescript(
        f"pragma auto_vacuum = incremental; {SCHEMAS[version]}"
        f"pragma application_id = {APPLICATION_ID}; pragma user_version = {version};"
        "insert into runs(id, name, experiment, status, started_at)"
        " values ('r', 'base', 'e', 'finished', '2026-01-01T00:00:00.000000Z');"
    )
    old.close()
    made = salvage(folder, tmp_path / "saved")
    with Store.open(made.path) as store:
        assert store.run("r").name == "base"
        assert store.sql("select count(*) from artifacts")[1] == [(0,)]


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

"""R9: what can be read of a damaged store comes into a new one; it is left alone."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys

import pytest

from nbtrack.errors import NbtrackError, StoreError
from nbtrack.store import Store
from nbtrack.store.salvage.rebuild import SCHEMAS
from nbtrack.store.salvage.salvaging import salvage
from nbtrack.store.schema import APPLICATION_ID

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]


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


def test_r09_what_a_truncated_file_still_has_is_salvaged(filled, tmp_path):
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


@pytest.mark.parametrize("version", [1, 2, 3, 4])
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

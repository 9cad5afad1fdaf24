"""R8, R9: the file is opened by SQLite alone, and left alone when damaged."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys

import pytest

from faults.children import Acknowledged
from nbtrack.errors import NbtrackError, StoreDamagedError
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


def untouched(folder, content):
    """Look through a store whose file has this content; what was said."""
    file = folder / "nbtrack.db"
    file.write_bytes(content)
    error = looked_through(folder)
    assert file.read_bytes() == content
    return error


def without_log(filled):
    return (filled / "nbtrack.db").read_bytes()


@pytest.mark.parametrize("length", [16, 100, 4096])
def test_r09_a_zeroed_header_is_said(filled, length):
    body = without_log(filled)
    error = untouched(filled, bytes(length) + body[length:])
    assert isinstance(error, StoreDamagedError)
    assert "It was left untouched" in str(error)


@pytest.mark.parametrize("cut", [1, 99, 100, 4096, 10_000, 0.5, -1])
def test_r09_a_truncated_file_is_said_or_survived(filled, cut):
    body = without_log(filled)
    untouched(filled, body[: int(cut * len(body)) if cut == 0.5 else cut])


@pytest.mark.parametrize("content", [b"", b"a text\n" * 1000, b"SQLite format 3\0"])
def test_r09_what_is_no_database_is_said(filled, content):
    error = untouched(filled, content)
    assert isinstance(error, StoreDamagedError)
    assert "left untouched" in str(error)


@pytest.fixture
def killed_at_work(tmp_path, child, until):
    """A store whose process died: part of it is in the write-ahead log only."""
    done = Acknowledged(str(tmp_path / "ack"))
    process = child("steady", tmp_path / "died", tmp_path / "ack")
    until(lambda: done.get() > 1200)
    process.kill()
    process.wait()
    return tmp_path / "died" / ".nbtrack"


def test_r09_without_its_log_a_store_is_what_it_was_before(killed_at_work):
    (killed_at_work / "nbtrack.db-wal").unlink()
    assert looked_through(killed_at_work) is None  # the journal may have all of it
    assert is_sound(killed_at_work)


def test_r09_with_the_log_of_another_only_our_errors_come(killed_at_work, filled):
    """SQLite itself cannot tell that a log is another file's; it must not end worse."""
    shutil.copy(killed_at_work / "nbtrack.db-wal", filled / "nbtrack.db-wal")
    error = looked_through(filled)
    assert error is None or "untouched" in str(error)


def is_sound(folder):
    connection = sqlite3.connect(folder / "nbtrack.db")
    try:
        return connection.execute("pragma integrity_check").fetchall() == [("ok",)]
    finally:
        connection.close()


def test_r09_a_damaged_file_beside_its_log_keeps_both(killed_at_work):
    files = [killed_at_work / f"nbtrack.db{end}" for end in ("", "-wal")]
    body = files[0].read_bytes()
    files[0].write_bytes(bytes(100) + body[100:])
    files[1].write_bytes(b"x" * 32 + files[1].read_bytes()[32:])
    before = [file.read_bytes() for file in files]
    assert isinstance(looked_through(killed_at_work), StoreDamagedError)
    assert [file.read_bytes() for file in files] == before


def test_r08_is_held_over_every_test(tmp_path, opened_by_us):
    """By the hook in `conftest.py`: it sees what `open` is given, and by whom."""
    file = tmp_path / "nbtrack.db"
    file.touch()
    ours = compile("open(path).close()", f"/x{os.sep}nbtrack{os.sep}y.py", "exec")
    exec(ours, {"path": str(file)})
    file.read_bytes()  # a test's own
    assert opened_by_us == [f"/x/nbtrack/y.py opened {file}"]
    opened_by_us.clear()

"""R10: a backup while eight processes write is sound, and one moment of the store."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
import zipfile

import pytest

import nbtrack
from nbtrack.errors import StoreError
from nbtrack.store import Store
from nbtrack.store.backup import back_up

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]
BACKUPS = 5

# Points as quick as they are taken, and artifacts: blobs, files in chunks that they
# share, folders; each names its run's step in its metadata.
WORK = """
import os, random, sys, time
from pathlib import Path
from nbtrack.store import Store

path, run = sys.argv[1:]
work = Path(path) / ("work-" + run)
work.mkdir()
with Store.open(path) as store:
    store.journal.emit({"kind": "run_started", "run": run, "name": run})
    series = store.journal.series(run, "loss")
    large, n = os.urandom(3 << 19), 0
    for n in range(50):
        store.journal.point(series, n, float(n), time.time())
    n = 50
    assert store.journal.flush(20)
    print("ready", flush=True)
    until = time.monotonic() + 300
    while time.monotonic() < until:
        for _ in range(50):
            store.journal.point(series, n, float(n), time.time())
            n += 1
        if n % 1000 == 0:
            (work / "large").write_bytes(large + os.urandom(1000))
            (work / "small").write_bytes(os.urandom(2000))
            refs = store.put_files([work / "large"])
            refs += [store.put_file(work / "small")]
            files = [[f"f{i}", r.digest, r.size_bytes, None, None]
                     for i, r in enumerate(refs)]
            store.keep_artifact({"name": run, "type": "model", "files": files,
                                 "metadata": {"step": n}, "run": run})
        if n % 2000 == 0:
            old = store.artifact_versions(name=run, gone=False)[0]
            gone = [file.digest for file in store.artifact_files(old.id)]
            store.give_up([old.id], why="too old")
            store.free_files(older_than_s=0.0, only=gone)
        time.sleep(0.01)
"""


@pytest.fixture
def eight_at_work(tmp_path):
    """A store that eight processes write to."""
    Store.open(tmp_path).close()
    children = [
        subprocess.Popen(
            [sys.executable, "-c", WORK, str(tmp_path), f"r{nth}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for nth in range(8)
    ]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    yield children
    for child in children:
        child.kill()
        assert child.communicate()[1] == ""


def check(path, least):
    """All of a copy is sound; how many points each run has, how many versions."""
    raw = sqlite3.connect(f"file:{path / 'nbtrack.db'}?immutable=1", uri=True)
    assert raw.execute("pragma integrity_check").fetchall() == [("ok",)]
    assert raw.execute("pragma foreign_key_check").fetchall() == []
    raw.close()
    found = {}
    with Store.open(path, create=False) as store:
        for run in store.runs():
            assert run.status != "running"  # its process is not at work in the copy
            points = store.curve(run.id, "loss") if run.metrics else None
            values = [] if points is None else list(points.values)
            assert values == [float(n) for n in range(len(values))]
            found[run.id] = len(values)
        versions = store.artifact_versions()
        for version in versions:
            if version.gone_at is not None:
                continue
            for file in store.artifact_files(version.id):
                whole = b"".join(store.file_pieces(file.digest))
                assert hashlib.sha256(whole).hexdigest() == file.digest
    assert all(found.get(run, 0) >= n for run, n in least.items())
    return found, len(versions)


def test_r10_a_backup_beside_eight_writers_is_sound_and_one_moment(
    tmp_path, eight_at_work, capsys
):
    took, least, n_versions = [], {}, 0
    for nth in range(BACKUPS):
        time.sleep(0.3)
        with Store.open(tmp_path) as store:
            before = {run.id: run.metrics["loss"].n for run in store.runs()
                      if run.metrics}  # fmt: skip
            began = time.perf_counter()
            made = back_up(store, tmp_path / f"copy{nth}")
            took.append(time.perf_counter() - began)
        assert made.n_runs == 8
        assert made.notices[0].startswith("8 processes are at work")
        assert len(made.notices) == 1
        # What was committed before is in it, and nothing goes back.
        assert all(before.get(run, 0) >= n for run, n in least.items())
        found, n = check(made.path, before)
        assert n >= n_versions
        least, n_versions = found, n
        shutil.rmtree(made.path)
    assert all(child.poll() is None for child in eight_at_work)
    assert n_versions >= 8
    assert not list(tmp_path.glob(".partial-*"))
    with capsys.disabled():
        print(f"\nR10: {n_versions} versions; a backup took at most {max(took):.1f} s")


def test_r10_no_writer_waits_for_a_backup(tmp_path, child):
    with Store.open(tmp_path) as store:  # some 60 MB, and files
        store.journal.emit({"kind": "run_started", "run": "r", "notes": "n"})
        for nth in range(60):
            store.journal.emit({"kind": "run_started", "run": f"r{nth}",
                                "notes": random.randbytes(500_000).hex()})  # fmt: skip
            assert store.journal.flush(20)
        writer = child("writer", tmp_path, "w", 400)
        stop = threading.Event()
        copies = []

        def copy_on():
            while not stop.is_set():
                copies.append(back_up(store, tmp_path / f"copy{len(copies)}"))

        copying = threading.Thread(target=copy_on)
        copying.start()
        said, error = writer.communicate(timeout=100)
        stop.set()
        copying.join()
    assert error == ""
    assert copies
    # Its p99, with flushes that wait 200 ms at most and two busy cores.
    assert json.loads(said) < 1.0
    check(copies[-1].path, {})


def test_r10_what_dead_processes_left_is_in_it(tmp_path, child, until):
    from faults.children import Acknowledged

    Store.open(tmp_path).close()
    done = Acknowledged(str(tmp_path / "ack"))
    dying = child("steady", tmp_path, tmp_path / "ack")
    until(lambda: done.get() > 50)
    with Store.open(tmp_path) as store:
        dying.kill()
        dying.wait()
        made = back_up(store, tmp_path / "copy")
    assert made.notices == ()
    with Store.open(made.path) as copy:
        assert len(copy.curve("r", "loss").values) >= done.get()


def test_r10_a_backup_can_be_one_file(store, tmp_path):
    with nbtrack.start("base") as run:
        run.log(loss=0.5)
        run.log_artifact({"a": 1}, "labels")
    made = nbtrack.backup(tmp_path / "monday.zip", store=store)
    assert (made.n_runs, made.n_files) == (1, 1)
    assert made.path.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(made.path) as archive:
        archive.extractall(tmp_path / "elsewhere")
    with Store.open(tmp_path / "elsewhere", create=False) as copy:
        assert copy.run("base").metrics["loss"].best == 0.5
        [file] = copy.artifact_files(copy.artifact("labels").id)
        copy.verify_file(file.digest)


def test_r10_files_and_folders_of_a_backup_are_private(store, tmp_path):
    with nbtrack.start("base") as run:
        run.log_artifact({"a": 1}, "labels")
    before = os.umask(0)
    try:
        made = back_up(store, tmp_path / "copy")
    finally:
        os.umask(before)
    for path in (made.path, *made.path.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


def test_r10_a_place_that_is_taken_or_full_gets_nothing(store, tmp_path, small_disk):
    (tmp_path / "large").write_bytes(os.urandom(3 << 20))
    with nbtrack.start("base") as run:
        run.log_artifact(tmp_path / "large", "large")
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine").write_text("mine")
    for place in (taken, store.path / "in", tmp_path / "no" / "where"):
        with pytest.raises(StoreError):
            back_up(store, place)
    with pytest.raises(StoreError, match="No space"):
        back_up(store, small_disk.path / "copy")
    assert os.listdir(small_disk.path) == []
    assert os.listdir(taken) == ["mine"]


def test_r10_no_backup_is_made_of_a_damaged_database(tmp_path):
    with Store.open(tmp_path) as store:
        for nth in range(50):
            store.journal.emit({"kind": "run_started", "run": f"r{nth}",
                                "notes": "n" * 10_000})  # fmt: skip
        assert store.journal.flush()
    file = tmp_path / ".nbtrack" / "nbtrack.db"
    body = bytearray(file.read_bytes())
    body[-4096:] = random.randbytes(4096)  # where the last notes go on
    file.write_bytes(body)
    with Store.open(tmp_path) as store, pytest.raises(StoreError, match="salvage"):
        back_up(store, tmp_path / "copy")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".nbtrack"]


def test_r10_a_file_that_the_store_has_lost_is_named(store, tmp_path):
    with nbtrack.start("base") as run:
        run.log_artifact({"a": 1}, "labels")
    [file] = store.artifact_files(store.artifact("labels").id)
    store.file_path(file.digest).unlink()
    made = back_up(store, tmp_path / "copy")
    [notice] = made.notices[-1:]
    assert file.digest in notice
    assert "is missing in the store itself" in notice

"""R11: on a network mount no WAL and no mmap; journals are taken over exactly once."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from faults.children import Acknowledged
from nbtrack.store import Store, mounts

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]
KINDS = ["nfs", "cifs", "lustre", "fuse.sshfs", "9p"]
WRITERS = 8


@pytest.fixture
def network(tmp_path, monkeypatch):
    """A folder that the table of mounts says is of this kind; children read it too."""

    def mounted(kind):
        share = tmp_path / "share"
        share.mkdir()
        table = tmp_path / "mountinfo"
        table.write_text(
            f"1 1 0:1 / / rw - ext4 x rw\n2 1 0:2 / {share} rw - {kind} x rw\n"
        )
        monkeypatch.setattr(mounts, "MOUNTINFO", table)
        monkeypatch.setenv("NBTRACK_TEST_MOUNTS", str(table))
        return share

    return mounted


def beside(store_path):
    """What lies beside the database that a WAL or a rollback would have made."""
    return sorted(p.name for p in store_path.glob("nbtrack.db-*"))


def on_share(share, tmp_path, child, until):
    """Eight that log at once and are killed; the pairs of run and what returned."""
    Store.open(share).close()
    done = [Acknowledged(str(tmp_path / f"ack{n}")) for n in range(WRITERS)]
    processes = [
        child("steady", share, tmp_path / f"ack{n}", f"r{n}") for n in range(WRITERS)
    ]
    until(lambda: min(each.get() for each in done) > 300, seconds=30)
    for process in processes:
        maps = Path(f"/proc/{process.pid}/maps").read_text()
        assert str(share) not in maps
    assert "nbtrack.db-wal" not in beside(share / ".nbtrack")
    assert "nbtrack.db-shm" not in beside(share / ".nbtrack")
    for process in processes:
        process.kill()
    for process in processes:
        process.wait()
    return {f"r{n}": each.get() for n, each in enumerate(done)}


def kept(store):
    return {
        run.id: list(store.curve(run.id, "loss").steps)
        for run in sorted(store.runs(), key=lambda run: run.id)
    }


@pytest.mark.parametrize("kind", KINDS)
def test_r11_eight_journals_are_taken_over_once_however_often_it_is_killed(
    network, kind, tmp_path, child, until
):
    share = network(kind)
    returned = on_share(share, tmp_path, child, until)
    store_path = share / ".nbtrack"
    journals = tmp_path / "journals"
    shutil.copytree(store_path / "journal", journals)
    assert len(os.listdir(journals)) == WRITERS
    left = []
    for _ in range(10):
        taken_over_and_killed(share)
        left.append(len(os.listdir(store_path / "journal")))
    assert any(left), "no kill fell into taking over"
    with Store.open(share) as store:
        first = kept(store)
        assert store.sql("select count(*) from unread")[1] == [(0,)]
    assert first.keys() == returned.keys()
    for run, steps in first.items():
        assert steps == list(range(len(steps)))
        assert len(steps) - returned[run] in (0, 1)
    # The same journals once more, as a copy of the folder would bring them back.
    shutil.copytree(journals, store_path / "journal", dirs_exist_ok=True)
    with Store.open(share) as store:
        assert kept(store) == first
        for run in store.runs():
            assert run.status == "crashed"
            assert run.metrics["loss"].n == len(first[run.id])
    assert os.listdir(store_path / "journal") == []


# Python 3.12 warns of any fork in a process with threads.
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def taken_over_and_killed(share):
    pid = os.fork()
    if pid == 0:
        Store.open(share)
        os._exit(0)
    time.sleep(random.uniform(0.0, 0.02))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)

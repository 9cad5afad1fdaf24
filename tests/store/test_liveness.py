"""Who is alive is told by a lock, and asking hurts nobody."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

from nbtrack.store.liveness import SessionLock, is_alive
from nbtrack.store.process import PROCESS

ASK = """
import sys, pathlib
from nbtrack.store.liveness import SessionLock, is_alive
folder = pathlib.Path(sys.argv[1])
print(is_alive(folder), SessionLock.take_over(folder) is not None)
"""


def asked_by_another(folder):
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(folder)], capture_output=True, text=True
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_a_session_lives_until_it_lets_go(tmp_path):
    lock = SessionLock.create(tmp_path, "s1", {"pid": 1})
    assert asked_by_another(lock.folder) == ["True", "False"]
    assert is_alive(lock.folder)
    assert asked_by_another(lock.folder) == ["True", "False"]  # asking kept the lock
    lock.release()
    assert asked_by_another(lock.folder) == ["False", "True"]


def test_a_session_that_a_full_disk_refuses_leaves_no_folder(tmp_path, monkeypatch):
    def full(handle, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        SessionLock.create(tmp_path, "s1", {"pid": 1})
    assert os.listdir(tmp_path) == []


def test_a_session_is_never_seen_unlocked(tmp_path):
    lock = SessionLock.create(tmp_path, "s1", {})
    assert sorted(os.listdir(tmp_path)) == ["s1"]
    lock.remove()
    assert os.listdir(tmp_path) == []
    assert not is_alive(tmp_path / "s1")


def test_ones_own_session_is_never_opened_again(tmp_path):
    lock = SessionLock.create(tmp_path, "s1", {})
    assert SessionLock.take_over(lock.folder) is None
    assert lock.id in PROCESS.sessions
    lock.remove()
    assert lock.id not in PROCESS.sessions


def test_what_a_session_says_of_itself_can_be_read_after_its_death(tmp_path):
    SessionLock.create(tmp_path, "s1", {"pid": 12}).release()
    taken = SessionLock.take_over(tmp_path / "s1")
    assert taken.facts() == {"pid": 12}
    taken.remove()


def test_where_locks_do_not_work_a_heartbeat_stands_in(tmp_path, monkeypatch):
    import errno
    import fcntl

    def no_locks(*_):
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(fcntl, "lockf", no_locks)
    lock = SessionLock.create(tmp_path, "s1", {})
    assert asked_by_another(lock.folder) == ["True", "False"]
    os.utime(lock.folder / "heartbeat", (0, 0))
    assert asked_by_another(lock.folder)[0] == "False"
    lock.beat()
    assert asked_by_another(lock.folder) == ["True", "False"]
    lock.remove()

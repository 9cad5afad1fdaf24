"""The registry of the stores that a user has: notes that never get in the way."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nbtrack.store import Store, registry
from nbtrack.store.followed import FollowedStore
from nbtrack.store.registry import GONE_S, known_stores, note_store, store_id

DAYS_S = 86_400.0


@pytest.fixture
def notes(tmp_path, monkeypatch):
    """A registry of the test's own, not made yet."""
    folder = tmp_path / "registry" / "stores"
    monkeypatch.setenv("NBTRACK_REGISTRY", str(folder))
    return folder


def opened(folder):
    with Store.open(folder) as store:
        return store.path


def aged(note, days):
    at = time.time() - days * DAYS_S
    os.utime(note, (at, at))


def test_an_opened_store_is_known_by_its_path(tmp_path, notes):
    path = opened(tmp_path / "a")
    assert known_stores() == [path]
    assert [note.name for note in notes.iterdir()] == [store_id(path)]


def test_notes_are_the_users_alone_whatever_the_umask(tmp_path, notes):
    before = os.umask(0)
    try:
        opened(tmp_path / "a")
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(p.stat().st_mode) for p in (notes.parent, notes)]
    assert modes == [0o700, 0o700]
    assert [stat.S_IMODE(p.stat().st_mode) for p in notes.iterdir()] == [0o600]


def test_the_registry_is_below_the_home_for_state(tmp_path, monkeypatch):
    monkeypatch.delenv("NBTRACK_REGISTRY")
    monkeypatch.setattr(registry, "_TEMPORARY", ())
    monkeypatch.delenv("TMPDIR", raising=False)
    for name, value in (("HOME", "home"), ("XDG_STATE_HOME", "state")):
        (tmp_path / value).mkdir()
        monkeypatch.delenv("XDG_STATE_HOME", raising=False)
        monkeypatch.setenv(name, str(tmp_path / value))
        path = opened(tmp_path / value / "work")
        assert known_stores() == [path]
    assert (tmp_path / "home/.local/state/nbtrack/stores").is_dir()
    assert (tmp_path / "state/nbtrack/stores").is_dir()


def test_off_means_that_nothing_is_noted_or_known(tmp_path, notes, monkeypatch):
    opened(tmp_path / "a")
    monkeypatch.setenv("NBTRACK_REGISTRY", "off")
    opened(tmp_path / "b")
    assert known_stores() == []
    assert len(list(notes.iterdir())) == 1


def test_throw_away_stores_are_noted_only_where_a_folder_is_named(
    tmp_path, notes, monkeypatch
):
    monkeypatch.delenv("NBTRACK_REGISTRY")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "t"))
    (tmp_path / "t").mkdir()
    opened(tmp_path / "t" / "a")
    assert known_stores() == []
    assert not (tmp_path / "state").exists()


def test_a_known_store_costs_one_look_and_no_write(tmp_path, notes, monkeypatch):
    path = opened(tmp_path / "a")
    (note,) = notes.iterdir()
    aged(note, 0.5)
    before = note.stat()
    note_store(path)
    assert note.stat() == before
    aged(note, 1.5)
    note_store(path)
    assert time.time() - note.stat().st_mtime < 60
    assert len(list(notes.iterdir())) == 1


def test_one_who_follows_a_store_does_not_count_as_using_it(tmp_path, notes):
    path = opened(tmp_path / "a")
    shutil.rmtree(notes)
    FollowedStore.open(path, create=False).close()
    assert not notes.exists()


@pytest.mark.parametrize(
    "setting",
    ["/proc/nbtrack/stores", "/dev/null/stores", "a\nb" * 2000, "~nobody-here/x"],
)
def test_a_place_that_cannot_be_written_is_survived(
    tmp_path, setting, monkeypatch, capfd
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NBTRACK_REGISTRY", setting)
    path = opened(tmp_path / "a")
    assert known_stores() in ([], [path])
    assert capfd.readouterr() == ("", "")


def test_a_home_that_is_not_there_is_not_made(tmp_path, monkeypatch):
    monkeypatch.delenv("NBTRACK_REGISTRY")
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(registry, "_TEMPORARY", ())
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    opened(tmp_path / "a")
    assert not (tmp_path / "nobody").exists()
    assert known_stores() == []


READ_ONLY_HOME = """
import os, sys, hashlib
from nbtrack.store import Store, birth, registry, writer
from nbtrack.store.registry import known_stores
os.setgid(65534); os.setuid(65534)  # the stdlib may be root's alone
registry._TEMPORARY = ()
with Store.open(sys.argv[1]) as store:
    print(store.read_only, known_stores())
"""


def test_a_home_that_cannot_be_written_is_survived(tmp_path, monkeypatch):
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    for parent in tmp_path.parents:
        if not parent.stat().st_mode & 0o005:
            parent.chmod(0o755)
    tmp_path.chmod(0o755)
    (tmp_path / "home").mkdir(mode=0o555)
    place = tmp_path / "theirs"
    place.mkdir()
    place.chmod(0o777)
    done = subprocess.run(
        [sys.executable, "-c", READ_ONLY_HOME, str(place / "a")],
        capture_output=True,
        text=True,
        env={
            **{k: v for k, v in os.environ.items() if k != "NBTRACK_REGISTRY"},
            "HOME": str(tmp_path / "home"),
            "TMPDIR": str(tmp_path / "none"),
            "PYTHONPATH": os.getcwd(),
        },
    )
    assert (done.stdout, done.stderr) == ("False []\n", "")


def test_the_last_used_store_comes_first(tmp_path, notes):
    paths = [opened(tmp_path / name) for name in "abc"]
    for days, path in enumerate(paths):
        aged(notes / store_id(path), days)
    assert known_stores() == paths


def test_a_store_that_vanished_is_not_known_and_its_note_goes_after_a_month(
    tmp_path, notes
):
    kept, gone, long_gone = (opened(tmp_path / name) for name in "abc")
    shutil.rmtree(gone)
    shutil.rmtree(long_gone)
    aged(notes / store_id(long_gone), GONE_S / DAYS_S + 1)
    assert known_stores() == [kept]
    left = {note.name for note in notes.iterdir()}
    assert left == {store_id(kept), store_id(gone)}


def test_no_more_are_kept_than_there_is_room_for(tmp_path, notes, monkeypatch):
    monkeypatch.setattr(registry, "MAX_STORES", 2)
    paths = [opened(tmp_path / name) for name in "abcd"]
    for days, path in enumerate(paths):
        aged(notes / store_id(path), days)
    assert known_stores() == paths[:2]
    assert {n.name for n in notes.iterdir()} == {store_id(p) for p in paths[:2]}


def test_notes_that_are_none_of_ours_are_passed_over(tmp_path, notes):
    path, other = opened(tmp_path / "a"), tmp_path / "b"
    shutil.copytree(path, other)
    (notes / ("0" * 16)).write_text(f"{other}\n")  # not the id of that path
    (notes / store_id(Path("relative"))).write_text("relative\n")
    (notes / ("1" * 16)).write_bytes(b"\xff\0" * 9000)
    (notes / ("2" * 16)).mkdir()
    (notes / store_id(other)).symlink_to(notes / store_id(path))
    (notes / "README").write_text("not a note")
    assert known_stores() == [path]


def test_a_store_of_somebody_else_is_not_known(tmp_path, notes):
    if os.getuid() != 0:
        pytest.skip("only root can give a folder away")
    theirs, linked = opened(tmp_path / "a"), opened(tmp_path / "b")
    os.chown(theirs, 65534, 65534)
    linked.rename(tmp_path / "moved")
    linked.symlink_to(tmp_path / "moved")
    os.chown(linked, 65534, 65534, follow_symlinks=False)
    assert known_stores() == []


def test_a_registry_of_somebody_else_is_not_read(tmp_path, notes):
    if os.getuid() != 0:
        pytest.skip("only root can give a folder away")
    opened(tmp_path / "a")
    os.chown(notes, 65534, 65534)
    assert known_stores() == []


def test_paths_that_are_no_text_are_known_as_they_are(tmp_path, notes):
    path = opened(os.fsdecode(os.fsencode(tmp_path) + b"/a\xff\n<b>"))
    assert known_stores() == [path]


TWICE = """
import sys
from nbtrack.store import registry
from pathlib import Path
registry.FRESH_S = 0.0
for _ in range(200):
    registry.note_store(Path(sys.argv[1]))
    assert registry.known_stores() == [Path(sys.argv[1])]
"""


def test_two_processes_at_once_see_whole_notes(tmp_path, notes):
    path = opened(tmp_path / "a")
    both = [
        subprocess.Popen([sys.executable, "-c", TWICE, str(path)], env=os.environ)
        for _ in range(2)
    ]
    assert [process.wait(60) for process in both] == [0, 0]
    assert [note.name for note in notes.iterdir()] == [store_id(path)]

"""S11: whatever is done, files are 0600 at most and folders 0700, at umask 0 too."""

from __future__ import annotations

import os
import stat

import numpy
import pytest

import nbtrack
from nbtrack.store import Store
from nbtrack.tracking.background import background
from nbtrack.tracking.settings import configure

pytestmark = pytest.mark.usefixtures("plain_surroundings")


@pytest.fixture
def _open_to_all():
    before = os.umask(0)
    yield
    os.umask(before)


def mode_of(path):
    """Its permissions; none where it is a link, or has just gone."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return 0
    return 0 if stat.S_ISLNK(found.st_mode) else stat.S_IMODE(found.st_mode)


def readable_by_others(store_path):
    """Paths in the store that anybody else may read, write or go into."""
    paths = [store_path, *store_path.rglob("*")]
    return [(str(p), oct(mode_of(p))) for p in paths if mode_of(p) & 0o077]


def operations(folder):
    """What can be done to a store, one after another."""
    (folder / "large").write_bytes(os.urandom(3 << 20))
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er" / "small").write_bytes(b"x")
    run = nbtrack.start("base", params={"lr": 1})
    run.log(loss=1.0)
    yield "start", run.store.journal.flush()
    yield "checkpoint", run.checkpoint({"w": numpy.ones(3)}, name="m")
    yield "artifact", run.log_artifact(folder, "data").record()
    yield "model", nbtrack.models.register({"w": 1}, "fraud")
    yield "image", run.log_image(numpy.zeros((4, 4)), "i")
    yield "table", run.log_table({"a": [1]}, "t")
    yield "background", background.settle(10.0)
    yield "settings", configure(keep="last")
    yield "use", nbtrack.artifacts.get("data")
    yield "edit", run.store.edit({"kind": "tags", "run": run.id, "set": {"a": None}})
    yield "sql", run.store.sql("select * from points")
    yield "finish", run.finish()
    yield "rename", nbtrack.rename_metric("loss", "cost")
    yield "collect", run.store.free_files(older_than_s=0)
    with Store.open(folder.parent / "other") as other:
        other.journal.emit({"kind": "run_started", "run": "r", "name": "r"})
        assert other.journal.flush()
    yield "merge", nbtrack.merge(folder.parent / "other")
    yield "purge", run.store.purge(run.id)
    yield "close", run.store.close()


@pytest.mark.usefixtures("_open_to_all")
def test_s11_nothing_is_readable_by_others_after_any_operation(store_path, tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    seen = set()
    for name, _ in operations(folder):
        assert readable_by_others(store_path) == [], name
        seen |= {path.suffix or path.name for path in store_path.rglob("*")}
    assert {"nbtrack.db", ".db-wal", ".seg", ".pack", "write.lock"} - seen <= {
        "nbtrack.db",  # its suffix is .db
        "write.lock",  # SQLite may be one that needs none
    }

"""gc: what it says it frees, it frees; what somebody holds on to stays."""

from __future__ import annotations

import os
import random
import tempfile
import time
from pathlib import Path

import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import nbtrack
from nbtrack.errors import StoreError
from nbtrack.store import Store
from nbtrack.tracking.artifacts import api
from nbtrack.tracking.artifacts.cleaning import clean

MIB = 1 << 20
BLOCKS = [random.Random(n).randbytes(MIB) for n in range(4)]
PAST, FUTURE = "2026-01-01T00:00:00.000000Z", "2100-01-01T00:00:00.000000Z"
VERSION = st.fixed_dictionaries(
    {
        "name": st.sampled_from("abc"),
        # The blocks of each file; a file of none is small.
        "files": st.lists(
            st.lists(st.integers(0, 3), max_size=3), min_size=1, max_size=3
        ),
        "alias": st.booleans(),
        "registered": st.booleans(),
        "expires_at": st.sampled_from([None, PAST, PAST, FUTURE]),
        "deleted": st.booleans(),
        "read": st.booleans(),
    }
)


def on_disk(store) -> int:
    found = [p for part in ("blobs", "cache") for p in (store.path / part).rglob("*")]
    return sum(path.lstat().st_size for path in found if path.is_file())


def kept(store, spec, nth):
    """A version as the spec has it; returns its record."""
    with tempfile.TemporaryDirectory() as work:
        paths = [Path(work, str(n)) for n in range(len(spec["files"]))]
        for path, blocks in zip(paths, spec["files"], strict=True):
            body = b"".join(BLOCKS[block] for block in blocks)
            path.write_bytes(body or b"small %d" % (nth % 3))
        refs = store.put_files(paths)
    rows = [
        [str(n), ref.digest, ref.size_bytes, None, None] for n, ref in enumerate(refs)
    ]
    version = store.keep_artifact(
        {"name": spec["name"], "type": "file", "files": rows, "run": None,
         "expires_at": spec["expires_at"]}
    )  # fmt: skip
    if spec["alias"]:
        store.set_alias(version.ref, f"alias{nth}")
    if spec["registered"]:
        nbtrack.models.register(version.ref, "model", store=store)
    if spec["read"]:
        api.get(version.ref, store=store)
    if spec["deleted"]:
        store.give_up([version.id], why="deleted")
    return version


def age(store):
    """All that is kept was kept long ago."""
    for part in ("blobs", "cache"):
        for path in (store.path / part).rglob("*"):
            os.utime(path, (0, 0))
    with store._writing() as database:
        database.connection.execute("update files set kept_at = '2020'")


@settings(max_examples=examples(6), deadline=None)
@given(specs=st.lists(VERSION, min_size=2, max_size=5))
def test_a_dry_run_says_the_bytes_that_go_and_what_is_held_stays(specs):
    hold(specs)


@pytest.mark.fuzz
@pytest.mark.timeout(900)
@settings(max_examples=examples(300), deadline=None)
@given(specs=st.lists(VERSION, min_size=1, max_size=8))
def test_whatever_is_in_a_store_a_dry_run_says_the_bytes_that_go(specs):
    hold(specs)


def hold(specs):
    """A dry run says what goes, that goes, and what somebody holds on to stays."""
    with tempfile.TemporaryDirectory() as home, Store.open(home) as store:
        for nth, spec in enumerate(specs):
            kept(store, spec, nth)
        age(store)
        before, versions = on_disk(store), store.artifact_versions(gone=False)
        said = clean(store, dry_run=True)
        assert (on_disk(store), store.artifact_versions(gone=False)) == (
            before,
            versions,
        )
        done = clean(store, dry_run=False)
        assert before - on_disk(store) == done.n_bytes == said.n_bytes
        assert (done.by_kind, done.expired) == (said.by_kind, said.expired)
        assert sum(done.by_kind.values()) == done.n_bytes
        held = {
            version.id
            for version in versions
            if any(alias.startswith("alias") for alias in version.aliases)
            or version.expires_at != PAST
        }
        held |= {version.artifact for version in store.model_versions()}
        left = store.artifact_versions(gone=False)
        assert held == {version.id for version in left}
        assert api.verify(store=store)
        # Nothing is left to do, and nothing that is kept has more than it needs.
        assert clean(store, dry_run=True).n_bytes == 0
        chunks = {
            (chunk, size)
            for version in left
            for file in store.artifact_files(version.id)
            for chunk, size in store.chunks_of(file.digest)
            or [(file.digest, file.size_bytes)]
        }
        assert on_disk(store) == sum(size for _, size in chunks)


def test_what_was_kept_just_now_stays_for_an_hour(store):
    spec = {"name": "a", "files": [[0]], "expires_at": PAST, "alias": False,
            "registered": False, "read": True, "deleted": False}  # fmt: skip
    kept(store, spec, 0)
    for dry_run in (True, False):
        done = clean(store, dry_run=dry_run)
        assert (done.expired, done.n_bytes) == (("a:v0",), 0)
    age(store)
    assert clean(store, dry_run=False).n_bytes >= MIB


def test_best_and_what_you_ask_for_stay_with_the_reason(run, tmp_path):
    for nth, loss in enumerate((0.5, 0.1, 0.9, 0.8)):
        run.log(loss=loss)
        (tmp_path / "w.bin").write_bytes(BLOCKS[nth])
        run.log_artifact(tmp_path / "w.bin", "net", ttl=0.01)
    run.store.journal.flush(5)
    time.sleep(0.05)
    done = nbtrack.artifacts.gc(dry_run=True, keep="net:v[23]")
    assert done.expired == ("net:v0",)
    assert done.spared == {
        "net:v1": "it has the alias 'best'",
        "net:v2": "you asked to keep it",
        "net:v3": "you asked to keep it",
    }
    assert "net:v1 has expired and stays: it has the alias 'best'" in repr(done)
    assert nbtrack.artifacts.gc().expired == ("net:v0", "net:v2", "net:v3")
    events = [e for e in run.store.artifact_events(name="net") if e.what == "expired"]
    assert [(event.version, event.by) for event in events] == [
        (0, "gc"),
        (2, "gc"),
        (3, "gc"),
    ]


def test_pictures_of_runs_are_no_garbage(run):
    run.log_image([[0, 255], [255, 0]], "picture")
    run.finish()
    [picture] = run.store.media(run.id)
    age(run.store)
    assert nbtrack.artifacts.gc().n_bytes == 0
    assert run.store.has_file(picture.digest)


def test_a_store_that_cannot_be_written_is_not_cleaned(store):
    store.why_read_only = "it is on a CD"
    with pytest.raises(StoreError, match="on a CD"):
        clean(store, dry_run=True)

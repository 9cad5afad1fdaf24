"""Garbage is counted, freed to the byte, and never what somebody names or just kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from nbtrack.errors import StoreError
from nbtrack.store.free import Collector, Freed

RANDOM = np.random.default_rng(2).bytes(12 << 20)
MIB = 1 << 20


def disk_bytes(store) -> int:
    folders = [store.path / "blobs", store.path / "cache"]
    files = [path for folder in folders for path in folder.rglob("*")]
    return sum(path.stat().st_size for path in files if path.is_file())


def packs(store) -> list[Path]:
    return sorted((store.path / "blobs" / "packs").glob("*.pack"))


@pytest.fixture
def keep(store, tmp_path):
    def keep_content(content: bytes, *, name: str | None = None):
        path = tmp_path / "file"
        path.write_bytes(content)
        ref = store.put_file(path)
        if name is not None:
            name_it(store, ref, name)
        return ref

    return keep_content


def name_it(store, ref, name: str):
    files = [["file", ref.digest, ref.size_bytes, None, None]]
    return store.keep_artifact(
        {"kind": "artifact", "name": name, "type": "file", "files": files}
    )


def freed_as_said(store, **options) -> Freed:
    """Free, and hold that a dry run said the same and that the disk shows it."""
    said = store.free_files(dry_run=True, **options)
    before = disk_bytes(store)
    freed = store.free_files(**options)
    assert freed == said
    assert freed.n_bytes == before - disk_bytes(store)
    return freed


def test_what_nothing_names_is_freed_and_the_rest_stays(store, keep):
    named = keep(RANDOM[: 2 * MIB], name="a")
    small = keep(b"small", name="b")
    lost = keep(RANDOM[3 * MIB : 5 * MIB])
    picture = store.put_bytes(b"lost picture")
    assert freed_as_said(store, older_than_s=0) == Freed(2, 2 * MIB + 12, 1)
    assert [store.has_file(ref.digest) for ref in (named, small, lost, picture)] == [
        True, True, False, False,
    ]  # fmt: skip
    store.verify_file(named.digest)
    assert freed_as_said(store, older_than_s=0) == Freed(0, 0, 0)


def test_what_was_kept_within_the_hour_stays(store, keep):
    keep(RANDOM[: 2 * MIB])
    store.put_bytes(b"picture")
    assert freed_as_said(store) == Freed(0, 0, 0)
    assert freed_as_said(store, older_than_s=0) == Freed(2, 2 * MIB + 7, 1)


def test_a_pack_with_dead_chunks_is_written_anew_without_them(store, keep):
    keep(RANDOM[: 6 * MIB])
    other = keep(RANDOM[2 * MIB : 3 * MIB] + RANDOM[5 * MIB : 7 * MIB], name="a")
    store.file_path(other.digest)  # a copy in the cache, which goes too
    freed = freed_as_said(store, older_than_s=0)
    assert freed == Freed(1, (4 + 3) * MIB, 1)
    assert disk_bytes(store) == 3 * MIB
    with store.open_file(other.digest) as file:
        assert file.read() == RANDOM[2 * MIB : 3 * MIB] + RANDOM[5 * MIB : 7 * MIB]
    assert freed_as_said(store, older_than_s=0) == Freed(0, 0, 0)


def test_files_of_versions_that_were_given_up_are_garbage_until_logged_again(
    store, keep
):
    first = keep(RANDOM[: 2 * MIB], name="a")
    keep(RANDOM[: 3 * MIB], name="a")
    given = store.artifact_versions(name="a")[0]
    assert store.give_up([given.id], why="deleted")
    assert freed_as_said(store, older_than_s=0) == Freed(1, 0, 0)  # chunks are shared
    assert not store.has_file(first.digest)
    assert keep(RANDOM[: 2 * MIB], name="a") == first
    assert store.artifact("a:v0").gone_at is None
    assert freed_as_said(store, older_than_s=0) == Freed(0, 0, 0)
    store.verify_file(first.digest)


def test_rich_values_name_their_files(store):
    ref = store.put_bytes(b"picture")
    store.journal.emit({"kind": "run_started", "run": "r", "name": "r"})
    store.journal.emit(
        {"kind": "media", "run": "r", "name": "i", "type": "image", "step": 0,
         "at": 1.0, "digest": ref.digest}
    )  # fmt: skip
    assert freed_as_said(store, older_than_s=0) == Freed(0, 0, 0)
    assert store.has_file(ref.digest)


def test_what_a_dead_writer_left_is_freed_and_not_what_a_live_one_writes(store):
    from nbtrack.store.asides import aside

    store.put_bytes(b"x" * 10)
    blobs = store.path / "blobs"
    (blobs / "packs").mkdir(exist_ok=True)
    (blobs / ".partial-dead").write_bytes(b"y" * 100)
    (blobs / "packs" / f"{'a' * 32}.pack").write_bytes(b"z" * 1000)
    with aside(blobs / "packs") as live:
        live.write(b"live")
        assert freed_as_said(store) == Freed(0, 0, 0)
        assert freed_as_said(store, older_than_s=0) == Freed(1, 1110, 1)
        live.settle(blobs / "packs" / "settled")
    assert (blobs / "packs" / "settled").read_bytes() == b"live"


def test_links_and_strange_files_in_the_folders_are_left_alone(store, tmp_path):
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    blobs = store.path / "blobs"
    (blobs / "ab").mkdir(parents=True)
    (blobs / "packs").mkdir()
    (blobs / "ab" / ("ab" + "0" * 62)).symlink_to(outside)
    (blobs / "packs" / f"{'b' * 32}.pack").symlink_to(outside)
    (blobs / "ab" / "README").write_text("strange")
    (blobs / "cd").symlink_to(tmp_path)
    assert store.free_files(older_than_s=-10) == Freed(0, 0, 0)
    assert outside.read_bytes() == b"mine"
    assert (blobs / "ab" / "README").exists()


def test_a_blob_that_is_kept_again_during_the_collection_stays(store, monkeypatch):
    """Between the look at its age and its removal."""
    from nbtrack.store import free

    ref = store.put_bytes(b"picture")
    real = free.remove_blob

    def kept_again(file, *, before):
        assert store.put_bytes(b"picture") == ref
        return real(file, before=before)

    monkeypatch.setattr(free, "remove_blob", kept_again)
    assert store.free_files(older_than_s=0) == Freed(0, 0, 0)
    assert store.file_path(ref.digest).read_bytes() == b"picture"


def test_a_blob_that_a_dead_collector_had_moved_away_comes_back(store):
    ref = store.put_bytes(b"picture")
    name_it(store, ref, "a")
    path = store.file_path(ref.digest)
    path.rename(path.with_name(f".dying-{path.name}"))
    store.free_files()
    assert store.file_path(ref.digest).read_bytes() == b"picture"


def test_a_save_whose_chunks_are_collected_meanwhile_writes_them_anew(
    store, keep, monkeypatch
):
    from nbtrack.store import file_saves

    keep(RANDOM[: 4 * MIB])
    real, collected = file_saves.FileSaves._index, []

    def collect_first(self, files, own):
        if len(collected) < 2:  # the file it relies on; then the save's own orphan
            collected.append(store.free_files(older_than_s=0).n_bytes)
        return real(self, files, own)

    monkeypatch.setattr(file_saves.FileSaves, "_index", collect_first)
    ref = keep(RANDOM[: 5 * MIB])
    assert collected == [5 * MIB, 5 * MIB]
    store.verify_file(ref.digest)
    assert disk_bytes(store) == 5 * MIB


def test_a_known_file_that_is_collected_meanwhile_is_kept_anew(
    store, keep, monkeypatch
):
    from nbtrack.store import file_saves

    ref = keep(RANDOM[: 4 * MIB])
    with store._writing() as database:  # not so lately that nothing is looked up again
        database.connection.execute("update files set kept_at = '2020'")
    real, collected = file_saves.FileSaves._index, []

    def collect_first(self, files, own):
        if not collected:
            collected.append(store.free_files(older_than_s=0).n_bytes)
        return real(self, files, own)

    monkeypatch.setattr(file_saves.FileSaves, "_index", collect_first)
    assert keep(RANDOM[: 4 * MIB]) == ref
    assert collected == [4 * MIB]
    store.verify_file(ref.digest)


def test_two_collectors_at_once_lose_nothing(store, keep, monkeypatch):
    """The second one comes while a pack that the first wrote is named by nothing."""
    keep(RANDOM[: 4 * MIB])
    ref = keep(RANDOM[MIB : 3 * MIB], name="a")
    real, inner = Collector._copy_chunks, []

    def second_first(self, pack, places):
        made = real(self, pack, places)
        if not inner:
            inner.append(1)
            inner.append(store.free_files(older_than_s=0))
        return made

    monkeypatch.setattr(Collector, "_copy_chunks", second_first)
    store.free_files(older_than_s=0)
    store.verify_file(ref.digest)
    monkeypatch.undo()
    store.free_files(older_than_s=0)
    store.verify_file(ref.digest)
    assert disk_bytes(store) == 2 * MIB


def test_a_damaged_pack_is_not_written_anew(store, keep):
    keep(RANDOM[: 4 * MIB])
    ref = keep(RANDOM[MIB : 3 * MIB], name="a")
    pack = packs(store)[0]
    pack.chmod(0o600)
    with pack.open("r+b") as file:
        file.seek(MIB + 9)
        file.write(b"\0")
    assert store.free_files(older_than_s=0).n_bytes == 0
    assert packs(store) == [pack]
    with pytest.raises(StoreError, match="is damaged"):
        store.verify_file(ref.digest)


def test_usage_adds_up_to_the_disk_with_garbage_and_all(store, keep):
    refs = [keep(RANDOM[n * MIB : (n + 3) * MIB], name=f"a{n}") for n in range(4)]
    store.put_bytes(b"picture")
    store.file_path(refs[2].digest)
    (store.path / "blobs" / ".partial-x").write_bytes(b"rest")
    usage = store.file_usage()
    assert usage.total_bytes == disk_bytes(store)
    assert usage.other_bytes == pytest.approx(3 * MIB + 4)
    assert sum(usage.by_digest.values()) == pytest.approx(6 * MIB + 7)
    assert usage.by_digest[refs[0].digest] == pytest.approx(MIB * (1 + 1 / 2 + 1 / 3))


def test_a_purge_takes_the_files_of_a_run_however_large_or_new(store, keep, tmp_path):
    shared, own = keep(RANDOM[: 3 * MIB]), keep(RANDOM[2 * MIB : 5 * MIB])
    registered = keep(RANDOM[6 * MIB : 8 * MIB])
    for run, refs in {"r1": (shared, own, registered), "r2": (shared,)}.items():
        store.journal.emit({"kind": "run_started", "run": run, "name": run})
        for nth, ref in enumerate(refs):
            store.journal.emit(
                {"kind": "checkpoint", "run": run, "name": f"secret{nth}",
                 "digest": ref.digest, "size_bytes": ref.size_bytes, "path": "m.pt"}
            )  # fmt: skip
        store.journal.emit({"kind": "run_finished", "run": run, "status": "finished"})
    assert store.journal.flush()
    store.set_alias("secret2:v0", "mine")
    store.file_path(own.digest)
    store.purge("r1")
    assert [store.has_file(ref.digest) for ref in (shared, own, registered)] == [
        True, False, True,
    ]  # fmt: skip
    assert disk_bytes(store) == 5 * MIB
    store.verify_file(shared.digest)
    store.verify_file(registered.digest)
    names = {version.name for version in store.artifact_versions()}
    assert names == {"secret0", "secret2"}
    store.close()
    left = [path for path in store.path.rglob("*") if path.is_file()]
    gone = RANDOM[4 * MIB : 4 * MIB + 99]
    assert [path for path in left if gone in path.read_bytes()] == []
    assert [path for path in left if b"secret1" in path.read_bytes()] == []


KEEPER = """
import json, sys
from pathlib import Path
from nbtrack.store import Store

path, folder, n = sys.argv[1:]
random = (Path(folder) / "random").read_bytes()
with Store.open(path) as store:
    print("ready", flush=True)
    for nth in range(int(n)):
        at = (nth % 7) << 20
        file = Path(folder) / "own"
        file.write_bytes(random[at : at + (3 << 20)] + b"%d" % nth)
        ref = store.put_file(file)
        small = store.put_bytes(b"small %d" % nth)
        files = [["large", ref.digest, ref.size_bytes, None, None],
                 ["small", small.digest, small.size_bytes, None, None]]
        made = store.keep_artifact(
            {"kind": "artifact", "name": "a", "type": "file", "files": files})
        print(json.dumps([made.id, ref.digest, small.digest]), flush=True)
"""


def make_old(store, digests: list[str]) -> None:
    """As if these files, and all packs that are in use, had been kept hours ago."""
    with store._writing() as database:
        execute = database.connection.execute
        execute(
            "update files set kept_at = '2020'"
            " where digest in (select value from json_each(?))",
            (json.dumps(digests),),
        )
        names = execute("select distinct pack from file_chunks").fetchall()
    long_ago = time.time() - 7200
    blobs = [store.path / "blobs" / digest[:2] / digest for digest in digests]
    for path in [*(store.path / f"blobs/packs/{n}.pack" for (n,) in names), *blobs]:
        with suppress(FileNotFoundError):
            os.utime(path, (long_ago, long_ago))


def test_what_another_process_keeps_during_collections_is_all_there(store, tmp_path):
    """Its files share chunks with garbage, which is given up and freed all the time."""
    (tmp_path / "random").write_bytes(RANDOM)
    n, n_bytes, kept = 40, 0, []
    keeper = subprocess.Popen(
        [sys.executable, "-c", KEEPER, str(store.path), str(tmp_path), str(n)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert keeper.stdout.readline() == "ready\n"
    for line in keeper.stdout:
        kept.append(json.loads(line))
        if len(kept) % 2 == 0:
            version, *digests = kept[-2]
            store.give_up([version], why="deleted")
            make_old(store, digests)
            n_bytes += store.free_files().n_bytes
    keeper.stdout.close()
    assert (keeper.wait(), len(kept)) == (0, n)
    assert n_bytes > 20 * MIB
    alive = store.artifact_versions(name="a", gone=False)
    assert [version.id for version in alive] == [version for version, *_ in kept[1::2]]
    for version in alive:
        for file in store.artifact_files(version.id):
            store.verify_file(file.digest)
    store.free_files(older_than_s=0)
    assert store.file_usage().other_bytes == 0

"""R21: a kept file is whole or absent; what a dead or starved save left is cleared."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from examples import often

from nbtrack.errors import StoreError
from nbtrack.store import Store

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
KILLS = 50
MIB = 1 << 20

# A process with everything imported forks one that saves, for each line "STORE ACK".
# Each save is another cut of the same random bytes: all of its chunks are new.
SAVING = """
import os
from pathlib import Path
from nbtrack.store import Store, file_saves, file_reads
from faults.children import Acknowledged, serve

SIZE = SIZE_MIB << 20
random = os.urandom(SIZE + (16 << 20))

def save_for_ever(path, ack):
    done, work = Acknowledged(ack), Path(path + "-work")
    work.mkdir()
    store, n = Store.open(path), 0
    paths = [work / "large", work / "one", work / "two"]
    while True:
        at = n * 4099 + 1
        paths[0].write_bytes(memoryview(random)[at : at + SIZE])
        paths[1].write_bytes(random[at : at + 70_000])
        paths[2].write_bytes(random[-at - (3 << 20) : -at])
        done.set(1, 1)
        with (work / "said").open("a") as said:
            for ref in [store.put_file(paths[0]), store.put_file(paths[1]),
                        *store.put_files(paths[1:])]:
                print(ref.digest, file=said, flush=True)
        n += 1
        done.set(n)

serve(save_for_ever)
"""


def files_on_disk(store) -> list[Path]:
    return [path for path in (store.path / "blobs").rglob("*") if path.is_file()]


def disk_bytes(store) -> int:
    return sum(path.stat().st_size for path in files_on_disk(store))


@pytest.mark.parametrize("mib", often(32, 200))
def test_r21_killed_fifty_times_every_kept_file_is_whole_and_the_rests_are_cleared(
    tmp_path, serving, killed, mib
):
    zygote, n_rests = serving(SAVING.replace("SIZE_MIB", str(mib))), 0
    for kill in range(KILLS):
        path, ack = tmp_path / f"s{kill}", tmp_path / f"ack{kill}"
        killed(zygote, path, ack, (0.0, 0.4 * mib / 32), place=1)
        n_rests += check_one(path)
        shutil.rmtree(path)
        shutil.rmtree(f"{path}-work")
    assert n_rests > 0, "no kill fell into a save"


def check_one(path) -> int:
    """How many rests there were, when all that was kept is whole and all is cleared."""
    said = Path(f"{path}-work/said").read_text().split()
    with Store.open(path) as store:
        listed = [digest for (digest,) in store.sql("select digest from files")[1]]
        blobs = [p.name for p in files_on_disk(store) if len(p.name) == 64]
        for digest in {*said, *listed, *blobs}:
            store.verify_file(digest)
        rests = [p for p in files_on_disk(store) if p.name.startswith(".partial-")]
        would, before = (
            store.free_files(dry_run=True, older_than_s=0),
            disk_bytes(store),
        )
        freed = store.free_files(older_than_s=0)
        assert (freed, freed.n_bytes) == (would, before)
        assert files_on_disk(store) == []
        assert store.sql("select count(*) from file_chunks")[1] == [(0,)]
    return len(rests)


def test_r21_a_full_disk_keeps_all_of_a_file_or_nothing(small_disk, tmp_path):
    large, small = tmp_path / "large", tmp_path / "small"
    large.write_bytes(os.urandom(8 * MIB))
    small.write_bytes(os.urandom(900_000))
    with Store.open(small_disk.path) as store:
        before = store.put_bytes(b"picture")
        for save in (
            lambda: store.put_file(large),
            lambda: store.put_files([small, large]),
            lambda: store.put_bytes(bytes(3 * MIB)),
        ):
            with pytest.raises(StoreError, match="No space left"):
                save()
            assert len(files_on_disk(store)) == 1
        small_disk.fill()
        with pytest.raises(StoreError, match="No space left"):
            store.put_file(small)
        assert disk_bytes(store) == before.size_bytes
        small_disk.enlarge()
        for ref in (store.put_file(large), store.put_file(small)):
            store.verify_file(ref.digest)
        store.verify_file(before.digest)


def test_r21_a_disk_too_full_for_the_index_keeps_no_pack(small_disk, tmp_path):
    """The pack fits, its rows do not: SQLite finds the disk full."""
    file = tmp_path / "file"
    file.write_bytes(os.urandom(MIB))
    with Store.open(small_disk.path) as store:
        store.put_bytes(b"picture")
        free = shutil.disk_usage(small_disk.path).free
        (small_disk.path / "ballast").write_bytes(bytes(free - MIB - 4096))
        with pytest.raises(StoreError):
            store.put_file(file)
        assert disk_bytes(store) == len(b"picture")
        small_disk.enlarge()
        store.verify_file(store.put_file(file).digest)


def test_r21_a_collection_on_a_full_disk_makes_room_for_itself(small_disk, tmp_path):
    """Its transaction needs a few pages: what has no rows is removed before it."""
    file = tmp_path / "file"
    file.write_bytes(os.urandom(MIB))
    with Store.open(small_disk.path) as store:
        dead, picture = store.put_file(file), store.put_bytes(bytes(50_000))
        small_disk.fill()
        freed = store.free_files(older_than_s=0)
        assert freed.n_bytes == dead.size_bytes + picture.size_bytes
        assert files_on_disk(store) == []
        store.verify_file(store.put_file(file).digest)


def test_r21_a_pack_is_left_as_it_is_where_there_is_no_room_for_a_new_one(
    small_disk, tmp_path
):
    paths = [tmp_path / "named", tmp_path / "dead"]
    for path in paths:
        path.write_bytes(os.urandom(MIB // 2))
    with Store.open(small_disk.path) as store:
        named, dead = store.put_files(paths)  # one pack
        files = [["named", named.digest, named.size_bytes, None, None]]
        store.keep_artifact(
            {"kind": "artifact", "name": "a", "type": "file", "files": files}
        )
        picture = store.put_bytes(bytes(50_000))
        small_disk.fill()
        assert store.free_files(older_than_s=0).n_bytes == picture.size_bytes
        store.verify_file(named.digest)
        assert not store.has_file(dead.digest)
        small_disk.enlarge()
        assert store.free_files(older_than_s=0).n_bytes == dead.size_bytes
        store.verify_file(named.digest)
        assert disk_bytes(store) == named.size_bytes


@pytest.mark.parametrize("at", [0, MIB - 1, MIB, 5 * MIB // 2, 3 * MIB + 4])
def test_r21_a_flipped_byte_is_named_wherever_it_is(tmp_path, at):
    file = tmp_path / "file"
    file.write_bytes(os.urandom(3 * MIB + 5))
    with Store.open(tmp_path / "store") as store:
        ref, other = store.put_file(file), store.put_bytes(b"picture")
        [pack] = store.path.glob("blobs/packs/*.pack")
        store.verify_file(ref.digest)
        pack.chmod(0o600)
        with pack.open("r+b") as packed:
            packed.seek(at)
            byte = packed.read(1)[0]
            packed.seek(at)
            packed.write(bytes([byte ^ 0x10]))
        for read in (store.verify_file, lambda d: store.open_file(d).read(),
                     lambda d: store.copy_file(d, tmp_path / "copy")):  # fmt: skip
            with pytest.raises(StoreError, match=f"{ref.digest[:12]}.*{pack.name}"):
                read(ref.digest)
        assert not (tmp_path / "copy").exists()
        store.verify_file(other.digest)

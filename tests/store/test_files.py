"""Large files are kept in chunks, once per content, and are read back checked."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from examples import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbtrack.errors import StoreError
from nbtrack.store import Store, file_saves
from nbtrack.store.packs import hash_of

RANDOM = np.random.default_rng(1).bytes(12 << 20)
MIB = 1 << 20


@pytest.fixture
def write(tmp_path):
    def write_file(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return write_file


def disk_bytes(store) -> int:
    folders = [store.path / "blobs", store.path / "cache"]
    files = [path for folder in folders for path in folder.rglob("*")]
    return sum(path.stat().st_size for path in files if path.is_file())


def packs(store) -> list[Path]:
    return sorted((store.path / "blobs" / "packs").glob("*.pack"))


def damage(path: Path, at: int) -> None:
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_a_large_file_comes_back_in_every_way(store, write, tmp_path):
    content = RANDOM[: 3 * MIB + 5]
    ref = store.put_file(write("a.pt", content))
    assert ref.digest == hashlib.sha256(content).hexdigest()
    assert ref.size_bytes == len(content)
    assert store.has_file(ref.digest)
    assert store.file_path(ref.digest).read_bytes() == content
    store.copy_file(ref.digest, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == content
    with store.open_file(ref.digest) as file:
        assert file.read() == content
        assert (file.seek(-7, os.SEEK_END), file.read()) == (
            len(content) - 7,
            content[-7:],
        )
        assert (file.seek(MIB - 1), file.read(2)) == (
            MIB - 1,
            content[MIB - 1 : MIB + 1],
        )
    store.verify_file(ref.digest)


def test_the_first_save_is_a_pack_that_is_the_file_itself(store, write):
    ref = store.put_file(write("a.pt", RANDOM[: 2 * MIB]))
    assert packs(store) == [store.file_path(ref.digest)]
    assert not (store.path / "cache").exists()


def test_the_same_ten_megabytes_in_fifty_saves_are_ten_on_the_disk(store, write):
    file = write("a.bin", RANDOM[: 10 * MIB])
    refs = {store.put_file(file) for _ in range(50)}
    assert len(refs) == 1
    assert disk_bytes(store) == 10 * MIB


def test_files_share_the_chunks_that_they_have_in_common(store, write):
    one = store.put_file(write("a", RANDOM[: 4 * MIB]))
    other = store.put_file(write("b", RANDOM[: 3 * MIB] + RANDOM[8 * MIB : 9 * MIB]))
    assert disk_bytes(store) == 5 * MIB
    path = store.file_path(other.digest)  # in no pack as one piece
    assert path.parent == store.path / "cache"
    assert path.read_bytes() == RANDOM[: 3 * MIB] + RANDOM[8 * MIB : 9 * MIB]
    assert store.file_path(other.digest) == path
    usage = store.file_usage()
    assert usage.by_digest == {one.digest: 2.5 * MIB, other.digest: 2.5 * MIB}
    assert (usage.total_bytes, usage.other_bytes) == (disk_bytes(store), 4 * MIB)


def test_a_chunk_that_a_file_repeats_is_kept_once(store, write):
    content = bytes(6 * MIB) + RANDOM[:MIB]
    ref = store.put_file(write("zeros", content))
    assert disk_bytes(store) == 2 * MIB
    assert store.file_path(ref.digest).read_bytes() == content


def test_a_file_that_only_grew_adds_what_is_new(store, write):
    store.put_file(write("log", RANDOM[: 6 * MIB]))
    ref = store.put_file(write("log", RANDOM[: 6 * MIB + 300_000]))
    assert disk_bytes(store) == 6 * MIB + 300_000
    assert ref.digest == hashlib.sha256(RANDOM[: 6 * MIB + 300_000]).hexdigest()
    store.verify_file(ref.digest)


def test_a_file_made_of_known_chunks_adds_nothing(store, write):
    store.put_file(write("a", RANDOM[: 6 * MIB]))
    before = disk_bytes(store)
    ref = store.put_file(write("b", RANDOM[MIB : 3 * MIB] + RANDOM[:MIB]))
    assert disk_bytes(store) == before
    content = RANDOM[MIB : 3 * MIB] + RANDOM[:MIB]
    assert ref.digest == hashlib.sha256(content).hexdigest()
    assert store.open_file(ref.digest).read() == content


def test_the_files_of_a_folder_are_one_pack(store, write):
    contents = [b"", b"small", RANDOM[: 2 * MIB], b"small", RANDOM[MIB : 2 * MIB]]
    paths = [write(f"data/{n}", content) for n, content in enumerate(contents)]
    refs = store.put_files(paths)
    assert [ref.digest for ref in refs] == [
        hashlib.sha256(content).hexdigest() for content in contents
    ]
    assert len(packs(store)) == 1
    assert disk_bytes(store) == 2 * MIB + 5
    assert store.file_path(refs[1].digest).read_bytes() == b"small"
    assert store.put_files(paths) == refs
    assert store.put_files([]) == []
    for ref in refs:
        store.verify_file(ref.digest)


def test_small_files_are_found_whichever_way_they_were_kept(store, write):
    whole = store.put_bytes(b"picture")
    folder = store.put_files([write("a", b"picture"), write("b", b"text")])
    assert folder[0] == whole
    assert disk_bytes(store) == len(b"picturetext")
    assert store.put_bytes(b"text") == folder[1]
    assert store.put_file(write("c", b"text")) == folder[1]
    assert disk_bytes(store) == len(b"picturetext")
    assert (store.chunks_of(whole.digest), len(store.chunks_of(folder[1].digest))) == (
        [],
        1,
    )


def test_a_large_blob_of_an_older_store_is_not_kept_twice(store, write):
    content = RANDOM[: 2 * MIB]
    ref = store.put_bytes(content)  # whole, as version 3 kept every file
    assert store.put_file(write("a", content)) == ref
    assert disk_bytes(store) == len(content)
    with store.open_file(ref.digest) as file:
        assert file.read() == content


def test_everything_kept_is_private_whatever_the_umask(store, write, tmp_path):
    before = os.umask(0)
    try:
        large = store.put_file(write("a", RANDOM[: 2 * MIB]))
        store.put_file(write("b", b"small"))
        mixed = store.put_file(write("c", RANDOM[MIB : 2 * MIB] + RANDOM[:MIB]))
        store.file_path(mixed.digest)
        store.copy_file(large.digest, tmp_path / "out")
    finally:
        os.umask(before)
    for folder in ("blobs", "cache"):
        for path in [store.path / folder, *(store.path / folder).rglob("*")]:
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode == (0o700 if path.is_dir() else 0o400), path


@pytest.mark.parametrize("digest", ["../../etc/passwd", "a" * 63, "A" * 64, "", "a\0"])
def test_only_a_digest_names_a_file(store, tmp_path, digest):
    for ask in (store.file_path, store.has_file, store.open_file, store.verify_file,
                store.chunks_of, lambda d: store.copy_file(d, tmp_path / "x"),
                lambda d: store.put_listed(d, [])):  # fmt: skip
        with pytest.raises(StoreError, match="is not a sha256 digest"):
            ask(digest)
    assert not (tmp_path / "x").exists()


def test_a_digest_that_is_not_kept_is_an_error(store, tmp_path):
    assert not store.has_file("a" * 64)
    for ask in (store.file_path, store.open_file, store.verify_file, store.chunks_of):
        with pytest.raises(StoreError, match="No file aaaaaaaaaaaa"):
            ask("a" * 64)
    with pytest.raises(StoreError, match="No file"):
        store.copy_file("a" * 64, tmp_path / "x")
    assert list(tmp_path.glob("*")) == [store.path]


def test_a_name_of_a_pack_that_leads_out_of_the_store_is_refused(
    store, write, tmp_path
):
    ref = store.put_file(write("a", RANDOM[: 2 * MIB]))
    shutil.copy(packs(store)[0], tmp_path / "x.pack")
    with store._writing() as database:
        database.connection.execute("update file_chunks set pack = '../../../x'")
    for ask in (store.open_file(ref.digest).read, lambda: store.file_path(ref.digest)):
        with pytest.raises(StoreError, match="not the name of a pack"):
            ask()


def test_a_flipped_byte_is_named_and_never_handed_out(store, write, tmp_path):
    ref = store.put_file(write("a", RANDOM[: 3 * MIB]))
    damage(packs(store)[0], 2 * MIB + 17)
    named = f"{ref.digest[:12]}.* is damaged: .*{packs(store)[0].name}"
    with pytest.raises(StoreError, match=named):
        store.verify_file(ref.digest)
    with pytest.raises(StoreError, match=named):
        store.copy_file(ref.digest, tmp_path / "x")
    assert not (tmp_path / "x").exists()
    with store.open_file(ref.digest) as file:
        assert file.read(2 * MIB) == RANDOM[: 2 * MIB]
        with pytest.raises(StoreError, match=named):
            file.read(1)


def test_a_flipped_byte_of_a_small_file_is_named(store, tmp_path):
    ref = store.put_bytes(b"picture")
    damage(store.file_path(ref.digest), 3)
    for ask in (store.verify_file, store.open_file,
                lambda d: store.copy_file(d, tmp_path / "x")):  # fmt: skip
        with pytest.raises(StoreError, match=f"{ref.digest[:12]}.* is damaged"):
            ask(ref.digest)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("harm", [Path.unlink, lambda p: os.truncate(p, MIB + 5)])
def test_a_pack_that_is_gone_or_short_is_named(store, write, harm):
    ref = store.put_file(write("a", RANDOM[: 3 * MIB]))
    packs(store)[0].chmod(0o600)
    harm(packs(store)[0])
    with pytest.raises(StoreError, match=f"{ref.digest[:12]}.* is damaged: .*pack"):
        store.verify_file(ref.digest)


def test_a_file_that_changes_while_it_is_read_is_refused(store, write, monkeypatch):
    file, hashed = write("a", RANDOM[: 9 * MIB]), []
    real = file_saves._hash

    def written_meanwhile(view, window):
        if not hashed:
            with file.open("r+b") as other:
                other.write(b"new")
        hashed.append(len(view))
        return real(view, window)

    monkeypatch.setattr(file_saves, "_hash", written_meanwhile)
    with pytest.raises(StoreError, match="changed while it was read"):
        store.put_file(file)
    assert len(hashed) > 1
    assert disk_bytes(store) == 0
    assert store.sql("select count(*) from files")[1] == [(0,)]


@pytest.mark.parametrize("size", [1 * MIB, 9 * MIB])
def test_a_file_that_is_cut_short_or_replaced_is_refused(
    store, write, monkeypatch, size
):
    real = file_saves._hash
    for harm in (lambda p: os.truncate(p, 10), lambda p: write("b", b"x").replace(p)):
        file = write("a", RANDOM[:size])

        def harmed(view, window, file=file, harm=harm):
            harm(file)
            return real(view, window)

        with monkeypatch.context() as patch:
            patch.setattr(file_saves, "_hash", harmed)
            with pytest.raises(StoreError, match="changed while it was read"):
                store.put_file(file)
    assert disk_bytes(store) == 0


def test_what_is_no_regular_file_is_refused_at_once(store, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name, why in (
        ("pipe", "not a regular file"),
        (".", "not a regular file"),
        ("loop", "symbolic links"),
        ("none", "No such file"),
    ):
        with pytest.raises(StoreError, match=why):
            store.put_file(tmp_path / name)
        with pytest.raises(StoreError, match=why):
            store.put_files([Path(__file__), tmp_path / name])
    with pytest.raises(StoreError, match="not a regular file"):
        store.put_file("/dev/zero")
    assert disk_bytes(store) == 0


def test_a_symbolic_link_is_kept_as_what_it_points_to(store, write, tmp_path):
    write("a", RANDOM[: 2 * MIB])
    (tmp_path / "link").symlink_to("a")
    ref = store.put_file(tmp_path / "link")
    assert store.file_path(ref.digest).read_bytes() == RANDOM[: 2 * MIB]
    assert not store.file_path(ref.digest).is_symlink()


def test_a_copy_replaces_what_was_there_as_a_whole(store, write, tmp_path):
    ref = store.put_file(write("a", RANDOM[: 2 * MIB]))
    target = write("out/model.pt", b"old")
    with target.open("rb") as reader:
        store.copy_file(ref.digest, target)
        assert reader.read() == b"old"
    assert target.read_bytes() == RANDOM[: 2 * MIB]
    assert os.listdir(target.parent) == ["model.pt"]
    with pytest.raises(StoreError, match="cannot be written"):
        store.copy_file(ref.digest, tmp_path / "no" / "folder")
    with pytest.raises(StoreError, match="cannot be written"):
        store.copy_file(ref.digest, tmp_path / "out")


def test_a_reader_goes_on_when_the_pack_is_written_anew(store, write):
    ref = store.put_file(write("a", RANDOM[: 4 * MIB]))
    with store.open_file(ref.digest) as file:
        assert file.read(MIB) == RANDOM[:MIB]
        old, new = packs(store)[0], "f" * 32
        shutil.move(old, old.with_name(f"{new}.pack"))
        with store._writing() as database:
            database.connection.execute("update file_chunks set pack = ?", (new,))
        assert file.read() == RANDOM[MIB : 4 * MIB]  # from the pack it has open
    with store.open_file(ref.digest) as file:
        new_again = "e" * 32
        shutil.move(old.with_name(f"{new}.pack"), old.with_name(f"{new_again}.pack"))
        with store._writing() as database:
            database.connection.execute("update file_chunks set pack = ?", (new_again,))
        assert file.read() == RANDOM[: 4 * MIB]  # looked up again


def test_threads_may_keep_files_at_once(store, write):
    same = write("same", RANDOM[: 5 * MIB])
    files = [same] * 4 + [
        write(f"f{n}", RANDOM[n << 18 :][: 2 * MIB]) for n in range(6)
    ]
    with ThreadPoolExecutor(8) as pool:
        refs = list(pool.map(store.put_file, files))
    for file, ref in zip(files, refs, strict=True):
        assert ref.digest == hashlib.sha256(file.read_bytes()).hexdigest()
        store.verify_file(ref.digest)
    assert store.free_files(dry_run=True, older_than_s=0).n_files == 7
    total = store.sql("select sum(size_bytes) from file_chunks")[1][0][0]
    garbage = disk_bytes(store) - total  # chunks that two threads wrote at once
    assert 0 <= garbage <= 3 * 5 * MIB


def test_a_store_that_can_only_be_read_keeps_nothing_and_shows_all(store, write):
    one = store.put_file(write("a", RANDOM[: 2 * MIB]))
    two = store.put_file(write("b", RANDOM[MIB : 2 * MIB] + RANDOM[:MIB]))
    reader = Store(
        store.path, created=False, version=4, why_read_only="It is for reading only."
    )
    assert reader.file_path(one.digest).read_bytes() == RANDOM[: 2 * MIB]
    assert reader.open_file(two.digest).read() == RANDOM[MIB : 2 * MIB] + RANDOM[:MIB]
    for refused in (lambda: reader.put_bytes(b""), lambda: reader.put_file(__file__),
                    reader.free_files):  # fmt: skip
        with pytest.raises(StoreError, match="for reading only"):
            refused()
    reader.close()


def test_chunks_make_the_same_file_in_another_store(store, write, tmp_path):
    ref = store.put_file(write("a", RANDOM[: 4 * MIB + 9]))
    hashes = [hash_ for hash_, _ in store.chunks_of(ref.digest)]
    with Store.open(tmp_path / "other") as other:
        assert other.missing_chunks(hashes + hashes[:1]) == hashes
        other.put_chunks([(h, store.read_chunk(h)) for h in hashes[:2]])
        assert other.missing_chunks(hashes) == hashes[2:]
        with pytest.raises(StoreError, match="not in the store"):
            other.put_listed(ref.digest, hashes)
        other.put_chunks([(h, store.read_chunk(h)) for h in hashes])
        assert other.put_listed(ref.digest, hashes) == ref
        assert other.open_file(ref.digest).read() == RANDOM[: 4 * MIB + 9]
        assert disk_bytes(other) == 4 * MIB + 9
        with pytest.raises(StoreError, match="make another"):
            other.put_listed("a" * 64, hashes)
        with pytest.raises(StoreError, match="another content"):
            other.put_chunks([(hash_of(b"a"), b"b")])
        assert not other.has_file("a" * 64)


@settings(
    max_examples=examples(30),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    pieces=st.lists(
        st.tuples(st.integers(0, 1 << 16), st.integers(0, 3 * MIB)), max_size=4
    ),
    kind=st.sampled_from([b"", b"PK\x03\x04", b"\x10\0\0\0\0\0\0\0{"]),
)
def test_any_file_comes_back_as_it_was(store, write, pieces, kind):
    content = kind + b"".join(RANDOM[at : at + n] for at, n in pieces)
    ref = store.put_file(write("any", content))
    assert ref.digest == hashlib.sha256(content).hexdigest()
    with store.open_file(ref.digest) as file:
        assert file.read() == content
    assert store.put_files([write("one", content), write("two", b"2")])[0] == ref

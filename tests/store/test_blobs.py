"""Files are kept once per content, whole or not at all."""

from __future__ import annotations

import hashlib

import pytest

from nbtrack.errors import StoreError


def test_a_file_is_kept_by_its_content_and_once(store, tmp_path):
    first, second = tmp_path / "a.pt", tmp_path / "b.pt"
    first.write_bytes(b"weights" * 1000)
    second.write_bytes(b"weights" * 1000)
    a, b = store.put_file(first), store.put_file(second)
    assert a == b
    assert a.digest == hashlib.sha256(b"weights" * 1000).hexdigest()
    assert a.size_bytes == 7000
    assert store.file_path(a.digest).read_bytes() == first.read_bytes()
    assert len([p for p in (store.path / "blobs").rglob("*") if p.is_file()]) == 1


def test_the_copy_does_not_follow_the_original(store, tmp_path):
    file = tmp_path / "a.pt"
    file.write_bytes(b"one")
    ref = store.put_file(file)
    file.write_bytes(b"two")
    assert store.file_path(ref.digest).read_bytes() == b"one"


def test_an_empty_file_is_a_file(store, tmp_path):
    (tmp_path / "empty").touch()
    assert store.put_file(tmp_path / "empty").size_bytes == 0


def test_a_file_that_is_not_there_is_an_error_and_leaves_nothing(store, tmp_path):
    with pytest.raises(StoreError, match="cannot be kept"):
        store.put_file(tmp_path / "none")
    assert list((store.path / "blobs").iterdir()) == []


@pytest.mark.parametrize("digest", ["../../etc/passwd", "a" * 63, "A" * 64, ""])
def test_only_a_digest_names_a_file(store, digest):
    with pytest.raises(StoreError, match="is not a sha256 digest"):
        store.file_path(digest)


def test_a_digest_that_is_not_kept_is_an_error(store):
    with pytest.raises(StoreError, match="No file aaaaaaaaaaaa"):
        store.file_path("a" * 64)


def test_bytes_are_kept_as_a_file_of_that_content_would_be(store, tmp_path):
    (tmp_path / "a.png").write_bytes(b"picture")
    assert store.put_bytes(b"picture") == store.put_file(tmp_path / "a.png")
    assert store.put_bytes(b"picture") == store.put_bytes(b"picture")
    assert len([p for p in (store.path / "blobs").rglob("*") if p.is_file()]) == 1


def test_bytes_that_the_disk_refuses_are_an_error(store):
    (store.path / "blobs").mkdir(exist_ok=True)
    (store.path / "blobs").rmdir()
    (store.path / "blobs").write_text("in the way")
    with pytest.raises(StoreError, match="7 bytes cannot be kept"):
        store.put_bytes(b"picture")
    (store.path / "blobs").unlink()

"""A bundle is read back as it was written, and the same each time."""

from __future__ import annotations

import os
import stat
import zipfile

import pytest
from bundles.made import DATA, made_bundle, members

from nbtrack.bundles.archive.reading import open_bundle
from nbtrack.bundles.archive.writing import write_bundle
from nbtrack.errors import BundleError


def test_what_was_written_is_read_back(tmp_path):
    with open_bundle(made_bundle(tmp_path)) as bundle:
        assert {name: bundle.read(name) for name in bundle.names} == members()
        assert bundle.manifest["run"]["name"] == "base"
        assert not bundle.problems()


def test_a_bundle_is_a_plain_zip_for_others(tmp_path):
    with zipfile.ZipFile(made_bundle(tmp_path)) as archive:
        infos = archive.infolist()
        assert archive.testzip() is None
        assert archive.read("data/files/train.csv") == DATA
        assert [i.filename for i in infos] == sorted(i.filename for i in infos)
    assert {i.date_time for i in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert {i.external_attr >> 16 for i in infos} == {stat.S_IFREG | 0o644}
    assert {(i.extra, i.comment) for i in infos} == {(b"", b"")}


def test_the_same_members_give_the_same_bytes(tmp_path):
    (tmp_path / "data.csv").write_bytes(DATA)
    given = members()
    first = write_bundle(tmp_path / "a.nbt.zip", given)
    given["data/files/train.csv"] = tmp_path / "data.csv"
    again = write_bundle(tmp_path / "b.nbt.zip", dict(reversed(given.items())))
    assert first == again
    a, b = (tmp_path / f"{name}.nbt.zip" for name in "ab")
    assert a.read_bytes() == b.read_bytes()


def test_an_unpacked_folder_is_the_same_bundle(tmp_path):
    path = made_bundle(tmp_path)
    with open_bundle(path) as zipped:
        folder = zipped.extract(tmp_path / "out")
        with open_bundle(folder) as unpacked:
            assert unpacked.id == zipped.id
            assert unpacked.names == zipped.names
            assert not unpacked.problems()
    assert folder.stat().st_mode & 0o777 == 0o700
    for found in folder.rglob("*"):
        assert found.stat().st_mode & 0o777 == (0o700 if found.is_dir() else 0o600)


def test_names_beyond_ascii_and_much_zero_are_read_back(tmp_path):
    given = {"data/files/größe 测试.bin": bytes(3 << 20), "data/files/empty": b""}
    write_bundle(tmp_path / "a.nbt.zip", given)
    with open_bundle(tmp_path / "a.nbt.zip") as bundle:
        assert {name: bundle.read(name) for name in bundle.names} == given


def test_a_few_members_can_be_extracted(tmp_path):
    with open_bundle(made_bundle(tmp_path)) as bundle:
        folder = bundle.extract(tmp_path / "out", ["data/files/train.csv"])
    files = [p.relative_to(folder) for p in folder.rglob("*") if p.is_file()]
    assert [str(path) for path in files] == ["data/files/train.csv"]


def test_a_folder_that_is_there_is_not_written_into(tmp_path):
    (tmp_path / "out").mkdir()
    with (
        open_bundle(made_bundle(tmp_path)) as bundle,
        pytest.raises(BundleError, match="there already"),
    ):
        bundle.extract(tmp_path / "out")


def test_a_member_beyond_the_limit_is_not_read(tmp_path):
    with (
        open_bundle(made_bundle(tmp_path)) as bundle,
        pytest.raises(BundleError, match="longer than 3 bytes"),
    ):
        bundle.read("data/files/train.csv", limit=3)


def test_no_half_file_stays_when_writing_stops(tmp_path):
    def stop(text):
        raise KeyboardInterrupt

    large = tmp_path / "large.bin"
    with large.open("wb") as file:
        file.truncate(65 << 20)
    with pytest.raises(KeyboardInterrupt):
        write_bundle(tmp_path / "a.nbt.zip", {"data/files/l": large}, tell=stop)
    with pytest.raises(BundleError, match="No such file"):
        write_bundle(tmp_path / "a.nbt.zip", {"data/files/l": tmp_path / "none"})
    assert os.listdir(tmp_path) == ["large.bin"]


def test_an_older_bundle_stays_when_writing_fails(tmp_path):
    before = made_bundle(tmp_path).read_bytes()
    with pytest.raises(BundleError, match="not allowed"):
        write_bundle(tmp_path / "base.nbt.zip", {"../a": b""})
    assert (tmp_path / "base.nbt.zip").read_bytes() == before


def test_a_file_that_grows_between_the_passes_is_no_bundle(tmp_path):
    grows = tmp_path / "grows.bin"
    with grows.open("wb") as file:
        file.truncate(65 << 20)

    def grow(text):
        with grows.open("ab") as file:
            file.write(b"more")

    with pytest.raises(BundleError, match="changed while it was written"):
        write_bundle(tmp_path / "a.nbt.zip", {"data/files/g": grows}, tell=grow)
    assert os.listdir(tmp_path) == ["grows.bin"]

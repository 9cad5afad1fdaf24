"""The same sources give the same bytes, wherever and by whom they are built."""

from __future__ import annotations

import hashlib
import tarfile
import zipfile
from pathlib import Path

import pytest


def members_of(path: Path) -> dict[str, tuple[object, ...]]:
    """All that is said of each member, in the order of the archive, and its content."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            return {
                one.filename: (n, digest(archive.read(one)), one.date_time,
                               one.external_attr, one.compress_size)
                for n, one in enumerate(archive.infolist())
            }  # fmt: skip
    with tarfile.open(path) as archive:
        return {
            one.name: (n, digest(archive.extractfile(one).read()), one.mtime, one.mode,
                       one.uid, one.gid, one.uname, one.gname)
            for n, one in enumerate(archive.getmembers())
        }  # fmt: skip


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def differing(a: Path, b: Path) -> list[str]:
    """The members that are not in both alike; without one, the archives are equal."""
    if a.read_bytes() == b.read_bytes():
        return []
    first, second = members_of(a), members_of(b)
    names = sorted(first.keys() | second.keys())
    return [n for n in names if first.get(n) != second.get(n)] or ["the archive itself"]


def zipped(path: Path, **members: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return path


def test_a_member_that_differs_is_named(tmp_path):
    a = zipped(tmp_path / "a.whl", same="x", other="x")
    assert differing(a, zipped(tmp_path / "b.whl", same="x", other="y")) == ["other"]
    assert differing(a, zipped(tmp_path / "c.whl", same="x", new="x")) == [
        "new", "other",
    ]  # fmt: skip
    assert differing(a, zipped(tmp_path / "d.whl", same="x", other="x")) == []


@pytest.mark.packaging
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["*.whl", "*.tar.gz"])
def test_built_elsewhere_it_is_the_same_byte_for_byte(built, built_elsewhere, kind):
    [here], [there] = built.glob(kind), built_elsewhere.glob(kind)
    assert here.name == there.name
    assert differing(here, there) == []


@pytest.mark.packaging
@pytest.mark.timeout(600)
def test_the_sdist_says_nothing_of_who_made_it(sdist):
    with tarfile.open(sdist) as archive:
        owners = {(m.uid, m.gid, m.uname, m.gname) for m in archive.getmembers()}
    assert owners == {(0, 0, "", "")}

"""Network mounts are told from the mount table."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbtrack.store.mounts import is_network


def table(tmp_path, *mounts):
    lines = [
        f"{n} 1 0:{n} / {point} rw,relatime shared:1 - {kind} source rw"
        for n, (point, kind) in enumerate(mounts)
    ]
    path = tmp_path / "mountinfo"
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "lustre", "fuse.sshfs", "9p"])
def test_network_and_fuse_mounts_are_known(tmp_path, kind):
    mounts = table(tmp_path, ("/", "ext4"), ("/data", kind))
    assert is_network(Path("/data/nb"), mountinfo=mounts)
    assert not is_network(Path("/database"), mountinfo=mounts)


def test_the_innermost_mount_decides(tmp_path):
    mounts = table(tmp_path, ("/", "nfs"), ("/data", "nfs"), ("/data/fast", "xfs"))
    assert not is_network(Path("/data/fast/nb"), mountinfo=mounts)


def test_a_later_mount_hides_an_earlier_one(tmp_path):
    mounts = table(tmp_path, ("/", "ext4"), ("/data", "ext4"), ("/data", "nfs"))
    assert is_network(Path("/data"), mountinfo=mounts)


def test_spaces_in_mount_points_are_read(tmp_path):
    mounts = table(tmp_path, ("/", "ext4"), (r"/my\040data", "nfs"))
    assert is_network(Path("/my data/nb"), mountinfo=mounts)


def test_no_mount_table_counts_as_local(tmp_path):
    assert not is_network(Path("/"), mountinfo=tmp_path / "none")

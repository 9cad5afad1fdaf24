"""The lock file, read back by packaging as any installer would."""

from __future__ import annotations

import tomllib

import pytest
from bundles.small_wheels import listed, package, write_wheel
from packaging.pylock import Pylock

from nbtrack.bundles.environment.pylock import pylock_text

SHA = "7" * 64


def read_back(packages) -> Pylock:
    lock = pylock_text(packages)
    assert lock.text is not None, lock.without
    found = Pylock.from_dict(tomllib.loads(lock.text))
    found.validate()
    return found


@pytest.fixture
def alpha(tmp_path):
    return package("alpha", "1.0", write_wheel(tmp_path, "alpha", "1.0"))


def test_an_installer_finds_each_package_for_this_python(alpha):
    url = "https://example.org/wheels/beta-2.0%2Bcpu-py3-none-any.whl"
    wheel = {"file": "beta-2.0+cpu-py3-none-any.whl", "sha256": SHA, "url": url}
    beta = package("beta", "2.0+cpu", wheel=None) | {"wheel": wheel}
    found = read_back(listed(beta, alpha))
    assert [str(p.name) for p in found.packages] == ["alpha", "beta"]
    chosen = {str(p.name): what for p, what in found.select()}
    assert chosen["alpha"].path == "alpha-1.0-py3-none-any.whl"
    assert (chosen["beta"].url, chosen["beta"].hashes) == (url, {"sha256": SHA})


def test_another_python_is_refused_by_the_installer(alpha):
    found = read_back(listed(alpha, python="3.8.1"))
    with pytest.raises(Exception, match=r"3\.8"):
        list(found.select())


@pytest.mark.parametrize(
    ("platform", "system", "machine"),
    [
        ("linux_x86_64", "linux", "x86_64"),
        ("linux_aarch64", "linux", "aarch64"),
        ("macosx_14_0_arm64", "darwin", "arm64"),
        ("macosx_10_9_x86_64", "darwin", "x86_64"),
        ("win_amd64", "win32", "AMD64"),
    ],
)
def test_the_platform_is_told_as_markers_have_it(alpha, platform, system, machine):
    found = read_back(listed(alpha, platform=platform))
    assert found.environments is not None
    told = str(found.environments[0])
    assert f'sys_platform == "{system}"' in told
    assert f'platform_machine == "{machine}"' in told


def test_without_a_hash_there_is_no_lock_and_the_names_are_told(alpha):
    mine = {"type": "editable", "commit": "ab12"}
    lock = pylock_text(
        listed(package("mine", "1", source=mine), alpha, package("beta", "2"))
    )
    assert (lock.text, lock.without) == (None, ("beta", "mine"))


def test_nbtrack_itself_need_not_be_locked(alpha):
    own = package("nbtrack", "0.1.0", source={"type": "editable"}, group="tracker")
    assert [str(p.name) for p in read_back(listed(own, alpha)).packages] == ["alpha"]


def test_an_empty_list_is_no_lock():
    assert pylock_text(listed()).text is None


def test_archives_and_commits_are_locked_by_address(alpha):
    url = "https://example.org/beta-2.tar.gz"
    beta = package("beta", "2", source={"type": "archive", "url": url, "sha256": SHA})
    repository = "git+https://example.org/gamma.git"
    vcs = {"type": "vcs", "url": repository, "commit": "ab12cd"}
    gamma = package("gamma", "3", source=vcs)
    _, two, three = read_back(listed(alpha, beta, gamma)).packages
    assert two.archive is not None
    assert (two.archive.url, two.archive.hashes) == (url, {"sha256": SHA})
    assert three.vcs is not None
    assert three.vcs.type == "git"
    assert three.vcs.url == "https://example.org/gamma.git"
    assert three.vcs.commit_id == "ab12cd"


def test_names_from_elsewhere_write_no_lines_of_the_file(alpha):
    odd = {**alpha, "name": 'a"\n[[packages]]\nname = "b'}
    assert pylock_text(listed(odd)).without == (odd["name"],)
    url = 'https://example.org/"\n\x7f\\alpha-1.0-py3-none-any.whl'
    wheel = {**alpha["wheel"], "url": url}
    told = read_back(listed({**alpha, "wheel": wheel})).packages[0]
    assert told.wheels is not None
    assert told.wheels[0].url == url

"""Two builds of this checkout under different conditions, and what is made of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NODE = {"node", "npm", "npx", "nodejs", "corepack"}
# Of the session that tests, none of what is tested.
NOT_PASSED_ON = (
    *("PYTHONPATH", "VIRTUAL_ENV", "JUPYTER_PATH", "JUPYTER_CONFIG_PATH"),
    "SOURCE_DATE_EPOCH",
)
# Whatever the machine of somebody else may have otherwise.
ELSEWHERE = {
    "TZ": "Asia/Tokyo",
    "LC_ALL": "C",
    "PYTHONHASHSEED": "7",
    "NODE_ENV": "production",
}
OLD_S = 1_000_000_000  # a Sunday in 2001

Command = Callable[..., str]


@pytest.fixture(scope="session")
def command() -> Command:
    """Run a program to its end, with that PATH; what it said, shown when it fails."""

    def command(*words: str | Path, cwd: Path, path: str, umask: int = -1, **variables):
        kept = {k: v for k, v in os.environ.items() if k not in NOT_PASSED_ON}
        done = subprocess.run(
            [str(word) for word in words],
            cwd=cwd,
            env={**kept, **variables, "PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            umask=umask,
        )
        assert done.returncode == 0, done.stdout[-5000:]
        return done.stdout

    return command


@pytest.fixture(scope="session")
def bare_path(tmp_path_factory) -> str:
    """A PATH with this machine's programs, but no Node."""
    folder = tmp_path_factory.mktemp("bare-path")
    places = [Path("/bin"), Path("/usr/bin")]
    programs = {one.name: one for place in places for one in place.iterdir()}
    for name in programs.keys() - NODE:
        (folder / name).symlink_to(programs[name])
    assert shutil.which("node", path=str(folder)) is None
    return str(folder)


def known_to_git() -> list[str]:
    """The files of this checkout as they are here, and nothing that was built."""
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    names = sorted(set(filter(None, listed.stdout.decode().split("\0"))))
    return [name for name in names if (ROOT / name).is_file()]


@pytest.fixture(scope="session")
def sources() -> list[str]:
    """What a checkout is made of, by name."""
    return known_to_git()


def check_out(target: Path) -> None:
    """A copy of the checkout in that folder."""
    for name in known_to_git():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name)


@pytest.fixture(scope="session")
def built(command, bare_path, tmp_path_factory) -> Path:
    """An sdist, and a wheel made of it, built on a machine without Node."""
    checkout, dist = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("a")
    check_out(checkout)
    build = (sys.executable, "-m", "build", "--outdir", dist, ".")
    command(*build, cwd=checkout, path=bare_path)
    return dist


@pytest.fixture(scope="session")
def built_elsewhere(command, tmp_path_factory) -> Path:
    """The same once more: another folder, clock, language, umask, and Node if any."""
    outside, dist = tmp_path_factory.mktemp("else where"), tmp_path_factory.mktemp("b")
    checkout = outside / "a longer path" / "é"
    check_out(checkout)
    for path in checkout.rglob("*"):
        path.chmod(path.stat().st_mode & 0o700)
        os.utime(path, (OLD_S, OLD_S))
    build = (sys.executable, "-m", "build", "--outdir", dist, ".")
    path = os.environ["PATH"]
    command(*build, cwd=checkout, path=path, umask=0o077, **ELSEWHERE)
    return dist


@pytest.fixture(scope="session")
def wheel(built) -> Path:
    """The wheel that is tested."""
    return next(built.glob("*.whl"))


@pytest.fixture(scope="session")
def sdist(built) -> Path:
    """The sdist that is tested."""
    return next(built.glob("*.tar.gz"))


@pytest.fixture(scope="session")
def bare(command, wheel, bare_path, tmp_path_factory) -> Path:
    """An environment of the wheel alone: `pip install nbtrack`, no extra."""
    folder = tmp_path_factory.mktemp("bare") / "env"
    venv.create(folder, with_pip=True)
    pip = (folder / "bin/python", "-m", "pip")
    command(*pip, "install", "--quiet", wheel, cwd=folder, path=bare_path)
    return folder


@pytest.fixture
def copy_of_bare(bare, tmp_path) -> Path:
    """The same, to change: `bin/python` of a copy is as good, its scripts are not."""
    return Path(shutil.copytree(bare, tmp_path / "env", symlinks=True))

"""What is installed: one version, and a wheel that needs no Node."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

import nbtrack

ROOT = Path(__file__).parents[2]
EXTENSION_MAX_GZ_BYTES = 300_000
SHARED = "data/share/jupyter/labextensions/nbtrack/"


RECORDING = """
import nbtrack
with nbtrack.start("from-the-wheel", params={"lr": 0.1}) as run:
    nbtrack.log(loss=0.5, step=0)
[row] = nbtrack.runs().to_dict("records")
print(row["status"], row["metrics.loss"])
"""


def test_package_json_has_the_version_of_the_package():
    package = json.loads((ROOT / "labextension/package.json").read_text())
    assert package["version"] == nbtrack.__version__


def test_the_lock_file_names_no_registry():
    lock = json.loads((ROOT / "labextension/package-lock.json").read_text())
    assert lock["version"] == nbtrack.__version__
    assert [p for p in lock["packages"].values() if "resolved" in p] == []


def run(*command: str | Path, cwd: Path, path: str) -> str:
    """Run to the end with this PATH; the output, shown when it fails."""
    environment = {**os.environ, "PATH": path}
    for name in ("PYTHONPATH", "VIRTUAL_ENV", "JUPYTER_PATH", "JUPYTER_CONFIG_PATH"):
        environment.pop(name, None)
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    return done.stdout


def plain(text: str) -> str:
    """Without the colours of a terminal, and with single spaces."""
    return " ".join(re.sub(r"\x1b\[\d*m", "", text).split())


@pytest.fixture(scope="module")
def bare_path(tmp_path_factory) -> str:
    """A PATH with this machine's programs, but no Node."""
    folder = tmp_path_factory.mktemp("bare-path")
    node = {"node", "npm", "npx", "nodejs", "corepack"}
    places = [Path("/bin"), Path("/usr/bin")]
    programs = {one.name: one for place in places for one in place.iterdir()}
    for name in programs.keys() - node:
        (folder / name).symlink_to(programs[name])
    assert shutil.which("node", path=str(folder)) is None
    return str(folder)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """The files that git knows, as they are here, and nothing that was built."""
    target = tmp_path_factory.mktemp("checkout")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


@pytest.fixture(scope="module")
def built(checkout, bare_path, tmp_path_factory) -> Path:
    """An sdist, and a wheel made of it, built on a machine without Node."""
    dist = tmp_path_factory.mktemp("dist")
    run(
        sys.executable,
        "-m",
        "build",
        "--outdir",
        dist,
        ".",
        cwd=checkout,
        path=bare_path,
    )
    return dist


@pytest.mark.packaging
@pytest.mark.timeout(600)
def test_the_wheel_carries_both_front_ends_and_they_are_small(built):
    wheel = zipfile.ZipFile(next(built.glob("*.whl")))
    names = wheel.namelist()
    bundle = [n for n in names if SHARED in n and n.endswith(".js")]
    assert "nbtrack/notebook/static/panel.js" in names
    assert "nbtrack/server/openapi.json" in names
    assert any("etc/jupyter/jupyter_server_config.d/nbtrack.json" in n for n in names)
    assert not any(n.startswith("nbtrack/labextension/") for n in names)
    # Deflate, as in gzip.
    size = sum(wheel.getinfo(name).compress_size for name in bundle)
    assert 0 < size <= EXTENSION_MAX_GZ_BYTES


@pytest.mark.packaging
@pytest.mark.timeout(600)
def test_the_sdist_carries_the_built_bundle_and_nothing_installed(built):
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        names = sdist.getnames()
    assert any(name.endswith("nbtrack/labextension/static/style.js") for name in names)
    assert any(name.endswith("nbtrack/notebook/static/panel.js") for name in names)
    assert not any("node_modules" in name for name in names)


@pytest.fixture
def say(bare_path, tmp_path):
    """Run a program of an environment of its own, on a machine without Node."""
    venv.create(tmp_path / "env", with_pip=True)
    programs = tmp_path / "env" / "bin"

    def say(name: str, *arguments: str) -> str:
        path = f"{programs}:{bare_path}"
        return plain(run(programs / name, *arguments, cwd=tmp_path, path=path))

    return say


@pytest.mark.packaging
@pytest.mark.timeout(600)
def test_the_wheel_installs_without_node_and_has_the_side_bar(built, say, tmp_path):
    say("pip", "install", "--quiet", str(next(built.glob("*.whl"))), "jupyterlab")
    assert say("python", "-c", RECORDING).split()[-2:] == ["finished", "0.5"]
    lab = say("jupyter", "labextension", "list")
    server = say("jupyter", "server", "extension", "list")
    assert f"nbtrack v{nbtrack.__version__} enabled OK" in lab
    assert "nbtrack.server enabled" in server
    assert f"nbtrack.server {nbtrack.__version__} OK" in server
    assert nbtrack.__version__ in say("nbtrack", "--version")
    a_page_shows_the_run(tmp_path)


def a_page_shows_the_run(folder: Path) -> None:
    """In JupyterLab of the environment with the wheel, in the side bar."""
    from lab_server import running_chromium, running_lab
    from side_bar import line, side

    home, root = folder / "home", folder / "root"
    for made in (home, root):
        made.mkdir()
    python = str(folder / "env/bin/python")
    store = {"NBTRACK_STORE": str(folder / ".nbtrack"), "PYTHONPATH": ""}
    with (
        running_lab(home, root, python=python, environment=store) as lab,
        running_chromium() as browser,
    ):
        page = browser.new_page()
        page.goto(f"{lab.url}/lab?token={lab.token}")
        page.wait_for_function("() => window.jupyterapp", timeout=60_000)
        line(side(page), "from-the-wheel").wait_for()


@pytest.mark.packaging
@pytest.mark.timeout(600)
def test_the_sdist_installs_without_node(built, say, tmp_path):
    say("pip", "install", "--quiet", "--no-deps", str(next(built.glob("*.tar.gz"))))
    files = say("pip", "show", "--files", "nbtrack")
    extension = tmp_path / "env/share/jupyter/labextensions/nbtrack"
    assert (extension / "static/style.js").is_file()
    assert "nbtrack/notebook/static/panel.js" in files

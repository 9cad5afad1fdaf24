"""What is installed without Node: the side bar is there, and goes as it came."""

from __future__ import annotations

import re
import venv
from pathlib import Path

import pytest

import nbtrack

RECORDING = """
import nbtrack
with nbtrack.start("from-the-wheel", params={"lr": 0.1}) as run:
    nbtrack.log(loss=0.5, step=0)
[row] = nbtrack.runs().to_dict("records")
print(row["status"], row["metrics.loss"])
"""

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(600)]


def plain(text: str) -> str:
    """Without the colours of a terminal, and with single spaces."""
    return " ".join(re.sub(r"\x1b\[\d*m", "", text).split())


@pytest.fixture
def say(command, bare_path, tmp_path):
    """Run a program of an environment of its own, on a machine without Node."""
    venv.create(tmp_path / "env", with_pip=True)
    programs = tmp_path / "env" / "bin"

    def say(name: str, *arguments: str) -> str:
        path = f"{programs}:{bare_path}"
        return plain(command(programs / name, *arguments, cwd=tmp_path, path=path))

    return say


def test_the_wheel_installs_without_node_and_has_the_side_bar(wheel, say, tmp_path):
    say("pip", "install", "--quiet", str(wheel), "jupyterlab")
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


def test_the_sdist_installs_without_node(sdist, say, tmp_path):
    say("pip", "install", "--quiet", "--no-deps", str(sdist))
    files = say("pip", "show", "--files", "nbtrack")
    extension = tmp_path / "env/share/jupyter/labextensions/nbtrack"
    assert (extension / "static/style.js").is_file()
    assert "nbtrack/notebook/static/panel.js" in files


def test_an_uninstall_leaves_no_file(command, wheel, bare_path, copy_of_bare):
    def pip(*words: str | Path) -> None:
        python = copy_of_bare / "bin/python"
        command(python, "-m", "pip", *words, cwd=copy_of_bare, path=bare_path)

    # In a copy, scripts are those of the first environment: installed here, they are
    # as after any installation.
    pip("install", "--quiet", "--no-deps", "--force-reinstall", wheel)
    assert ours_in(copy_of_bare)
    pip("uninstall", "--quiet", "--yes", "nbtrack")
    assert ours_in(copy_of_bare) == []


def ours_in(environment: Path) -> list[str]:
    return [str(path) for path in environment.rglob("*nbtrack*")]

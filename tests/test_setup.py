"""What `make` says before it sets anything up, and where it cannot."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / ".ci" / "environment.py"


@pytest.fixture
def broken_python(tmp_path):
    """The settings of a Python without venv and torch: it ends before it installs."""
    modules = tmp_path / "modules"
    modules.mkdir()
    for name in ("ensurepip", "torch"):  # the real torch takes 3 s to be asked
        (modules / f"{name}.py").write_text("raise ImportError\n")
    return {"PYTHONPATH": str(modules)}


def set_up(purpose: str, tmp_path: Path, settings: dict[str, str]):
    command = [sys.executable, str(SCRIPT), purpose, "--venv", str(tmp_path / "venv")]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | settings, capture_output=True, text=True
    )


def test_a_python_without_venv_is_told_in_one_line_where_to_get_it(
    tmp_path, broken_python
):
    done = set_up("demo", tmp_path, broken_python)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "apt-get install python3-venv" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_the_size_of_the_download_is_said_first(tmp_path, broken_python):
    done = set_up("demo", tmp_path, broken_python)
    assert "~165 MB of Python packages" in done.stdout
    assert "CUDA, ~5.5 GB" in done.stdout


def test_an_installed_torch_is_used(tmp_path, broken_python):
    (tmp_path / "modules" / "torch.py").write_text("__version__ = '2.9.1+cpu'\n")
    done = set_up("demo", tmp_path, broken_python)
    assert "torch 2.9.1+cpu is installed and will be used" in done.stdout
    assert "GB" not in done.stdout


def test_a_torch_that_is_too_old_is_not_used(tmp_path, broken_python):
    (tmp_path / "modules" / "torch.py").write_text("__version__ = '1.13.1'\n")
    done = set_up("demo", tmp_path, broken_python)
    assert "torch 1.13.1" in done.stdout
    assert "CUDA, ~5.5 GB" in done.stdout


@pytest.mark.skipif(shutil.which("make") is None, reason="no make here")
def test_make_names_the_python_that_it_misses(tmp_path):
    done = subprocess.run(
        ["make", f"VENV={tmp_path}", "PYTHON=no-such-python", f"{tmp_path}/.demo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "no no-such-python here; Python 3.11 or newer" in done.stderr


def test_readme_and_make_name_the_same_sizes():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    said = SCRIPT.read_text(encoding="utf-8")
    for name, size, words in (
        ("demo", 165, "downloads 165 MB"), ("test", 110, "`make test` 110 MB more"),
    ):  # fmt: skip
        assert f'"{name}": {size}' in said
        assert words in readme
    assert "FRONT_END_MB = 130" in said
    assert "the bundler 130 MB" in readme

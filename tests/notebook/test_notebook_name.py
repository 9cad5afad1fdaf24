"""The notebook's name is a nicety: found where it is told, never missed."""

from __future__ import annotations

from pathlib import Path

import pytest

import nbtrack
from nbtrack.notebook.notebook_name import notebook_path


@pytest.fixture(autouse=True)
def _untold(monkeypatch):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)


def test_vs_code_tells_it_in_the_namespace():
    told = {"__vsc_ipynb_file__": "/home/ada/digits.ipynb"}
    assert notebook_path(told) == Path("/home/ada/digits.ipynb")


def test_jupyter_tells_it_in_the_environment(monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ada/digits.ipynb")
    assert notebook_path({}) == Path("/home/ada/digits.ipynb")


@pytest.mark.parametrize("told", [3, "", "console-1", "/x/a.py", "/x/\0.ipynb", None])
def test_anything_else_is_no_notebook(told):
    assert notebook_path({"__vsc_ipynb_file__": told}) is None


def test_it_names_the_experiment_and_finds_the_store(shell, monkeypatch, tmp_path):
    monkeypatch.delenv("NBTRACK_STORE")
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.setenv("JPY_SESSION_NAME", str(folder / "digits.ipynb"))
    shell.run_cell("%load_ext nbtrack")
    shell.run_cell("%%track\nx = 1")
    run = nbtrack.open(folder).run("last")
    assert (run.name, run.experiment) == ("digits", "digits")
    assert run.notebook == str(folder / "digits.ipynb")
    shell.run_cell("%unload_ext nbtrack")


def test_a_run_that_code_begins_in_a_cell_is_of_that_notebook_and_cell(
    shell, monkeypatch, tmp_path
):
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "digits.ipynb"))
    shell.run_cell("%load_ext nbtrack")
    shell.run_cell("import nbtrack\nwith nbtrack.start('fit'):\n    pass", cell_id="c7")
    shell.run_cell("%unload_ext nbtrack")
    shell.run_cell("with nbtrack.start('bare'):\n    pass", cell_id="c8")
    fit, bare = nbtrack.open().run("fit"), nbtrack.open().run("bare")
    assert (fit.experiment, fit.cell_id) == ("digits", "c7")
    assert fit.notebook == str(tmp_path / "digits.ipynb")
    assert (bare.experiment, bare.cell_id, bare.notebook) == ("default", None, None)

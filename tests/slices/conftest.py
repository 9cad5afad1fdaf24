"""Fixtures for scripts: a session in a real shell, and its script played elsewhere."""

from __future__ import annotations

import pytest
from conftest import fresh_shell
from slices.emitting import Notebook, played, same_process


@pytest.fixture(scope="module")
def one_shell():
    with fresh_shell() as shell:
        yield shell


@pytest.fixture
def notebook(one_shell, tmp_path):
    """A session in an empty folder; the script is played in another one."""
    folder = tmp_path / "notebook"
    folder.mkdir()
    with same_process(folder):
        made = Notebook(one_shell, folder)
        yield made
        made.close()


@pytest.fixture
def beside(tmp_path):
    """The folder in which the script is played."""
    folder = tmp_path / "script"
    folder.mkdir()
    return folder


@pytest.fixture
def gives_the_same(notebook, beside):
    """Run cells and their script, compare all variables, and return the script."""

    def check(*sources, without=(), **options):
        notebook.run(*sources, **options)
        script = notebook.script()
        there, here = played(script, beside), notebook.values
        for name in without:
            here.pop(name)
            there.pop(name)
        assert there == here
        return script

    return check

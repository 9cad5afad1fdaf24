"""A shell in which cells are swept, and what came of it."""

from __future__ import annotations

import shutil

import pytest

from nbtrack.store import Store


@pytest.fixture
def ip(shell):
    """The shell with the extension loaded."""
    shell.run_cell("%load_ext nbtrack")
    yield shell
    shell.run_cell("%unload_ext nbtrack")


@pytest.fixture
def swept(ip):
    """`swept("lr=[1, 2] --metric loss", cell)`: the sweep that `%%sweep` gives."""

    def run(line, cell):
        return ip.run_cell_magic("sweep", line, cell)

    return run


@pytest.fixture
def runs(store_path):
    """Reads the store's runs, oldest first."""

    def read():
        with Store.open(store_path) as store:
            return list(reversed(store.runs()))

    return read


@pytest.fixture(scope="session")
def _empty_studies(tmp_path_factory):
    """Optuna's tables, which take a second to make: once for all tests."""
    from nbtrack.sweeps.studies import FILE_NAME
    from nbtrack.sweeps.study import open_storage

    folder = tmp_path_factory.mktemp("studies")
    open_storage(folder).engine.dispose()
    return folder / FILE_NAME


@pytest.fixture
def studies(store_path, _empty_studies):
    """A store that has had a sweep before."""
    Store.open(store_path).close()
    shutil.copy(_empty_studies, store_path)

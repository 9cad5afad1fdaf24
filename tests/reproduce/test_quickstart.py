"""The run of the quickstart, exported, verified, and rerun elsewhere: identical."""

from __future__ import annotations

import importlib.util
import json
import os
import zipfile
from pathlib import Path

import nbformat
import pytest

pytestmark = [
    pytest.mark.reproduce,
    pytest.mark.timeout(240),
    pytest.mark.skipif(
        importlib.util.find_spec("torch") is None, reason="torch is not installed"
    ),
]
NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "01_first_run.ipynb"
BESIDE = NOTEBOOK.parents[2] / "shared/data/mnist"
MNIST = Path(os.environ.get("NBTRACK_TEST_MNIST", BESIDE))
EXPORTED = """
    import nbtrack
    nbtrack.export("base", {target!r})
    run = nbtrack.open().run("base")
    answer = run.metrics["val_acc"].last, run.params["n_epochs"].value
"""


def cells_of_the_quickstart():
    """Its code up to the tracked cell."""
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        if cell.cell_type == "code" and not cell.source.startswith("%load_ext"):
            yield cell.source
        if cell.id == "base":
            return


def rerun_elsewhere(target, tmp_path, monkeypatch):
    import nbtrack

    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("NBTRACK_STORE", str(folder / ".nbtrack"))
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    monkeypatch.setenv("NBTRACK_EPOCHS", "1")
    monkeypatch.setenv("NBTRACK_DATA", "data")
    verified = nbtrack.verify(target)
    return verified, nbtrack.rerun(target, trust=True, environment="current")


def manifest_of(target):
    with zipfile.ZipFile(target) as archive:
        return json.loads(archive.read("manifest.json"))


@pytest.mark.skipif(not MNIST.is_dir(), reason="no MNIST beside the project")
def test_mnist_comes_out_identical(in_notebook, tmp_path, monkeypatch):
    target = tmp_path / "mnist.nbt.zip"
    files = {f"data/{path.name}": path.read_bytes() for path in MNIST.glob("*.gz")}
    accuracy, n_epochs = in_notebook(
        *cells_of_the_quickstart(),
        files=files,
        environment={"NBTRACK_EPOCHS": "1", "NBTRACK_DATA": "data"},
        then=EXPORTED.format(target=str(target)),
    )
    assert accuracy > 0.9
    assert n_epochs == 1
    manifest = manifest_of(target)
    assert manifest["slice"]["proof"] == "PROVEN"
    assert manifest["data"]["n_embedded"] == 4
    assert manifest["needs"] == ["NBTRACK_DATA", "NBTRACK_EPOCHS"]

    verified, verdict = rerun_elsewhere(target, tmp_path, monkeypatch)
    assert (verified.state, verified.environment) == ("INTACT", "EXACT")
    assert {state for _, state in verified.data} == {"PRESENT"}
    assert verdict.is_same, verdict
    assert verdict.verdict == "BITWISE"  # the weights of the network too


def test_the_bundled_digits_come_out_identical(in_notebook, tmp_path, monkeypatch):
    target = tmp_path / "digits.nbt.zip"
    (tmp_path / "no-mnist").mkdir()
    in_notebook(
        *cells_of_the_quickstart(),
        environment={"NBTRACK_EPOCHS": "1", "NBTRACK_DATA": "data"},
        files={"data/readme.txt": "no MNIST here"},
        then=EXPORTED.format(target=str(target)),
    )
    assert manifest_of(target)["slice"]["proof"] == "PROVEN"
    _, verdict = rerun_elsewhere(target, tmp_path, monkeypatch)
    assert verdict.verdict == "BITWISE", verdict

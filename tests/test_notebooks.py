"""Every notebook in notebooks/ runs from its first cell to its last."""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import struct
from collections.abc import Mapping
from pathlib import Path

import nbformat
import pytest
from notebook_cells import execute, text_of
from tutorials.execution import NO_NETWORK
from tutorials.saved import is_code

import nbtrack

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
# Real MNIST where a developer has it; nothing needs it.
BESIDE = NOTEBOOKS.parent.parent / "shared/data/mnist"
MNIST = Path(os.environ.get("NBTRACK_TEST_MNIST", BESIDE))

OFF = "environment code system"  # what a story does not tell need not be looked at

# Each takes seconds: `make test-reproduce` runs them, and CI.
story = pytest.mark.reproduce
needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="torch is not installed"
)


def opened(name: str) -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOKS / name, as_version=4)


def cells_by_id(notebook: nbformat.NotebookNode) -> dict[str, nbformat.NotebookNode]:
    return {cell.id: cell for cell in notebook.cells}


def shown_by(notebook: nbformat.NotebookNode) -> list[str]:
    return [cell.id for cell in notebook.cells if is_code(cell) and cell.outputs]


def told(
    name: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    settings: Mapping[str, str],
) -> dict[str, nbformat.NotebookNode]:
    """Its cells after a run in `folder`: the same ones show something as are saved."""
    done = execute(opened(name), folder, monkeypatch, settings=settings)
    assert shown_by(done) == shown_by(opened(name))
    return cells_by_id(done)


@pytest.fixture
def no_mnist(tmp_path):
    """A folder without data: the quickstart must not ask the network in a test."""
    folder = tmp_path / "no-mnist"
    folder.mkdir()
    return folder


def write_idx(path: Path, shape: tuple[int, ...], content: bytes) -> None:
    header = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)
    path.write_bytes(gzip.compress(header + content))


@story
@needs_torch
def test_the_quickstart_tells_its_story_on_the_bundled_digits(
    tmp_path, monkeypatch, no_mnist
):
    settings = {"NBTRACK_DATA": str(no_mnist), "NBTRACK_EPOCHS": "3"}
    cells = told("01_first_run.ipynb", tmp_path, monkeypatch, settings=settings)

    assert "scikit-learn's 1,797 small digits" in text_of(cells["data"])
    assert "val_acc" in text_of(cells["base"])
    assert "base" in text_of(cells["runs"])
    assert "batch-128" in text_of(cells["table"])
    assert json.dumps(cells["curves"].outputs).count("batch-64") >= 1

    store = nbtrack.open(tmp_path / ".nbtrack")
    runs = {run.name: run for run in store.runs()}
    assert set(runs) == {"base", "batch-32", "batch-64", "batch-128"}
    assert {run.status for run in runs.values()} == {"finished"}
    base = runs["base"]
    assert {n: base.params[n].value for n in ("lr", "batch_size", "n_epochs")} == {
        "lr": 0.001,
        "batch_size": 64,
        "n_epochs": 3,
    }
    n_batches = -(-1437 // 64)
    assert len(store.curve(base.id, "loss").steps) == 3 * n_batches
    assert len(store.curve(base.id, "train_loss").steps) == 3
    accuracy = store.curve(base.id, "val_acc").values[-1]
    assert f"val_acc of base: {accuracy:.4f}" in text_of(cells["back"])


@needs_torch
def test_the_quickstart_reads_the_files_of_a_folder_that_is_named(
    tmp_path, monkeypatch, shell, capsys
):
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part, n in (("train", 30), ("t10k", 20)):
        pixels = bytes(i % 256 for i in range(n * 28 * 28))
        write_idx(raw / f"{part}-images-idx3-ubyte.gz", (n, 28, 28), pixels)
        labels = bytes(i % 10 for i in range(n))
        write_idx(raw / f"{part}-labels-idx1-ubyte.gz", (n,), labels)
    monkeypatch.setenv("NBTRACK_DATA", str(tmp_path / "data"))
    # In this process, where torch is imported: nothing here asks for a kernel.
    done = shell.run_cell(cells_by_id(opened("01_first_run.ipynb"))["data"].source)
    assert done.success
    assert "30 images to train on, 20 to validate with" in capsys.readouterr().out
    made = shell.user_ns
    assert round(made["x_train"][29, -1].item() * 255) == (30 * 28 * 28 - 1) % 256
    assert (made["y_val"].tolist()[-2:], made["x_val"].shape) == ([8, 9], (20, 784))


@story
@pytest.mark.skipif(not MNIST.is_dir(), reason="no real MNIST here")
@needs_torch
def test_one_epoch_on_real_mnist_beats_nine_in_ten(tmp_path, monkeypatch):
    settings = {"NBTRACK_DATA": str(MNIST), "NBTRACK_EPOCHS": "1"}
    notebook = opened("01_first_run.ipynb")
    keep = ("load", "data", "params", "base")
    notebook.cells = [cell for cell in notebook.cells if cell.id in keep]
    execute(notebook, tmp_path, monkeypatch, settings=settings)
    store = nbtrack.open(tmp_path / ".nbtrack")
    [run] = store.runs()
    curve = store.curve(run.id, "loss")
    assert len(curve.steps) == -(-60_000 // 64)
    assert store.curve(run.id, "val_acc").values[-1] > 0.9


@story
def test_what_is_captured_is_told_without_a_network(tmp_path, monkeypatch):
    pytest.importorskip("sklearn")
    pytest.importorskip("plotly")
    root = str(NOTEBOOKS.parent)
    settings = {"PYTHONPATH": f"{NO_NETWORK}:{root}"}
    cells = told("02_what_is_captured.ipynb", tmp_path, monkeypatch, settings=settings)

    page = text_of(cells["page"])
    for said in ("features.py", "train_df", "python.version", "peak RSS", "figure-1"):
        assert said in page
    assert "return (frame - frame.mean())" in text_of(cells["code"])
    assert "%%track base" in text_of(cells["cells"])
    assert "logged in with [redacted]" in text_of(cells["printed"])
    assert text_of(cells["secret"]) == "[]"
    assert "train_df" in text_of(cells["more"])
    assert json.dumps(cells["compare"].outputs).count("more") >= 1
    assert "crashed · 5 points · epoch 0" in text_of(cells["crashed"])
    assert "finished · [0, 1, 2, 3, 4, 5, 6, 7]" in text_of(cells["resume"])

    store = nbtrack.open(tmp_path / ".nbtrack")
    inputs = {found.name: found for found in store.inputs(store.run("base").id)}
    assert inputs["train_df"].n_rows == 257
    assert len(inputs["train_df"].digest) == 64
    # The line under the cell says so too, where the frame was read by then.
    later = {found.name: found for found in store.inputs(store.run("more").id)}
    assert later["train_df"].detail["drift"].startswith("+112 rows")


@story
def test_slices_are_told_and_proven(tmp_path, monkeypatch):
    root = str(NOTEBOOKS.parent)
    settings = {"PYTHONPATH": f"{NO_NETWORK}:{root}"}
    cells = told("03_slices.ipynb", tmp_path, monkeypatch, settings=settings)

    shown = text_of(cells["slice"])
    assert "8 of 12 cells made run base" in shown
    assert "changes features, which [12] reads" in shown  # through a view
    assert "settings.txt, which [12] reads" in shown
    assert "not needed: [1], [4], [6], [11]" in shown
    assert "# %% [cell 12 · exec 12 · tracked]" in text_of(cells["source"])
    assert "PROVEN: 8 of 12 cells give the same result" in text_of(cells["prove"])
    assert text_of(cells["proof"]).startswith("PROVEN by the slice · 8 cells")
    assert text_of(cells["unproven"]).startswith("UNPROVEN · loss at step 0 is")
    assert "2 of 19 cells made variable best_guess" in text_of(cells["variable"])
    assert "grade" in text_of(cells["grades"])
    assert "8 cells of run base put below" in text_of(cells["restore"])


@story
@needs_torch
def test_artifacts_and_models_tell_their_story(tmp_path, monkeypatch, no_mnist):
    settings = {
        "NBTRACK_DATA": str(no_mnist),
        "NBTRACK_EPOCHS": "2",
        "NBTRACK_OFF": OFF,
    }
    cells = told(
        "04_artifacts_and_models.ipynb", tmp_path, monkeypatch, settings=settings
    )

    store = nbtrack.open(tmp_path / ".nbtrack")
    assert "digits:v0" in text_of(cells["data"])
    sizes = ("256", "32", "64", "128")
    names = {version.name for version in store.artifact_versions()}
    assert names == {"digits", *(f"mlp-{n}" for n in sizes)} | {
        f"digits-net-{n}" for n in sizes
    }
    one, two = store.artifact_versions(name="mlp-32")
    assert two.metrics["val_acc"] > one.metrics["val_acc"]
    assert set(two.aliases) == {"latest", "best", "for-the-talk"}
    assert "mlp-32:v0 → mlp-32:v1" in text_of(cells["diff"])
    walk = text_of(cells["walk"])
    assert walk.index("val_acc") < walk.index("mlp-32:v1") < walk.index("digits:v0")
    assert "digits:v0 ── used ─▶ batch-128" in text_of(cells["graph"])
    accuracy = store.run("batch-32").metrics["val_acc"].best
    assert f"checkpoint of batch-32: {accuracy:.4f}" in text_of(cells["point"])
    stages = {v.version: v.stage for v in store.model_versions("reader")}
    assert stages == {"1.0.0": "production", "1.1.0": "archived"}
    assert "rolled back" in text_of(cells["rollback"])
    assert "reader@1.0.0 reads [" in text_of(cells["use"])
    assert "bytes would be freed" in text_of(cells["clean"])
    assert "models=('reader',)" in text_of(cells["remote"])


@story
def test_runs_are_compared_explained_and_put_into_a_table(tmp_path, monkeypatch):
    for name in ("sklearn", "plotly", "anywidget"):
        pytest.importorskip(name)
    settings = {
        "NBTRACK_OFF": OFF,
        "PYTHONPATH": f"{NO_NETWORK}:{NOTEBOOKS.parent}",
    }
    cells = told("05_compare.ipynb", tmp_path, monkeypatch, settings=settings)

    table = text_of(cells["panel"]).splitlines()
    assert "val_acc" in table[0]
    assert len(table) == 13
    assert "--cols best.val_acc params.lr params.seed" in text_of(cells["set"])
    assert len(nbtrack.open(tmp_path / ".nbtrack").runs()) == 12
    brushed = text_of(cells["brush"]).splitlines()[0]
    assert (brushed.count("'l1-"), brushed.count("'l2-")) == (6, 0)
    assert "digits.html: 12 runs" in text_of(cells["report"])
    assert "<script" not in (tmp_path / "digits.html").read_text()
    assert "l2-0.1 beats l2-0.01 on val_acc: +0.0" in text_of(cells["beats"])
    assert "n=3 pairs" in text_of(cells["beats"])
    assert text_of(cells["table"]).count("**") % 4 == 0
    assert "\\toprule" in text_of(cells["latex"])
    causes = text_of(cells["diff"]).partition("Most likely because of")[2]
    assert causes.index("param lr: 0.1 in A, 0.01 in B") < causes.index("penalty")
    assert "l1" in text_of(cells["sql"])


@story
def test_the_story_of_sweeps(tmp_path, monkeypatch):
    pytest.importorskip("optuna")
    settings = {"NBTRACK_OFF": OFF}
    cells = told("06_sweep.ipynb", tmp_path, monkeypatch, settings=settings)

    assert "sweep batch-sizes · 3 trials · finished" in text_of(cells["grid"])
    assert "#0 val_loss" in text_of(cells["grid"]).splitlines()[1]
    assert text_of(cells["same"]) == "64"
    assert "12 of 12 trials" in text_of(cells["search"])
    assert "pruned" in text_of(cells["search"])
    assert "finished" in text_of(cells["runs"])
    assert "lr, batch_size, momentum = 0.1, 64, 0.0" not in text_of(cells["source"])
    assert "batch_size" in text_of(cells["source"])
    for figure in ("importances", "contour", "parallel"):
        [output] = cells[figure].outputs
        assert "application/vnd.plotly.v1+json" in output.data
    assert "10 of 10 trials" in text_of(cells["function"])
    assert text_of(cells["callback"]) == "5"


@story
def test_a_number_proves_itself(tmp_path, monkeypatch):
    settings = {
        "PYTHONPATH": f"{NO_NETWORK}:{NOTEBOOKS.parent}",
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    cells = told("07_reproduce.ipynb", tmp_path, monkeypatch, settings=settings)

    exported = text_of(cells["export"])
    assert "exported base.nbt.zip" in exported
    assert "4 of 6 cells give the same result" in exported
    assert "needs in the environment: DB_PASSWORD" in exported
    assert "run/run.py" in text_of(cells["inside"])
    assert "correct-horse" not in text_of(cells["inside"])
    assert "run base: INTACT" in text_of(cells["verify"])
    assert "BITWISE" in text_of(cells["rerun"])
    assert "rerun of base" in text_of(cells["runs"])
    assert "WHAT-IF" in text_of(cells["if"])
    assert "TAMPERED" in text_of(cells["tamper"])
    forged = text_of(cells["forged"])
    assert forged.startswith("DRIFTED")
    assert "first difference: " in forged
    assert "likely cause: param lr: 0.5 in A, 0.4 in B" in forged
    assert "give the same result" in text_of(cells["repeat"])
    assert "WITHIN-NOISE" in text_of(cells["noise"])


@story
def test_runs_of_other_tools_come_and_go(tmp_path, monkeypatch):
    settings = {
        "PYTHONPATH": f"{NO_NETWORK}:{NOTEBOOKS.parent}",
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    cells = told("08_from_other_tools.ipynb", tmp_path, monkeypatch, settings=settings)

    came = "from mlflow: 2 runs new (2 params, 6 points, 2 files)"
    assert came in text_of(cells["import"])
    assert "from mlflow: 2 already there" in text_of(cells["twice"])
    assert "2025-01-01T00:00:00.000000Z 0.1" in text_of(cells["twice"])
    assert "from optuna: 5 runs new" in text_of(cells["optuna"])
    assert "loss > 0.8" in text_of(cells["train"])
    assert "old-0.1" in text_of(cells["compare"])
    assert "digits" in text_of(cells["wandb"])
    assert "weight 1.064" in text_of(cells["script"])
    assert "'lr': 0.3" in text_of(cells["script-run"])
    assert "csv in tables: 10 runs" in text_of(cells["out"])
    assert "from nbtrack: 1 run new" in text_of(cells["back"])
    assert "1 already there" in text_of(cells["back"])
    store = nbtrack.open(tmp_path / ".nbtrack")
    assert store.run("b" * 32).metrics["loss"].n_nan == 1

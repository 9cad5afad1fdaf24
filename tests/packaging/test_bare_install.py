"""`pip install nbtrack` and no extra: what works then, and what is said of the rest."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

import nbtrack

WALK = Path(__file__).with_name("bare_walk.py")
# What needs more than the wheel brings, and the extra that it must name.
NEEDS = {
    "bundles": {"export", "rerun", "%export", "%rerun", "nbtrack export",
                "nbtrack rerun"},
    "data": {"export_runs", "Run.log_dataset", "nbtrack export --format"},
    "frameworks": {"KerasCallback", "LightningCallback", "TransformersCallback",
                   "XGBoostCallback"},
    "lab": {"brush", "plot_box", "plot_confusion", "plot_contour", "plot_histograms",
            "plot_importance", "plot_importances", "plot_parallel", "plot_pr",
            "plot_roc", "plot_scatter", "plot_slice", "plot_trend"},
    "mlflow": {"push_runs", "nbtrack push to MLflow"},
    "remote": {"Run.log_artifact of an address", "artifacts.pull", "artifacts.push",
               "artifacts.push to S3", "nbtrack pull", "nbtrack push"},
    "sweeps": {"%%sweep", "import_study", "sweep"},
    "torch": {"TorchCallback"},
}  # fmt: skip
# These end in a sentence of their own, which has nothing to do with packages.
REFUSED = {
    "%verify": "No such file",
    "import_bundle": "No such file",
    "load_checkpoint": "has no checkpoints",
    "models.rollback": "production",
    "verify": "No such file",
    "watch": "torch.nn.Module",
}
# Only where a package is missing may text say so in Python's words.
NAKED = re.compile(r"No module named|ModuleNotFoundError|\bImportError\b|Traceback")
NOT_THERE = ("torch", "plotly", "jupyterlab", "jupyter_server", "optuna", "ipykernel")
NOTEBOOK = [
    "%load_ext nbtrack\nrate = 0.5",
    "%%track first\nimport time\nfrom ipywidgets.widgets.widget import _instances\n"
    "weight = 4.0\nfor epoch in range(20):\n    time.sleep(0.1)\n"
    "    loss = (weight - 1) ** 2\n    weight -= rate * (weight - 1)\n"
    "widgets = [type(one).__name__ for one in _instances.values()]",
    "import nbtrack, sys\nprint(nbtrack.runs().iloc[0]['params.rate'])\n"
    "print([m for m in ('torch', 'plotly', 'jupyterlab') if m in sys.modules])\n"
    "print(*widgets)",
]


def table(name: str) -> dict[str, str]:
    """A table of the walk, read without running it."""
    for node in ast.parse(WALK.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == name:
            return ast.literal_eval(node.value)
    raise KeyError(name)


def test_the_walk_goes_through_all_public_names_magics_and_verbs():
    from nbtrack.cli import command
    from nbtrack.notebook.line_magics import LINE_MAGICS
    from nbtrack.notebook.transform import MAGIC_NAMES

    assert table("NAMES").keys() == set(nbtrack.__all__)
    cells = {f"%%{name}" for name in (*MAGIC_NAMES, "sweep")}
    assert table("MAGICS").keys() >= cells | {f"%{name}" for name in LINE_MAGICS}
    assert {verb.split()[0] for verb in table("VERBS")} == set(command.commands)
    assert table("ARTIFACTS").keys() >= set(nbtrack.artifacts.__all__)
    assert table("MODELS").keys() >= set(nbtrack.models.__all__)


@pytest.fixture(scope="module")
def ended(command, bare, bare_path, tmp_path_factory) -> dict[str, list[str]]:
    """What each step of the walk ended in, and what it showed."""
    folder = tmp_path_factory.mktemp("walk")
    at_home = {"HOME": str(folder), "NBTRACK_REGISTRY": "off"}
    command(bare / "bin/python", WALK, cwd=folder, path=bare_path, **at_home)
    return json.loads((folder / "ended.json").read_text())


@pytest.mark.packaging
@pytest.mark.timeout(600)
def test_without_extras_nothing_but_what_needs_one_fails(ended):
    needing = {name for names in NEEDS.values() for name in names}
    assert {name for name, (error, _) in ended.items() if error} == (
        needing | REFUSED.keys()
    )
    for name, words in REFUSED.items():
        assert words in ended[name][0]


@pytest.mark.packaging
@pytest.mark.timeout(600)
def test_without_extras_each_error_names_the_one_to_install(ended):
    for extra, names in NEEDS.items():
        for name in names:
            assert "pip install" in ended[name][0], name
            assert f"nbtrack[{extra}]" in ended[name][0], name


@pytest.mark.packaging
@pytest.mark.timeout(600)
def test_without_extras_nobody_reads_pythons_words_for_it(ended):
    naked = {
        name: text
        for name, (error, shown) in ended.items()
        if NAKED.search(text := f"{error}\n{shown}")
    }
    assert naked == {}


@pytest.mark.packaging
@pytest.mark.timeout(600)
def test_an_export_that_cannot_be_written_runs_no_cell_before(ended):
    assert "running" not in ended["nbtrack export"][0]


@pytest.mark.packaging
@pytest.mark.timeout(600)
def test_the_wheel_alone_brings_nothing_heavy(command, bare, bare_path, tmp_path):
    code = f"from importlib.util import find_spec; print(*map(find_spec, {NOT_THERE}))"
    said = command(bare / "bin/python", "-c", code, cwd=tmp_path, path=bare_path)
    assert set(said.split()) == {"None"}


@pytest.mark.packaging
@pytest.mark.timeout(600)
def test_a_plain_kernel_tracks_a_cell_under_a_live_panel(
    command, copy_of_bare, bare_path, tmp_path, monkeypatch
):
    python = copy_of_bare / "bin/python"
    pip = (python, "-m", "pip", "install", "--quiet", "ipykernel")
    command(*pip, cwd=tmp_path, path=bare_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    name_kernel(python, tmp_path / "kernels" / "bare")
    _, tracked, told = executed(tmp_path)
    assert "watched loss" in json.dumps(tracked["outputs"])
    rate, loaded, *widgets = told["outputs"][0]["text"].split()
    assert (rate, loaded) == ("0.5", "[]")
    assert "RunPanel" in widgets


def name_kernel(python: Path, folder: Path) -> None:
    words = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    folder.mkdir(parents=True)
    spec = {"argv": words, "display_name": "bare", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec))


def executed(folder: Path) -> list[dict]:
    """The cells, run in the kernel of the environment without extras."""
    import nbformat
    from nbclient import NotebookClient

    cells = [nbformat.v4.new_code_cell(source) for source in NOTEBOOK]
    notebook = nbformat.v4.new_notebook(cells=cells)
    there = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, kernel_name="bare", timeout=120, resources=there)
    return client.execute().cells

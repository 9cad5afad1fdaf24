"""Bytes of the modules that a cell reads or makes."""

from __future__ import annotations

import subprocess
import sys

import pytest

import nbtrack
from nbtrack.capture.module_size import modules_bytes

torch = pytest.importorskip("torch")
nn = torch.nn


def test_parameters_and_buffers_count_with_the_size_of_their_type():
    model = nn.Sequential(nn.Linear(10, 4), nn.BatchNorm1d(4))
    state = sum(t.numel() * t.element_size() for t in model.state_dict().values())
    assert modules_bytes([model]) == state
    assert modules_bytes([nn.Linear(10, 4, bias=False).half()]) == 80


def test_what_is_shared_counts_once():
    layer = nn.Linear(10, 4, bias=False)
    assert modules_bytes([nn.Sequential(layer, layer), layer]) == 160


def test_layers_that_are_not_made_yet_have_no_size():
    assert modules_bytes([nn.LazyLinear(4)]) is None
    assert modules_bytes([nn.Sequential(nn.LazyLinear(4), nn.Linear(2, 1))]) == 12


def test_no_module_has_no_size():
    assert modules_bytes([3, nn.CrossEntropyLoss(), None, nn.Linear]) is None


def test_torch_is_not_imported_for_it():
    code = (
        "import sys; from nbtrack.capture.module_size import modules_bytes; "
        "assert modules_bytes([1]) is None; assert 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize("made", ["before", "in the cell"])
def test_a_tracked_cell_fills_the_column_with_no_call(shell, made):
    model = "from torch import nn; model = nn.Linear(10, 4)\n"
    shell.run_line_magic("load_ext", "nbtrack")
    shell.run_cell(model)
    shell.run_cell(f"%%track sized\n{model if made != 'before' else ''}y = model")
    assert nbtrack.open().run("sized").model_bytes == 176
    assert nbtrack.runs("model_bytes > 100")["name"].tolist() == ["sized"]


def test_a_script_fills_it_with_a_checkpoint_of_the_model(store_path):
    with nbtrack.start("script") as run:
        run.checkpoint(torch.nn.Linear(10, 4))
    assert run.record().model_bytes == 176
    assert run.record().checkpoint_bytes > 176


def test_the_callback_fills_it_where_it_saves(store_path):
    model = nn.Linear(10, 4)
    with nbtrack.start("script") as run:
        callback = nbtrack.TorchCallback(model)
        for _ in callback.epochs(1):
            callback.batch_end(loss=0.5)
    assert run.record().model_bytes == 176

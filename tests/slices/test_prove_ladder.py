"""The proof of real slices: which rung holds, what is left out, and what replays."""

from __future__ import annotations

import os
import threading

import pytest
from slices.proving import Notebook, proofs_left

import nbtrack
from nbtrack.slices.prove import proof_kept
from nbtrack.slices.slice import slice as slice_of

pytestmark = [pytest.mark.reproduce, pytest.mark.timeout(240)]
SCORE = "%%track t --no-live\nfor i in range(3):\n    loss = i * {}"


@pytest.fixture
def notebook(shell, tmp_path, monkeypatch, plain_surroundings):
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("NBTRACK_OFF", "code environment system")
    return Notebook(shell, folder)


def test_a_slice_is_proven_kept_and_shrunk(notebook):
    notebook.run("import random", "junk = 1", "xs = []", "xs.append(3)", "y = xs")
    notebook.run("len(xs)", SCORE.format("y[0] + random.random()"))
    proof = slice_of("last").prove()
    assert (proof.outcome, proof.rung) == ("PROVEN", "slice"), proof
    assert proof.n_session == 7
    assert 1 not in proof.seqs
    run = nbtrack.open().runs()[0].id
    shown = f"proven by the slice ({proof.n_cells} of 7 cells)"
    assert proof_kept(nbtrack.open(), run) == shown
    smaller = slice_of("last").prove(shrink_s=60)
    assert smaller.minimal
    assert smaller.seqs == (0, 2, 3, 4, 6)
    assert smaller.shrunk == (proof.n_cells > 5)
    assert proofs_left() == []


def test_a_variable_is_proven_by_its_value(notebook):
    notebook.run("a = [1, 2]", "b = {'a': a}", "a.append(3)", "c = lambda: 1")
    proof = slice_of("var:b").prove()
    assert (proof.outcome, proof.n_cells) == ("PROVEN", 3), proof
    refused = slice_of("var:c").prove()
    assert refused.reason.startswith("c cannot be compared: it is, or holds, a funct")
    assert refused.tried == ()


def test_what_somebody_typed_in_is_a_kept_value_and_said_loudly(notebook, monkeypatch):
    import builtins

    monkeypatch.setattr(builtins, "input", lambda *_: "5")
    notebook.run("n = int(input())", "k = 2", SCORE.format("(n + k)"))
    proof = slice_of("last").prove()
    assert (proof.outcome, proof.rung) == ("PROVEN", "snapshot"), proof
    assert proof.reason.startswith("WITH THE KEPT VALUE OF n, 2 of 3 cells")
    assert [a.rung for a in proof.tried][-1] == "snapshot"
    assert "EOFError" in proof.tried[0].reason
    notebook.run("n = 6")
    changed = slice_of("t").prove()
    assert changed.outcome == "UNPROVEN"
    assert "[4] may have changed it since" in changed.reason


def test_a_run_that_was_stopped_or_has_no_metric_is_not_even_tried(notebook):
    notebook.run("%%track t --no-live\nx = 1")
    proof = slice_of("last").prove()
    assert (proof.outcome, proof.reason) == ("UNPROVEN", "no metric to compare")
    assert proof.tried == ()


def test_two_rungs_with_the_same_script_are_tried_once(notebook):
    notebook.run("import os; key = os.getpid()", SCORE.format("key"))
    proof = slice_of("last").prove()
    assert proof.outcome == "UNPROVEN"
    assert len(proof.tried) == 1
    assert proof.reason.startswith("loss at step 1 is ")


def test_ctrl_c_kills_the_process_and_leaves_nothing(notebook):
    import _thread

    notebook.run("import time", "t = 0", "time.sleep(t)", SCORE.format(1))
    from dataclasses import replace

    claim = notebook.claim()
    cells = list(claim.cells)
    cells[1] = replace(cells[1], source="t = 120")
    before = _children()
    timer = threading.Timer(1.5, _thread.interrupt_main)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        notebook.attempt(replace(claim, cells=tuple(cells)), 0, 1, 2, 3)
    timer.join()
    assert proofs_left() == []
    assert _children() == before


def test_unseeded_and_seeded_training_replays_bit_for_bit(notebook):
    pytest.importorskip("torch")
    notebook.run(
        "import random, numpy as np, torch\nfrom torch import nn",
        "x = torch.rand(64, 8); y = x.sum(1, keepdim=True)",
        "noise = np.random.rand(3); pick = random.random()",
        "net = nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.2), nn.Linear(16, 1))",
        "_ = net(x)  # a jitter that is not needed draws as well",
        "optimizer = torch.optim.Adam(net.parameters(), 1e-2)",
        "%%track unseeded --no-live\n"
        "for epoch in range(5):\n"
        "    batch = torch.randperm(64)[:32]\n"
        "    loss = ((net(x[batch]) - y[batch]) ** 2).mean()\n"
        "    optimizer.zero_grad(); loss.backward(); optimizer.step()\n"
        "    score = loss.item() + np.random.rand() + random.random()\n"
        "    score = score + noise[0] + pick",
    )
    proof = slice_of("unseeded").prove()
    assert (proof.outcome, proof.rung) == ("PROVEN", "slice"), proof
    notebook.run(
        "torch.manual_seed(3); np.random.seed(3); random.seed(3)",
        "rng = np.random.default_rng(3)",
        "w = torch.randn(8, requires_grad=True)",
        "%%track seeded --no-live --seed 11\n"
        "for epoch in range(5):\n"
        "    loss = ((x @ w - y[:, 0]) ** 2).mean() + torch.rand(()) * rng.normal()\n"
        "    loss.backward()\n"
        "    with torch.no_grad(): w -= 0.01 * w.grad; w.grad = None\n"
        "    score = loss.item() + np.random.rand() + random.random()",
    )
    proof = slice_of("seeded").prove()
    assert (proof.outcome, proof.rung) == ("PROVEN", "slice"), proof


def _children() -> list[int]:
    import psutil

    return [child.pid for child in psutil.Process(os.getpid()).children()]

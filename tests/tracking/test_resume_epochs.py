"""A loop that is killed goes on where it was, as if nothing had been."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

import nbtrack
from nbtrack.errors import OptionError
from nbtrack.guard import guard

PLAIN = """
import json, os, random, signal, sys
import nbtrack
kill_in, resume = int(sys.argv[1]), sys.argv[2] or None
random.seed(3)
weights = {"w": 0.0}
with nbtrack.start("base", resume=resume) as run:
    for epoch in nbtrack.epochs(6, resume=True, state={"weights": weights}):
        for batch in range(4):
            weights["w"] += random.random()
            run.log(loss=weights["w"])
            if (epoch, batch) == (kill_in, 2):
                os.kill(os.getpid(), signal.SIGKILL)
        run.log(total=weights["w"])
print(json.dumps(weights))
"""
TORCH = """
import hashlib, os, signal, sys
import torch
import nbtrack
kill_in, resume = int(sys.argv[1]), sys.argv[2] or None
torch.set_num_threads(1)
torch.manual_seed(3)
model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Dropout(),
                            torch.nn.Linear(8, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
order = torch.Generator().manual_seed(5)
x, y = torch.randn(32, 4), torch.randn(32, 1)
state = {"model": model, "optimizer": optimizer, "order": order}
with nbtrack.start("base", resume=resume) as run:
    for epoch in nbtrack.epochs(6, resume=True, state=state):
        for batch in torch.randperm(32, generator=order).split(8):
            loss = (model(x[batch]) - y[batch]).pow(2).mean()
            optimizer.zero_grad(); loss.backward(); optimizer.step()
            run.log(loss=loss)
            if epoch == kill_in:
                os.kill(os.getpid(), signal.SIGKILL)
body = b"".join(p.detach().numpy().tobytes() for p in model.parameters())
print(hashlib.sha256(body).hexdigest())
"""


def trained(script, store, *, kill_in=-1, resume=""):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, str(kill_in), resume],
        env={"NBTRACK_STORE": str(store), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    expected = 0 if kill_in < 0 else -signal.SIGKILL
    assert done.returncode == expected, done.stderr
    return done.stdout


def test_a_killed_loop_ends_where_one_that_was_left_alone_does(tmp_path):
    alone = trained(PLAIN, tmp_path / "alone")
    assert trained(PLAIN, tmp_path / "cut", kill_in=3) == ""
    assert trained(PLAIN, tmp_path / "cut", resume="last") == alone
    kept = [nbtrack.open(tmp_path / name).runs() for name in ("alone", "cut")]
    assert [len(runs) for runs in kept] == [1, 1]
    curves = []
    for folder, [run] in zip(("alone", "cut"), kept, strict=True):
        with nbtrack.open(tmp_path / folder) as store:
            for metric in ("loss", "total"):
                curve = store.curve(run.id, metric)
                curves.append((list(curve.steps), list(curve.values),
                               list(curve.axes["epoch"])))  # fmt: skip
    # The epoch that was cut off was done again over its own points.
    assert curves[:2] == curves[2:]
    assert curves[0][0] == list(range(24))


@pytest.mark.faults
def test_a_killed_training_has_the_very_weights_of_one_left_alone(tmp_path):
    pytest.importorskip("torch")
    alone = trained(TORCH, tmp_path / "alone")
    for cut in (0, 4):
        store = tmp_path / f"cut{cut}"
        trained(TORCH, store, kill_in=cut)
        assert trained(TORCH, store, resume="last") == alone


def test_a_finished_run_can_be_given_more_epochs(store_path):
    seen = []
    with nbtrack.start("base") as run:
        seen += nbtrack.epochs(2, resume=True)
    with nbtrack.start(resume=run) as run:
        seen += nbtrack.epochs(4, resume=True)
    assert seen == [0, 1, 2, 3]
    assert run.record().params["epochs"].value == 4


def test_another_loop_of_the_run_begins_anew(store_path):
    with nbtrack.start("base") as run:
        list(nbtrack.epochs(2, resume=True))
    with nbtrack.start(resume=run):
        assert list(nbtrack.epochs(2, resume=True, name="fold")) == [0, 1]


def test_a_state_that_cannot_be_kept_is_one_warning(store_path, capsys):
    with nbtrack.start("base"):
        assert list(nbtrack.epochs(3, resume=True, state={"f": 7})) == [0, 1, 2]
    assert guard.failures["the state to resume from"] == 3
    assert capsys.readouterr().err.count("the state to resume from failed") == 1


def test_a_damaged_state_begins_anew_and_says_so(store_path, capsys):
    with nbtrack.start("base") as run:
        list(nbtrack.epochs(2, resume=True))
    for file in (store_path / "resume").iterdir():
        file.write_bytes(b"{")
    with nbtrack.start(resume=run):
        assert list(nbtrack.epochs(2, resume=True)) == [0, 1]
    assert "the state to resume from failed" in capsys.readouterr().err


def test_purging_a_run_removes_its_state(store_path):
    with nbtrack.start("base") as run:
        list(nbtrack.epochs(1, resume=True, state={"a": {"b": 1}}))
    [file] = (store_path / "resume").iterdir()
    if file.suffix == ".json":
        assert json.loads(file.read_text())["objects"] == {"a": {"b": 1}}
    run.store.purge(run.id)
    assert list((store_path / "resume").iterdir()) == []


def test_state_without_resume_is_a_slip():
    with pytest.raises(OptionError, match="resume=True"):
        nbtrack.epochs(3, state={})

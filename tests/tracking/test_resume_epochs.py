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

pytestmark = pytest.mark.usefixtures("plain_surroundings")

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
@pytest.mark.timeout(300)  # five imports of torch, one after the other
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


def test_two_loops_of_one_name_do_not_mix(store_path):
    def cell(run, stop_at):
        first, second = {"n": 0}, {"n": 0}
        for _ in nbtrack.epochs(2, resume=True, state={"it": first}):
            first["n"] += 1
        for epoch in nbtrack.epochs(3, resume=True, state={"it": second}):
            if epoch == stop_at:
                raise KeyboardInterrupt
            second["n"] += 10
        return first["n"], second["n"]

    with pytest.raises(KeyboardInterrupt), nbtrack.start("base") as run:
        cell(run, 1)
    with nbtrack.start(resume=run) as run:
        assert cell(run, None) == (2, 30)


def test_loops_in_loops_go_on_where_they_were(store_path):
    def cell(stop_at):
        seen = []
        for fold in nbtrack.epochs(3, name="fold", resume=True, state={"a": {}}):
            for epoch in nbtrack.epochs(2, resume=True, state={"b": {}}):
                if (fold, epoch) == stop_at:
                    raise KeyboardInterrupt
                seen.append((fold, epoch))
        return seen

    with pytest.raises(KeyboardInterrupt), nbtrack.start("base") as run:
        cell((1, 1))
    with nbtrack.start(resume=run):
        assert cell(None) == [(1, 1), (2, 0), (2, 1)]


def test_a_loop_without_a_state_says_so_when_it_goes_on(store_path, capsys):
    with nbtrack.start("base") as run:
        list(nbtrack.epochs(2, resume=True))
    with nbtrack.start(resume=run):
        assert list(nbtrack.epochs(3, resume=True)) == [2]
    assert "knows of no model" in capsys.readouterr().err


def test_what_could_not_be_read_back_is_refused_at_the_save(store_path, capsys):
    class Odd:
        def state_dict(self):
            return {"call": [len]}

    with nbtrack.start("base"):
        list(nbtrack.epochs(1, resume=True, state={"odd": Odd()}))
    assert "state['odd']['call'] holds a builtin" in capsys.readouterr().err
    assert list((store_path).glob("resume/*")) == []


def schedulers(torch, optimizer):
    kinds = torch.optim.lr_scheduler
    return {
        "step": kinds.StepLR(optimizer, 2),
        "steps": kinds.MultiStepLR(optimizer, [1, 3]),
        "cosine": kinds.CosineAnnealingLR(optimizer, 5),
        "restarts": kinds.CosineAnnealingWarmRestarts(optimizer, 2),
        "plateau": kinds.ReduceLROnPlateau(optimizer),
        "once": kinds.OneCycleLR(optimizer, 0.1, total_steps=9),
        "own": kinds.LambdaLR(optimizer, lambda n: 0.9**n),
    }


@pytest.mark.filterwarnings("ignore:.*lr_scheduler.step.*")
def test_every_scheduler_of_torch_goes_on(store_path):
    torch = pytest.importorskip("torch")
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    before = schedulers(torch, optimizer)
    with nbtrack.start("base") as run:
        for _ in nbtrack.epochs(3, resume=True, state=before):
            for name, scheduler in before.items():
                scheduler.step(1.0) if name == "plateau" else scheduler.step()
    after = schedulers(torch, optimizer)
    with nbtrack.start(resume=run):
        assert list(nbtrack.epochs(3, resume=True, state=after)) == []
    for name in before:
        assert str(after[name].state_dict()) == str(before[name].state_dict())


def test_a_callback_tells_the_loop_what_to_keep(store_path):
    torch = pytest.importorskip("torch")

    def cell(epochs):
        torch.manual_seed(1)
        model = torch.nn.Linear(2, 1)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
        callback = nbtrack.TorchCallback(model, optimizer)
        for _ in callback.epochs(epochs, resume=True):
            loss = model(torch.randn(8, 2)).pow(2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            callback.batch_end(loss=loss)
        return [p.tolist() for p in model.parameters()], callback.epoch

    with nbtrack.start("alone"):
        alone = cell(4)
    with nbtrack.start("cut") as run:
        cell(2)
    with nbtrack.start(resume=run) as run:
        assert cell(4) == alone
    steps = nbtrack.open().curve(run.id, "train_loss").steps
    assert list(steps) == [0, 1, 2, 3]

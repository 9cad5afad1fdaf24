"""The command "checkpoint", and Stop, save the models that nbtrack knows."""

from __future__ import annotations

import threading
import time

import pytest

import nbtrack
from nbtrack.errors import OptionError, RunStopped
from nbtrack.store import Store
from nbtrack.tracking import checkpoints
from nbtrack.tracking.known_models import models_of

pytestmark = pytest.mark.usefixtures("plain_surroundings")

torch = pytest.importorskip("torch")


def kept(run):
    checkpoints.settle(run)
    return [(c.name, c.step) for c in run.record().checkpoints if not c.gone_at]


def test_a_command_from_another_process_saves_at_the_next_log(run):
    model = torch.nn.Linear(2, 2)
    run.log(loss=1.0)
    run.checkpoint(model, "mine")
    with Store.open(run.store.path.parent) as other:
        other.control(run.id, "checkpoint", by="panel")
    deadline = time.monotonic() + 10
    step = 0
    while len(kept(run)) < 2 and time.monotonic() < deadline:
        with torch.no_grad():
            model.weight.add_(1)
        step += 1
        run.log(loss=1.0, step=step)
        time.sleep(0.02)
    assert [name for name, _ in kept(run)] == ["mine", "mine"]
    assert "log" not in vars(run), "logging stays slow"
    run.log(loss=1.0)
    assert len(kept(run)) == 2


def test_it_is_saved_by_the_thread_that_trains(run):
    model = torch.nn.Linear(2, 2)
    nbtrack.watch(model)
    run.request_checkpoint()
    other = threading.Thread(target=run.log, kwargs={"loss": 1.0})
    other.start()
    other.join()
    assert kept(run) == []
    run.log(loss=0.5)
    assert kept(run) == [("linear", 1)]


def test_it_is_saved_between_epochs_though_nobody_logs(run):
    model = torch.nn.Linear(2, 2)
    nbtrack.watch(model)
    for epoch in nbtrack.epochs(3):
        if epoch == 1:
            run.request_checkpoint()
            assert kept(run) == []
        if epoch == 2:
            assert len(kept(run)) == 1


def test_without_a_model_it_says_how_to_name_one(run, capsys):
    run.request_checkpoint("panel")
    for _ in range(3):
        run.log(loss=1.0)
    assert capsys.readouterr().err.count("run.checkpoint(model) once") == 1
    run.record()
    assert any("asked for" in text for text in run.store.notices(run.id))


def test_a_callback_saves_its_model_and_nobody_saves_it_again(run):
    model = torch.nn.Linear(2, 2)
    nbtrack.watch(model)
    callback = nbtrack.TorchCallback(model, checkpoint_every=100)
    for epoch in callback.epochs(3):
        callback.batch_end(loss=model(torch.ones(1, 2)).sum())
        if epoch == 1:
            run.request_checkpoint()
    assert kept(run) == [("linear", 1)]
    assert sorted(nbtrack.load_checkpoint(run)) == ["epoch", "metrics", "model"]


def test_stop_saves_what_is_known(store_path):
    model = torch.nn.Linear(2, 2)
    run = nbtrack.start()
    run.log(loss=1.0)
    run.checkpoint(model)
    with torch.no_grad():
        model.weight.add_(1)
    run.log(loss=0.5)
    run.request_stop()
    with pytest.raises(RunStopped):
        run.log(loss=0.4)
    run.finish()
    assert kept(run) == [("linear", 0), ("linear", 1)]


def test_a_model_is_not_kept_alive(run):
    model = torch.nn.Linear(2, 2)
    run.checkpoint(model)
    checkpoints.settle(run)
    del model
    models_of(run).save(run)
    assert len(kept(run)) == 1


def test_a_callback_with_words_lets_only_those_stay(run):
    model = torch.nn.Linear(2, 2)
    callback = nbtrack.TorchCallback(model, keep="best,last", monitor="zz", goal="max")
    for epoch, value in enumerate([1.0, 5.0, 2.0, 3.0]):
        with torch.no_grad():
            model.weight.fill_(epoch)
        run.checkpoint({"w": torch.full((1,), epoch)}, "other")
        callback.batch_end(loss=-value)
        callback.epoch_end(zz=value)
    found = kept(run)
    assert [step for name, step in found if name == "linear"] == [1, 3]
    assert len([1 for name, _ in found if name == "other"]) == 4
    with pytest.raises(OptionError, match="Did you mean best"):
        nbtrack.TorchCallback(model, keep="bset")

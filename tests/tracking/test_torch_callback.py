"""Per-epoch metrics and checkpoints of plain PyTorch loops."""

import doctest
import subprocess
import sys
import time
from pathlib import Path

import pytest

import nbtrack
from nbtrack.errors import MissingExtraError, OptionError, RunStopped
from nbtrack.tracking.callbacks import torch as callback_module
from nbtrack.tracking.callbacks.means import Means

pytestmark = pytest.mark.usefixtures("plain_surroundings")

torch = pytest.importorskip("torch")


@pytest.fixture
def model():
    torch.manual_seed(0)
    return torch.nn.Linear(2, 1)


@pytest.fixture
def optimizer(model):
    return torch.optim.SGD(model.parameters(), lr=0.1)


def values_of(run, metric):
    curve = run.store.curve(run.id, metric)
    return list(zip(curve.steps, curve.values, strict=True))


def train(callback, model, optimizer, n_epochs, *, val_losses):
    for epoch in callback.epochs(n_epochs):
        for batch in torch.ones(3, 4, 2):
            loss = model(batch).pow(2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            callback.batch_end(loss=loss, n=len(batch))
        callback.epoch_end(val_loss=val_losses[epoch])


def test_the_docstring_example_runs(store_path):
    found = doctest.testmod(callback_module)
    assert (found.failed, found.attempted > 5) == (0, True)


def test_means_are_weighted_by_samples(run):
    callback = nbtrack.TorchCallback()
    callback.batch_end(loss=torch.tensor(1.0), n=30)
    callback.batch_end(loss=torch.tensor(4.0), n=10)
    logged = callback.epoch_end(val_acc=torch.tensor(0.5))
    assert logged["train_loss"] == 1.75
    run.finish()
    assert values_of(run, "train_loss") == [(0, 1.75)]
    assert values_of(run, "val_acc") == [(0, 0.5)]


def test_means_take_numbers_tensors_and_both_and_lose_nothing():
    means = Means()
    means.add({"a": 1, "b": torch.tensor([1.0, 3.0])}, 1)
    means.add({"a": torch.tensor(2.0), "b": torch.tensor(2.0)}, 1)
    means.add({"a": 3.0, "b": torch.tensor(2.0, dtype=torch.bfloat16)}, 2)
    assert means.read() == {"a": 2.25, "b": 2.0}
    many = Means()
    small = torch.tensor(1e-3)
    for _ in range(20_000):
        many.add({"loss": small}, 64)
    assert many.read()["loss"] == pytest.approx(float(small), rel=1e-12)


def test_a_loss_changed_in_place_afterwards_counts_as_it_was(run):
    callback = nbtrack.TorchCallback()
    loss = torch.tensor(1.0)
    callback.batch_end(loss=loss)
    loss.fill_(100.0)
    assert callback.epoch_end()["train_loss"] == 1.0


def test_adding_keeps_no_graph_alive(model):
    means = Means()
    means.add({"loss": model(torch.ones(1, 2)).sum()}, 1)
    assert not means._sums["loss"].requires_grad


def test_only_better_epochs_are_saved(run, model, optimizer):
    callback = nbtrack.TorchCallback(model, optimizer, monitor="val_loss")
    train(callback, model, optimizer, 4, val_losses=[0.9, 0.5, 0.7, 0.4])
    run.finish()
    kept = run.record().checkpoints
    assert [(c.name, c.step) for c in kept] == [
        ("linear", 0),
        ("linear", 1),
        ("linear", 3),
    ]
    assert [c.metrics["val_loss"] for c in kept] == [0.9, 0.5, 0.4]
    assert nbtrack.load_checkpoint(run, "best")["epoch"] == 3


def test_every_epoch_is_saved_on_demand_and_loads_back(run, model, optimizer):
    callback = nbtrack.TorchCallback(model, optimizer, keep="all", checkpoint_every=2)
    train(callback, model, optimizer, 4, val_losses=[1, 1, 1, 1])
    weights = model.weight.detach().clone()
    state = nbtrack.load_checkpoint(run, step=3)
    model.load_state_dict(torch.nn.Linear(2, 1).state_dict())
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    assert torch.equal(model.weight, weights)
    assert [c.step for c in run.record().checkpoints] == [1, 3]
    assert state["metrics"]["val_loss"] == 1.0


def test_higher_is_better_where_the_name_says_so(run, model):
    callback = nbtrack.TorchCallback(model, monitor="val_acc")
    for value in (0.5, 0.9, 0.7):
        callback.epoch_end(val_acc=value)
    run.finish()
    assert [c.step for c in run.record().checkpoints] == [0, 1]


def test_learning_rate_and_speed_are_logged_unasked(run, model, optimizer):
    callback = nbtrack.TorchCallback(model, optimizer, keep="none")
    train(callback, model, optimizer, 2, val_losses=[1, 1])
    run.finish()
    assert values_of(run, "lr") == [(0, 0.1), (1, 0.1)]
    assert all(value > 0 for _, value in values_of(run, "perf/it_per_s"))
    assert run.record().checkpoints == ()


def test_an_epoch_without_epoch_end_is_ended(run):
    callback = nbtrack.TorchCallback()
    for epoch in callback.epochs(3):
        callback.batch_end(loss=float(epoch))
    run.finish()
    assert values_of(run, "train_loss") == [(0, 0.0), (1, 1.0), (2, 2.0)]
    curve = run.store.curve(run.id, "train_loss")
    assert list(curve.axes["epoch"]) == [0, 1, 2]


def test_a_plain_range_counts_its_epochs_too(run):
    callback = nbtrack.TorchCallback()
    for epoch in range(2):
        callback.batch_end(loss=float(epoch))
        callback.epoch_end()
    run.finish()
    curve = run.store.curve(run.id, "train_loss")
    assert (list(curve.steps), list(curve.axes["epoch"])) == ([0, 1], [0, 1])


def test_as_a_context_manager_the_last_epoch_is_not_lost(run):
    with nbtrack.TorchCallback() as callback:
        callback.batch_end(loss=2.0)
    run.finish()
    assert values_of(run, "train_loss") == [(0, 2.0)]


def test_stop_saves_what_was_trained_since_the_last_save(run, model, optimizer):
    callback = nbtrack.TorchCallback(model, optimizer)
    with pytest.raises(RunStopped):  # noqa: PT012 - the loop is the subject
        for _ in range(3):
            callback.batch_end(loss=1.0)
            run.request_stop("test")
    run.finish()
    assert run.record().status == "stopped"
    assert [c.name for c in run.record().checkpoints] == ["linear"]


def test_soft_stop_in_epochs_completes(run, model, optimizer):
    callback = nbtrack.TorchCallback(model, optimizer)
    done = []
    for epoch in callback.epochs(10):
        callback.batch_end(loss=1.0)
        run.request_stop("test")
        callback.epoch_end(val_loss=1.0)
        done.append(epoch)
    run.finish()
    assert (done, run.status) == ([0], "stopped")
    assert len(run.record().checkpoints) == 1


def test_a_compiled_or_parallel_model_is_saved_under_its_own_names(run, model):
    wrapped = torch.nn.DataParallel(model)
    nbtrack.TorchCallback(wrapped).epoch_end(val_loss=1.0)
    nbtrack.TorchCallback(torch.compile(model, backend="eager"), name="c").epoch_end(
        val_loss=1.0
    )
    for name in ("linear", "c"):
        state = nbtrack.load_checkpoint(run, name=name)
        assert list(state["model"]) == ["weight", "bias"]


def test_without_a_run_training_goes_on_with_one_line(store_path, capfd, model):
    callback = nbtrack.TorchCallback(model)
    for _ in callback.epochs(2):
        callback.batch_end(loss=torch.tensor(1.0))
        assert callback.epoch_end(val_loss=2.0)["val_loss"] == 2.0
    assert len(capfd.readouterr().err.splitlines()) == 1
    assert not store_path.exists()


def test_a_model_that_cannot_be_saved_never_stops_the_training(run, capfd):
    class Stubborn(torch.nn.Linear):
        def state_dict(self, *args, **kwargs):
            raise RuntimeError("out of memory")

    callback = nbtrack.TorchCallback(Stubborn(1, 1), keep="all")
    for _ in callback.epochs(3):
        callback.epoch_end(val_loss=1.0)
    run.finish()
    assert len(values_of(run, "val_loss")) == 3
    assert capfd.readouterr().err.count("out of memory") == 1


def test_a_missing_monitor_is_said_and_saves_all_the_same(run, capfd, model):
    callback = nbtrack.TorchCallback(model, monitor="val_loss")
    for _ in range(2):
        callback.epoch_end(val_acc=0.5)
    run.finish()
    assert len(run.record().checkpoints) == 2
    assert capfd.readouterr().err.count("'val_loss'") == 1


@pytest.mark.parametrize(
    "options",
    [
        {"keep": "lsat"},
        {"goal": "up"},
        {"monitor": "wibble"},
        {"checkpoint_every": 0},
    ],
)
def test_bad_options_name_the_way_out(options):
    with pytest.raises(OptionError, match=r"Use|Add|less"):
        nbtrack.TorchCallback(**options)


def test_without_pytorch_the_callback_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"nbtrack\[torch\]"):
        nbtrack.TorchCallback()


def test_a_batch_costs_little(run):
    callback = nbtrack.TorchCallback()
    loss = torch.tensor(1.0, requires_grad=True)

    def cost() -> float:
        start = time.process_time()
        for _ in range(200):
            callback.batch_end(loss=loss, n=64)
        return (time.process_time() - start) / 200

    assert min(cost() for _ in range(5)) < 100e-6  # 10 us on an idle machine


def test_the_package_imports_without_torch():
    root = Path(__file__).parents[2]
    code = (
        "import sys; sys.modules['torch'] = None; import nbtrack; "
        "nbtrack.TorchCallback; nbtrack.epochs; nbtrack.load_checkpoint"
    )
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)


def test_samples_and_tokens_per_second_where_their_numbers_are_given(run):
    callback = nbtrack.TorchCallback()
    for n in (8, 8, 2):
        time.sleep(0.002)
        callback.batch_end(loss=1.0, n=n, n_tokens=10 * n)
    speed = callback.epoch_end()
    per_batch = speed["perf/samples_per_s"] / speed["perf/it_per_s"]
    assert per_batch == pytest.approx(6)
    tokens = speed["perf/tokens_per_s"] / speed["perf/samples_per_s"]
    assert tokens == pytest.approx(10)
    time.sleep(0.002)
    callback.batch_end(loss=1.0)
    assert set(callback.epoch_end()) == {"train_loss", "perf/it_per_s"}

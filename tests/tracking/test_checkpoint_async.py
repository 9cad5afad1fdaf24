"""A model is saved as of the call, though the training goes on at once."""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np
import pytest

import nbtrack
from nbtrack.errors import ValueNotLoggedError
from nbtrack.tracking import checkpoint_keeper, checkpoints
from nbtrack.tracking.checkpoint_snapshots import NoSnapshotError, Places, snapshot
from nbtrack.tracking.checkpoints import load_checkpoint, save_checkpoint

pytestmark = pytest.mark.usefixtures("plain_surroundings")

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")


class Tied(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Linear(3, 3)
        self.second = torch.nn.Linear(3, 3)
        self.second.weight = self.first.weight


@pytest.fixture
def held(monkeypatch):
    """The worker writes nothing until this is set."""
    go, write = threading.Event(), checkpoint_keeper.write_object

    def writes_later(*args):
        assert go.wait(30)
        write(*args)

    monkeypatch.setattr(checkpoint_keeper, "write_object", writes_later)
    yield go
    go.set()


def test_the_content_is_that_of_the_call_though_training_goes_on(run, held):
    model = torch.nn.Linear(4, 4)
    optimizer = torch.optim.Adam(model.parameters())
    before = {k: v.clone() for k, v in model.state_dict().items()}
    extra = {"model": model.state_dict(), "seen": [1], "n": np.arange(3)}
    run.checkpoint(model)
    run.checkpoint(extra, "all")
    with torch.no_grad():
        model.weight.fill_(7.0)
    extra["seen"].append(2)
    extra["n"][0] = 9
    held.set()
    run.checkpoint(optimizer, "opt")
    checkpoints.settle(run)
    back = load_checkpoint(run, name="linear")
    assert all(torch.equal(back[name], before[name]) for name in before)
    both = load_checkpoint(run, name="all", trust=True)
    assert torch.equal(both["model"]["weight"], before["weight"])
    assert both["seen"] == [1]
    assert both["n"].tolist() == [0, 1, 2]


def test_the_call_does_not_wait_for_the_disk_but_a_third_copy_does(
    run, held, monkeypatch, capsys
):
    model = torch.nn.Linear(2, 2)
    run.checkpoint(model, "a")
    run.checkpoint(model, "b")
    threading.Timer(0.3, held.set).start()
    run.checkpoint(model, "c")
    assert held.is_set(), "a third copy was in memory"
    assert capsys.readouterr().err.count("the training waits") == 1
    checkpoints.settle(run)
    assert len(run.record().checkpoints) == 3


def test_where_no_place_comes_free_the_save_is_made_at_once(run, held, monkeypatch):
    monkeypatch.setattr("nbtrack.tracking.checkpoint_snapshots.WAIT_S", 0.05)
    for name in "abc":
        run.checkpoint(torch.nn.Linear(2, 2), name)
    held.set()
    checkpoints.settle(run)
    assert [c.name for c in run.record().checkpoints] == ["a", "b", "c"]


def test_plain_tensors_are_safetensors_and_what_is_more_is_torch(run):
    for name, what in {
        "plain": torch.nn.Linear(2, 2),
        "norm": torch.nn.BatchNorm1d(2),
        "tied": Tied(),
        "nested": {"model": {"w": torch.ones(2)}},
        "view": {"w": torch.arange(6.0).reshape(2, 3)[:, 1:]},
        "complex": {"w": torch.ones(2, dtype=torch.complex64)},
        "spectral": torch.nn.utils.spectral_norm(torch.nn.Linear(2, 2)),
    }.items():
        run.checkpoint(what, name)
    checkpoints.settle(run)
    suffixes = {c.name: c.path.split(".")[-1] for c in run.record().checkpoints}
    assert suffixes == {
        "plain": "safetensors", "norm": "safetensors", "tied": "pt", "nested": "pt",
        "view": "pt", "complex": "pt", "spectral": "pt",
    }  # fmt: skip
    for name, model in (("norm", torch.nn.BatchNorm1d(2)), ("tied", Tied())):
        model.load_state_dict(load_checkpoint(run, name=name))
    assert load_checkpoint(run, name="view")["w"].tolist() == [[1, 2], [4, 5]]


def test_what_shares_storage_shares_it_in_the_copy_and_after_loading(run):
    model = Tied()
    copied = snapshot(model.state_dict())
    first, second = copied["first.weight"], copied["second.weight"]
    assert first.data_ptr() == second.data_ptr() != model.first.weight.data_ptr()
    assert type(copied) is OrderedDict
    assert copied._metadata == model.state_dict()._metadata
    run.checkpoint(model, "tied")
    checkpoints.settle(run)
    back = load_checkpoint(run, name="tied")
    assert back["first.weight"].data_ptr() == back["second.weight"].data_ptr()


def test_parameters_and_gradients_flags_stay(run):
    state = {
        "p": torch.nn.Parameter(torch.ones(2), requires_grad=False),
        "t": torch.ones(2, requires_grad=True),
        "s": (1, [torch.zeros(())]),
    }
    copied = snapshot(state)
    assert type(copied["p"]) is torch.nn.Parameter
    assert (copied["p"].requires_grad, copied["t"].requires_grad) == (False, True)
    assert copied["s"][1][0].shape == ()


@pytest.mark.parametrize(
    "odd",
    [torch.eye(2).to_sparse(), torch.ones(2, device="meta"),
     torch.ones(2, dtype=torch.complex64).conj(), threading.Lock(), lambda: 1],
    ids=["sparse", "meta", "conj", "lock", "lambda"],
)  # fmt: skip
def test_what_is_not_copied_safely_is_refused(odd):
    with pytest.raises(NoSnapshotError):
        snapshot({"w": torch.ones(1), "odd": odd})


def test_what_is_refused_is_saved_at_once_or_named(run):
    run.checkpoint({"w": torch.eye(2).to_sparse()}, "sparse")
    with pytest.raises(ValueNotLoggedError):
        save_checkpoint(run, {"w": torch.ones(1), "f": lambda: 1}, name="function")
    checkpoints.settle(run)
    assert load_checkpoint(run, name="sparse")["w"].to_dense().tolist() == [
        [1, 0],
        [0, 1],
    ]
    for name in "abc":  # a refused copy has given its place back
        run.checkpoint(torch.nn.Linear(1, 1), name)
    checkpoints.settle(run)
    assert len(run.record().checkpoints) == 4


def test_trouble_in_the_background_is_one_line_and_training_goes_on(
    run, monkeypatch, capsys
):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(checkpoint_keeper, "write_object", full)
        for _ in range(3):
            run.checkpoint(torch.nn.Linear(1, 1))
        checkpoints.settle(run)
    assert capsys.readouterr().err.count("No space left") == 1
    run.checkpoint(torch.nn.Linear(1, 1))
    checkpoints.settle(run)
    assert len(run.record().checkpoints) == 1


def test_places_are_counted():
    places = Places(1)
    assert places.take() is not None
    places.free()
    assert places.take() is not None


def test_the_end_of_a_run_waits_for_what_is_being_written(store_path):
    with nbtrack.start() as run:
        run.checkpoint(torch.nn.Linear(300, 300))
    assert [c.name for c in run.record().checkpoints] == ["linear"]
    assert not any((run.store.path / "tmp").iterdir())


def test_the_same_state_is_the_same_version(run):
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.Adam(model.parameters())
    for step in range(2):
        run.checkpoint(optimizer, "opt", step=step)
        run.checkpoint([model.weight.detach()], "list", step=step)
    checkpoints.settle(run)
    kept = run.record().checkpoints
    assert {c.name: c.version for c in kept} == {"opt": 0, "list": 0}
    assert len(kept) == 4

"""`watch` sees gradients and weights every k-th pass, and leaves the training alone."""

from __future__ import annotations

import math

import numpy as np
import pytest

import nbtrack
from nbtrack.tracking import model_watch

torch = pytest.importorskip("torch")
nn = torch.nn


@pytest.fixture(autouse=True)
def _nothing_else_is_captured(monkeypatch):
    monkeypatch.setenv("NBTRACK_OFF", "all")
    torch.manual_seed(0)


def mlp():
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))


def train(model, n_steps, *, shape=(16, 4)):
    optimizer = torch.optim.SGD(
        [p for p in model.parameters() if p.requires_grad], lr=0.1
    )
    for _ in range(n_steps):
        optimizer.zero_grad()
        model(torch.randn(shape)).square().mean().backward()
        optimizer.step()


def names(run):
    return sorted({value.name for value in nbtrack.media(run)})


def hooks_of(model):
    return [
        hook
        for parameter in model.parameters()
        for hook in (parameter._post_accumulate_grad_hooks or {}).values()
    ]


def test_every_kth_pass_is_looked_at_from_the_first_on(run):
    model = mlp()
    nbtrack.watch(model, every=5)
    train(model, 12)
    found = nbtrack.media(run, "gradients/0.weight")
    assert [value.step for value in found] == [0, 5, 10]
    assert {name.partition("/")[0] for name in names(run)} == {"gradients", "weights"}
    assert len(names(run)) == 8


def test_counts_and_norms_are_those_of_the_tensors(run):
    model = mlp()
    nbtrack.watch(model, every=1)
    model(torch.randn(16, 4)).square().mean().backward()
    for kind in ("gradients", "weights"):
        value = nbtrack.media(run, f"{kind}/0.weight")[0]
        tensor = model[0].weight.grad if kind == "gradients" else model[0].weight
        exact, edges = np.histogram(tensor.detach().numpy(), bins=64)
        found = value.load()
        assert np.allclose(found.edges, edges, atol=1e-6)
        assert found.counts.sum() == exact.sum() == 32
        assert np.abs(found.counts - exact).sum() <= 2  # 32 bits at an edge
        assert value.data["norm"] == pytest.approx(tensor.norm().item(), rel=1e-6)
    total = torch.nn.utils.clip_grad_norm_(model.parameters(), math.inf)
    assert run.record().metrics["grad_norm"].last == pytest.approx(float(total))


def test_the_training_is_the_same_as_without_it(run):
    def weights(watched):
        torch.manual_seed(1)
        model = mlp()
        if watched:
            nbtrack.watch(model, every=1)
        train(model, 10)
        return [p.detach().clone() for p in model.parameters()]

    for with_it, without in zip(weights(True), weights(False), strict=True):
        assert torch.equal(with_it, without)


def test_the_hooks_go_when_the_run_ends(store_path):
    model = mlp()
    with nbtrack.start() as run:
        nbtrack.watch(model, every=1)
        assert hooks_of(model)
        train(model, 2)
    assert hooks_of(model) == []
    train(model, 2)
    assert [v.step for v in nbtrack.media(run, "weights/0.bias")] == [0, 1]


def test_watching_again_takes_the_place_of_watching_before(run):
    model = mlp()
    nbtrack.watch(model, every=1)
    nbtrack.watch(model, every=1, weights=False)
    train(model, 1)
    assert len(hooks_of(model)) == 4
    assert all(name.startswith("gradients/") for name in names(run))
    nbtrack.watch(model, every=1)
    train(model, 1)
    assert [v.step for v in nbtrack.media(run, "gradients/0.bias")] == [0, 1]


def test_a_resumed_run_goes_on_counting_passes(store_path):
    model = mlp()
    with nbtrack.start("base") as run:
        nbtrack.watch(model, every=5)
        train(model, 7)
    with nbtrack.start(resume="base") as run:
        nbtrack.watch(model, every=5)
        train(model, 2)
    assert [v.step for v in nbtrack.media(run, "weights/0.bias")] == [0, 5, 10]


def test_frozen_layers_have_weights_and_no_gradients(run):
    model = mlp()
    model[0].requires_grad_(False)
    nbtrack.watch(model, every=1)
    train(model, 1)
    assert "gradients/0.weight" not in names(run)
    assert "weights/0.weight" in names(run)
    model[0].requires_grad_(True)  # as in fine-tuning
    train(model, 2)
    assert "gradients/0.weight" in names(run)


def test_a_layer_that_was_not_used_has_no_gradients(run):
    model = nn.ModuleDict({"used": nn.Linear(4, 1), "unused": nn.Linear(4, 1)})
    nbtrack.watch(model, every=1)
    model["used"](torch.randn(2, 4)).sum().backward()
    assert [n for n in names(run) if n.startswith("gradients")] == [
        "gradients/used.bias",
        "gradients/used.weight",
    ]


def test_shared_parameters_are_seen_once(run):
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    nbtrack.watch(model, every=1, gradients=False)
    model(torch.randn(2, 4)).sum().backward()
    assert names(run) == ["weights/0.bias", "weights/0.weight", "weights/1.bias"]
    assert len(nbtrack.media(run)) == 3


def test_sparse_gradients_are_counted_where_they_are_stored(run):
    model = nn.Embedding(1000, 3, sparse=True)
    nbtrack.watch(model, every=1, weights=False)
    model(torch.tensor([1, 5, 5])).sum().backward()
    data = nbtrack.media(run, "gradients/weight")[0].data
    assert (data["n"], data["sparse"]) == (6, True)


def test_a_compiled_model_is_watched_under_its_own_names(run):
    model = torch.compile(mlp(), backend="aot_eager")
    nbtrack.watch(model, every=1)
    train(model, 2)
    assert "gradients/0.weight" in names(run)
    assert [v.step for v in nbtrack.media(run, "weights/2.bias")] == [0, 1]


def test_nan_and_infinite_gradients_are_counted_not_hidden(run):
    model = nn.Linear(2, 1)
    nbtrack.watch(model, every=1)
    (model(torch.ones(1, 2)) * float("nan")).sum().backward()
    data = nbtrack.media(run, "gradients/weight")[0].data
    assert (data["n_nan"], sum(data["counts"])) == (2, 0)
    with torch.no_grad():
        model.weight[0, 0] = float("inf")
    model.zero_grad()
    model(torch.ones(1, 2)).sum().backward()
    assert nbtrack.media(run, "weights/weight")[1].data["n_inf"] == 1


def test_half_precision_and_accumulated_gradients_are_seen(run):
    model = mlp().bfloat16()
    nbtrack.watch(model, every=2)
    for _ in range(3):  # three passes, one step
        model(torch.randn(2, 4).bfloat16()).sum().backward()
    assert [v.step for v in nbtrack.media(run, "gradients/0.weight")] == [0, 2]


def test_an_optimizer_with_a_closure_is_watched(run):
    model = nn.Linear(2, 1)
    nbtrack.watch(model, every=1)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=3)

    def closure():
        optimizer.zero_grad()
        loss = model(torch.ones(4, 2)).square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert len(nbtrack.media(run, "gradients/weight")) >= 2


def test_of_a_large_tensor_a_share_is_counted_and_it_is_said(run, monkeypatch):
    monkeypatch.setattr(model_watch, "ENTRIES_MAX", 100)
    model = nn.Linear(64, 64, bias=False)
    nbtrack.watch(model, every=1, gradients=False)
    model(torch.ones(1, 64)).sum().backward()
    data = nbtrack.media(run, "weights/weight")[0].data
    assert data["n"] == 4096
    assert 50 <= data["sampled"] == sum(data["counts"]) <= 100


@pytest.mark.parametrize(
    "values",
    [
        [0.5, -1.0, 2.0],
        [3.0, 3.0],
        [float("nan"), 1.0, float("inf")],
        [],
        [1e38, -1e38],
    ],
    ids=str,
)
def test_a_device_counts_as_the_cpu_does(values):
    tensor = torch.tensor(values)
    on_cpu = model_watch._row_on_cpu(tensor)
    on_device = model_watch._row_on_device(tensor).tolist()
    assert on_device[64:] == on_cpu[64:] or math.isinf(on_device[64])
    assert sum(on_device[:64]) == sum(on_cpu[:64])
    if all(abs(value) < 1e30 for value in values):
        assert on_device[:64] == on_cpu[:64]


def test_rows_of_a_device_leave_it_in_one_transfer(monkeypatch):
    monkeypatch.setattr(model_watch, "_row_on_cpu", model_watch._row_on_device)
    spreads = [
        model_watch._spread(name, torch.arange(4.0) * k)
        for k, name in enumerate("abc", start=1)
    ]
    told = model_watch._collected(spreads)()
    assert [name for name, _ in told] == ["a", "b", "c"]
    assert [data["range"] for _, data in told] == [[0.0, 3.0], [0.0, 6.0], [0.0, 9.0]]
    assert told[1][1]["norm"] == pytest.approx(math.sqrt(4 + 16 + 36))


def test_a_failure_of_ours_is_one_line_and_the_training_goes_on(
    run, monkeypatch, capsys
):
    def broken(name, tensor):
        raise RuntimeError("no histograms today")

    monkeypatch.setattr(model_watch, "_spread", broken)
    model = mlp()
    nbtrack.watch(model, every=1)
    before = model[0].weight.detach().clone()
    train(model, 5)
    assert not torch.equal(before, model[0].weight)
    assert capsys.readouterr().err.count("no histograms today") == 1
    assert hooks_of(model) == []


def test_a_backward_that_raises_does_not_end_the_watching(run):
    model = mlp()
    nbtrack.watch(model, every=1)
    loss = model(torch.randn(2, 4)).sum()
    loss.backward()
    with pytest.raises(RuntimeError):
        loss.backward()  # the graph is gone
    train(model, 1)
    assert len(nbtrack.media(run, "weights/0.weight")) >= 2


def test_slips_are_said_at_once(run, capsys):
    with pytest.raises(nbtrack.NbtrackError, match="every=0"):
        nbtrack.watch(mlp(), every=0)
    with pytest.raises(nbtrack.NbtrackError, match=r"takes a torch\.nn\.Module"):
        nbtrack.watch(object())
    nbtrack.watch(nn.ReLU())
    assert "no parameter of the model is trained" in capsys.readouterr().err


def test_watching_without_a_run_is_one_warning(store_path, capsys):
    model = mlp()
    nbtrack.watch(model)
    nbtrack.watch(model)
    assert capsys.readouterr().err.count("without a run") == 1
    assert hooks_of(model) == []

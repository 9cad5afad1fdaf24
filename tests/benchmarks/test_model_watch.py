"""Watching a model at every=100 costs at most 5 % of the time of a step.

Blocks of 20 steps take turns: bare, with the hooks, bare, with the hooks and one look
at all gradients and weights, which is written to the end. Each is compared with the
bare ones around it, and a hundred steps are four of one kind and one of the other.
Judged by the CPU time of the process, its background thread included.
"""

from __future__ import annotations

import time
from statistics import median

import pytest
from benchmarks.report import report

import nbtrack
from nbtrack.tracking import model_watch
from nbtrack.tracking.media import keeping

torch = pytest.importorskip("torch")
nn = torch.nn
pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(300)]

N_STEPS = 20  # of a block
N_ROUNDS = 40
TARGET = 1.05


def mlp():
    return nn.Sequential(
        nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(),
        nn.Linear(256, 10),
    ), (32, 784)  # fmt: skip


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3),
        nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(800, 10),
    ), (4, 1, 28, 28)  # fmt: skip


def block(model, optimizer, inputs, labels):
    """CPU time of some steps, and of what they left to write."""
    begun = time.process_time()
    for _ in range(N_STEPS):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()
    keeping.settle()
    return time.process_time() - begun


@pytest.mark.parametrize("make", [mlp, cnn])
def test_watching_costs_little_of_a_step(make, store_path, capsys):
    torch.set_num_threads(1)
    model, shape = make()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    inputs, labels = torch.randn(shape), torch.randint(0, 10, shape[:1])
    run = nbtrack.start("watched", off="all")

    def timed():
        return block(model, optimizer, inputs, labels)

    def watched(look):
        nbtrack.watch(model, every=10**9, run=run)
        watch = model_watch._watched(run)[id(model)]
        watch._hook({id(p) for p in list(model.parameters())[:: len(keys) - 1]})
        watch._n_passes = 0 if look else 1
        found = timed()
        watch.end()
        return found

    keys = list(model.state_dict())
    watched(True)  # what is imported at first
    ratios = {"bare": [], "hooks": [], "look": []}
    before = timed()
    for _ in range(N_ROUNDS):
        for kind in ratios:
            between = timed() if kind == "bare" else watched(kind == "look")
            behind = timed()
            ratios[kind].append(2 * between / (before + behind))
            before = behind
    run.finish()
    bare, hooks, look = (median(ratios[kind]) for kind in ratios)
    ratio = 0.8 * hooks + 0.2 * look
    with capsys.disabled():
        name = f"watch(every=100), {make.__name__}, {before / N_STEPS * 1e3:.1f} ms a "
        name += f"step (bare {bare:.3f}, hooks {hooks:.3f}, look in 20 {look:.3f})"
        report(name, ratio, TARGET)
    assert ratio <= TARGET

"""Watching a model at every=100 costs at most 5 % of the time of a step.

A hundred watched steps stand between two hundreds of bare ones, of the same model, and
each time they are compared with the mean of their neighbours: what else the machine
does is in all three. Every hundred has one look at all gradients and weights in it.
Judged by the CPU time of the process, its background thread included; the same with
nothing watched is printed beside it.
"""

from __future__ import annotations

import time
from statistics import median

import pytest
from benchmarks.report import report

import nbtrack
from nbtrack.tracking import model_watch

torch = pytest.importorskip("torch")
nn = torch.nn
pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(300)]

N_STEPS = 100
N_ROUNDS = 25
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


def steps(model, optimizer, inputs, labels):
    begun = time.process_time()
    for _ in range(N_STEPS):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()
    return time.process_time() - begun


@pytest.mark.parametrize("make", [mlp, cnn])
def test_watching_costs_little_of_a_step(make, store_path, capsys):
    torch.set_num_threads(1)
    model, shape = make()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    inputs, labels = torch.randn(shape), torch.randint(0, 10, shape[:1])
    run = nbtrack.start("watched", off="all")
    steps(model, optimizer, inputs, labels)
    ratios, nothing, before = [], [], steps(model, optimizer, inputs, labels)
    for _ in range(N_ROUNDS):
        nbtrack.watch(model, every=N_STEPS, run=run)
        watched = steps(model, optimizer, inputs, labels)
        model_watch._watched(run)[id(model)].end()
        behind = steps(model, optimizer, inputs, labels)
        ratios.append(2 * watched / (before + behind))
        between = steps(model, optimizer, inputs, labels)
        before = steps(model, optimizer, inputs, labels)
        nothing.append(2 * between / (behind + before))
    run.finish()
    n_looks = len({value.at for value in run.store.media(run.id)})
    assert n_looks == N_ROUNDS
    with capsys.disabled():
        name = (
            f"watch(every=100), {make.__name__}, {before / N_STEPS * 1e3:.2f} ms a step"
        )
        report(name, median(ratios), TARGET)
    assert median(ratios) <= TARGET

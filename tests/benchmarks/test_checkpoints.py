"""The training waits for a copy in memory when a model is saved, for no disk.

A model of 100 MB: the wait of `run.checkpoint(model)` beside copying its tensors in
memory, and beside `torch.save` with an fsync, in turns. The worker has written the one
before when the next is timed.
"""

from __future__ import annotations

import os
import time
from statistics import median

import pytest
from benchmarks.report import report

import nbtrack
from nbtrack.tracking import checkpoints

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(300)]

N_ROUNDS = 12
OVER_COPY = 1.5
OF_SAVE = 1.0  # how much less depends on the disk; the copy is what is promised


def timed(work):
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def test_saving_a_model_costs_a_copy_in_memory(store_path, tmp_path, capsys):
    model = torch.nn.Sequential(*(torch.nn.Linear(1024, 1024) for _ in range(25)))
    copied, saved, waited = [], [], []

    def copy():
        return {name: each.clone() for name, each in model.state_dict().items()}

    def save():
        with open(tmp_path / "model.pt", "wb") as file:
            torch.save(model.state_dict(), file)
            file.flush()
            os.fsync(file.fileno())

    with nbtrack.start(off="all", keep="last") as run:
        for n in range(N_ROUNDS):
            with torch.no_grad():
                model[0].bias.fill_(n)
            copied.append(timed(copy))
            saved.append(timed(save))
            waited.append(timed(lambda: run.checkpoint(model, "large")))
            checkpoints.settle(run)
    pairs = list(zip(copied, saved, waited, strict=True))
    over_copy = median(w / c for c, _, w in pairs[2:])
    of_save = median(w / s for _, s, w in pairs[2:])
    with capsys.disabled():
        print()
        report("run.checkpoint(100 MB) / copy in memory", over_copy, OVER_COPY)
        report("run.checkpoint(100 MB) / torch.save + fsync", of_save, OF_SAVE)

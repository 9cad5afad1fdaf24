"""Checkpoints are found by step, version and point; what is gone or damaged says so."""

import pytest

from nbtrack.tracking import checkpoints

pytestmark = pytest.mark.usefixtures("plain_surroundings")

torch = pytest.importorskip("torch")


def kept_of(run):
    checkpoints.settle(run)
    return run.record().checkpoints


def save_three(run):
    for step, (loss, acc) in enumerate([(0.9, 0.1), (0.4, 0.9), (0.6, 0.8)]):
        run.log(val_loss=loss, acc=acc, step=step)
        run.checkpoint({"step": step, "w": torch.tensor(float(step))}, "m")

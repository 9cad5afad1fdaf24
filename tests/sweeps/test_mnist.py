"""The batch sizes 32, 64 and 128 on the real MNIST, of one cell as it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import nbtrack

pytest.importorskip("optuna")
pytest.importorskip("torch")
BESIDE = Path(__file__).parents[3] / "shared/data/mnist"
MNIST = Path(os.environ.get("NBTRACK_TEST_MNIST", BESIDE))
pytestmark = [
    pytest.mark.usefixtures("plain_surroundings", "studies"),
    pytest.mark.skipif(not MNIST.is_dir(), reason="no MNIST here"),
]

DATA = f"""\
import gzip, struct, torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

def read(name):
    with gzip.open("{MNIST}/" + name) as file:
        content = file.read()
    n_axes = content[3]
    shape = struct.unpack(f">{{n_axes}}I", content[4 : 4 + 4 * n_axes])
    raw = torch.frombuffer(bytearray(content[4 + 4 * n_axes :]), dtype=torch.uint8)
    return raw.reshape(shape)

images = read("train-images-idx3-ubyte.gz")[:2600].float().flatten(1) / 255
labels = read("train-labels-idx1-ubyte.gz")[:2600].long()
train = TensorDataset(images[:2000], labels[:2000])
x_val, y_val = images[2000:], labels[2000:]
"""
CELL = """\
lr, batch_size = 0.1, 64
model = nn.Sequential(nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=lr)
for epoch in range(1):
    for x, y in DataLoader(train, batch_size=batch_size, shuffle=True):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        val_acc = (model(x_val).argmax(1) == y_val).float().mean().item()
"""
LINE = "batch_size=[32, 64, 128] --sampler grid --metric val_acc:max"


def test_batch_sizes_on_mnist_each_from_the_same_start(ip, swept):
    ip.run_cell(DATA)
    ip.run_cell(f"%%track --no-live\n{CELL}")  # as one does; it need not be rehearsed
    left = dict(ip.user_ns)
    found = swept(LINE, CELL)
    assert [row.error for row in found.rows] == [None] * 3
    assert [row.labels["batch_size"] for row in found.rows] == [32, 64, 128]
    assert found.best.value > 0.6
    steps = [nbtrack.open().run(row.run).metrics["loss"].n for row in found.rows]
    assert steps == [63, 32, 16]
    assert all(ip.user_ns[name] is left[name] for name in ("model", "optimizer"))

    again = swept("batch_size=[64] --sampler grid --metric val_acc:max", CELL)
    curves = [
        nbtrack.open().curve(run, "loss").values.tobytes()
        for run in (found.rows[1].run, again.rows[0].run)
    ]
    assert curves[0] == curves[1]

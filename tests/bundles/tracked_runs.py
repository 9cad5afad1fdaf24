"""Runs that were tracked in a real shell, for what a bundle has of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from conftest import fresh_shell

from nbtrack.analysis.code_view import settled_store
from nbtrack.records import RunRecord
from nbtrack.store import Store
from nbtrack.tracking.session import process_session

HOSTILE = "<img src=x onerror=alert(1)>"
DATA = """\
import numpy as np
import pandas as pd
import torch
from pathlib import Path

rows = [f"{i},{i % 3},{i % 2}" for i in range(20)]
Path("points.csv").write_text("\\n".join(["a,b,y", *rows]))
np.random.seed(3)
generator = torch.manual_seed(3)"""
READ = """\
points = pd.read_csv("points.csv")
x = torch.tensor(points[["a", "b"]].values / 20, dtype=torch.float32)
y = torch.tensor(points["y"].values, dtype=torch.float32)"""
UNUSED = "never_read = 1"
TRAIN = f"""\
%%track base -p lr=0.1
import nbtrack

assert list(points.columns) == ["a", "b", "y"]
model = torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(4):
    optimizer.zero_grad()
    loss = ((model(x).squeeze() - y) ** 2).mean()
    loss.backward()
    optimizer.step()
    seen = loss.item()
    print("epoch", epoch, repr(seen))
    told = {{"train_loss": seen, "val_loss": float("nan") if epoch == 2 else seen}}
    told |= {{"zero": -0.0, "far": float("-inf"), "{HOSTILE}": 1.5}}
    nbtrack.log(told, step=epoch)
    half = model.weight.detach().to(torch.bfloat16)
    torch.save({{"model": model.state_dict(), "half": half}}, "net.pt")
np.savez("scaler.npz", mean=np.float64([0.5, np.nan]), names=np.array(["a", "b"]))"""
CELLS = (DATA, READ, UNUSED, TRAIN)


@contextmanager
def tracked(
    folder: Path, cells: Sequence[str] = CELLS
) -> Iterator[tuple[Store, RunRecord]]:
    """The store and the newest run, after these cells were run in a new folder."""
    place, before = folder / "notebook", os.getcwd()
    place.mkdir()
    saved = os.environ.get("NBTRACK_STORE")
    os.environ["NBTRACK_STORE"] = str(folder / "store")
    os.chdir(place)
    try:
        with fresh_shell() as shell:
            shell.run_line_magic("load_ext", "nbtrack")
            for at, cell in enumerate(cells):
                done = shell.run_cell(cell, store_history=True, cell_id=f"cell-{at}")
                assert done.success, done
            run_id = settled_store().run("last").id
    finally:
        os.chdir(before)
        del os.environ["NBTRACK_STORE"]
        if saved is not None:
            os.environ["NBTRACK_STORE"] = saved
        process_session().close()
    with Store.open(folder / "store") as store:
        yield store, store.run(run_id)


def renamed(store: Store, record: RunRecord, name: str) -> RunRecord:
    """The run under another name, as a user gives it one."""
    store.edit({"kind": "run_changed", "run": record.id, "fields": {"name": name}})
    return store.run(record.id)

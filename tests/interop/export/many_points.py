"""Exports two million points and says by how many bytes the peak of memory grew."""

import json
import resource
import sys
from pathlib import Path

import pyarrow.parquet  # noqa: F401 - its own weight is not counted

import nbtrack
from nbtrack.store import Store


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


folder = Path(sys.argv[1])
grown = {}
with Store.open(folder / "store") as store:
    run = "06ay7t97fjzwp"
    store.edit({"kind": "run_started", "run": run, "name": "long", "started_at": 1e9})
    for name in ("loss", "acc"):
        series = store.journal.series(run, name)
        for step in range(1_000_000):
            store.journal.point(series, step, step / 7, 1e9 + step / 100)
        store.journal.flush(60)
    store.edit({"kind": "run_finished", "run": run, "status": "finished"})
    for format in ("json", "parquet", "csv", "rows"):
        before = peak()
        nbtrack.export_runs(folder / format, format=format, store=store)
        grown[format] = peak() - before
print(json.dumps(grown))

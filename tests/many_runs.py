"""A store of many runs, for tests of how long lists and tables take."""

from __future__ import annotations

import random


def fill(store, n_runs, *, n_params=0, n_metrics=0):
    """Runs `run-0`, ... with params `p0`, ... and a point of `val_loss0`, ... each."""
    numbers, emit = random.Random(0), store.journal.emit
    for n in range(n_runs):
        run = f"{n:013}"
        emit({"kind": "run_started", "run": run, "name": f"run-{n}"})
        params = [[f"p{k}", numbers.random(), "literal", None] for k in range(n_params)]
        if params:
            emit({"kind": "params", "run": run, "params": params})
        for k in range(n_metrics):
            series = store.journal.series(run, f"val_loss{k}")
            store.journal.point(series, 0, numbers.random(), 1e9)
        emit({"kind": "run_finished", "run": run, "status": "finished"})
        if n % 200 == 0:
            store.journal.flush(60.0)
    assert store.journal.flush(120.0)

"""What a sweep costs beside its trials, and what a second worker brings.

`pytest -m benchmark -s tests/benchmarks/test_sweep_speed.py`
"""

from __future__ import annotations

import itertools
import time
from statistics import median

import pytest
from benchmarks.report import report

import nbtrack
from nbtrack.store import Store

optuna = pytest.importorskip("optuna")
pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(600)]
OVERHEAD_MAX_MS, LISTED_MAX_MS = 50, 300
SLEEP_S, N_SLEEPS = 2.0, 48  # starting workers costs some 4 s, once
CELL = "x, y = 0.5, 0.5\nfor i in range(5):\n    loss = x * x + y * y + i\n"


@pytest.fixture
def swept(shell):
    shell.run_cell("%load_ext nbtrack")
    yield lambda line, cell: shell.run_cell_magic("sweep", line, cell)
    shell.run_cell("%unload_ext nbtrack")


def ends_of(sweep):
    """When each of its trials began, in seconds since the epoch."""
    starts = nbtrack.runs(f"tags.sweep == {sweep.name!r}").sort_values("id")
    return [at.timestamp() for at in starts["started_at"]]


def test_a_trial_costs_little_beside_the_cell(swept):
    """From the start of one trial to that of the next, of a cell that does nothing."""
    swept("x=[0] --sampler grid --metric loss:min", CELL)  # imports, tables
    space = "x=uniform(-1,1) y=uniform(-1,1) --n 60 --metric loss:min"
    for sampler in ("random", "tpe"):
        begun = ends_of(swept(f"{space} --sampler {sampler}", CELL))
        took = median(b - a for a, b in itertools.pairwise(begun))
        report(f"ms per trial in the kernel, {sampler}", took * 1e3, OVERHEAD_MAX_MS)
        assert took * 1e3 <= OVERHEAD_MAX_MS


def test_two_workers_take_half_of_the_time(shell, swept):
    shell.run_cell("import time")
    cell = f"x = 1\nfor i in range(2):\n    loss = x\n    time.sleep({SLEEP_S / 2})\n"
    space = f"x=int(1,999) --n {N_SLEEPS} --sampler random --metric loss:min"
    took = []
    for parallel in (1, 2):
        began = time.monotonic()
        found = swept(f"{space} --parallel {parallel}", cell)
        took.append(time.monotonic() - began)
        assert found.n_done == N_SLEEPS
        assert not found.notes
    gain = took[0] / took[1]
    report("one after the other / two workers, asleep", gain, 1.8, at_least=True)
    assert gain >= 1.8


def test_a_thousand_trials_are_listed_at_once(store_path):
    with Store.open(store_path) as store:
        emit = store.journal.emit
        for n in range(1000):
            run = f"r{n:04}"
            tags = {"sweep": "many", "trial": str(n)}
            emit({"kind": "run_started", "run": run, "name": run, "tags": tags})
            params = [["lr", n / 1000, "option", None], ["bs", n % 7, "option", None]]
            emit({"kind": "params", "run": run, "params": params})
            for step in range(3):
                series = store.journal.series(run, "loss")
                store.journal.point(series, step, n / (step + 1), 1e9)
            emit({"kind": "run_finished", "run": run, "status": "finished"})
        store.journal.flush(60)
    nbtrack.runs("tags.sweep == 'many'")
    took = []
    for _ in range(5):
        began = time.monotonic()
        assert len(nbtrack.runs("tags.sweep == 'many'", sort="best.loss")) == 1000
        took.append(time.monotonic() - began)
    report("ms to list 1,000 trials", median(took) * 1e3, LISTED_MAX_MS)
    assert median(took) * 1e3 <= LISTED_MAX_MS

"""What comparing costs, beside floors measured in the same run.

`pytest -m benchmark -s tests/benchmarks/test_compare_speed.py`
"""

from __future__ import annotations

import time
from statistics import median

import numpy as np
import pytest
from benchmarks.report import report

from nbtrack.analysis.comparing.data import compared
from nbtrack.analysis.comparing.overlay import Overlay, Wanted, read_xy
from nbtrack.analysis.comparing.state import CompareState
from nbtrack.store import Store

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(600)]
N_CURVES, N_POINTS = 50, 100_000


@pytest.fixture(scope="module")
def long_curves(tmp_path_factory):
    store = Store.open(tmp_path_factory.mktemp("long"))
    for n in range(N_CURVES):
        run = f"r{n:02}"
        store.journal.emit({"kind": "run_started", "run": run, "name": f"long-{n}"})
        series = store.journal.series(run, "loss")
        values = np.sin(np.arange(N_POINTS) / 9000 + n)
        values[31_234] = 40.0
        for step, value in enumerate(values.tolist()):
            store.journal.point(series, step, value, 1e9 + step)
        store.journal.emit({"kind": "run_finished", "run": run, "status": "finished"})
        assert store.journal.flush(120.0)
    yield store
    store.close()


def timed(call, n=5):
    times = []
    for _ in range(n):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return median(times)


def test_a_comparison_of_five_thousand_runs_beside_their_rows(five_thousand):
    """The floor: every row of runs, params and metrics, fetched by sqlite3 alone."""
    import sqlite3

    def floor():
        connection = sqlite3.connect(five_thousand.path / "nbtrack.db")
        for table in ("runs", "params", "metrics"):
            connection.execute(f"select * from {table}").fetchall()
        connection.close()

    state = CompareState(sort="val_loss0")
    report(
        "comparison of 5,000 runs / SELECT of their rows",
        timed(lambda: compared(five_thousand, state)) / timed(floor),
        2.5,
    )


def test_fifty_long_curves_beside_reading_them(long_curves):
    """The floor: the arrays of the curves; on top come buckets with their spikes."""
    runs = [f"r{n:02}" for n in range(N_CURVES)]

    def floor():
        for run in runs:
            read_xy(long_curves, run, "loss")

    drawn = []

    def draw(overlay):
        drawn[:] = [overlay.curve(run, Wanted("loss")) for run in runs]

    first = timed(lambda: draw(Overlay(long_curves)), 3)
    report("50 curves of 100,000 points, first / read", first / timed(floor, 3), 2)
    assert all(curve.y.max() == 40.0 for curve in drawn)
    overlay = Overlay(long_curves)
    draw(overlay)
    report("the same again, s", timed(lambda: draw(overlay)), 0.3)


def test_the_part_in_view_of_a_million_points(tmp_path):
    store = Store.open(tmp_path / "million")
    store.journal.emit({"kind": "run_started", "run": "r", "name": "million"})
    series = store.journal.series("r", "loss")
    for step in range(1_000_000):
        store.journal.point(series, step, float(step % 997), 1e9 + step)
    assert store.journal.flush(120.0)
    overlay = Overlay(store)
    overlay.curve("r", Wanted("loss"))

    def pan():
        for begin in range(0, 900_000, 30_000):
            overlay.curve("r", Wanted("loss", span=(begin, begin + 100_000)))

    report("one step of a pan over 1M points, s", timed(pan, 3) / 30, 1 / 30)
    store.close()

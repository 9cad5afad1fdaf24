"""Runs as plain rows, whatever their points are."""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing

import nbtrack
from nbtrack.store import Store


def test_a_point_without_a_time_is_a_row_too(store_path, tmp_path):
    with Store.open(store_path) as store:
        say = store.journal
        say.emit({"kind": "run_started", "run": "r1", "name": "timeless"})
        say.point(say.series("r1", "loss"), 3, 0.5, math.nan)
        say.emit({"kind": "run_finished", "run": "r1", "status": "finished"})
        say.flush()
        nbtrack.export_runs(tmp_path / "out", format="rows", store=store)
    with closing(sqlite3.connect(tmp_path / "out/runs.db")) as plain:
        points = plain.execute("select step, value, at from points").fetchall()
    assert points == [(3, 0.5, None)]

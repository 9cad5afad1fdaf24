"""A table of 10,000 rows costs the training's thread what a copy of it costs.

Measured in the same process, in turn: the call against `frame.copy()` with what it
takes to hand something to a thread, and all of the writing against pandas' own
`to_parquet` of the same frame to the same disk.
"""

from __future__ import annotations

import time
from statistics import median

import numpy as np
import pandas as pd
import pytest
from benchmarks.report import report

import nbtrack
from nbtrack.tracking.media import keeping

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(300)]
N_ROUNDS = 15


def seconds(call):
    begun = time.process_time()
    call()
    return time.process_time() - begun


def test_a_table_of_10_000_rows_is_cheap(store_path, tmp_path, capsys):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.random((10_000, 8)))
    frame.columns = [f"column {k}" for k in range(8)]
    frame["text"] = [f"a sample number {k}" for k in range(10_000)]
    run = nbtrack.start("table", off="all")
    run.log_table(frame, "table")
    keeping.settle()
    of_thread, in_all = [], []
    for _ in range(N_ROUNDS):
        begun = time.thread_time()
        run.log_table(frame, "table")
        of_thread.append(time.thread_time() - begun)
        keeping.settle()

        def keep():
            run.log_table(frame, "table")
            keeping.settle()

        theirs = seconds(lambda: frame.to_parquet(tmp_path / "theirs.parquet"))
        in_all.append(seconds(keep) / theirs)
    run.finish()
    with capsys.disabled():
        report("log_table of 10,000 rows, ms of the calling thread",
               median(of_thread) * 1e3, 10.0)  # fmt: skip
        report("log_table of 10,000 rows, CPU over to_parquet", median(in_all), 10.0)
    assert median(of_thread) <= 0.010
    assert median(in_all) <= 10.0

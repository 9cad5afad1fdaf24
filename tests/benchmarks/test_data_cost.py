"""What data costs the cell that reads it: with a gigabyte and ten frames in scope.

The main thread's part as milliseconds against the budget of a tracked cell, and as a
ratio to sha256 of the same bytes, measured in the same run; what training in Python
and in numpy loses while the data is read; what noting an `open()` takes.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from statistics import median

import numpy as np
import pandas as pd
import pytest
from benchmarks.report import report

from nbtrack.capture.data_read import data_among
from nbtrack.capture.data_taking import Taker
from nbtrack.tracking.data_worker import data_worker

BUDGET_MS = 30.0
GIB = 1 << 30

pytestmark = pytest.mark.benchmark


def scope():
    rng = np.random.default_rng(0)
    namespace = {"__name__": "__main__", "X": rng.random(GIB // 8)}
    for n in range(10):
        namespace[f"df{n}"] = pd.DataFrame(
            {f"c{at}": rng.random(50_000) for at in range(10)}
            | {"text": [f"row {at}" for at in range(50_000)]}
        )
    return namespace


def test_taking_a_gigabyte_and_ten_frames_costs_the_cell_little(capsys):
    namespace = scope()
    times = []
    for _ in range(20):
        started = time.perf_counter()
        taker = Taker()
        found = data_among(list(namespace), namespace)
        assert len([taker.take(*each) for each in found]) == 11
        times.append(time.perf_counter() - started)
    started = time.perf_counter()
    hashlib.sha256(namespace["X"]).hexdigest()
    whole = time.perf_counter() - started
    with capsys.disabled():
        report("data: ms on the main thread", median(times) * 1e3, BUDGET_MS)
        report("data: main thread / sha256 of the bytes", median(times) / whole, 0.02)


def test_a_tracked_cell_that_reads_a_gigabyte_stays_in_its_budget(shell, capsys):
    shell.user_ns.update(scope())
    names = [f"df{n}" for n in range(10)]
    body = f"loss = X[0] + sum(len(d) for d in [{', '.join(names)}])"
    shell.run_cell("%load_ext nbtrack")
    assert shell.run_cell(f"%%track warm\n{body}").success
    more = []
    for _ in range(9):
        assert data_worker.settle(60)
        times = []
        for head in ("%%track bench\n", "%%track bench --off data files\n"):
            started = np.array([time.perf_counter(), time.thread_time()])
            assert shell.run_cell(head + body).success
            ended = np.array([time.perf_counter(), time.thread_time()])
            times.append((ended - started) * 1e3)
            data_worker.settle(60)
        more.append(times[0] - times[1])
    wall, own = np.median(more, axis=0)
    with capsys.disabled():
        report("data and files: ms more of the cell's own thread", own, BUDGET_MS)
        report("data and files: ms more by the clock, on an idle machine", wall, 30.0)
    shell.run_cell("%unload_ext nbtrack")


def _steps_in(seconds, step):
    n, until = 0, time.perf_counter() + seconds
    while time.perf_counter() < until:
        step()
        n += 1
    return n


def _step():
    sum(range(2000))


def test_training_in_python_loses_little_while_python_objects_are_read(run, capsys):
    """Windows of 0.3 s, with and without, by turns: the machine is not ours alone."""
    large = [str(n) for n in range(2_000_000)]
    ratios = []
    for n in range(7):
        alone = _steps_in(0.3, _step)
        run.log_input(large, f"large {n}")
        ratios.append(alone / _steps_in(0.3, _step))
        data_worker.settle(60)
    with capsys.disabled():
        report("data: steps alone / beside reading objects", median(ratios), 1.35)


BURN = "import hashlib; b = bytes(1 << 24)\nwhile True: hashlib.sha256(b)"


def test_reading_an_array_costs_what_hashing_in_another_process_costs(run, capsys):
    """A core that hashes is taken from somebody; no time goes on waiting for Python."""
    large, ratios = np.zeros(GIB // 8), []
    other = subprocess.Popen([sys.executable, "-c", BURN])
    try:
        for n in range(7):
            os.kill(other.pid, signal.SIGCONT)
            time.sleep(0.05)
            beside_other = _steps_in(0.3, _step)
            os.kill(other.pid, signal.SIGSTOP)
            run.log_input(large, f"large {n}")
            ratios.append(beside_other / _steps_in(0.3, _step))
            data_worker.settle(60)
    finally:
        other.kill()
        other.wait()
    with capsys.disabled():
        report("data: steps beside another process / array", median(ratios), 1.2)


OPEN = """
import timeit
def cost():
    return min(timeit.repeat("open('/dev/null').close()", number=300, repeat=30)) / 300
plain = cost()
from nbtrack.capture.opened_files import ReadLog
log = ReadLog(); log.start()
noted = cost()
log.stop()
print((noted - plain) * 1e6, cost() / plain)
"""


def test_noting_what_is_opened_costs_microseconds_and_nothing_afterwards(capsys):
    said = [
        subprocess.check_output([sys.executable, "-c", OPEN], text=True).split()
        for _ in range(5)
    ]
    more, after = (median(map(float, column)) for column in zip(*said, strict=True))
    with capsys.disabled():
        report("files: us more for each open() in a tracked cell", more, 20)
        report("files: open() afterwards / before", after, 1.1)

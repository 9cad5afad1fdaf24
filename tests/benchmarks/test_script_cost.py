"""What `nbtrack run` adds to a script: its start, its end and its loops.

Plain and tracked runs take turns, so that what else the machine does is in both. Judged
by CPU time: of the processes for start and end, of the training's thread for the loop;
wall times are printed beside it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from statistics import median

import pytest
from benchmarks.report import report
from scripts_folder import COMMAND

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(300)]

N_PAIRS = 7
EMPTY = "for i in range(3):\n    loss = 1 / (i + 1)\n"
IMPORTS = "import numpy as np, pandas as pd\n" + EMPTY
LOOP = """
import sys
from time import thread_time

def work(k):
    total = 0
    for i in range(k):
        total += i
    return total

def main():
    begun = thread_time()
    for step in range({n}):
        work({k})
        loss = 1.0 / (step + 1)
    print(thread_time() - begun)

main()
"""


def spent(command, folder):
    """CPU and wall seconds of a process with all that it starts, and what it says."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        [*command, "script.py"], cwd=folder, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    out = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = status
    assert status == 0
    process.stdout.close()
    return used.ru_utime + used.ru_stime, time.perf_counter() - begun, out


def pairs(folder):
    """Plain and tracked, in turn; the first pair compiles what it imports."""
    found = [
        (spent([sys.executable], folder), spent(COMMAND, folder))
        for _ in range(N_PAIRS + 1)
    ]
    return found[1:]


@pytest.mark.parametrize(
    ("what", "text", "target_s"),
    [("an empty script", EMPTY, 0.6), ("one with NumPy and pandas", IMPORTS, 1.2)],
)
def test_start_and_end(tmp_path, store_path, what, text, target_s):
    (tmp_path / "script.py").write_text(text)
    taken = pairs(tmp_path)
    plain = median(before[0] for before, _ in taken)
    added = [median(b[n] - a[n] for a, b in taken) for n in (0, 1)]
    print(f"{what}: plain {plain:.3f} s of CPU; nbtrack run adds "
          f"{added[0]:.3f} s of CPU, {added[1]:.3f} s of wall time")  # fmt: skip
    ratio = (plain + added[0]) / plain
    report(f"nbtrack run, {what}: CPU over plain", ratio, (plain + target_s) / plain)
    assert added[0] <= target_s


@pytest.mark.parametrize(("k", "n", "target"), [(25_000, 1_500, 1.03)])
def test_a_loop_of_a_millisecond(tmp_path, store_path, k, n, target):
    (tmp_path / "script.py").write_text(LOOP.format(k=k, n=n))
    ratios = [float(b[2]) / float(a[2]) for a, b in pairs(tmp_path)]
    report(
        "nbtrack run, a loop of some 1 ms: CPU of its thread", median(ratios), target
    )
    assert median(ratios) <= target

"""Target 12: watching costs at most 1 % of loops whose iteration takes >= 100 us.

Judged by the CPU time of the loop's own thread, so that other processes on the machine
do not decide; the wall time is printed beside it.
"""

from __future__ import annotations

import ast
import statistics
import time

import pytest

from nbtrack.capture.watch import Watcher

pytestmark = pytest.mark.benchmark

ROUNDS = 11
LOOP_S = 0.4  # of one timed loop
LENGTHS_S = {"20 us": 20e-6, "100 us": 100e-6, "1 ms": 1e-3}
TARGETS = {"20 us": None, "100 us": 1.01, "1 ms": 1.01}  # below 100 us it is thinned
SOURCE = """
from time import perf_counter, thread_time
begun = thread_time(), perf_counter()
for i in range({n}):
    work({k})
    loss = 1.0 / (i + 1)
took = thread_time() - begun[0], perf_counter() - begun[1]
"""


def work(k: int) -> int:
    """Pure Python of a fixed amount: time is not slept away but used."""
    total = 0
    for i in range(k):
        total += i
    return total


def rounds_for(length_s: float) -> int:
    """How many rounds of `work` take that long here."""
    took = []
    for _ in range(5):
        begun = time.perf_counter()
        work(20_000)
        took.append(time.perf_counter() - begun)
    return max(1, round(20_000 * length_s / min(took)))


def timed(cell: str, run=None) -> tuple[tuple[float, float], dict[str, int]]:
    """CPU and wall seconds of the loop, bare or watched into a live run."""
    namespace: dict = {"work": work, "__name__": "__main__"}
    tree, thinned = ast.parse(cell), {}
    watcher = Watcher(run) if run is not None else None
    if watcher is not None:
        tree = watcher.instrument(tree, namespace)
    exec(compile(tree, "<cell>", "exec"), namespace)
    if watcher is not None:
        thinned = watcher.finish().thinned
    return namespace["took"], thinned


@pytest.mark.parametrize("length", LENGTHS_S)
def test_overhead_of_one_watched_value(length, store_path, capsys):
    import nbtrack

    length_s = LENGTHS_S[length]
    cell = SOURCE.format(n=int(LOOP_S / length_s), k=rounds_for(length_s))
    timed(cell)
    ratios, walls, thinned = [], [], {}
    for _ in range(ROUNDS):
        before, _ = timed(cell)
        with nbtrack.start("watched") as run:
            watched, thinned = timed(cell, run)
        after, _ = timed(cell)
        ratios.append(2 * watched[0] / (before[0] + after[0]))
        walls.append(2 * watched[1] / (before[1] + after[1]))
    ratio, target = statistics.median(ratios), TARGETS[length]
    spread = f"{min(ratios):.4f}-{max(ratios):.4f}"
    said = f"<= {target}" if target else "none, thinned"
    with capsys.disabled():
        print(
            f"\nwatch overhead at {length}: {ratio:.4f} ({spread}, {ROUNDS} rounds; "
            f"wall {statistics.median(walls):.4f}; target {said}; "
            f"{thinned or 'all points kept'})"
        )
    assert target is None or ratio <= target

"""Target 12: watching costs at most 1 % of loops whose iteration takes >= 100 us.

Judged by the CPU time of the loop's own thread, so that other processes on the machine
do not decide; the wall time is printed beside it.
"""

from __future__ import annotations

import ast
import gc
import time

import pytest

from nbtrack.capture.watch import Watcher

pytestmark = pytest.mark.benchmark

ROUNDS = 60  # the best of many short ones: other processes only ever add time
LOOP_S = 0.08  # of one timed loop
LENGTHS_S = {"20 us": 20e-6, "100 us": 100e-6, "1 ms": 1e-3}
TARGETS = {"20 us": None, "100 us": 1.01, "1 ms": 1.01}  # below 100 us it is thinned
SOURCE = """
from time import perf_counter, thread_time
begun = thread_time(), perf_counter()
for i in range({n}):
    work({k})
    loss = 1.0 / (i + 1)
    {extra}
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
    namespace: dict = {"work": work, "kept": [], "__name__": "__main__"}
    tree, thinned = ast.parse(cell), {}
    watcher = Watcher(run) if run is not None else None
    if watcher is not None:
        tree = watcher.instrument(tree, namespace)
    code = compile(tree, "<cell>", "exec")
    gc.collect()  # what rewriting left behind is a cost of the cell, not of the loop
    exec(code, namespace)
    if watcher is not None:
        thinned = watcher.finish().thinned
    return namespace["took"], thinned


def ratio(watched, bare, clock: int) -> float:
    """The best rounds of both, by CPU (0) or wall (1) time."""
    return min(w[clock] for w in watched) / min(b[clock] for b in bare)


@pytest.mark.parametrize("length", LENGTHS_S)
def test_overhead_of_one_watched_value(length, run, capsys):
    length_s = LENGTHS_S[length]
    size = {"n": int(LOOP_S / length_s), "k": rounds_for(length_s)}
    cell = SOURCE.format(**size, extra="")
    floor_cell = SOURCE.format(**size, extra="kept.append((i, loss, perf_counter()))")
    timed(cell)
    bare, floor, watched, thinned = [], [], [], {}
    for _ in range(ROUNDS):
        bare.append(timed(cell)[0])
        floor.append(timed(floor_cell)[0])
        took, thinned = timed(cell, run)
        watched.append(took)
    cpu, wall = ratio(watched, bare, 0), ratio(watched, bare, 1)
    target = TARGETS[length]
    with capsys.disabled():
        print(
            f"\nwatch overhead at {length}: {cpu:.4f} (a list kept by hand "
            f"{ratio(floor, bare, 0):.4f}, wall {wall:.4f}, best of "
            f"{ROUNDS} rounds; target {target or 'none'}; "
            f"{thinned or 'all points kept'})"
        )
    assert target is None or cpu <= target

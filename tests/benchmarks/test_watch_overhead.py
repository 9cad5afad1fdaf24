"""Target 12: watching costs at most 1 % of loops whose iteration takes >= 100 us.

A watched block of a few milliseconds stands between two bare ones, some hundred times,
and each time it is compared with the mean of its neighbours: what else the machine does
is in all three, and the median of the ratios leaves out where it changed. Judged by the
CPU time of the loop's own thread; the median wall time is printed beside it.
"""

from __future__ import annotations

import ast
import time
from statistics import median

import pytest

from nbtrack.capture.watch import Watcher

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(300)]

# Length of an iteration: iterations in a block, blocks, the target.
CASES = {
    "20 us": (20e-6, 100, 600, None),  # thinned
    "100 us": (100e-6, 25, 800, 1.01),
    "1 ms": (1e-3, 5, 300, 1.01),
}
CELL = """
from time import perf_counter, thread_time
for block in range({blocks}):
    clocks = [thread_time(), perf_counter()]
    for i in range({n}):
        work({k})
        before = 1.0 / (i + 1)
    clocks += [thread_time(), perf_counter()]
    for i in range({n}):
        work({k})
        {watched} = 1.0 / (i + 1)
    clocks += [thread_time(), perf_counter()]
    for i in range({n}):
        work({k})
        behind = 1.0 / (i + 1)
    clocks += [thread_time(), perf_counter()]
    blocks.append(clocks)
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


def ratios(cell: str, run) -> tuple[float, float, list[str], dict[str, int]]:
    """The middle block over its neighbours, by CPU and wall; what was watched."""
    namespace: dict = {"work": work, "blocks": [], "__name__": "__main__"}
    watcher = Watcher(run)
    tree = watcher.instrument(ast.parse(cell), namespace)
    exec(compile(tree, "<cell>", "exec"), namespace)
    report = watcher.finish()
    cpu, wall = (
        median(
            2 * (c[4 + of] - c[2 + of]) / (c[2 + of] - c[of] + c[6 + of] - c[4 + of])
            for c in namespace["blocks"]
        )
        for of in (0, 1)
    )
    return cpu, wall, report.watched, report.thinned


@pytest.mark.parametrize("length", CASES)
def test_overhead_of_one_watched_value(length, run, capsys):
    length_s, n, blocks, target = CASES[length]
    size = {"n": n, "k": rounds_for(length_s), "blocks": blocks}
    nothing, _, unwatched, _ = ratios(CELL.format(watched="middle", **size), run)
    cpu, wall, watched, thinned = ratios(CELL.format(watched="loss", **size), run)
    assert (unwatched, watched) == ([], ["loss"])
    with capsys.disabled():
        print(
            f"\nwatch overhead at {length}: {cpu:.4f} (wall {wall:.4f}, nothing "
            f"watched {nothing:.4f}, {blocks} blocks; target {target or 'none'}; "
            f"{thinned or 'all points kept'})"
        )
    assert target is None or cpu <= target

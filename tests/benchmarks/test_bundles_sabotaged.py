"""Targets: of 50 bundles that were tampered with, 90 % have the right cause named.

One thing is changed in each (a package, a row of data, a seed, a state of a generator,
threads, instruction set, a cell, a param, a module), so that the rerun gives something
else; the first cause that the verdict names must be of the right kind. A smaller part:
`NBTRACK_SAMPLE=10`.
"""

from __future__ import annotations

import importlib.util

import pytest
from benchmarks.report import report
from bundles.reproduced import asked_for
from bundles.sabotaged import all_found, judged, table

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.skipif(
        any(importlib.util.find_spec(name) is None for name in ("torch", "sklearn")),
        reason="the notebooks use torch and scikit-learn",
    ),
]

RIGHT_AT_LEAST = 0.90
CELL_AT_LEAST = 0.95
N_AT_LEAST, N_BUNDLES = 50, 6


@pytest.mark.timeout(2 * 3600)
def test_the_cause_of_a_sabotage_is_named(tmp_path):
    found = all_found(tmp_path, most=asked_for())
    print(f"\n{table(found)}")
    counted = judged(found)
    if asked_for() is None:
        assert len(counted) >= N_AT_LEAST
        assert len({one.notebook for one in counted}) >= N_BUNDLES
    right = sum(one.is_first for one in counted) / len(counted)
    cells = [o.is_cell_right for o in counted if o.is_cell_right is not None]
    in_cell = sum(cells) / max(1, len(cells))
    report("sabotages with the right cause first", right, RIGHT_AT_LEAST, at_least=True)
    report("sabotages found in the right cell", in_cell, CELL_AT_LEAST, at_least=True)
    assert right >= RIGHT_AT_LEAST

"""Targets: 95 % of runs of real notebooks rerun bit for bit from their bundles alone.

Each notebook, as written and in four orders in which people really run cells, is played
in a process and a folder of its own, exported, and rerun in another process and folder.
None may be proven at its export and give something else there. A smaller part:
`NBTRACK_SAMPLE=20`.
"""

from __future__ import annotations

import importlib.util
import random

import pytest
from benchmarks.report import report
from bundles.mutators import NONE
from bundles.notebooks_here import notebooks
from bundles.reproduced import all_outcomes, asked_for, table

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.skipif(
        any(importlib.util.find_spec(name) is None for name in ("torch", "sklearn")),
        reason="the notebooks use torch and scikit-learn",
    ),
]

IDENTICAL_AT_LEAST = 0.95
N_LOCKED = 10


@pytest.mark.timeout(4 * 3600)
def test_runs_of_notebooks_come_out_the_same_from_their_bundles():
    outcomes = all_outcomes(notebooks(), most=asked_for())
    print(f"\n{table(outcomes)}")
    false = [o.line for o in outcomes if o.is_falsely_verified]
    share = sum(o.is_identical for o in outcomes) / len(outcomes)
    report("reruns that are identical", share, IDENTICAL_AT_LEAST, at_least=True)
    report("bundles that are falsely verified", len(false), 0)
    assert false == []
    assert share >= IDENTICAL_AT_LEAST


@pytest.mark.timeout(3600)
def test_ten_of_them_come_out_the_same_in_a_fresh_environment():
    """An index may not be within reach; what is blocked for that reason is not judged.

    A fresh environment is made of the very packages, so it takes minutes to make.
    """
    n = min(N_LOCKED, asked_for() or N_LOCKED)
    some = random.Random(5).sample(notebooks(), n)
    outcomes = all_outcomes(some, (NONE,), where="locked")
    print(f"\n{table(outcomes)}")
    blocked = [o for o in outcomes if o.again.get("verdict") == "BLOCKED"]
    if len(blocked) == len(outcomes):
        pytest.skip(f"no environment can be made here: {blocked[0].again['reason']}")
    ran = [o for o in outcomes if o not in blocked]
    assert [o.line for o in ran if o.is_falsely_verified] == []
    assert sum(o.is_identical for o in ran) >= IDENTICAL_AT_LEAST * len(ran)

"""What several benchmarks measure on."""

from __future__ import annotations

import pytest
from many_runs import fill

from nbtrack.store import Store


@pytest.fixture(scope="module")
def five_thousand(tmp_path_factory):
    """A store of 5,000 runs with 20 params and 5 metrics each."""
    with Store.open(tmp_path_factory.mktemp("many")) as store:
        fill(store, 5_000, n_params=20, n_metrics=5)
        yield store

"""Any names, texts and numbers that a store has come back equal from an export."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interop.export.filled import FIRST, all_of, begin, end

import nbtrack
from nbtrack.capture.values import flatten
from nbtrack.store import Store
from nbtrack.text import clean_name

pytestmark = pytest.mark.fuzz

names = st.text(min_size=1, max_size=20).map(clean_name).filter(bool)
leaves = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
)  # fmt: skip
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3), max_leaves=6)
steps = st.integers(-(2**63), 2**63 - 1)
points = st.lists(st.tuples(steps, st.floats(), st.floats(0, 4e9)), max_size=30)


@settings(max_examples=100, deadline=None)
@given(
    params=st.dictionaries(names, values, max_size=4),
    tags=st.dictionaries(names, st.none() | st.text(max_size=9).map(clean_name)),
    series=st.dictionaries(names, points, max_size=3),
    notes=st.text(max_size=50),
    format=st.sampled_from(["json", "parquet"]),
)
def test_what_comes_back_is_equal(params, tags, series, notes, format):
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        with Store.open(Path(folder) / "a") as store:
            begin(store, FIRST, name="run", notes=notes, tags=tags)
            rows = [[n, v, "call", None] for n, v in flatten(params).items()]
            store.edit({"kind": "params", "run": FIRST, "params": rows})
            for name, logged in series.items():
                number = store.journal.series(FIRST, name)
                for step, value, at in logged:
                    store.journal.point(number, step, value, at)
            end(store, FIRST, "finished")
            there = all_of(store, FIRST)
            for target in (format, "csv", "rows", "dvc"):
                nbtrack.export_runs(out / target, format=target, store=store)
        with Store.open(Path(folder) / "b") as new:
            report = nbtrack.import_runs(out / format, store=new)
            assert report.new == (FIRST,), report
            for what, here in all_of(new, FIRST).items():
                assert here == there[what], what

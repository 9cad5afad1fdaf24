"""R5: eight processes write to one store; nothing fails and nothing is missing."""

from __future__ import annotations

import json

import pytest

from nbtrack.store import Store

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]


def eight_writers(tmp_path, child):
    """The p99 of each of 8 processes that commit 1,000 times; all must be there."""
    Store.open(tmp_path).close()
    processes = [child("writer", tmp_path, f"r{n}", 1000) for n in range(8)]
    answers = [process.communicate(timeout=100) for process in processes]
    assert [error for _, error in answers] == [""] * 8
    waits = [json.loads(answer) for answer, _ in answers]
    with Store.open(tmp_path) as store:
        for n in range(8):
            curve = store.curve(f"r{n}", "loss")
            assert list(curve.values) == [float(i) for i in range(1000)]
            assert store.run(f"r{n}").status == "finished"
        assert store.sql("select count(*) from points")[1] == [(8000,)]
    return waits


def test_r05_eight_writers_of_a_thousand_transactions(tmp_path, child):
    assert len(eight_writers(tmp_path, child)) == 8


@pytest.mark.benchmark
def test_r05_a_commit_beside_seven_writers_takes_under_50_ms(tmp_path, child, capsys):
    """On an idle machine; the clock decides nothing elsewhere."""
    waits = eight_writers(tmp_path, child)
    with capsys.disabled():
        print(f"\nR5: commit p99 {max(waits) * 1e3:.0f} ms (slowest of 8 processes)")
    assert max(waits) < 0.05

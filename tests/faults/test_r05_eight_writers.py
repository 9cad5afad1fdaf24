"""R5: eight processes write to one store; nothing fails and nothing is missing."""

from __future__ import annotations

import json

import pytest

from nbtrack.store import Store

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]


def test_r05_eight_writers_of_a_thousand_transactions(tmp_path, child, capsys):
    Store.open(tmp_path).close()
    processes = [child("writer", tmp_path, f"r{n}", 1000) for n in range(8)]
    answers = [process.communicate(timeout=100) for process in processes]
    assert [error for _, error in answers] == [""] * 8
    waits = [json.loads(answer) for answer, _ in answers]
    with capsys.disabled():
        print(f"\nR5: commit p99 {max(waits) * 1e3:.0f} ms (slowest of 8 processes)")
    with Store.open(tmp_path) as store:
        for n in range(8):
            curve = store.curve(f"r{n}", "loss")
            assert list(curve.values) == [float(i) for i in range(1000)]
            assert store.run(f"r{n}").status == "finished"
        assert store.sql("select count(*) from points")[1] == [(8000,)]
    assert max(waits) < 0.05

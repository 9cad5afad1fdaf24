"""One table of the runs of several stores."""

from __future__ import annotations

import pytest

import nbtrack
from nbtrack.errors import OptionError, QueryError, StoreError
from nbtrack.store import Store


def test_runs_of_several_stores_are_one_table(tmp_path):
    paths = [tmp_path / name / ".nbtrack" for name in ("one", "two")]
    for nth, path in enumerate(paths):
        with Store.open(path) as store:
            for n in range(2):
                run, at = f"r{nth}{n}", 1.7e9 + 10 * n + nth
                emit = store.journal.emit
                emit({"kind": "run_started", "run": run, "name": run, "started_at": at})
                params = [
                    ["lr", nth, "literal", None],
                    [f"own{nth}", "x", "literal", None],
                ]
                emit({"kind": "params", "run": run, "params": params})
                series = store.journal.series(run, "loss")
                store.journal.point(series, 0, 1.0 + n - nth / 10, at)
                emit({"kind": "run_finished", "run": run, "status": "finished"})
            assert store.journal.flush(5)
    frame = nbtrack.runs(store=[paths[0].parent, str(paths[1])])
    assert frame["id"].tolist() == ["r11", "r01", "r10", "r00"]
    assert frame["store"].tolist() == [str(paths[1]), str(paths[0])] * 2
    assert frame["params.lr"].tolist() == [1, 0, 1, 0]
    assert frame["params.own1"].isna().tolist() == [False, True] * 2
    found = nbtrack.runs("loss > .95", sort="loss", last=3, store=paths)
    assert found["id"].tolist() == ["r00", "r11", "r01"]
    alone = nbtrack.runs(store=paths[0])
    assert alone["id"].tolist() == ["r01", "r00"]
    with Store.open(paths[1]) as both:
        both.merge(paths[0])
        # A run that is in both is shown once, from the first.
        frame = nbtrack.runs(store=[paths[0], both])
    assert frame["id"].tolist() == ["r11", "r01", "r10", "r00"]
    assert frame["store"].tolist() == [str(paths[1]), str(paths[0])] * 2
    with pytest.raises(QueryError, match="Did you mean loss"):
        nbtrack.runs("los < 1", store=paths)
    with pytest.raises(StoreError, match="no store at"):
        nbtrack.runs(store=tmp_path / "nowhere")
    with pytest.raises(OptionError, match="names no store"):
        nbtrack.runs(store=[])
    with pytest.raises(OptionError, match="3 is no store"):
        nbtrack.runs(store=[3])

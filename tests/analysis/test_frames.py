from __future__ import annotations

import json
import math

import pytest
from panel_runs import FIRST, SECOND, end_run, log_curve, start_run

from nbtrack.analysis.frames import RunFeed
from nbtrack.errors import RunNotFoundError


def _steps(frame, metric, *, ghost=False):
    return [
        list(delta.steps)
        for delta in frame[1]
        if delta.metric == metric and delta.ghost is ghost
    ]


def test_the_first_frame_holds_all_and_later_ones_what_is_new(store):
    start_run(store)
    log_curve(store, [3.0, 2.0])
    feed = RunFeed(store, FIRST)
    feed.advance()

    first = feed.frame()
    log_curve(store, [1.0], first_step=2)
    feed.advance()
    second = feed.frame()

    assert (first[2], _steps(first, "loss")) == (True, [[0, 1]])
    assert (second[2], _steps(second, "loss")) == (False, [[2]])
    assert second[0]["metrics"][0]["best_step"] == 2


def test_nothing_new_is_an_empty_frame_and_advance_says_so(store):
    start_run(store)
    log_curve(store, [3.0])
    feed = RunFeed(store, FIRST)
    feed.json_frame()

    assert feed.advance() is False
    run, deltas, _ = feed.frame()
    assert (run["metrics"], deltas) == ([], [])


def test_a_frame_is_plain_json(store):
    start_run(store)
    log_curve(store, [math.nan, math.inf, 1.0])

    frame = RunFeed(store, FIRST).json_frame(full=True)

    sent = json.loads(json.dumps(frame, allow_nan=False))
    assert sent["run"]["metrics"][0]["first_nan_step"] == 0
    assert sent["series"][0]["n"] == 3


def test_axes_stand_beside_the_points(store):
    start_run(store)
    log_curve(store, [4, 3, 2, 1], axes={"epoch": [0, 0, 1, 1]})

    feed = RunFeed(store, FIRST)
    feed.advance()

    assert list(feed.frame()[1][0].axes["epoch"]) == [0, 0, 1, 1]


def test_progress_takes_its_bound_from_a_param_of_that_name(store):
    start_run(store)
    params = [["epoch", 8, "literal", None]]
    store.journal.emit({"kind": "params", "run": FIRST, "params": params})
    log_curve(store, [2.0, 1.0], axes={"epoch": [0, 1]})

    run, _, _ = _frame(store, FIRST)

    assert run["progress"] == {"axis": "epoch", "done": 2, "total": 8}
    assert 0 < run["eta_s"] < 10


def test_bounds_may_be_told_while_the_run_goes_on(store):
    start_run(store)
    log_curve(store, [2.0], axes={"epoch": [0]})
    totals: dict[str, int] = {}
    feed = RunFeed(store, FIRST, totals=totals)
    feed.advance()
    before = feed.frame()[0]["progress"]

    totals["epoch"] = 3

    assert before is None
    assert feed.frame()[0]["progress"]["total"] == 3


def test_the_ghost_is_the_best_earlier_run_of_the_same_cell(store):
    for run_id, name, best in (("01", "worse", 0.5), ("02", "better", 0.2)):
        start_run(store, run_id, name=name)
        log_curve(store, [1.0, best], run_id=run_id)
        end_run(store, run_id)
    start_run(store, "03", name="elsewhere", cell_id="cell-b")
    log_curve(store, [0.01], run_id="03")
    end_run(store, "03")
    start_run(store, "04")
    log_curve(store, [0.9], run_id="04")

    run, deltas, _ = _frame(store, "04")

    assert run["ghost"]["name"] == "better"
    assert [list(one.values) for one in deltas if one.ghost] == [[1.0, 0.2]]


def test_a_first_run_and_a_failed_one_leave_no_ghost(store):
    start_run(store, FIRST)
    log_curve(store, [0.1], run_id=FIRST)
    end_run(store, FIRST, status="failed")
    start_run(store, SECOND)
    log_curve(store, [0.9], run_id=SECOND)

    assert _frame(store, SECOND)[0]["ghost"] is None


def test_an_unknown_run_is_said_to_be_unknown(store):
    with pytest.raises(RunNotFoundError):
        RunFeed(store, "nothing").advance()


def _frame(store, run_id):
    assert store.journal.flush()
    feed = RunFeed(store, run_id)
    feed.advance()
    return feed.frame()

"""What goes into the store comes out of it, by every way of reading."""

from __future__ import annotations

import gc
import math
import os
import sqlite3
import time
from pathlib import Path

import pytest

from nbtrack.errors import MetricNotFoundError, RunNotFoundError, StoreError
from nbtrack.store import Store


def begin(store, run="r1", name="base", **more):
    store.journal.emit({"kind": "run_started", "run": run, "name": name, **more})


def log(store, run="r1", metric="loss", values=(0.5,), start=0, **series):
    number = store.journal.series(run, metric, **series)
    for n, value in enumerate(values, start):
        store.journal.point(number, n, value, 1.7e9 + n)
    assert store.journal.flush()


def test_a_run_reads_back_with_all_it_said(store):
    begin(
        store,
        experiment="digits",
        started_at=0.0,
        tags={"quick": None, "who": "me"},
        source="x = 1",
        cell_id="c1",
        execution=3,
        notebook="a.ipynb",
        group="g",
        parent="p",
        notes="first",
        session={"kernel_id": "k1"},
    )
    params = [["lr", 0.1, "option", None], ["opt.betas", [0.9, 0.99], "object", "[2]"]]
    store.journal.emit({"kind": "params", "run": "r1", "params": params})
    store.journal.emit({"kind": "notices", "run": "r1", "texts": ["config: no"]})
    log(store, values=[0.5, 0.25])
    run = store.run("base")
    assert (run.id, run.experiment, run.status) == ("r1", "digits", "running")
    assert run.started_at == "1970-01-01T00:00:00.000000Z"
    assert run.tags == {"quick": None, "who": "me"}
    assert (run.source, run.cell_id, run.execution) == ("x = 1", "c1", 3)
    assert (run.notebook, run.group, run.parent) == ("a.ipynb", "g", "p")
    assert (run.notes, run.kernel_id) == ("first", "k1")
    assert run.params["opt.betas"].value == [0.9, 0.99]
    assert run.params["opt.betas"].cell == "[2]"
    assert (run.metrics["loss"].best, run.metrics["loss"].best_step) == (0.25, 1)
    assert store.notices("r1") == ["config: no"]


def test_a_finished_run_says_how_it_ended(store):
    begin(store)
    store.journal.emit(
        {
            "kind": "run_finished", "run": "r1", "status": "failed", "ended_at": 1.0,
            "duration_s": 1.5, "error": "ValueError: no", "reason": "exception",
        }
    )  # fmt: skip
    assert store.journal.flush()
    run = store.run("r1")
    assert (run.status, run.duration_s) == ("failed", 1.5)
    assert (run.error, run.reason) == ("ValueError: no", "exception")


def test_runs_are_listed_newest_first_and_by_experiment(store):
    for n, experiment in enumerate(["a", "b", "a"]):
        begin(store, f"r{n}", f"n{n}", experiment=experiment, started_at=float(n))
    assert store.journal.flush()
    assert [run.id for run in store.runs()] == ["r2", "r1", "r0"]
    assert [run.id for run in store.runs(experiment="a")] == ["r2", "r0"]
    assert [run.id for run in store.runs(ids=["r1", "none"])] == ["r1"]
    assert store.run("last").id == "r2"


def test_runs_are_found_by_id_name_and_start_of_id(store):
    begin(store, "abc123", "base")
    begin(store, "abd456", "twin")
    begin(store, "xyz789", "twin")
    assert store.journal.flush()
    assert store.run("abc123").id == store.run("base").id == store.run("abc").id
    with pytest.raises(RunNotFoundError, match="2 runs answer to 'twin'"):
        store.run("twin")
    with pytest.raises(RunNotFoundError, match="2 runs answer to 'ab'"):
        store.run("ab")
    with pytest.raises(RunNotFoundError, match="Did you mean base"):
        store.run("bsae")
    with pytest.raises(RunNotFoundError, match="%runs or nbtrack ls shows what"):
        store.run("qqqqqqqqq")


def test_an_empty_store_says_so(store):
    assert store.runs() == []
    with pytest.raises(RunNotFoundError, match="no runs yet"):
        store.run("last")


def test_values_come_back_bit_for_bit(store):
    values = [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.1, 1e308]
    begin(store)
    log(store, values=values)
    curve = store.curve("r1", "loss")
    assert curve.values.tobytes() == type(curve.values)("d", values).tobytes()
    assert list(curve.at) == [1.7e9 + n for n in range(7)]


@pytest.mark.parametrize("step", [-(2**63), 2**63 - 1])
def test_the_outermost_steps_are_kept(store, step):
    begin(store)
    store.journal.point(store.journal.series("r1", "loss"), step, 1.0, 0.0)
    assert store.journal.flush()
    assert list(store.curve("r1", "loss").steps) == [step]


def test_a_curve_is_sorted_by_step_and_the_last_of_a_step_stays(store):
    begin(store)
    number = store.journal.series("r1", "loss")
    for step, value in [(2, 0.2), (0, 0.0), (1, 9.0), (1, 0.1)]:
        store.journal.point(number, step, value, 0.0)
    assert store.journal.flush()
    curve = store.curve("r1", "loss")
    assert list(curve.steps) == [0, 1, 2]
    assert list(curve.values) == [0.0, 0.1, 0.2]
    assert store.run("r1").metrics["loss"].n == 4
    assert store.run("r1").metrics["loss"].last == 0.2


def test_axes_are_carried_forward(store):
    begin(store)
    log(store, values=[0.0, 1.0, 2.0, 3.0])
    epoch = store.journal.series("r1", "epoch", axis_of="loss")
    for step, value in [(1, 0.0), (3, 1.0)]:
        store.journal.point(epoch, step, value, 0.0)
    assert store.journal.flush()
    axis = store.curve("r1", "loss").axes["epoch"]
    assert math.isnan(axis[0])
    assert list(axis[1:]) == [0.0, 0.0, 1.0]
    assert list(store.run("r1").metrics) == ["loss"]


def test_axes_of_one_name_belong_to_their_metric(store):
    begin(store)
    log(store, metric="a")
    log(store, metric="b")
    log(store, metric="epoch", values=[7.0], axis_of="a")
    log(store, metric="epoch", values=[8.0], axis_of="b")
    assert list(store.curve("r1", "a").axes["epoch"]) == [7.0]
    assert list(store.curve("r1", "b").axes["epoch"]) == [8.0]


def test_a_metric_that_is_not_there_names_those_that_are(store):
    begin(store)
    log(store, metric="val_loss")
    with pytest.raises(MetricNotFoundError, match="Did you mean val_loss"):
        store.curve("r1", "valloss")


def test_goals_are_guessed_by_name_and_can_be_changed(store):
    begin(store)
    log(store, metric="acc", values=[0.5, 0.7, 0.6])
    assert store.run("r1").metrics["acc"].best == 0.7
    changed = {"goal": "min", "thinned": 4}
    store.journal.emit(
        {"kind": "metric_changed", "run": "r1", "name": "acc", "fields": changed}
    )
    assert store.journal.flush()
    summary = store.run("r1").metrics["acc"]
    assert (summary.goal, summary.best, summary.thinned) == ("min", 0.5, 4)


def test_a_tail_brings_each_point_once(store):
    begin(store)
    log(store, values=[0.0, 1.0])
    first = store.tail("r1")
    assert list(first.points["loss"][1]) == [0.0, 1.0]
    assert store.tail("r1", first.cursor).points == {}
    log(store, values=[2.0], start=2)
    log(store, metric="epoch", values=[5.0], axis_of="loss")
    second = store.tail("r1", first.cursor)
    assert [list(column) for column in second.points["loss"][:2]] == [[2], [2.0]]
    assert list(second.axes["loss"]["epoch"][1]) == [5.0]
    assert second.run.metrics["loss"].n == 3


def test_a_tail_survives_compaction(store):
    begin(store)
    seen, cursor = [], None
    for n in range(80):  # each flush makes a chunk; compaction comes at 32 and 64
        log(store, values=[float(n)], start=n)
        if n % 7 == 0:
            tail = store.tail("r1", cursor)
            seen, cursor = [*seen, *tail.points["loss"][1]], tail.cursor
    store.journal.emit({"kind": "run_finished", "run": "r1", "status": "finished"})
    assert store.journal.flush()
    seen += store.tail("r1", cursor).points["loss"][1]
    assert seen == [float(n) for n in range(80)]


def test_a_change_by_edit_shows_in_the_next_tail(store):
    begin(store)
    log(store)
    tail = store.tail("r1")
    store.edit({"kind": "run_changed", "run": "r1", "fields": {"name": "new"}})
    assert store.tail("r1", tail.cursor).run.name == "new"


def test_runs_are_renamed_tagged_trashed_and_restored(store):
    begin(store)
    store.edit({"kind": "run_changed", "run": "r1", "fields": {"name": "better"}})
    store.edit({"kind": "tags", "run": "r1", "set": {"a": None, "b": "1"}})
    store.edit({"kind": "tags", "run": "r1", "remove": ["a"]})
    store.edit({"kind": "run_changed", "run": "r1", "fields": {"trashed_at": 0.0}})
    assert store.runs() == []
    assert [run.name for run in store.runs(trashed=True)] == ["better"]
    store.edit({"kind": "run_changed", "run": "r1", "fields": {"trashed_at": None}})
    assert [dict(run.tags) for run in store.runs()] == [{"b": "1"}]


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ({"kind": "tags", "run": "none", "set": {}}, RunNotFoundError),
        ({"kind": "nonsense", "run": "r1"}, StoreError),
        ({"kind": "run_changed", "run": "r1", "fields": {"id": "x"}}, StoreError),
        ({"kind": "tags"}, StoreError),
    ],
)
def test_an_edit_that_makes_no_sense_is_refused_and_changes_nothing(
    store, event, error
):
    begin(store)
    with pytest.raises(error):
        store.edit(event)
    assert store.run("r1").name == "base"


def test_a_command_reaches_its_run_once(store):
    begin(store)
    heard: list[tuple[str, ...]] = []
    store.journal.on_control("r1", lambda *said: heard.append(said))
    store.control("r1", "stop", by="test")
    deadline = time.monotonic() + 5
    while not heard and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.5)
    assert heard == [("stop", "test")]
    with pytest.raises(StoreError, match="'rm' is not one of"):
        store.control("r1", "rm", by="test")


def test_a_command_is_heard_in_the_middle_of_a_flood(store):
    begin(store)
    heard: list[tuple[str, ...]] = []
    store.journal.on_control("r1", lambda *said: heard.append(said))
    series, point = store.journal.series("r1", "loss"), store.journal.point
    sent_at = 200_000  # by then the writer has its hands full
    for i in range(6_000_000):  # faster than any writer drains
        point(series, i, 0.5, 1e9)
        if i == sent_at:
            store.control("r1", "stop", by="test")
        if heard:
            break
    assert heard == [("stop", "test")]


def test_checkpoints_are_numbered_by_name_and_content(store):
    begin(store)
    for digest in ("a" * 64, "b" * 64, "a" * 64):
        store.journal.emit(
            {
                "kind": "checkpoint", "run": "r1", "name": "mlp", "type": "checkpoint",
                "digest": digest, "size_bytes": 3, "path": "mlp.pt", "step": 1,
                "metrics": {"loss": 0.5}, "created_at": 0.0,
            }
        )  # fmt: skip
    assert store.journal.flush()
    found = store.run("r1").checkpoints
    assert [(c.version, c.digest[0]) for c in found] == [(0, "a"), (1, "b")]
    assert found[0].metrics == {"loss": 0.5}


def test_names_that_run_on_are_counted(store):
    for n, name in enumerate(
        ["base", "base-2", "base-7", "base-x", "base-", "basement"]
    ):
        begin(store, f"r{n}", name)
    assert store.journal.flush()
    assert store.count_names("base") == 7
    assert store.count_names("basement") == 1
    assert store.count_names("none") == 0


def test_two_stores_of_one_process_share_the_writer(store, store_path):
    begin(store)
    with Store.open(store_path) as other:
        assert other.journal is store.journal
    log(store)  # closing one leaves the other's journal open
    assert store.run("r1").metrics["loss"].n == 1


def test_reading_needs_no_journal(store_path):
    Store.open(store_path).close()
    with Store.open(store_path) as store:
        assert store.runs() == []
        assert os.listdir(store_path / "journal") == []


def test_closing_commits_what_waits_and_removes_the_journal(store_path):
    store = Store.open(store_path)
    begin(store)
    number = store.journal.series("r1", "loss")
    for n in range(1000):
        store.journal.point(number, n, 1.0, 0.0)
    store.close()
    assert os.listdir(store_path / "journal") == []
    with Store.open(store_path) as again:
        assert len(again.curve("r1", "loss")) == 1000


def test_a_run_left_running_by_a_closed_store_reads_as_crashed(store_path):
    with Store.open(store_path) as store:
        begin(store)
    with Store.open(store_path) as store:
        run = store.run("r1")
        assert (run.status, run.reason) == ("crashed", "process gone")


def test_tables_are_plain_rows_for_sqlite3(store):
    begin(store, experiment="digits")
    store.journal.emit(
        {"kind": "params", "run": "r1", "params": [["lr", 0.1, "option", None]]}
    )
    log(store, values=[3.0, 1.0, 2.0])
    plain = sqlite3.connect(store.path / "nbtrack.db")
    try:
        assert plain.execute('select experiment, "group" from runs').fetchall() == [
            ("digits", None)
        ]
        assert plain.execute("select name, value from params").fetchall() == [
            ("lr", "0.1")
        ]
        assert plain.execute(
            "select name, last, best, best_step from summaries"
        ).fetchall() == [("loss", 2.0, 1.0, 1)]
    finally:
        plain.close()


def test_a_damaged_store_is_named_and_left_alone(tmp_path):
    for body in (b"", b"this is a text file, not a database\n" * 100):
        (tmp_path / ".nbtrack").mkdir(exist_ok=True)
        file = tmp_path / ".nbtrack" / "nbtrack.db"
        file.write_bytes(body)
        with pytest.raises(
            StoreError, match=r"It was left untouched\. `nbtrack salvage"
        ):
            Store.open(tmp_path)
        assert file.read_bytes() == body
        assert [p.name for p in file.parent.iterdir()] == ["nbtrack.db"]


def test_a_database_of_something_else_is_refused(tmp_path):
    (tmp_path / ".nbtrack").mkdir()
    file = tmp_path / ".nbtrack" / "nbtrack.db"
    other = sqlite3.connect(file)
    other.execute("create table notes (text)")
    other.close()
    before = file.read_bytes()
    with pytest.raises(StoreError, match="is not an nbtrack store"):
        Store.open(tmp_path)
    assert file.read_bytes() == before


def test_a_newer_store_opens_for_reading_and_says_why(store_path):
    from nbtrack.errors import StoreTooNewError
    from nbtrack.guard import guard

    with Store.open(store_path) as store:
        begin(store)
        log(store)
    newer = sqlite3.connect(store_path / "nbtrack.db")
    newer.execute("pragma user_version = 99")
    newer.close()
    with Store.open(store_path) as store:
        assert store.read_only
        assert "version 99" in store.why_read_only
        assert store.run("base").metrics["loss"].last == 0.5
        with pytest.raises(StoreTooNewError, match="Upgrade nbtrack"):
            store.edit({"kind": "tags", "run": "r1", "set": {"a": None}})
        store.journal.point(store.journal.series("r1", "x"), 0, 1.0, 0.0)
        assert store.journal.dropped == 2  # the metric's event and the point
        assert guard.failures["read-only store"] == 1


def test_reading_goes_on_when_the_store_was_made_anew(store_path):
    import shutil

    store = Store.open(store_path)
    begin(store)
    log(store)
    shutil.rmtree(store_path)
    with pytest.raises(StoreError, match="is gone"):
        store.runs()
    with Store.open(store_path) as anew:
        begin(anew, "r2", "second")
        assert anew.journal.flush()
        assert [run.id for run in store.runs()] == ["r2"]
    store.close()


def test_a_store_that_is_let_go_of_leaves_no_file_open(store_path):
    with Store.open(store_path) as filling:
        begin(filling)
    assert [run.name for run in Store.open(store_path).runs()] == ["base"]
    gc.collect()  # from here on Python 3.13 has warned, which fails the test
    links = Path("/proc/self/fd").iterdir()
    assert not [link for link in links if str(store_path) in os.path.realpath(link)]

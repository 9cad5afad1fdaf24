"""What describes a run reads back as it was said, the later of two standing."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict

import pytest

from nbtrack.records import Fact, FlowRecord, MediaRecord

CELL = {
    "seq": 0, "cell_id": "a1", "execution": 3, "source": "x = 1",
    "source_digest": "d1", "started_at": "2026-11-01T00:00:00Z", "duration_s": 0.5,
    "ok": True, "error": None, "rng": {"random": "abc"},
}  # fmt: skip


@pytest.fixture
def say(store):
    """Emit events of run r, and wait until they are in the tables."""
    store.journal.emit({"kind": "run_started", "run": "r", "name": "base"})

    def said(kind, **fields):
        store.journal.emit({"kind": kind, "run": "r", **fields})
        assert store.journal.flush()

    return said


def test_facts_keep_their_types_and_the_later_one_wins(store, say):
    say("facts", facts=[["git.dirty", True, None], ["gpu", None, "no driver"]])
    say("facts", facts=[["git.dirty", {"a": [1, None]}, None]])
    assert store.facts("r") == {
        "git.dirty": Fact("git.dirty", {"a": [1, None]}),
        "gpu": Fact("gpu", None, "no driver"),
    }


def test_a_text_that_is_replaced_leaves_nothing_of_the_old_one(store, say):
    say("texts", texts=[{"role": "stdout", "name": "stdout", "body": "first"}])
    say("texts", texts=[{"role": "stdout", "name": "stdout", "body": "first, second"}])
    [text] = store.texts("r", "stdout")
    assert text.body == "first, second"
    assert store.sql("select count(*) from sources")[1] == [(1,)]


def test_a_text_can_be_a_digest_alone(store, say):
    say("texts", texts=[{"role": "module", "name": "a.py", "digest": "d" * 64}])
    [text] = store.texts("r")
    assert (text.role, text.digest, text.body) == ("module", "d" * 64, None)


def test_inputs_read_back_with_their_detail(store, say):
    found = {"name": "df", "type": "dataframe", "digest": "d", "size_bytes": 3,
             "n_rows": 2, "detail": {"columns": ["a"]}, "missing": None}  # fmt: skip
    say("inputs", inputs=[found])
    [read] = store.inputs("r")
    assert (read.name, read.n_rows, read.detail) == ("df", 2, {"columns": ["a"]})


def test_the_same_step_of_a_rich_value_is_replaced(store, say):
    for value in (1, 2):
        say("media", name="roc", type="roc", step=0, at=1.0, data={"auc": value})
    assert store.media("r", "roc") == [
        MediaRecord("roc", "roc", 0, 1.0, None, None, None, {"auc": 2})
    ]


def test_cells_belong_to_the_session_and_are_read_by_run(store, say):
    say("cells", cells=[CELL, {**CELL, "seq": 1, "ok": False, "error": "KeyError"}])
    first, second = store.cells("r")
    assert (first.source, first.rng, first.ok) == ("x = 1", {"random": "abc"}, True)
    assert (second.seq, second.error) == (1, "KeyError")


FLOW = FlowRecord(
    reads=("x", "@file:/a/b.csv"), writes={"y": "set"}, kills=("y",),
    may_write={"x": "read, and too large to compare"},
    between={"z": 3}, notes={"input": "asks on stdin"},
)  # fmt: skip


def test_what_a_cell_read_and_changed_reads_back(store, say):
    say("cells", cells=[{**CELL, "flow": asdict(FLOW)}, {**CELL, "seq": 1}])
    looked_at, not_looked_at = store.cells("r")
    assert (looked_at.flow, not_looked_at.flow) == (FLOW, None)


def test_what_a_later_nbtrack_adds_to_a_flow_is_left_out(store, say):
    say("cells", cells=[{**CELL, "flow": {"reads": ["x"], "of_tomorrow": 1}}])
    assert store.cells("r")[0].flow == FlowRecord(reads=("x",))


def test_a_grade_is_taken_after_the_end_and_can_be_taken_back(store, say):
    say("run_finished", status="finished")
    say("run_changed", fields={"grade": "C", "grade_why": "`x` is gone"})
    assert (store.run("r").grade, store.run("r").grade_why) == ("C", "`x` is gone")
    assert store.table().fields["grade"] == ("C",)
    say("run_changed", fields={"grade": None, "grade_why": None})
    assert store.run("r").grade is None


def test_what_a_run_took_stands_in_its_row(store, say):
    say("run_changed", fields={"peak_rss_bytes": 7, "model_bytes": 9})
    run = store.run("r")
    assert (run.peak_rss_bytes, run.peak_vram_bytes, run.model_bytes) == (7, None, 9)


def test_system_series_stand_apart_from_the_metrics(store, say):
    journal = store.journal
    journal.point(journal.series("r", "system/cpu_percent"), 0, 50.0, 1e9)
    journal.point(journal.series("r", "loss"), 0, 0.5, 1e9)
    assert journal.flush()
    run = store.run("r")
    assert (list(run.metrics), list(run.system)) == (["loss"], ["system/cpu_percent"])
    assert list(store.table().metrics) == ["loss"]
    assert store.curve("r", "system/cpu_percent").values[0] == 50.0


def test_purging_a_run_removes_all_that_described_it(store, say, tmp_path):
    file = tmp_path / "image.png"
    file.write_bytes(b"horse battery")
    kept = store.put_file(file)
    say("facts", facts=[["secret", "horse battery", None]])
    say("texts", texts=[{"role": "diff", "name": "diff", "body": "horse battery"}])
    say("inputs", inputs=[{"name": "horse battery", "type": "file"}])
    say("media", name="i", type="image", step=0, at=1.0, digest=kept.digest)
    say("cells", cells=[{**CELL, "source": "horse battery"}])
    flow = {"reads": ["@file:/horse battery"], "writes": {"horse battery": "set"}}
    say("cells", cells=[{**CELL, "seq": 1, "flow": flow}])
    say("run_changed", fields={"grade": "D", "grade_why": "horse battery"})
    say("run_finished", status="finished")
    store.purge("r")
    store.close()
    left = [p for p in store.path.rglob("*") if p.is_file()]
    assert [p for p in left if b"horse battery" in p.read_bytes()] == []


def test_purging_one_run_of_a_session_leaves_the_others_cells(store, say):
    say("cells", cells=[CELL])
    say("run_finished", status="finished")
    store.journal.emit({"kind": "run_started", "run": "s"})
    assert store.journal.flush()
    store.purge("r")
    assert [cell.source for cell in store.cells("s")] == ["x = 1"]


def test_purging_one_run_forgets_what_its_own_cell_read(store, say):
    own = {"kind": "run_started", "run": "r", "source": "train()", "source_digest": "t"}
    store.journal.emit(own)
    flow = asdict(FlowRecord(reads=("horse",)))
    say("cells", cells=[CELL, {**CELL, "seq": 1, "source": "train()",
                               "source_digest": "t", "flow": flow}])  # fmt: skip
    say("run_finished", status="finished")
    store.journal.emit({"kind": "run_started", "run": "s"})
    assert store.journal.flush()
    store.purge("r")
    assert [(cell.source, cell.flow) for cell in store.cells("s")] == [
        ("x = 1", None), (None, None),
    ]  # fmt: skip
    store.close()
    assert b"horse" not in (store.path / "nbtrack.db").read_bytes()


def test_a_deleted_metric_is_in_no_table_and_no_curve(store, say):
    journal = store.journal
    journal.point(journal.series("r", "loss"), 0, 0.5, 1e9)
    assert journal.flush()
    connection = sqlite3.connect(store.path / "nbtrack.db")
    with connection:
        connection.execute("update metrics set deleted_at = '2026-11-01T00:00:00Z'")
    connection.close()
    assert (dict(store.run("r").metrics), store.tail("r").points) == ({}, {})
    assert store.sql("select * from points")[1] == []

"""The one line after a tracked cell."""

from __future__ import annotations

from nbtrack.records import CheckpointRecord, MetricSummary, Param, RunRecord
from nbtrack.tracked.summary import summary_line


def record(**given):
    return RunRecord("1", "base-3", "x", given.pop("status", "finished"), "", None, 1,
                     **given)  # fmt: skip


def metric(name, thinned=1):
    return MetricSummary(name, None, 1, 1, 0, 1, 0, 1, 0, thinned=thinned)


def checkpoint(name):
    return CheckpointRecord(name, 1, "checkpoint", "d", 1, "p", None, {}, "")


def test_it_names_what_was_captured_and_what_was_not():
    params = {
        "lr": Param("lr", 0.1, "inherited", "[3]"),
        "n": Param("n", 2, "literal"),
    }
    metrics = {"loss": metric("loss", 7), "acc": metric("acc")}
    line = summary_line(
        record(params=params, metrics=metrics, checkpoints=(checkpoint("m"),)),
        ["f not recorded (a function)"],
        logged={"acc"},
    )
    assert line == (
        "run base-3 · params lr (cell 3), n · logged acc · watched loss · "
        "1 checkpoint · loss thinned 1:7 · not recorded: f (a function)"
    )


def test_it_says_how_a_run_ended_that_did_not_finish():
    assert summary_line(record(status="failed")).startswith("run base-3 failed · ")


def test_an_empty_run_says_so():
    assert summary_line(record()) == "run base-3 · no params · nothing watched"


def test_long_lists_are_cut_and_counted():
    params = {f"p{i}": Param(f"p{i}", i, "literal") for i in range(10)}
    files = tuple(checkpoint(str(i)) for i in range(3))
    line = summary_line(record(params=params, checkpoints=files), list("abcd"))
    assert "params p0, p1, p2, p3, p4, p5 +4 ·" in line
    assert "3 checkpoints" in line
    assert line.endswith("not recorded: a, b +2")

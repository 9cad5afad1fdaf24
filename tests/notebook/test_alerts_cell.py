"""Alerts of a tracked cell in a real kernel, seen from outside while it runs."""

from __future__ import annotations

import time

import pytest

pytestmark = pytest.mark.reproduce

STEP_S = 0.5
NAN = f"""\
%%track base
import math, time
for step in range(5):
    loss = math.nan if step == 2 else 1.0
    time.sleep({STEP_S})
"""


def waited_for(store, name, kind, timeout_s=20.0):
    """The alert of that kind, and the run as it was when it was first seen."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        for run in store.runs():
            for alert in run.alerts:
                if (run.name, alert.kind) == (name, kind):
                    return alert, run
        time.sleep(0.02)
    raise AssertionError(f"no {kind} of {name!r}")


def test_nan_is_told_before_the_next_step_is_over(kernel, kernel_store):
    waiting = kernel.send(NAN)
    alert, run = waited_for(kernel_store, "base", "nan")
    assert (alert.step, alert.title) == (2, "loss is NaN")
    assert run.status == "running"
    assert run.metrics["loss"].last_step - alert.step <= 1
    assert kernel.answer(waiting).status == "ok"


def test_a_threshold_and_the_end_are_asked_for_on_the_line(kernel, kernel_store):
    line = "%%track far --alert 'loss > 10' --alert finished"
    answer = kernel.run(f"{line}\nfor n in (1.0, 11.0, 12.0):\n    loss = n\n")
    assert answer.status == "ok"
    told = [(a.kind, a.step) for a in kernel_store.run("far").alerts]
    assert told == [("threshold", 1), ("finished", None)]


def test_what_is_no_rule_stops_the_cell_before_it_runs(kernel, kernel_store):
    answer = kernel.run("%%track --alert 'loss is high'\nran = True")
    assert answer.status == "error"
    assert "UsageError: nbtrack: Alert 'loss is high'" in answer.stderr
    assert "Write 'loss > 10'" in answer.stderr
    assert kernel.run("'ran' in globals()").result == "False"
    assert [run.name for run in kernel_store.runs() if run.status == "running"] == []


def test_a_cell_that_hangs_is_told_as_stalled(kernel, kernel_store):
    code = "import time\nfor n in (1.0, 0.5):\n    loss = n\ntime.sleep(2)\n"
    waiting = kernel.send(f"%%track hangs --alert 'stalled 0.5s'\n{code}")
    alert, run = waited_for(kernel_store, "hangs", "stalled")
    assert (alert.title, run.status) == ("no new point for 0.5s", "running")
    assert kernel.answer(waiting).status == "ok"

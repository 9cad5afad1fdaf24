"""Alerts come with the points that raise them: once, at the very step, and for good."""

from __future__ import annotations

import json
import math
import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from nbtrack.errors import OptionError, StoreError
from nbtrack.store import Store
from nbtrack.store.alert_rules import parse_rule, parse_rules
from nbtrack.store.alert_watch import SAME_MAX

NAN, INF = math.nan, math.inf
TICK_S = 0.05


def begun(store, run="r", rules=None):
    store.journal.emit({"kind": "run_started", "run": run, "name": run})
    if rules is not None:
        facts = [["alerts.rules", rules, None]]
        store.journal.emit({"kind": "facts", "run": run, "facts": facts})


def logged(store, metric, values, run="r", first=0):
    series = store.journal.series(run, metric)
    for step, value in enumerate(values, start=first):
        store.journal.point(series, step, value, time.time())
    assert store.journal.flush()


def told(store, run="r"):
    return [(alert.kind, alert.step, alert.title) for alert in store.run(run).alerts]


def waited_for(read, timeout_s=5.0):
    until = time.monotonic() + timeout_s
    while not (found := read()) and time.monotonic() < until:
        time.sleep(TICK_S)
    return found


# -- rules -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "metric"),
    [
        ("loss > 10", "threshold", "loss"),
        ("val_acc<.2", "threshold", "val_acc"),
        ("train/loss (mean) >= -1e-3", "threshold", "train/loss (mean)"),
        ("  nan ", "nan", None),
        ("stalled 1.5h", "stalled", None),
        ("stalled 10 minutes", "stalled", None),
        ("plateau val_loss 20", "plateau", "val_loss"),
        ("plateau x 20 max", "plateau", "x"),
        ("crashed", "crashed", None),
    ],
)
def test_a_rule_is_read_as_people_write_it(text, kind, metric):
    rule = parse_rule(text)
    assert (rule.kind, rule.metric) == (kind, metric)


@pytest.mark.parametrize(
    "text",
    ["", "loss", "loss > ten", "loss > nan", "loss == 3", "stalled", "stalled 10",
     "stalled 0s", "stalled 99999h", "plateau lr 20", "plateau loss 0", "x" * 300,
     "> 3", "\x1b[31m"],
)  # fmt: skip
def test_what_is_no_rule_is_refused_with_the_text_and_the_way_out(text):
    with pytest.raises(OptionError) as refused:
        parse_rule(text)
    said = str(refused.value)
    assert "rite" in said
    assert "\x1b" not in said
    assert len(said) < 400
    if text:
        assert repr(text[:20]).strip("'")[:4] in said


def test_a_slip_gets_a_hint_and_a_flood_of_rules_is_refused():
    with pytest.raises(OptionError, match="Did you mean finished"):
        parse_rule("finishd")
    with pytest.raises(OptionError, match="too many"):
        parse_rules([f"m{i} > 1" for i in range(51)])


# -- NaN, thresholds, plateaus ---------------------------------------------------------


def test_nan_is_told_at_its_very_step_without_asking(store):
    begun(store)
    logged(store, "loss", [1.0, 0.5, NAN, 0.4])
    logged(store, "acc", [INF])
    assert told(store) == [("nan", 2, "loss is NaN"), ("nan", 0, "acc is inf")]
    assert {alert.level for alert in store.run("r").alerts} == {"error"}


def test_what_goes_on_is_told_once_and_what_comes_back_again(store):
    begun(store, rules=["loss > 10"])
    for first, values in enumerate([[11.0, 12.0], [13.0, 2.0], [14.0]]):
        logged(store, "loss", values, first=2 * first)
    assert told(store) == [("threshold", 0, "loss > 10"), ("threshold", 4, "loss > 10")]
    assert [a.text for a in store.run("r").alerts] == ["loss is 11", "loss is 14"]


def test_a_loss_that_goes_to_and_fro_is_told_ten_times(store):
    begun(store, rules=["loss > 10"])
    logged(store, "loss", [11.0, 1.0] * 50)
    alerts = store.run("r").alerts
    assert len(alerts) == SAME_MAX
    assert "not said again" in alerts[-1].text


def test_a_threshold_sees_through_nan_and_leaves_other_metrics_alone(store):
    begun(store, rules=["acc < .2"])
    logged(store, "acc", [0.9, NAN, 0.1, NAN])
    logged(store, "val_acc", [0.1])
    assert told(store) == [("threshold", 2, "acc < .2")]


def test_no_improvement_is_told_after_so_many_steps(store):
    begun(store, rules=["plateau val_loss 3"])
    logged(store, "val_loss", [1.0, 0.5, 0.6, 0.7])
    assert told(store) == []
    logged(store, "val_loss", [0.5, 0.9], first=4)
    [alert] = store.run("r").alerts
    assert (alert.kind, alert.step) == ("plateau", 5)
    assert alert.text == "the best is 0.5 @ step 1"


def test_axes_and_the_machine_raise_no_nan(store):
    begun(store)
    series = store.journal.series("r", "epoch", axis_of="loss")
    store.journal.point(series, 0, NAN, 1e9)
    logged(store, "system/gpu", [NAN])
    assert told(store) == []


def test_a_run_that_waits_for_nothing_is_told_nothing(store):
    begun(store, rules=[])
    logged(store, "loss", [NAN])
    assert told(store) == []


def test_a_large_batch_is_looked_at_and_its_one_odd_value_found(store):
    begun(store, rules=["nan", "loss > 10"])
    values = [0.5] * 20_000
    values[12_345], values[17_000] = NAN, 11.0
    logged(store, "loss", values)
    assert told(store) == [
        ("nan", 12_345, "loss is NaN"),
        ("threshold", 17_000, "loss > 10"),
    ]


# -- stalled, ended, gone --------------------------------------------------------------


def test_a_stall_is_told_and_again_after_a_new_point(store):
    begun(store, rules=["stalled 0.3s"])
    logged(store, "loss", [1.0])
    assert told(store) == []
    [first] = waited_for(lambda: store.run("r").alerts)
    assert (first.kind, first.title) == ("stalled", "no new point for 0.3s")
    logged(store, "loss", [1.0], first=1)
    assert waited_for(lambda: len(store.run("r").alerts) == 2)
    time.sleep(0.5)
    assert len(store.run("r").alerts) == 2


def test_how_a_run_ended_is_told_where_it_was_asked_for(store):
    for run, rules, status in [
        ("a", ["finished", "failed"], "finished"), ("b", ["failed"], "failed"),
        ("c", ["failed"], "finished"), ("d", None, "failed"),
    ]:  # fmt: skip
        begun(store, run, rules)
        ended = {"kind": "run_finished", "run": run, "status": status}
        store.journal.emit({**ended, "error": "Traceback\nValueError: no"})
    assert store.journal.flush()
    assert told(store, "a") == [("finished", None, "run finished")]
    [failed] = store.run("b").alerts
    assert (failed.level, failed.text) == ("error", "ValueError: no")
    assert told(store, "c") == told(store, "d") == []


KILLED = """
import math, os, signal, sys, time
from nbtrack.store import Store
store = Store.open(sys.argv[1])
store.journal.emit({"kind": "run_started", "run": "r", "name": "base"})
rules = ["nan", "crashed", "stalled 0.4s"]
store.journal.emit({"kind": "facts", "run": "r",
                    "facts": [["alerts.rules", rules, None]]})
loss = store.journal.series("r", "loss")
store.journal.point(loss, 0, 1.0, time.time())
store.journal.flush()
print("there", flush=True)
sys.stdin.readline()
store.journal.point(loss, 1, math.nan, time.time())
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def process(store):
    started = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(store.path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert started.stdout.readline() == "there\n"
    yield started
    started.send_signal(signal.SIGCONT)
    started.kill()
    started.wait()
    started.stdin.close()
    started.stdout.close()


def test_a_process_that_hangs_is_seen_as_stalled_by_who_reads(store, process):
    os.kill(process.pid, signal.SIGSTOP)
    first = waited_for(lambda: store.run("r").alerts)
    assert [alert.kind for alert in first] == ["stalled"]
    tail = store.tail("r")
    assert tail.run.alerts == first
    os.kill(process.pid, signal.SIGCONT)
    assert waited_for(lambda: is_written(store, "stalled"))
    assert store.run("r").alerts == first, "what it says itself is the same"


def test_a_viewer_that_has_all_is_told_of_a_stall(store, process):
    os.kill(process.pid, signal.SIGSTOP)
    tail = store.tail("r")
    assert tail.run.alerts == ()
    assert waited_for(lambda: store.tail("r", tail.cursor).run.alerts)


def is_written(store, kind):
    return store.sql(f"select 1 from alerts where kind = '{kind}'")[1]


def test_a_process_that_is_gone_is_told_at_once_and_its_last_nan_found(store, process):
    process.communicate("die\n")
    [seen] = store.run("r").alerts
    assert seen.kind == "crashed"
    assert is_written(store, "crashed") == []
    store.recover()
    assert seen.key in [alert.key for alert in store.run("r").alerts]
    kinds = {alert.kind: alert.step for alert in store.run("r").alerts}
    assert kinds["nan"] == 1, "it was in the journal alone"
    assert is_written(store, "crashed")
    assert len(store.run("r").alerts) == len(kinds)


# -- rows ------------------------------------------------------------------------------


def test_an_alert_of_the_users_stands_with_the_run_and_can_be_seen(store):
    begun(store)
    alert = {"kind": "alert", "run": "r", "title": "odd", "level": "warn", "step": 3}
    store.journal.emit(alert)
    assert store.journal.flush()
    [found] = store.run("r").alerts
    assert (found.kind, found.level, found.step) == ("custom", "warn", 3)
    store.edit({"kind": "alerts_seen", "run": "r"})
    [seen] = store.run("r").alerts
    assert seen.seen_at is not None
    assert seen.key == found.key


def test_an_alert_of_no_level_is_refused_and_stops_nothing_behind_it(store, capsys):
    begun(store)
    with pytest.raises(StoreError, match="loud"):
        store.edit({"kind": "alert", "run": "r", "title": "x", "level": "loud"})
    store.journal.emit({"kind": "alert", "run": "r", "title": "x", "level": "loud"})
    store.journal.emit({"kind": "facts", "run": "r", "facts": [7]})
    logged(store, "loss", [NAN])
    assert [alert.kind for alert in store.run("r").alerts] == ["nan"]
    assert "put aside" in capsys.readouterr().err


def test_purging_a_run_takes_its_alerts_along(store):
    begun(store)
    logged(store, "loss", [NAN])
    store.journal.emit({"kind": "run_finished", "run": "r", "status": "finished"})
    assert store.journal.flush()
    store.purge("r")
    assert store.sql("select count(*) from alerts")[1] == [(0,)]


def test_a_merge_brings_the_alerts_once(store, tmp_path):
    with Store.open(tmp_path / "other") as other:
        begun(other)
        logged(other, "loss", [NAN])
        other.journal.emit({"kind": "run_finished", "run": "r", "status": "finished"})
        assert other.journal.flush()
    for _ in range(2):
        store.merge(tmp_path / "other")
    assert told(store) == [("nan", 0, "loss is NaN")]


def test_a_merge_adds_what_came_since(store, tmp_path):
    with Store.open(tmp_path / "other") as other:
        begun(other)
        logged(other, "loss", [NAN])
        other.journal.emit({"kind": "run_finished", "run": "r", "status": "finished"})
    store.merge(tmp_path / "other")
    store.edit({"kind": "alerts_seen", "run": "r"})
    with Store.open(tmp_path / "other") as other:
        begun(other)
        logged(other, "loss", [1.0, INF], first=1)
        other.journal.emit({"kind": "run_finished", "run": "r", "status": "finished"})
    store.merge(tmp_path / "other")
    assert [a.title for a in store.run("r").alerts] == ["loss is NaN", "loss is inf"]
    assert [a.seen_at is None for a in store.run("r").alerts] == [False, True]


def test_hostile_texts_are_kept_as_they_are(store):
    begun(store, rules=["nan", "'); drop table alerts; -- > 1"])
    name = "'); drop table alerts; --"
    logged(store, name, [NAN, 2.0])
    assert [alert.metric for alert in store.run("r").alerts] == [name, name]
    assert json.loads(json.dumps(store.run("r").alerts[0].key))


def test_rows_can_be_read_with_plain_sqlite(store):
    begun(store)
    logged(store, "loss", [NAN])
    connection = sqlite3.connect(store.path / "nbtrack.db")
    found = connection.execute("select run, kind, step, title from alerts").fetchall()
    connection.close()
    assert found == [("r", "nan", 0, "loss is NaN")]

"""Alerts as the user asks for them, and as their code raises them."""

from __future__ import annotations

import json
import math
import time

import pytest

import nbtrack
from nbtrack.errors import OptionError
from nbtrack.tracking import alerts
from nbtrack.tracking.settings import FILE_NAME

KEY = "hf_abcdefghijklmnopqrstuvwx"


def told(run):
    return [(alert.kind, alert.step, alert.title) for alert in run.record().alerts]


def test_nan_is_told_of_a_run_that_asked_for_nothing(store_path):
    with nbtrack.start() as run:
        for value in (1.0, math.nan, 1.0):
            run.log(loss=value)
        run.store.journal.flush()
        assert told(run) == [("nan", 1, "loss is NaN")]


def test_a_run_waits_for_what_it_is_asked_to(store_path):
    with nbtrack.start(alerts=["loss > 10", "finished", "stalled 1h"]) as run:
        run.log(loss=11.0)
    assert told(run) == [
        ("threshold", 0, "loss > 10"),
        ("finished", None, "run finished"),
    ]
    kept = run.store.facts(run.id)["alerts.rules"].value
    assert kept == ["nan", "loss > 10", "finished", "stalled 1h"]


def test_a_failed_run_says_why(store_path):
    with pytest.raises(ValueError, match="no"), nbtrack.start(alerts="failed") as run:
        raise ValueError("no")
    [alert] = run.record().alerts
    assert (alert.kind, alert.text) == ("failed", "ValueError: no")


def test_what_is_no_rule_stops_the_start_and_leaves_no_run(store_path):
    with pytest.raises(OptionError, match="'loss is high'"):
        nbtrack.start(alerts=["loss is high"])
    assert nbtrack.current() is None
    with nbtrack.start() as run:
        assert [found.id for found in run.store.runs()] in ([], [run.id])


def test_a_store_says_it_for_all_its_runs(store_path):
    nbtrack.configure(alerts=["acc < .2"])
    with nbtrack.start(alerts="loss > 1") as run:
        run.log(loss=2.0, acc=0.1)
    assert {kind for kind, *_ in told(run)} == {"threshold"}
    assert len(told(run)) == 2
    nbtrack.configure(alerts=[])
    with nbtrack.start() as run:
        run.log(acc=0.1)
    assert told(run) == []
    with pytest.raises(OptionError):
        nbtrack.configure(alerts="acc")
    (store_path / FILE_NAME).write_text('{"alerts": ["acc is low", 7, "acc < .2"]}')
    with nbtrack.start() as run:
        run.log(acc=0.1)
    assert [title for _, _, title in told(run)] == ["acc < .2"]


def test_switched_off_only_what_is_asked_for_is_told(store_path):
    nbtrack.configure(alerts=["acc < .2"])
    with nbtrack.start(off="alerts", alerts="loss > 1") as run:
        run.log(loss=2.0, acc=math.nan)
        run.log(acc=0.1)
        run.alert("mine")
    assert {kind for kind, *_ in told(run)} == {"threshold", "custom"}


def test_a_resumed_run_waits_for_what_it_did_before(store_path):
    with nbtrack.start("base", alerts=["loss > 10"]) as run:
        run.log(loss=1.0)
    with nbtrack.start(resume="base") as run:
        run.log(loss=11.0)
    assert [title for _, _, title in told(run)] == ["loss > 10"]
    with nbtrack.start(resume="base", alerts=["loss < 0"]) as run:
        run.log(loss=-1.0)
    assert [title for _, _, title in told(run)] == ["loss > 10", "loss < 0"]


def test_a_tracked_function_has_alerts_too(store_path):
    @nbtrack.track(alerts=["finished"])
    def train():
        return nbtrack.current()

    assert [kind for kind, *_ in told(train())] == ["finished"]


# -- of the user's ---------------------------------------------------------------------


def test_an_alert_keeps_title_text_level_and_the_step_of_the_moment(store_path):
    with nbtrack.start() as run:
        run.log(loss=1.0)
        run.log(loss=2.0)
        run.alert("odd", "two is more than one", "warn")
        nbtrack.alert("also odd", level="error")
    first, second = run.record().alerts
    assert (first.title, first.text, first.level) == (
        "odd", "two is more than one", "warn"
    )  # fmt: skip
    assert (first.step, first.kind, second.level) == (1, "custom", "error")


def test_hostile_and_secret_texts_are_cleaned_before_they_are_kept(store_path):
    with nbtrack.start() as run:
        run.alert(f"<img src=x onerror=alert(1)>\x1b[31m\u202e {KEY}", f"key {KEY}")
        run.alert("x" * 5_000, "y" * 5_000)
    first, second = run.record().alerts
    assert "<img src=x onerror=alert(1)>" in first.title
    assert not set("\x1b\u202e") & set(first.title)
    assert KEY not in first.title + first.text
    assert (len(second.title), len(second.text)) == (200, 2_000)


def test_a_secret_that_a_long_title_is_cut_in_is_kept_by_no_half(store_path):
    with nbtrack.start() as run:
        run.alert("x" * 185 + f" {KEY}")
    [alert] = run.record().alerts
    assert KEY[:8] not in alert.title


@pytest.mark.parametrize("level", ["loud", 3, None, ["info"]])
def test_an_unknown_level_is_refused_with_the_levels(store_path, level):
    with nbtrack.start() as run, pytest.raises(OptionError, match="info, warn, error"):
        run.alert("odd", level=level)
    with pytest.raises(OptionError, match="info, warn, error"):
        nbtrack.alert("odd", level=level)


def test_an_alert_without_a_title_is_refused(store_path):
    with nbtrack.start() as run, pytest.raises(OptionError, match="title"):
        run.alert("  ")


def test_an_alert_in_every_step_is_cut_off_with_a_word(store_path, monkeypatch, capsys):
    monkeypatch.setattr(alerts, "CUSTOM_MAX", 5)
    with nbtrack.start() as run:
        for step in range(9):
            run.alert(f"step {step}")
    assert len(run.record().alerts) == 5
    assert capsys.readouterr().err.count("more are not kept") == 1


def test_an_alert_without_a_run_is_dropped_with_one_warning(store_path, capsys):
    nbtrack.alert("nobody hears")
    nbtrack.alert("nobody hears")
    assert capsys.readouterr().err.count("without a run") == 1


def test_an_alert_after_the_end_is_not_kept(store_path, capsys):
    with nbtrack.start() as run:
        run.log(loss=1.0)
    run.alert("late")
    assert run.record().alerts == ()


def test_logging_costs_the_same_with_many_rules(store_path):
    """Rules are looked at by the writer: `log()` does not know of them."""

    def seconds_of(**asked):
        with nbtrack.start(**asked) as run:
            start = time.thread_time()  # whatever else runs on this machine
            for step in range(20_000):
                run.log(loss=1.0, step=step)
            return time.thread_time() - start

    rules = [f"loss > {bound}" for bound in range(10, 50)]
    fastest = min(seconds_of() for _ in range(3))
    assert min(seconds_of(alerts=rules) for _ in range(3)) < 3 * fastest


def test_the_rules_are_json_for_others(store_path):
    with nbtrack.start(alerts=["loss > 10"]) as run:
        pass
    row = run.store.sql("select value from facts where name = 'alerts.rules'")[1]
    assert json.loads(row[0][0]) == ["nan", "loss > 10"]

"""Alerts asked for by HTTP: the newest of all stores, and what nobody wrote down."""

from __future__ import annotations

import json
import math
import time

import pytest

from nbtrack.analysis.edits import trash
from nbtrack.store import Store
from nbtrack.tracking.session import process_session

pytest_plugins = ["pytest_jupyter.jupyter_server"]


def ran(name="base", values=(1.0, math.nan), **about):
    with process_session().start(name, **about) as run:
        for value in values:
            run.log(loss=value)
    assert run.store.journal.flush(5.0)
    return run


async def test_the_newest_come_first_with_all_that_a_toast_says(ask, store_path):
    run = ran()
    told = await ask("alerts")
    [alert] = told["alerts"]
    assert (alert["run"], alert["run_name"], alert["title"], alert["step"]) == (
        run.id, "base", "loss is NaN", 1
    )  # fmt: skip
    assert (alert["level"], alert["metric"], alert["seen"]) == ("error", "loss", False)
    assert (told["n_running"], told["problems"]) == (0, [])
    ran("next")
    ran("failed-to-be-good", alerts="finished", values=())
    newest = await ask("alerts", params={"limit": "2"})
    assert [a["title"] for a in newest["alerts"]] == ["run finished", "loss is NaN"]
    assert newest["alerts"][1]["run_name"] == "next"


async def test_without_a_store_there_are_none(ask, store_path):
    assert await ask("alerts") == {"alerts": [], "n_running": 0, "problems": []}


async def test_those_of_the_trash_are_not_told(ask, store_path):
    run = ran()
    trash(run.store, run.id)
    assert (await ask("alerts"))["alerts"] == []


async def test_a_run_that_stalls_is_told_though_no_store_changed(ask, store_path):
    with process_session().start("base", alerts="stalled 0.4s") as run:
        run.log(loss=1.0)
        run.store.journal.flush()
        told = await ask("alerts")
        assert (told["alerts"], told["n_running"]) == ([], 1)
        until = time.monotonic() + 5
        while not told["alerts"] and time.monotonic() < until:
            told = await ask("alerts")
        assert [alert["kind"] for alert in told["alerts"]] == ["stalled"]


async def test_what_is_seen_is_said_so_from_then_on(ask, store_path):
    run = ran()
    body = json.dumps({"alerts_seen": True})
    row = await ask("runs", run.id, method="PATCH", body=body)
    assert row["id"] == run.id
    assert [alert["seen"] for alert in (await ask("alerts"))["alerts"]] == [True]
    run = ran("again")
    told = (await ask("alerts"))["alerts"]
    assert [alert["seen"] for alert in told] == [False, True]


@pytest.mark.parametrize("value", [False, 1, "true", None])
async def test_alerts_cannot_be_made_unseen(refused, store_path, value):
    body = json.dumps({"alerts_seen": value})
    code, _ = await refused("runs", ran().id, method="PATCH", body=body)
    assert code == 400


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "201"}, {"store": "../x"}])
async def test_what_cannot_be_meant_is_refused(refused, store_path, query):
    assert (await refused("alerts", params=query))[0] == 400


async def test_a_copy_of_a_store_tells_no_alert_twice(ask, store_path, tmp_path):
    run = ran()
    with Store.open(tmp_path / "copy") as copy:
        copy.merge(store_path)
    told = (await ask("alerts"))["alerts"]
    assert len(told) == 1
    assert told[0]["run"] == run.id

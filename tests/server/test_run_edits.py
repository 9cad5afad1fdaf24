"""Changes of a run, asked for by HTTP: all of them or none."""

from __future__ import annotations

import json
import sqlite3

import pytest

import nbtrack
from nbtrack.store import Store

pytest_plugins = ["pytest_jupyter.jupyter_server"]

SOME_ID = "0" * 13


@pytest.fixture
def ended(store_path):
    with nbtrack.start("base", tags=["first", "data: mnist"], notes="slow") as run:
        run.log(loss=0.5)
    assert run.store.journal.flush(5.0)
    run.store.close()
    return run.id


@pytest.fixture
def patch(ask):
    async def patch(run, **changes):
        return await ask("runs", run, method="PATCH", body=json.dumps(changes))

    return patch


async def test_several_changes_are_made_at_once_and_the_row_is_sent(
    ask, patch, ended, store_path
):
    row = await patch(
        ended,
        name="better",
        notes="too slow",
        starred=True,
        add_tags=["second", "data: cifar"],
        remove_tags=["first"],
        trashed=True,
    )
    assert (row["name"], row["notes"], row["starred"], row["trashed"]) == (
        "better",
        "too slow",
        True,
        True,
    )
    assert sorted(row["tags"]) == ["data: cifar", "second"]
    assert (await ask("runs", params={"trashed": "1"}))["runs"] == [row]
    with Store.open(store_path) as store:
        assert "star" in store.run(ended).tags


async def test_a_change_can_be_taken_back(patch, ended):
    before = await patch(ended)
    await patch(ended, starred=True, trashed=True)
    after = await patch(ended, starred=False, trashed=False)
    assert after == before


async def test_a_change_shows_in_a_list_that_was_seen(ask, patch, ended):
    before = await ask("runs")
    await patch(ended, name="better")
    after = await ask("runs", params={"seen": before["version"]})
    assert after["runs"][0]["name"] == "better"


async def test_a_running_run_can_be_changed(patch, run):
    run.record()
    row = await patch(run.id, name="better", add_tags=["second"])
    assert (row["name"], row["tags"], row["status"]) == (
        "better",
        ["second"],
        "running",
    )


async def test_markup_and_controls_become_a_name_that_can_be_shown(patch, ended):
    row = await patch(ended, name=" <b>\x1b[31m\u202e ", notes="<script>")
    assert row["name"] == "<b>\\x1b[31m\\u202e"
    assert row["notes"] == "<script>"


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "  "},
        {"name": None},
        {"name": 3},
        {"notes": ["a"]},
        {"notes": "n" * 100_001},
        {"starred": 1},
        {"trashed": "yes"},
        {"add_tags": "star"},
        {"add_tags": [""]},
        {"add_tags": [1]},
        {"add_tags": ["t"] * 101},
        {"remove_tags": None},
        {"add_tags": ["a"], "remove_tags": ["a"]},
        {"starred": True, "remove_tags": ["star"]},
        {"status": "finished"},
        {"id": SOME_ID},
    ],
)
async def test_what_makes_no_sense_is_refused_and_nothing_is_written(
    ask, refused, ended, changes
):
    before = await ask("runs", ended)
    body = json.dumps({"notes": "written", **changes})
    code, error = await refused("runs", ended, method="PATCH", body=body)
    assert code == 400
    assert set(error) == {"message", "reason"}
    assert await ask("runs", ended) == before


async def test_s03_a_body_that_is_too_big_is_refused(refused, ended):
    body = json.dumps({"notes": "n" * 1_000_001})
    code, _ = await refused("runs", ended, method="PATCH", body=body)
    assert code == 413


async def test_a_run_that_is_not_there_cannot_be_changed(refused, ended):
    body = '{"name": "new"}'
    code, error = await refused("runs", SOME_ID, method="PATCH", body=body)
    assert (code, SOME_ID in error["message"]) == (404, True)


async def test_s01_a_change_by_cookie_needs_xsrf(refused, jp_serverapp, ended):
    cookie = f"username-127-0-0-1-{jp_serverapp.port}=whoever"
    code, _ = await refused(
        *("runs", ended),
        method="PATCH",
        body='{"name": "new"}',
        headers={"Authorization": "", "Cookie": cookie},
    )
    assert code == 403


async def test_a_store_that_can_only_be_read_refuses_with_its_words(
    refused, ended, store_path
):
    newer = sqlite3.connect(store_path / "nbtrack.db")
    newer.execute("pragma user_version = 99")
    newer.close()
    body = '{"name": "new"}'
    code, error = await refused("runs", ended, method="PATCH", body=body)
    assert code == 409
    assert "Upgrade nbtrack to write to it" in error["message"]


async def test_a_store_that_is_locked_refuses_for_now(
    refused, ask, patch, ended, store_path
):
    await ask("runs")
    other = sqlite3.connect(store_path / "nbtrack.db", isolation_level=None)
    other.execute("begin immediate")
    body = '{"name": "new", "add_tags": ["t"]}'
    code, error = await refused("runs", ended, method="PATCH", body=body)
    other.execute("rollback")
    other.close()
    assert code == 503
    assert "locked by another process" in error["message"]
    assert (await ask("runs"))["runs"][0]["name"] == "base"
    assert (await patch(ended, name="new"))["name"] == "new"

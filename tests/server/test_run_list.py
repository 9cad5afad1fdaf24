"""The lists of runs and stores, asked by HTTP in a real Jupyter Server."""

from __future__ import annotations

import math
from contextlib import suppress

import pytest

import nbtrack
from nbtrack.analysis.edits import tag, trash
from nbtrack.store import Store
from nbtrack.tracking.session import process_session

pytest_plugins = ["pytest_jupyter.jupyter_server"]


def tracked(name, **about):
    metrics = about.pop("metrics", {})
    with process_session().start(name, **about) as run:
        if metrics:
            run.log(metrics)
    assert run.store.journal.flush(5.0)
    return run


def names(answer):
    return [row["name"] for row in answer["runs"]]


async def test_runs_that_answer_to_a_query_are_listed_newest_first(ask, store_path):
    for lr in (0.1, 0.2, 0.3):
        tracked(f"lr-{lr}", params={"lr": lr}, metrics={"loss": lr})
    answer = await ask("runs", params={"query": "loss < .25 and params.lr > .05"})
    assert names(answer) == ["lr-0.2", "lr-0.1"]
    assert answer["total"] == 2


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("loss <", "cannot be read"),
        ("los < 3", "Did you mean loss?"),
        ("__import__('os')", "calls are not part of a query"),
        ("x" * 3000, "longer than"),
        ("(" * 900, "cannot be read"),
    ],
)
async def test_a_query_that_makes_no_sense_says_so_itself(
    refused, store_path, query, words
):
    tracked("base", metrics={"loss": 0.5})
    code, error = await refused("runs", params={"query": query})
    assert code == 400
    assert words in error["message"]


async def test_a_text_times_a_number_takes_no_memory(ask, store_path):
    tracked("base")
    answer = await ask("runs", params={"query": '"a" * 99999999999 == name'})
    assert answer["total"] == 0


async def test_a_name_that_one_store_alone_knows_is_no_slip_in_the_others(
    ask, store_path, tmp_path, jp_serverapp
):
    tracked("here", metrics={"loss": 0.5})
    with Store.open(tmp_path / "other") as other:
        other.journal.emit({"kind": "run_started", "run": "1" * 13, "name": "there"})
        other.journal.point(other.journal.series("1" * 13, "los"), 0, 0.25, 1e9)
        assert other.journal.flush(5.0)
        stores = extension_of(jp_serverapp).reader._desk.stores
        stores._finder._named = (str(other.path),)
        answer = await ask("runs", params={"query": "los < 3"})
    assert names(answer) == ["there"]


def extension_of(server):
    return next(iter(server.extension_manager.extension_apps["nbtrack.server"]))


async def test_pages_go_through_all_runs_once(ask, store_path):
    for n in range(5):
        tracked(f"run-{n}")
    pages = [
        await ask("runs", params={"limit": "2", "offset": str(offset)})
        for offset in (0, 2, 4, 6)
    ]
    assert [names(page) for page in pages] == [
        ["run-4", "run-3"],
        ["run-2", "run-1"],
        ["run-0"],
        [],
    ]
    assert {page["total"] for page in pages} == {5}


async def test_a_list_that_was_seen_is_sent_again_when_something_is_new(ask, run):
    run.store.journal.flush()
    first = await ask("runs")
    again = await ask("runs", params={"seen": first["version"]})
    assert again == {"unchanged": True, "version": first["version"]}
    run.log(loss=0.5)
    run.store.journal.flush()
    later = await ask("runs", params={"seen": first["version"]})
    assert later["runs"][0]["best"]["best"] == 0.5
    assert later["version"] != first["version"]


async def test_a_list_of_another_life_of_the_server_is_none_that_was_seen(ask, run):
    run.record()  # a request may come only after the run is in the store
    answer = await ask("runs", params={"seen": "0" * 16})
    assert names(answer) == ["base"]


async def test_a_run_whose_process_died_is_sent_as_crashed(ask, store_path):
    import subprocess
    import sys

    code = (
        "import nbtrack, sys; run = nbtrack.start('base'); run.record();"
        " print('begun', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"begun\n"
    alive = await ask("runs")
    process.kill()
    process.communicate()
    dead = await ask("runs", params={"seen": alive["version"]})
    (store,) = (await ask("stores"))["stores"]
    assert alive["runs"][0]["status"] == "running"
    assert dead["runs"][0]["status"] == "crashed"
    assert (store["n_runs"], store["n_running"]) == (1, 0)
    assert names(await ask("runs", params={"status": "crashed"})) == ["base"]


async def test_runs_in_the_trash_are_asked_for_apart(ask, store_path):
    kept, gone = tracked("kept"), tracked("gone")
    trash(gone.store, gone.id)
    assert names(await ask("runs")) == ["kept"]
    in_trash = await ask("runs", params={"trashed": "1"})
    assert names(in_trash) == ["gone"]
    assert in_trash["runs"][0]["trashed"]
    assert names(await ask("runs", params={"query": "name == 'gone'"})) == []
    assert kept.id != gone.id


async def test_a_row_says_all_that_a_list_shows(ask, store_path, jp_root_dir):
    notebook = jp_root_dir / "deep" / "digits.ipynb"
    run = tracked(
        "base",
        tags=["first", "data: mnist"],
        group="g",
        notes="n" * 300,
        notebook=str(notebook),
        metrics={"val_loss": 0.5},
    )
    tag(run.store, run.id, "star")
    (row,) = (await ask("runs"))["runs"]
    (store,) = (await ask("stores"))["stores"]
    assert row["store"] == store["id"]
    assert row["starred"]
    assert row["tags"] == ["first", "data: mnist"]
    assert (row["group"], row["parent"], row["grade"]) == ("g", None, None)
    assert len(row["notes"]) == 200
    assert row["notebook_path"] == "deep/digits.ipynb"
    assert not row["trashed"]


@pytest.mark.parametrize(
    "notebook", ["/etc/x.ipynb", "../x.ipynb", "a\0b.ipynb", "x" * 9000 + "/../../y"]
)
async def test_a_notebook_outside_the_root_has_no_path(ask, store_path, notebook):
    tracked("base", notebook=notebook)
    (row,) = (await ask("runs"))["runs"]
    assert row["notebook_path"] is None


MARKUP = "<img src=x onerror=alert(1)>\u202e\x1b[31m"


async def test_text_of_a_run_comes_as_it_is_and_as_json(jp_fetch, store_path):
    import json

    tracked("base", notes=MARKUP, group=MARKUP, params={MARKUP: MARKUP})
    response = await jp_fetch("nbtrack", "runs")
    assert response.headers["Content-Type"].startswith("application/json")
    (row,) = json.loads(response.body)["runs"]
    assert row["notes"] == MARKUP


@pytest.mark.parametrize(
    "question",
    [
        {"store": "../x"},
        {"store": "0" * 15},
        {"trashed": "yes"},
        {"offset": "-1"},
        {"offset": "9" * 12},
        {"limit": "0000000001"},
        {"seen": "../../etc/passwd"},
    ],
)
async def test_what_is_no_id_and_no_number_is_refused(refused, store, question):
    code, error = await refused("runs", params=question)
    assert code == 400
    assert set(error) == {"message", "reason"}


async def test_runs_of_one_store_can_be_asked_for(ask, refused, store_path):
    tracked("base")
    (store,) = (await ask("stores"))["stores"]
    assert names(await ask("runs", params={"store": store["id"]})) == ["base"]
    code, error = await refused("runs", params={"store": "0" * 16})
    assert (code, "0" * 16 in error["message"]) == (404, True)


async def test_the_stores_say_where_they_are_and_what_is_in_them(
    ask, store_path, monkeypatch
):
    monkeypatch.setenv("HOME", str(store_path.parent))
    run = nbtrack.start("live")
    run.record()
    trash(run.store, tracked("gone").id)
    answer = await ask("stores")
    (store,) = answer["stores"]
    assert store["where"] == "~/.nbtrack"
    assert store["name"] == store_path.parent.name
    assert (store["state"], store["message"], store["found_by"]) == (
        "ok",
        None,
        "setting",
    )
    assert (store["n_runs"], store["n_running"]) == (1, 1)
    assert answer["version"] == (await ask("stores"))["version"]
    run.finish()
    assert answer["version"] != (await ask("stores"))["version"]


async def test_a_run_that_two_stores_have_is_listed_once(
    ask, store_path, tmp_path, jp_serverapp
):
    import shutil

    run = tracked("base")
    run.store.close()
    shutil.copytree(store_path, tmp_path / "copy" / ".nbtrack")
    stores = extension_of(jp_serverapp).reader._desk.stores
    stores._finder._named = (str(tmp_path / "copy"),)
    answer = await ask("runs")
    assert (names(answer), answer["total"]) == (["base"], 1)
    assert len((await ask("stores"))["stores"]) == 2


def failed(**about):
    with suppress(ValueError), process_session().start(**about):
        nbtrack.log({f"m{n}": n for n in range(60)})
        raise ValueError("boom\nand more")


async def test_one_run_has_what_a_row_has_no_room_for(ask, store_path):
    failed(
        name="base",
        params={
            **{"lr": 0.1, "opt": {"eps": 1e-8}, "name": "a'b\n", "class": 3},
            **{"nan": math.nan, "sizes": [1, 2]},
        },
        notes="n" * 300,
        source="lr = .1\nraise ValueError('boom')",
        source_digest="0" * 64,
        execution=7,
    )
    (row,) = (await ask("runs"))["runs"]
    answer = await ask("runs", row["id"])
    assert answer["params_code"] == 'lr = 0.1\nname = "a\'b\\n"\nsizes = [1, 2]\n'
    assert ["opt.eps", "1e-08", "call"] in answer["params"]
    assert (len(row["metrics"]), len(answer["metrics"])) == (50, 60)
    assert (len(row["notes"]), answer["notes"]) == (200, "n" * 300)
    assert answer["cell"] == [7]
    assert answer["source"].startswith("lr = .1")
    assert answer["error"] == "ValueError: boom"


async def test_a_run_in_the_trash_is_still_told_of(ask, store_path):
    run = tracked("gone")
    trash(run.store, run.id)
    assert (await ask("runs", run.id))["trashed"]


async def test_params_are_two_hundred_at_most(ask, store_path):
    run = tracked("base", params={f"p{n}": n for n in range(300)})
    answer = await ask("runs", run.id)
    assert len(answer["params"]) == 200
    assert answer["params_code"].count("\n") == 300

"""The server extension, asked by HTTP in a real Jupyter Server."""

from __future__ import annotations

import re

import pytest

import nbtrack
from nbtrack.server.handlers import ROUTES
from nbtrack.server.handlers.request import MAX_ROWS, NbtrackHandler
from nbtrack.store import Store

pytest_plugins = ["pytest_jupyter.jupyter_server"]

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
SOME_ID = "0" * 13


def body_for(method):
    return "{}" if method in {"POST", "PUT", "PATCH"} else None


def some_path(route):
    """A path that fits a route: each of its groups stands for so many characters."""

    def id_of(group):
        return "0" * int(re.search(r"\{(\d+)\}", group[0])[1])

    return re.sub(r"\(.*?\)", id_of, route)


async def test_s01_no_route_answers_any_method_without_the_token(refused):
    paths = [some_path(route) for route, _ in ROUTES]
    assert all(map(re.fullmatch, [route for route, _ in ROUTES], paths))
    asked = [(path, method) for path in paths for method in METHODS]
    codes = {
        (path, method): await refused(
            *path.removeprefix("/nbtrack/").split("/"),
            method=method,
            body=body_for(method),
            headers={"Authorization": "token wrong"},
        )
        for path, method in asked
    }
    assert {code for code, _ in codes.values()} == {403}
    assert len(codes) == len(ROUTES) * len(METHODS)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil:80"])
async def test_s01_no_route_answers_a_foreign_host(refused, host):
    asked = [(some_path(route), method) for route, _ in ROUTES for method in METHODS]
    codes = set()
    for path, method in asked:
        code, _ = await refused(
            *path.removeprefix("/nbtrack/").split("/"),
            method=method,
            body=body_for(method),
            headers={"Host": host},
        )
        codes.add(code)
    assert codes == {403}


async def test_s01_no_write_by_cookie_goes_without_xsrf(refused, jp_serverapp, run):
    """A page elsewhere has the browser send the cookie, and cannot read the token."""
    cookie = f"username-127-0-0-1-{jp_serverapp.port}=whoever"
    codes = set()
    for path in (some_path(route) for route, _ in ROUTES):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            code, _ = await refused(
                *path.removeprefix("/nbtrack/").split("/"),
                method=method,
                body=body_for(method),
                headers={"Authorization": "", "Cookie": cookie},
            )
            codes.add(code)
    assert codes == {403}


def test_s01_every_route_of_ours_is_a_handler_of_ours(jp_serverapp):
    """No WSGI application, no proxy, no websocket, no folder of files is mounted."""
    rules = [
        rule
        for group in jp_serverapp.web_app.default_router.rules
        for rule in getattr(group.target, "rules", [])
        if "nbtrack" in getattr(getattr(rule.matcher, "regex", None), "pattern", "")
    ]
    ours = [rule.target for rule in rules]
    assert len(ours) >= len(ROUTES)
    foreign = {target for target in ours if not issubclass(target, NbtrackHandler)}
    # The extension app's own: files of its (empty) static folder, behind the token.
    assert {each.__name__ for each in foreign} <= {"AuthenticatedFileHandler"}


async def test_runs_are_listed_newest_first_with_their_best_value(ask, store_path):
    with nbtrack.start("first") as first:
        first.log(val_loss=0.5)
        first.log(val_loss=0.25)
    with nbtrack.start("second", params={"lr": 0.1}):
        pass
    answer = await ask("runs")
    assert [row["name"] for row in answer["runs"]] == ["second", "first"]
    assert answer["runs"][1]["best"]["best"] == 0.25
    assert answer["problems"] == []


async def test_values_that_json_lacks_become_null(ask, run):
    run.log(loss=float("nan"))
    run.log(loss=float("inf"))
    run.store.journal.flush()
    row = (await ask("runs"))["runs"][0]
    assert row["metrics"][0]["last"] is None


async def test_runs_can_be_filtered_by_status_and_kernel(ask, run):
    run.store.journal.flush()
    running = await ask("runs", params={"status": "running"})
    finished = await ask("runs", params={"status": "finished"})
    elsewhere = await ask("runs", params={"kernel": "another-kernel"})
    assert [row["id"] for row in running["runs"]] == [run.id]
    assert finished["runs"] == elsewhere["runs"] == []


@pytest.mark.parametrize(
    "question",
    [
        {"status": "odd"},
        {"kernel": "../x"},
        {"limit": "0"},
        {"limit": str(MAX_ROWS + 1)},
        {"limit": "1e3"},
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(refused, question):
    code, error = await refused("runs", params=question)
    assert code == 400
    assert set(error) == {"message", "reason"}


async def test_an_unknown_run_is_not_found_and_named(refused, store):
    code, error = await refused("runs", SOME_ID)
    assert code == 404
    assert SOME_ID in error["message"]


@pytest.mark.parametrize(
    "run_id", ["..", "%2e%2e", "..%5c", "x" * 13, "nbtrack.db", SOME_ID + "/.."]
)
async def test_what_is_no_run_id_reaches_no_handler(refused, run_id):
    code, _ = await refused("runs", run_id, "static")
    assert code in {403, 404}


async def test_frames_bring_all_points_once_then_what_is_new(ask, run):
    run.log(loss=1.0)
    run.log(loss=0.5)
    run.store.journal.flush()
    first = await ask("runs", run.id, "frame")
    run.log(loss=0.25)
    run.store.journal.flush()
    second = await ask("runs", run.id, "frame", params={"cursor": first["cursor"]})
    assert [(s["from"], s["n"]) for s in first["series"]] == [(0, 2)]
    assert [(s["from"], s["n"]) for s in second["series"]] == [(2, 1)]
    assert (first["full"], second["full"]) == (True, False)


async def test_a_frame_that_was_lost_is_made_up_for(ask, run):
    run.log(loss=1.0)
    run.store.journal.flush()
    first = await ask("runs", run.id, "frame")
    cursor = {"cursor": first["cursor"]}
    await ask("runs", run.id, "frame", params=cursor)
    again = await ask("runs", run.id, "frame", params=cursor)
    assert again["full"]
    assert again["series"][0]["n"] == 1


def log_for_a_while(run):
    for _ in range(100):
        run.log(loss=0.5)
        run.store.journal.flush()


async def test_stop_reaches_the_run_that_is_busy(ask, run):
    run.record()  # a request may come only after the run is in the store
    await ask("runs", run.id, "control", method="POST", body='{"command": "stop"}')
    with pytest.raises(KeyboardInterrupt):
        log_for_a_while(run)


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "{}", '{"command": "rm"}', '{"command": ["stop"]}']
)
async def test_a_control_that_is_none_is_refused(refused, run, body):
    code, error = await refused("runs", run.id, "control", method="POST", body=body)
    assert code == 400
    assert set(error) == {"message", "reason"}


async def test_an_ended_run_gives_its_static_picture(ask, store_path):
    with nbtrack.start("base") as run:
        for step in range(5):
            run.log(loss=1 / (step + 1))
    answer = await ask("runs", run.id, "static")
    assert answer["metadata"] == {"nbtrack": {"run": run.id}}
    assert "data:image/svg+xml" in answer["data"]["text/html"]
    assert "base" in answer["data"]["text/plain"]


async def test_s04_answers_forbid_the_browser_to_run_anything(jp_fetch, store):
    response = await jp_fetch("nbtrack", "runs")
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Type"].startswith("application/json")


async def test_the_store_of_a_running_notebook_is_found_upward(
    ask, jp_root_dir, jp_serverapp, monkeypatch
):
    monkeypatch.delenv("NBTRACK_STORE")
    folder = jp_root_dir / "deep" / "er"
    folder.mkdir(parents=True)
    store = Store.open(jp_root_dir / ".nbtrack")
    store.journal.emit(
        {
            "kind": "run_started",
            "run": SOME_ID,
            "name": "found",
            "experiment": "e",
            "started_at": "2026-01-01T00:00:00.000000Z",
            "session": {},
        }
    )
    store.journal.flush()
    before = await ask("runs")
    await jp_serverapp.session_manager.create_session(
        path="deep/er/a.ipynb", type="notebook", name="a", kernel_name="python3"
    )
    after = await ask("runs")
    store.close()
    assert before["runs"] == []
    assert [row["name"] for row in after["runs"]] == ["found"]

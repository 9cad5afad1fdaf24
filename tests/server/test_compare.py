"""A comparison by REST: the same conversation as in the notebook, as JSON."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest

import nbtrack
from nbtrack.analysis import edits
from nbtrack.server import conversations
from nbtrack.server.answers.compare import POINTS_MAX, Question, compare
from nbtrack.server.conversations import MAX_CONVERSATIONS
from nbtrack.server.desk import Desk
from nbtrack.store import Store
from nbtrack.store.registry import store_id

pytest_plugins = ["pytest_jupyter.jupyter_server"]
pytestmark = pytest.mark.usefixtures("plain_surroundings")

HELLO = {"type": "hello"}
CURVES = {"type": "curves", "span": None, "points": 1_000_000}


@pytest.fixture
def elsewhere(tmp_path):
    """Another store that the server is told of; it is there when somebody makes it."""
    return tmp_path / "elsewhere" / ".nbtrack"


@pytest.fixture
def jp_server_config(jp_server_config, elsewhere):
    return {**jp_server_config, "NbtrackServer": {"stores": [str(elsewhere)]}}


@pytest.fixture
def runs(store_path):
    ids = []
    for n in range(3):
        with nbtrack.start(f"base-{n}", params={"lr": n / 10}) as run:
            for step in range(20):
                run.log(loss=(n + 1) / (step + 1))
        ids.append(run.id)
    assert run.store.journal.flush()
    return ids


@pytest.fixture
def say(ask):
    """Say something to a comparison; the answer, its messages by their type."""

    async def say(*messages, **more):
        body = json.dumps({"messages": messages, **more})
        answer = await ask("compare", method="POST", body=body)
        answer["told"] = {}
        for message in answer["messages"]:
            answer["told"].setdefault(message["type"], []).append(message)
        return answer

    return say


def curves_of(message):
    """Cut apart as the page does."""
    numbers, at, found = np.frombuffer(base64.b64decode(message["packed"])), 0, {}
    for curve in message["curves"]:
        n = curve["n"] * (2 + len(curve["columns"]))
        found[curve["key"]] = numbers[at : at + n].reshape(-1, curve["n"]).tolist()
        at += n
    assert at == len(numbers)
    return found


def made(path, run, name):
    """A store with one run that has one point."""
    path.parent.mkdir()
    with Store.open(path) as store:
        emit = store.journal.emit
        emit({"kind": "run_started", "run": run, "name": name, "started_at": 1.7e9})
        store.journal.point(store.journal.series(run, "loss"), 0, 0.5, 1.7e9)
        emit({"kind": "run_finished", "run": run, "status": "finished"})
        assert store.journal.flush(5)


async def test_a_page_that_comes_is_told_the_table_and_its_state(say, runs):
    answer = await say(HELLO, conversation=None, open={"sort": "loss"})
    assert [message["type"] for message in answer["messages"]] == ["table", "state"]
    [table], [state] = answer["told"]["table"], answer["told"]["state"]
    assert table["ids"] == runs[::-1]
    assert table["names"] == ["base-2", "base-1", "base-0"]
    assert isinstance(table["packed"], str)
    assert state["packed"] is None
    assert state["metric"] == "loss"
    assert state["state"]["selected"] == runs  # the best are drawn
    line = "%compare --sort best.loss --select base-0 base-1 base-2"
    assert state["line"] == line  # no --store: what is shown here is shown there


async def test_a_conversation_goes_on_under_its_token(say, runs):
    first = await say(HELLO)
    state = {**first["told"]["state"][0]["state"], "selected": runs[:1]}
    second = await say(
        {"type": "state", "state": state}, CURVES, conversation=first["conversation"]
    )
    assert second["conversation"] == first["conversation"]
    assert "table" not in second["told"]  # the same runs: the page has them
    [curves] = second["told"]["curves"]
    assert curves_of(curves) == {
        runs[0]: [list(map(float, range(20))), [1 / (step + 1) for step in range(20)]]
    }


async def test_a_forgotten_conversation_is_made_anew_from_the_state_sent(say, runs):
    state = {"selected": runs[1:2], "smooth": 0.5}
    answer = await say(CURVES, conversation="0" * 16, open=state)
    assert answer["conversation"] != "0" * 16
    assert list(curves_of(answer["told"]["curves"][0])) == runs[1:2]
    bare = await say(HELLO, conversation="0" * 16, open={"selected": []})
    assert bare["told"]["state"][0]["state"]["selected"] == []  # not the best again


async def test_what_is_gone_from_a_state_is_said_and_the_rest_is_shown(say, runs):
    edits.trash(nbtrack.open(), runs[0])
    opened = {"runs": runs, "sort": "-loss"}
    answer = await say(HELLO, open=opened)
    assert "trash" in answer["told"]["error"][0]["text"]
    assert answer["told"]["table"][0]["ids"] == [runs[2], runs[1]]
    assert answer["told"]["state"][0]["state"]["sort"] == "-best.loss"
    slip = await say(HELLO, open={"query": "loss <"})
    assert len(slip["told"]["error"]) == 1
    assert len(slip["told"]["table"][0]["ids"]) == 2


async def test_a_slip_is_an_error_among_the_answers(say, runs):
    first = await say(HELLO)
    answer = await say(
        {"type": "state", "state": {"query": "loss <"}},
        {"type": "star", "run": "nobody", "on": True},
        {"type": "sparks", "ids": [runs[0], "nobody"]},
        conversation=first["conversation"],
    )
    assert [message["type"] for message in answer["messages"]] == [
        *("error", "error", "sparks")
    ]
    assert list(curves_of(answer["messages"][2])) == runs[:1]


async def test_a_star_is_a_tag_in_the_store_of_the_run(say, runs, elsewhere):
    made(elsewhere, "0" * 13, "alien")
    first = await say(HELLO)
    [table] = first["told"]["table"]
    assert set(table["ids"]) == {*runs, "0" * 13}
    assert "store" in [column["name"] for column in table["columns"]]
    star = {"type": "star", "run": "0" * 13, "on": True}
    answer = await say(star, conversation=first["conversation"])
    assert answer["told"]["table"][0]["starred"] == ["0" * 13]
    with Store.open(elsewhere) as store:
        assert "star" in store.run("alien").tags
    only = await say(HELLO, stores=[store_id(elsewhere)])
    assert only["told"]["table"][0]["ids"] == ["0" * 13]
    assert "--store" not in only["told"]["state"][0]["line"]


async def test_without_a_store_the_page_is_told_what_to_do(refused, store_path):
    how = {"method": "POST", "body": json.dumps({"messages": [HELLO]})}
    code, error = await refused("compare", **how)
    assert code == 404
    assert "%%track" in error["message"]


GOOD = {"messages": [HELLO]}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": None},
        {"messages": [[]]},
        {"messages": [{"type": ["hello"]}]},
        {"messages": [{"type": "unknown"}]},
        {"messages": [{"type": "hello", "more": 1}]},
        {"messages": [{"type": "curves", "span": "x", "points": 1}]},
        {"messages": [{"type": "curves", "span": [1], "points": 1}]},
        {"messages": [{"type": "curves", "span": [1, float("nan")], "points": 1}]},
        {"messages": [{"type": "curves", "span": None, "points": -1}]},
        {"messages": [{"type": "curves", "span": None, "points": 1.5}]},
        {"messages": [{"type": "pick", "run": "x", "x": 10**400}]},
        {"messages": [{"type": "pick", "run": "x"}]},
        {"messages": [{"type": "star", "run": "x", "on": 1}]},
        {"messages": [{"type": "sparks", "ids": ["x"] * 201}]},
        {"messages": [HELLO] * 101},
        {**GOOD, "conversation": "../x"},
        {**GOOD, "conversation": 3},
        {**GOOD, "stores": []},
        {**GOOD, "stores": ["../x"]},
        {**GOOD, "open": []},
        {**GOOD, "open": {"smooth": float("nan")}},
        {**GOOD, "open": {"last": "many"}},
        {**GOOD, "path": "/etc"},
    ],
)
async def test_a_body_of_another_form_is_refused(refused, store, body):
    code, error = await refused("compare", method="POST", body=json.dumps(body))
    assert code == 400
    assert set(error) == {"message", "reason"}


async def test_a_store_that_is_not_known_is_not_found(refused, runs):
    body = json.dumps({**GOOD, "stores": ["0" * 16]})
    code, _ = await refused("compare", method="POST", body=body)
    assert code == 404


# -- without HTTP: what is remembered, and for how long ------------------------------


@pytest.fixture
def desk(store_path, elsewhere):
    opened = Desk(None, named=(str(elsewhere),))
    opened.stores.look(())
    yield opened
    opened.stores.close()


def types(answer):
    return [message["type"] for message in answer["messages"]]


def test_the_conversation_that_was_not_used_longest_is_forgotten(runs, desk):
    tokens = [
        compare(desk, Question([HELLO]))["conversation"]
        for _ in range(MAX_CONVERSATIONS + 1)
    ]
    assert len(desk.conversations) == MAX_CONVERSATIONS
    kept = compare(desk, Question([HELLO], tokens[-1]))
    anew = compare(desk, Question([HELLO], tokens[0]))
    assert kept["conversation"] == tokens[-1]
    assert anew["conversation"] != tokens[0]


def test_conversations_of_many_runs_are_fewer(runs, desk, monkeypatch):
    monkeypatch.setattr(conversations, "MAX_RUNS", 3 * len(runs))
    for _ in range(5):
        token = compare(desk, Question([HELLO]))["conversation"]
    assert len(desk.conversations) == 3
    monkeypatch.setattr(conversations, "MAX_RUNS", 1)  # fewer than one of them has
    assert compare(desk, Question([HELLO], token))["conversation"] == token
    compare(desk, Question([HELLO]))
    assert len(desk.conversations) == 1


def test_a_conversation_is_forgotten_when_a_store_of_it_closes(runs, desk):
    token = compare(desk, Question([HELLO]))["conversation"]
    desk.stores.close()
    assert len(desk.conversations) == 0
    desk.stores.look(())
    assert compare(desk, Question([HELLO], token))["conversation"] != token


def test_a_store_that_comes_is_compared_too_and_the_state_stays(runs, desk, elsewhere):
    first = compare(desk, Question([HELLO]))
    [state] = [m["state"] for m in first["messages"] if m["type"] == "state"]
    token = first["conversation"]
    more = {"type": "state", "state": {**state, "smooth": 0.5}}
    compare(desk, Question([more], token))
    made(elsewhere, "0" * 13, "alien")
    desk.stores.look(())
    answer = compare(desk, Question([CURVES], token))
    assert answer["conversation"] == token
    assert types(answer) == ["table", "state", "curves"]
    assert "0" * 13 in answer["messages"][0]["ids"]
    assert answer["messages"][1]["state"]["smooth"] == 0.5


def test_a_store_that_cannot_be_read_is_named_and_the_others_are_compared(
    runs, desk, elsewhere
):
    elsewhere.mkdir(parents=True)
    (elsewhere / "nbtrack.db").write_bytes(b"this is no database at all" * 100)
    desk.stores.look(())
    answer = compare(desk, Question([HELLO]))
    assert types(answer) == ["error", "table", "state"]
    assert answer["messages"][0]["text"].startswith("elsewhere: ")
    assert set(answer["messages"][1]["ids"]) == set(runs)
    again = compare(desk, Question([HELLO], answer["conversation"]))
    assert types(again) == ["table", "state"]  # said once


def test_no_curve_has_more_points_than_a_page_may_ask_for(store_path, desk):
    with nbtrack.start("long") as run:
        for step in range(3 * POINTS_MAX):
            run.log(loss=float(step % 7))
    assert run.store.journal.flush()
    desk.stores.look(())
    answer = compare(desk, Question([CURVES]))
    [curve] = answer["messages"][-1]["curves"]
    assert curve["n_points"] == 3 * POINTS_MAX
    assert curve["n"] <= POINTS_MAX + 2

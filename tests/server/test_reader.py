"""The one thread of the stores: nobody waits for it without end."""

from __future__ import annotations

import threading

import pytest
from server.filled import started

from nbtrack.errors import StoreError
from nbtrack.server import reader as reader_module
from nbtrack.server.desk import Desk
from nbtrack.server.reader import Reader
from nbtrack.server.stores import Session
from nbtrack.server.viewers import MAX_POINTS
from nbtrack.store import followed

pytest_plugins = ["pytest_jupyter.jupyter_server"]

SOME_ID = "0" * 13


async def test_s03_an_answer_that_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(reader_module, "ANSWER_S", 0.1)
    reader, go_on, done = Reader(None), threading.Event(), []
    with pytest.raises(StoreError, match="try again in a moment"):
        await reader.ask([], lambda desk: go_on.wait(20))
    with pytest.raises(StoreError, match="try again in a moment"):
        await reader.ask([], lambda desk: done.append("begun too late"))
    go_on.set()
    monkeypatch.setattr(reader_module, "ANSWER_S", 10.0)
    assert await reader.ask([], lambda desk: len(done)) == 0
    reader.close()


def test_s03_a_question_that_sqlite_works_on_for_too_long_is_given_up(
    tmp_path, monkeypatch
):
    monkeypatch.delenv("NBTRACK_STORE", raising=False)
    monkeypatch.setattr(followed, "QUESTION_S", -1.0)
    monkeypatch.setattr(followed, "_PROGRESS_STEPS", 1)
    with started(tmp_path / "a"):
        desk = Desk(tmp_path)
        desk.stores.look([Session("a/n.ipynb", "k")])
        (state,) = desk.stores.states()
        desk.stores.close()
    assert "took too long" in state.message


async def test_s03_a_frame_has_five_thousand_points_of_a_curve_at_most(ask, run):
    for step in range(20_000):
        run.log(loss=float(step % 97))
    run.store.journal.flush(20.0)
    frame = await ask("runs", run.id, "frame")
    (series,) = frame["series"]
    assert 1_000 < series["n"] <= MAX_POINTS == 5_000

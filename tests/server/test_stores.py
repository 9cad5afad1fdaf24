"""Which stores the server reads, and what it does with those that it cannot."""

from __future__ import annotations

import pytest
from server.filled import SOME_ID, started

from nbtrack.errors import RunNotFoundError
from nbtrack.server.answers import run_list
from nbtrack.server.desk import Desk
from nbtrack.server.stores import Session
from nbtrack.server.viewers import MAX_VIEWERS, Viewers


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.delenv("NBTRACK_STORE", raising=False)
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


@pytest.fixture
def runs(root):
    """The list of runs as the server has it while these sessions run."""
    desk = Desk(root)

    def runs(sessions, status=None, kernel=None):
        desk.stores.look(sessions)
        question = run_list.Question(10, status=status, kernel=kernel)
        return run_list.runs(desk, question)

    runs.desk = desk
    yield runs
    desk.stores.close()


def names(answer):
    return [row["name"] for row in answer["runs"]]


def test_runs_of_a_kernel_are_told_from_those_of_another(root, runs):
    with started(root / "a"):
        sessions = [Session("a/n.ipynb", "k1")]
        mine = runs(sessions, "running", "k1")
        other = runs(sessions, "running", "k2")
    assert (names(mine), names(other)) == (["found"], [])


def test_a_session_that_claims_to_be_outside_the_root_shows_no_store(root, runs):
    with started(root.parent / "outside"):
        for path in ("../outside/n.ipynb", str(root.parent / "outside" / "n.ipynb")):
            assert runs([Session(path, "k1")])["runs"] == []


def test_a_link_out_of_the_root_is_not_followed(root, runs):
    with started(root.parent / "outside"):
        (root / "link").symlink_to(root.parent / "outside")
        answer = runs([Session("link/n.ipynb", "k1")])
    assert (answer["runs"], answer["problems"]) == ([], [])


def test_a_damaged_store_is_named_and_the_others_are_still_read(root, runs):
    bad = root / "bad" / ".nbtrack"
    bad.mkdir(parents=True)
    (bad / "nbtrack.db").write_bytes(b"this is no database " * 500)
    sessions = [Session("bad/n.ipynb", "k0"), Session("a/n.ipynb", "k1")]
    with started(root / "a"):
        answer = runs(sessions)
    assert names(answer) == ["found"]
    assert [problem["store"] for problem in answer["problems"]] == ["bad"]


def test_a_store_that_vanished_is_no_longer_asked(root, runs):
    import shutil

    sessions = [Session("a/n.ipynb", "k1")]
    with started(root / "a"):
        assert names(runs(sessions)) == ["found"]
        shutil.rmtree(root / "a" / ".nbtrack")
        assert runs(sessions)["runs"] == []
        with pytest.raises(RunNotFoundError):
            runs.desk.stores.of_run(SOME_ID)


def test_a_notebook_without_a_store_gets_none(root, runs):
    (root / "a").mkdir()
    assert runs([Session("a/n.ipynb", "k")])["runs"] == []
    assert list((root / "a").iterdir()) == []


def test_viewers_are_forgotten_the_longest_silent_first(root):
    viewers = Viewers()
    with started(root) as store:
        first = viewers.frame(store, SOME_ID, "")["cursor"]
        for _ in range(MAX_VIEWERS):
            viewers.frame(store, SOME_ID, "")
        again = viewers.frame(store, SOME_ID, first)
    assert len(viewers) == MAX_VIEWERS
    assert again["full"]

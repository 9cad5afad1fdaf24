"""A comparison without a widget: what a page says, and what it is answered."""

from __future__ import annotations

import pytest

import nbtrack
from nbtrack.analysis.comparing.conversation import BEST_SELECTED, Conversation, begun
from nbtrack.analysis.comparing.state import CompareState
from nbtrack.analysis.several_stores import SeveralStores
from nbtrack.errors import QueryError

pytestmark = pytest.mark.usefixtures("plain_surroundings")


@pytest.fixture
def runs(store_path):
    made = []
    for n in range(BEST_SELECTED + 2):
        with nbtrack.start(f"base-{n}") as run:
            for step in range(500):
                run.log(loss=(n + 1) / (step + 1))
        made.append(run.id)
    return made


def test_the_best_are_drawn_where_nobody_says_which(runs):
    store = nbtrack.open()
    assert list(begun(store, CompareState()).state.selected) == runs[:BEST_SELECTED]
    chosen = CompareState(selected=(runs[-1],))
    assert begun(store, chosen).state.selected == (runs[-1],)
    assert begun(store, CompareState(bands=True)).state.selected == ()


def test_the_line_names_no_store_that_the_host_does_not_name(runs):
    store = nbtrack.open()
    both = SeveralStores({"a": store})
    plain = Conversation(both, begun(both, CompareState(sort="loss", last=1)))
    named = Conversation(both, plain.found, stores=both.words)
    assert plain.line == "%compare --last 1 --sort best.loss --select base-6"
    assert named.line == f"{plain.line} --store a"


def test_no_curve_is_longer_than_the_host_allows(runs):
    store = nbtrack.open()
    page = Conversation(store, begun(store, CompareState(last=1)), points_max=100)
    [(head, packed)] = page.hear({"type": "curves", "span": None, "points": 20_000})
    [curve] = head["curves"]
    assert curve["n_points"] == 500
    assert curve["n"] <= 101
    assert curve["thinned"]
    assert len(packed) == 2 * 8 * curve["n"]


def test_what_cannot_be_shown_is_raised_and_changes_nothing(runs):
    store = nbtrack.open()
    page = Conversation(store, begun(store, CompareState()))
    before = page.state
    with pytest.raises(QueryError):
        page.hear({"type": "state", "state": {"query": "loss <"}})
    assert page.state == before
    assert page.hear({"type": "unknown"}) == []

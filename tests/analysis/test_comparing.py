"""Columns, marks, order and state of a comparison; its still table and picture."""

from __future__ import annotations

import base64
import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest

import nbtrack
from nbtrack.analysis import edits
from nbtrack.analysis.comparing.columns import columns_of, delta_of, marks_of
from nbtrack.analysis.comparing.data import compared
from nbtrack.analysis.comparing.overlay import Overlay
from nbtrack.analysis.comparing.state import SELECTED_MAX, CompareState
from nbtrack.analysis.comparing.still import direction, still_html, still_text
from nbtrack.analysis.comparing.wire import table_message
from nbtrack.errors import OptionError, QueryError, RunNotFoundError
from nbtrack.notebook.compare_magic import compare_magic

HOSTILE = "<img src=x onerror=alert(1)>"
NAN = math.nan


@pytest.fixture
def runs(store_path, plain_surroundings):
    """Four runs of two optimizers; the last one of each gets worse at its end."""
    for opt in ("adam", "sgd"):
        for lr in (0.1, 0.01):
            params = {"lr": lr, "opt": opt, "layers": 3}
            with nbtrack.start(f"{opt}-{lr}", params=params, group=opt) as run:
                for step in range(10):
                    loss = 1 / (step + 1) + lr + (opt == "sgd") * 0.05
                    run.log(loss=loss + (step == 9), acc=1 - loss)
    return nbtrack.open()


# -- marks -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "goal", "best", "worst"),
    [
        ([3, 1, 2], "min", {1}, {0}),
        ([3, 1, 2], "max", {0}, {1}),
        ([1, 1, 2, 2], "min", {0, 1}, {2, 3}),  # ties are all best
        ([NAN, 1, 2], "max", {2}, {1}),
        ([None, 1.5, math.inf], "min", {1}, {2}),
        ([1, 1, 1], "min", set(), set()),  # nothing to choose from
        ([NAN, None, 1], "min", set(), set()),
        ([1, 2, 3], None, set(), set()),
        ([True, "a", 1, 2], "max", {3}, {2}),  # what is no number is not compared
    ],
)
def test_best_and_worst_go_by_the_goal_of_the_column(values, goal, best, worst):
    marks = marks_of(values, goal)
    assert (set(marks.best), set(marks.worst)) == (best, worst)


def test_a_change_is_good_or_bad_by_the_goal_and_else_neither():
    good, bad = direction(-1.0, "min"), direction(1.0, "min")
    assert good != bad
    assert (direction(1.0, "max"), direction(-1.0, "max")) == (good, bad)
    assert direction(1.0, None) == direction(0.0, "min") == ""
    assert delta_of(None, 1.0) is None
    assert delta_of("a", "b") is None


# -- columns and order -------------------------------------------------------------


def test_a_column_of_a_metric_is_its_best_value_with_its_step_and_not_its_last(runs):
    found = compared(runs, CompareState())
    [loss] = [c for c in found.columns if c.name == "best.loss"]
    assert max(loss.values) < 0.3
    assert set(loss.steps) == {8}  # the last one is 1 higher
    assert (loss.goal, loss.kind, loss.is_number) == ("min", "metric", True)


def test_only_params_that_differ_are_shown_unless_all_are_asked_for(runs):
    found = compared(runs, CompareState())
    params = [c.name for c in found.shown if c.kind == "param"]
    assert params == ["params.lr", "params.opt"]
    every = compared(runs, CompareState(all_params=True, hidden=("lr",)))
    assert "params.layers" in every.df.columns
    assert "params.lr" not in every.df.columns
    chosen = compared(runs, CompareState(columns=("opt", "loss")))
    assert list(chosen.df) == [
        "id",
        "name",
        "params.opt",
        "best.loss",
        "best_step.loss",
    ]


def test_types_make_a_difference_and_missing_values_too(store_path, plain_surroundings):
    for number, value in enumerate((1, 1.0, True, "1", [1], None)):
        params = {"one": 1, "mixed": value, "nan": NAN}
        with nbtrack.start(f"r{number}", params=params):
            pass
    columns = {c.name: c for c in columns_of(nbtrack.open().table())}
    assert columns["params.mixed"].differs
    assert not columns["params.mixed"].is_number
    assert not columns["params.one"].differs
    assert not columns["params.nan"].differs


def test_a_metric_that_few_have_is_not_what_all_are_compared_by(runs):
    assert compared(runs, CompareState()).metric() == "loss"
    with nbtrack.start("other") as other:
        other.log(val_loss=1.0)
    assert compared(runs, CompareState()).metric() == "loss"
    newest = CompareState(last=2)
    assert compared(runs, newest).metric() == "val_loss"  # as many as have another


def test_metrics_sort_best_first_and_a_minus_turns_that_round(runs):
    best = compared(runs, CompareState(sort="loss"))
    assert best.names[0] == "adam-0.01"
    assert best.state.sort == "best.loss"
    worst = compared(runs, CompareState(sort="-acc"))
    assert worst.names[0] == "sgd-0.1"
    assert worst.metric() == "acc"
    assert compared(runs, CompareState(sort="-acc", metric="loss")).metric() == "loss"


def test_runs_are_grouped_by_a_column(runs):
    groups = compared(runs, CompareState(group="opt", sort="loss")).groups()
    assert {key: len(ids) for key, ids in groups.items()} == {"adam": 2, "sgd": 2}


@pytest.mark.parametrize(
    ("state", "error", "words"),
    [
        ({"query": "loss <"}, QueryError, "cannot be read"),
        ({"sort": "lss"}, OptionError, "Did you mean"),
        ({"hidden": ("nothing",)}, OptionError, "No column is called 'nothing'"),
        ({"group": "optt"}, OptionError, "Did you mean"),
        ({"runs": ("adm-0.1",)}, RunNotFoundError, "Did you mean adam-0.1"),
        ({"baseline": "nobody"}, RunNotFoundError, "nobody"),
        ({"runs": ("sgd-0.1",), "query": "acc > 5"}, QueryError, "does not answer"),
    ],
)
def test_what_cannot_be_shown_is_an_error_with_the_way_out(runs, state, error, words):
    with pytest.raises(error, match=words):
        compared(runs, CompareState(**state))


def test_a_run_in_the_trash_says_so(runs):
    edits.trash(runs, "sgd-0.1")
    with pytest.raises(QueryError, match="trash"):
        compared(runs, CompareState(runs=("sgd-0.1",)))
    assert len(compared(runs, CompareState()).ids) == 3


# -- the state as text -------------------------------------------------------------

STATES = [
    CompareState(),
    CompareState("loss < .3 and opt == 'adam'", sort="-best.loss", smooth=0.6),
    CompareState(columns=("best.loss", "params.my param"), all_params=True, last=3),
    CompareState(hidden=("status",), group="params.opt", bands=True, x="epoch"),
    CompareState(log_x=True, log_y=True, clip=True, metric="acc", x="relative"),
]


@pytest.mark.parametrize("state", STATES)
def test_a_state_is_the_same_through_json(state):
    assert CompareState.from_json(state.as_json()) == state


def test_the_line_of_a_panel_gives_the_same_panel(runs):
    lines = [
        "",
        "loss < 1 and opt == 'adam' --sort '-best.loss' --smooth 0.6",
        "adam-0.1 sgd-0.1 --baseline sgd-0.1 --hide status --all-params",
        "--group opt --bands --metric acc --x relative --log-y --clip --pin sgd-0.1",
        "--cols loss lr --last 3 --select adam-0.01 sgd-0.1",
        "--top 2 --by loss",
        "adam-0.1 sgd-0.1 --where 'acc > 0'",
    ]
    for line in lines:
        panel = compare_magic(line)
        again = compare_magic(panel.line.removeprefix("%compare"))
        assert again.state == panel.state, panel.line
        assert again.line == panel.line
        assert again.df.equals(panel.df)
    assert compare_magic("--top 2 --by loss").df["name"].tolist()[0] == "adam-0.01"


def test_runs_of_one_name_are_told_by_their_ids(runs):
    with nbtrack.start("twin") as twin:
        twin.log(loss=0.5)
    edits.rename(runs, twin.id, "adam-0.1")
    panel = nbtrack.compare(twin.id)
    assert panel.line == f"%compare {twin.id} --select {twin.id}"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"smooth": 1.0}, "smooth=1"),
        ({"smooth": "much"}, "smooth='much'"),
        ({"selected": list("abcdefgh")}, "up to 7"),
        ({"selected": "abc"}, "selected="),
        ({"last": -1}, "last=-1"),
        ({"last": True}, "last=True"),
        ({"sort": None}, "sort=None"),
        ({"bands": 1}, "bands=1"),
    ],
)
def test_a_page_that_says_nonsense_is_refused(told, words):
    with pytest.raises(OptionError, match=words):
        CompareState.from_json(told)


def test_seven_are_selected_at_most_and_the_best_five_by_themselves(store_path):
    with pytest.raises(OptionError):
        CompareState(selected=tuple(map(str, range(SELECTED_MAX + 1))))


# -- the magic ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--smooth much", "needs a number"),
        ("--last x", "needs a whole number"),
        ("--top x", "needs a whole number"),
        ("--nothing", "nothing"),
        ("nobody", "nobody"),
        ("--sort loss adam-0.1", "stands behind an option"),
    ],
)
def test_slips_in_the_line_are_named(runs, line, words):
    with pytest.raises((OptionError, RunNotFoundError), match=words):
        compare_magic(line)


def test_python_reads_and_sets_every_part_of_a_panel(runs):
    panel = nbtrack.compare(query="loss < 1", sort="loss")
    assert len(panel.selection) == 4
    panel.selection = ["adam-0.1"]
    panel.query = "opt == 'adam'"
    panel.hidden = ["status"]
    panel.smooth = 0.5
    assert panel.selection == [panel.df["id"][1]]
    assert panel.df["name"].tolist() == ["adam-0.01", "adam-0.1"]
    before = panel.line
    with pytest.raises(QueryError):
        panel.query = "loss <"
    with pytest.raises(TypeError, match="colour"):
        panel.set(colour="red")
    assert panel.line == before
    with pytest.raises(OptionError, match="colour"):
        nbtrack.compare(colour="red")


def test_a_run_that_the_query_leaves_out_is_selected_no_more(runs):
    panel = nbtrack.compare(selected=["adam-0.1", "sgd-0.1"])
    panel.query = "opt == 'sgd'"
    assert panel.line == "%compare opt == 'sgd' --select sgd-0.1"


# -- still -------------------------------------------------------------------------


def picture_of(html):
    """The drawing within the only picture, and what is said in its place."""
    [(alt, body)] = re.findall(
        r"<img alt='([^']*)' src='data:image/svg\+xml;base64,([^']*)'>", html
    )
    return base64.b64decode(body).decode(), alt


def test_the_still_table_marks_the_best_and_shows_deltas_to_the_baseline(runs):
    state = CompareState(sort="loss", baseline="sgd-0.1", selected=("adam-0.1",))
    found = compared(runs, state)
    text = still_text(found)
    first = text.splitlines()[1]
    assert first.startswith("adam-0.01")
    assert "@ 8*" in first
    html = still_html(found, Overlay(runs))
    assert "(baseline)" in html
    assert "<svg" not in html  # its texts alone stay where a notebook is not trusted
    drawn, alt = picture_of(html)
    assert ">adam-0.1<" in drawn
    assert alt.startswith("Curve of loss: adam-0.1 █")
    assert "color:#2e9d57'>-" in html or "color:#2e9d57'>−" in html
    assert still_text(compared(runs, CompareState("loss > 99"))) == "no runs"


def test_names_and_params_of_runs_stay_text(store_path, plain_surroundings):
    params = {HOSTILE: HOSTILE, "n": 1}
    with nbtrack.start(HOSTILE, params=params, tags=[HOSTILE], group=HOSTILE) as run:
        run.log({HOSTILE: 1.0})
    with nbtrack.start("b", params={"n": 2}) as run:
        run.log({HOSTILE: 2.0})
    found = compared(nbtrack.open(), CompareState(selected=(run.id,)))
    html = still_html(found, Overlay(nbtrack.open()))
    assert html.count("<img") == 1  # ours
    drawn, _ = picture_of(html)
    tags = {node.tag.split("}")[1] for node in ElementTree.fromstring(drawn).iter()}
    assert tags <= {"svg", "text", "path", "circle"}
    assert "&lt;img" in html


def test_numbers_that_json_lacks_are_told_as_text(store_path, plain_surroundings):
    import json

    params = {
        "nan": NAN,
        "inf": -math.inf,
        "large": 2**60,
        "list": [1],
        "long": "x" * 999,
        "n": 7,
    }
    with nbtrack.start("a", params=params) as run:
        run.log(loss=NAN)
    found = compared(nbtrack.open(), CompareState())
    told, packed = table_message(found.ids, found.names, found.columns, [], 1)
    text = json.dumps(told, allow_nan=False)
    told = {c["name"]: c["values"] for c in json.loads(text)["columns"]}
    values = {name: column and column[0] for name, column in told.items()}
    assert values["params.nan"] == values["best.loss"] == {"n": "NaN"}
    assert -math.inf in np.frombuffer(packed)
    assert values["params.large"] == {"n": str(2**60)}
    assert values["params.list"] == "[1]"
    assert values["params.n"] is None
    assert 7.0 in np.frombuffer(packed)
    assert len(values["params.long"]) <= 200


def test_the_frame_is_what_runs_gives_in_the_order_of_the_panel(runs):
    panel = nbtrack.compare(sort="loss")
    frame = nbtrack.runs(sort="loss")
    shared = list(panel.df)
    assert panel.df.equals(frame[shared])
    assert panel.df["best.loss"].dtype == np.float64

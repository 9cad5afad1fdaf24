"""What the page says to the panel of a comparison, and what it is told."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import nbtrack
from nbtrack.analysis import edits
from nbtrack.errors import QueryError
from nbtrack.notebook.panels.compare import ComparePanel

pytestmark = pytest.mark.usefixtures("plain_surroundings")


class Page:
    """Stands where the widget's comm is: keeps what the kernel sends."""

    def __init__(self) -> None:
        self.sent: list[tuple[dict, list]] = []

    def send(self, head, buffers=None):
        self.sent.append((head, buffers or []))

    def told(self, kind):
        return [head for head, _ in self.sent if head["type"] == kind]

    def curves(self):
        """The last curves: their keys and columns, cut as the page does."""
        head, [packed] = [m for m in self.sent if m[0]["type"] in ("curves", "sparks")][
            -1
        ]
        numbers, at, found = np.frombuffer(packed, "<f8"), 0, {}
        for curve in head["curves"]:
            names = ["x", "y", *curve["columns"]]
            parts = numbers[at : at + curve["n"] * len(names)].reshape(len(names), -1)
            found[curve["key"]] = dict(zip(names, parts.tolist(), strict=True))
            at += parts.size
        assert at == len(numbers)
        return found


@pytest.fixture
def panel(store_path):
    for opt in ("adam", "sgd"):
        for seed in (1, 2):
            params = {"opt": opt, "seed": seed}
            with nbtrack.start(f"{opt}-{seed}", params=params) as run:
                for step in range(20):
                    run.log(loss=seed / (step + 1))
                run.checkpoint({"w": [1]}, name="mlp", step=10)
    made = nbtrack.compare()
    made._widget = Page()
    return made


def say(panel: ComparePanel, **content):
    panel._on_message(None, content, [])
    return panel._widget


def test_a_page_that_comes_is_told_all(panel):
    page = say(panel, type="hello")
    [table] = page.told("table")
    [state] = page.told("state")
    assert table["names"] == ["sgd-2", "sgd-1", "adam-2", "adam-1"]
    assert table["n_all"] == 4
    assert state["state"] == panel.state.as_json()
    assert state["line"] == panel.line
    assert state["metric"] == "loss"


def test_what_is_clicked_is_taken_over_and_only_other_runs_are_sent_again(panel):
    state = {**panel.state.as_json(), "group": "params.opt"}
    page = say(panel, type="state", state=state)
    assert panel.group == "params.opt"
    assert page.told("table") == []
    page = say(panel, type="state", state={**state, "query": "seed == 1"})
    assert page.told("table")[0]["names"] == ["sgd-1", "adam-1"]
    assert len(panel.df) == 2


@pytest.mark.parametrize(
    "content",
    [
        {"type": "state", "state": {"query": "loss <"}},
        {"type": "state", "state": {"selected": ["nobody"]}},
        {"type": "state", "state": {"smooth": 3}},
        {"type": "star", "run": "nobody", "on": True},
    ],
)
def test_a_slip_is_one_line_and_the_panel_stays_as_it_was(panel, content):
    before = panel.state
    page = say(panel, **content)
    assert len(page.told("error")) == 1
    assert panel.state == before


def test_a_run_that_is_not_shown_cannot_be_selected_and_nothing_changes(panel):
    panel.query = "opt == 'sgd'"
    before = panel.state
    for slip in ({"selected": ("adam-1",)}, {"selected": ("sgd-1", "adam-2")}):
        with pytest.raises(QueryError, match=r"adam-\d cannot be selected.*a query"):
            panel.set(**slip)
    edits.trash(nbtrack.open(), "sgd-2")
    panel.refresh()
    with pytest.raises(QueryError, match=r"sgd-2 .* in the trash"):
        panel.selection = ["sgd-2"]
    assert panel.state == replace(before, selected=panel.state.selected)
    with pytest.raises(QueryError, match="adam-1 cannot be selected"):
        nbtrack.compare(query="opt == 'sgd'", selected=["adam-1"])
    panel.set(query="opt == 'adam'", selected=("adam-1",))
    assert [panel.store.run(run).name for run in panel.selection] == ["adam-1"]


def test_what_is_clicked_reads_the_runs_once_and_a_query_those_that_came(panel):
    first = panel.found.glance
    panel.set(sort="loss", selected=(panel.df["id"][0],), smooth=0.5)
    panel.query = "seed == 1"
    assert panel.found.glance is first
    assert panel._widget.told("table")[-1]["names"] == ["sgd-1", "adam-1"]
    with nbtrack.start("new", params={"opt": "adam", "seed": 1}):
        pass
    panel.sort = "name"
    assert panel.df["name"].tolist() == ["adam-1", "sgd-1"]
    panel.query = "seed < 2"
    assert panel.df["name"].tolist() == ["adam-1", "new", "sgd-1"]


def test_a_run_that_came_later_can_be_selected_at_once(panel):
    with nbtrack.start("new") as run:
        run.log(loss=1.0)
    panel.selection = ["new"]
    assert panel.selection == [run.id]
    assert "new" in panel._widget.told("table")[-1]["names"]


def test_a_sort_is_the_page_s_own_and_sends_no_table(panel):
    panel.sort = "-loss"
    assert panel._widget.told("table") == []
    page = say(panel, type="hello")
    assert page.told("table")[0]["names"] == ["sgd-2", "sgd-1", "adam-2", "adam-1"]


def test_nonsense_of_a_page_is_no_error_of_the_kernel(panel, capsys):
    for content in ({}, {"type": "unknown"}, {"type": "curves", "span": "x"}):
        say(panel, **content)
    panel._on_message(None, "text", [])
    assert capsys.readouterr().err.count("compare panel failed") <= 1


def test_curves_come_smoothed_beside_the_raw_ones_and_in_part(panel):
    panel.set(selected=(panel.df["id"][0],), smooth=0.5)
    found = say(panel, type="curves", span=None, points=100).curves()
    [curve] = found.values()
    assert curve["y"] == [2 / (step + 1) for step in range(20)]
    assert curve["smooth"][0] == 2.0
    assert curve["smooth"] != curve["y"]
    part = say(panel, type="curves", span=[5, 7], points=100).curves()
    assert next(iter(part.values()))["x"] == [4, 5, 6, 7, 8]


def test_groups_come_as_mean_and_range(panel):
    panel.set(group="opt", bands=True)
    found = say(panel, type="curves", span=None, points=100).curves()
    assert set(found) == {"adam", "sgd"}
    assert (found["sgd"]["low"][0], found["sgd"]["y"][0]) == (1.0, 1.5)
    assert panel._widget.told("curves")[-1]["curves"][0]["n_runs"] == 2


def test_small_curves_come_for_the_rows_in_view(panel):
    ids = list(panel.df["id"][:2])
    found = say(panel, type="sparks", ids=[*ids, "nobody"]).curves()
    assert list(found) == ids


def test_a_star_is_a_tag_in_the_store(panel):
    run = panel.df["id"][0]
    page = say(panel, type="star", run=run, on=True)
    assert page.told("table")[-1]["starred"] == [run]
    assert "star" in nbtrack.open().run(run).tags
    page = say(panel, type="star", run=run, on=False)
    assert page.told("table")[-1]["starred"] == []


def test_a_click_gives_the_line_that_loads_the_checkpoint(panel):
    run = panel.df["id"][0]
    say(panel, type="pick", run=run, x=3.0)
    say(panel, type="pick", run=run, x=12.2)
    none, found = panel._widget.told("picked")
    assert none["code"] == ""
    assert "no checkpoint" in none["text"]
    assert found["code"] == f"nbtrack.load_checkpoint({run!r}, step=10, name='mlp')"
    code = found["code"].replace(")", ", trust=True)")
    assert eval(code, {"nbtrack": nbtrack}) == {"w": [1]}


def test_new_runs_come_with_a_refresh_and_trashed_ones_go(panel):
    with nbtrack.start("new") as run:
        run.log(loss=math.nan)
    edits.trash(nbtrack.open(), "adam-1")
    panel.set(selected=())
    page = say(panel, type="refresh")
    assert page.told("table")[-1]["names"] == ["new", "sgd-2", "sgd-1", "adam-2"]


def test_a_panel_outside_of_a_notebook_is_a_table(panel):
    bundle = panel._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert "sgd-2" in bundle["text/plain"]


def test_the_magic_is_there_and_a_slip_is_one_line(shell, capsys):
    shell.run_line_magic("load_ext", "nbtrack")
    with nbtrack.start("only") as run:
        run.log(loss=1.0)
    assert shell.run_line_magic("compare", "").line == "%compare --select only"
    shell.run_cell("%compare --smoth 3")
    said = capsys.readouterr()
    assert "Did you mean --smooth" in said.err + said.out

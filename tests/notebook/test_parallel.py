"""A brushed axis filters the panel of a comparison, from Python and from the page."""

from __future__ import annotations

import sys

import pytest

import nbtrack
from nbtrack.errors import MissingExtraError
from nbtrack.notebook.panels.parallel import _widget_class

pytest.importorskip("plotly")


@pytest.fixture
def panel(store_path, monkeypatch):
    monkeypatch.setenv("NBTRACK_OFF", "all")
    for at, opt in enumerate(("adam", "adam", "sgd", "sgd")):
        with nbtrack.start(f"r{at}", params={"size": at, "opt": opt}):
            nbtrack.log(loss=at / 10)
    with nbtrack.start("bare", params={"size": 9}):
        pass
    return nbtrack.compare(sort="size")


def names(panel):
    return panel.df["name"].tolist()


def test_brushes_filter_the_table_and_without_them_it_is_as_it_was(panel):
    before, selected = panel.line, panel.selection
    figure = nbtrack.brush(panel)
    size, opt, _ = figure.data[0].dimensions
    size.constraintrange = [0.5, 3.5]
    assert names(panel) == ["r1", "r2", "r3"]
    assert panel.line.startswith("%compare r")
    opt.constraintrange = [0.75, 1.25]  # the tick of sgd, as the page snaps to it
    assert names(panel) == ["r2", "r3"]
    size.constraintrange = [[-0.5, 0.5], [2.5, 3.5]]  # two brushes on one axis
    assert names(panel) == ["r3"]
    size.constraintrange = [0.1, 0.2]  # nobody is in it
    assert names(panel) == []
    size.constraintrange = opt.constraintrange = None
    assert panel.selection == selected
    assert panel.line == before
    assert names(panel) == ["r0", "r1", "r2", "r3", "bare"]


def test_the_page_has_the_lines_from_the_moment_it_hears_of_the_figure(
    panel, monkeypatch
):
    told = []
    monkeypatch.setattr(
        "ipywidgets.Widget.open", lambda widget: told.append(widget.get_state())
    )
    figure = nbtrack.brush(panel)
    [state] = told
    [lines] = state["_widget_data"]
    assert list(lines["ids"]) == list(figure.data[0].ids)
    assert len(lines["dimensions"]) == 3
    assert "4 runs" in state["_widget_layout"]["title"]["text"]


def test_a_brush_of_the_page_arrives_as_it_sends_it(panel):
    figure = nbtrack.brush(panel)

    def say(told):
        style = {"dimensions[0].constraintrange": told}
        figure._js2py_restyle = {
            "style_data": style, "style_traces": [0], "source_view_id": "view",
        }  # fmt: skip

    say([[0.5, 1.5]])
    assert names(panel) == ["r1"]
    say([[[0.5, 1.5], [2.5, 3.5]]])
    assert names(panel) == ["r1", "r3"]
    say(None)
    assert len(names(panel)) == 5


def test_the_page_is_told_of_the_runs_that_are_left(panel):
    class Page:
        sent: list[dict] = []  # noqa: RUF012

        def send(self, head, buffers=None):
            self.sent.append(head)

    panel._widget = Page()
    figure = nbtrack.brush(panel)
    figure.data[0].dimensions[0].constraintrange = [0.5, 1.5]
    [table] = [head for head in Page.sent if head["type"] == "table"]
    assert table["names"] == ["r1"]


def test_only_runs_that_the_panel_has_are_brushed_and_a_slip_is_said(panel):
    panel.set(query="opt == 'sgd'")
    figure = nbtrack.brush(panel, metric="loss", columns=["size"])
    assert len(figure.data[0].ids) == 2
    panel.set(query="opt == 'adam'")
    figure.data[0].dimensions[0].constraintrange = [1.5, 2.5]
    assert "does not answer to the query" in figure.layout.title.text
    assert names(panel) == ["r0", "r1"]
    panel.set(query="")
    figure.data[0].dimensions[0].constraintrange = [1.5, 3.5]
    assert names(panel) == ["r2", "r3"]
    assert figure.layout.title.text == "best loss (min) · 2 runs"


@pytest.mark.parametrize("module", ["anywidget", "plotly.graph_objects"])
def test_without_its_extras_it_names_what_to_install(panel, monkeypatch, module):
    _widget_class.cache_clear()
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"nbtrack\[lab\]'"):
        nbtrack.brush(panel)


def test_a_notebook_that_is_opened_again_has_the_figure_beside_the_widget(panel):
    bundle = nbtrack.brush(panel)._repr_mimebundle_()
    figure = bundle["application/vnd.plotly.v1+json"]
    labels = [one["label"] for one in figure["data"][0]["dimensions"]]
    assert labels[:2] == ["size", "opt"]
    assert bundle["text/plain"] == "parallel coordinates of 4 runs"
    assert "application/vnd.jupyter.widget-view+json" in bundle

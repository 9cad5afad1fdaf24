"""Charts over runs: what they draw, what they leave out and say; text stays text."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

import nbtrack
from nbtrack.analysis.charts.axes import axis_of, labels_of
from nbtrack.analysis.comparing.columns import Column
from nbtrack.errors import (
    MetricNotFoundError,
    MissingExtraError,
    OptionError,
    QueryError,
    RunNotFoundError,
)

pytest.importorskip("plotly")
HOSTILE = "<b>x</b><a href='javascript:1'>$y$</a>%{x}\u202e"
LOSSES = (0.4, 0.2, 0.3)
NAN = math.nan


@pytest.fixture
def runs(store_path, monkeypatch):
    """Three runs that can be drawn, one without the metric, one with NaN."""
    monkeypatch.setenv("NBTRACK_OFF", "all")
    params = (
        {"lr": 1e-4, "opt": "adam", "drop": 0.5},
        {"lr": 1e-2, "opt": "sgd", "drop": 0.1},
        {"lr": 1.0, "opt": "adam"},
    )
    for at, loss in enumerate(LOSSES):
        group = "a" if at else None
        with nbtrack.start(f"run-{at}", params=params[at] | {"w": 3}, group=group):
            nbtrack.log(loss=loss, speed=at + 1.0)
            nbtrack.log(loss=loss + 1, speed=at + 2.0)
    with nbtrack.start("none", params={"lr": 1e-4}):
        pass
    with nbtrack.start("odd", params={"lr": 1e-4}):
        nbtrack.log(loss=NAN)
    return nbtrack.open()


def subtitle(figure):
    return figure.layout.title.text.partition("<br>")[2]


def test_parallel_coordinates_go_through_params_that_differ_to_the_best_value(runs):
    figure = nbtrack.plot_parallel(store=runs)
    [trace] = figure.data
    lr, opt, drop, loss = trace.dimensions
    assert (lr.label, opt.label, loss.label) == ("lr (log)", "opt", "best loss (min)")
    assert list(loss.values) == [0.4, 0.3, 0.2]  # the best one is drawn last, on top
    assert list(trace.line.color) == list(loss.values)
    assert list(lr.values) == pytest.approx([-4, 0, -2])
    assert [opt.ticktext[int(at)] for at in opt.values] == ["adam", "adam", "sgd"]
    assert [runs.run(run).name for run in trace.ids] == ["run-0", "run-2", "run-1"]
    missing = dict(zip(drop.tickvals, drop.ticktext, strict=True))[drop.values[1]]
    assert (missing, drop.values[1] < 0.1) == ("missing", True)
    assert "3 runs" in figure.layout.title.text
    for said in ("1 without loss", "1 with loss NaN", "missing: drop (1)"):
        assert said in subtitle(figure)


def test_columns_of_parallel_coordinates_are_chosen_or_must_differ(runs):
    figure = nbtrack.plot_parallel("opt == 'adam'", columns=["w", "metrics.speed"])
    names = [dimension.label for dimension in figure.data[0].dimensions]
    assert names == ["w", "speed", "best loss (min)"]
    assert len(figure.data[0].ids) == 2
    with pytest.raises(OptionError, match="are all the same"):
        nbtrack.plot_parallel("opt == 'sgd'")
    with pytest.raises(OptionError, match=r"columns=\[\] is empty"):
        nbtrack.plot_parallel(columns=[])
    with pytest.raises(OptionError, match=r"'optt'.* Did you mean opt"):
        nbtrack.plot_parallel(columns=["optt"])


def test_more_axes_than_can_be_read_are_counted(store_path, monkeypatch):
    monkeypatch.setenv("NBTRACK_OFF", "all")
    for value in (1, 2):
        with nbtrack.start("r", params={f"p{at:02}": value for at in range(20)}):
            nbtrack.log(loss=value)
    figure = nbtrack.plot_parallel()
    assert len(figure.data[0].dimensions) == 17
    assert "16 of 20 params" in subtitle(figure)


def test_a_scatter_has_a_dot_a_run_with_its_params_under_the_mouse(runs):
    figure = nbtrack.plot_scatter("lr", "loss")
    [dots] = figure.data
    found = dict(zip(dots.x, dots.y, strict=True))
    assert found == {1e-4: 0.4, 1e-2: 0.2, 1.0: 0.3}
    assert figure.layout.xaxis.type == "log"
    [hover] = [text for text in dots.hovertext if text.startswith("run-1")]
    assert "lr = 0.01<br>opt = sgd<br>drop = 0.1" in hover
    assert "w =" not in hover  # all have the same
    assert "1 without drop" in subtitle(nbtrack.plot_scatter("drop", "loss"))
    assert "1 with loss NaN" in subtitle(figure)
    assert nbtrack.plot_scatter("lr", "speed").layout.yaxis.title.text == "last speed"


def test_a_param_that_is_no_number_has_categories_and_may_give_colours(runs):
    figure = nbtrack.plot_scatter("opt", "loss", colour="lr")
    assert figure.layout.xaxis.type == "category"
    assert list(figure.layout.xaxis.categoryarray) == ["adam", "sgd"]
    assert sorted(figure.data[0].marker.color) == pytest.approx([-4, -2, 0])
    assert "0.01" in figure.data[0].marker.colorbar.ticktext
    by_opt = nbtrack.plot_scatter("lr", "loss", colour="opt")
    assert {trace.name: len(trace.x) for trace in by_opt.data} == {"adam": 2, "sgd": 1}
    by_drop = nbtrack.plot_scatter("lr", "loss", colour="drop")
    assert [len(trace.x) for trace in by_drop.data] == [2, 1]
    assert by_drop.data[1].name == "drop missing"


def test_boxes_stand_by_group_or_param_with_all_points(runs):
    boxes = nbtrack.plot_box("loss").data
    assert [box.name for box in boxes] == ["missing (n=1)", "a (n=2)"]
    assert sorted(boxes[1].y) == [0.2, 0.3]
    assert {box.boxpoints for box in boxes} == {"all"}
    by_lr = nbtrack.plot_box("loss", by="lr").data
    names = ["0.0001 (n=1)", "0.01 (n=1)", "1 (n=1)"]
    assert [box.name for box in by_lr] == names
    same = nbtrack.plot_box("loss", by="status").data  # a field that does not differ
    assert [box.name for box in same] == ["finished (n=3)"]


def test_a_trend_is_the_best_so_far_by_date_and_goal(runs):
    figure = nbtrack.plot_trend("loss")
    line, dots = figure.data
    assert (line.y, dots.y) == ((0.4, 0.2, 0.2), LOSSES)
    began = datetime.fromisoformat(runs.run("run-0").started_at)
    assert dots.x[0].astimezone(UTC) == began
    first, second, third = dots.marker.color
    assert first == second != third  # was never the best
    assert "opt = sgd" in dots.hovertext[1]
    assert "1 without loss" in subtitle(figure)
    with pytest.raises(OptionError, match="set_goal"):
        nbtrack.plot_trend("speed")


def test_a_trend_of_a_metric_to_be_made_large_goes_up(store_path, monkeypatch):
    monkeypatch.setenv("NBTRACK_OFF", "all")
    for acc in (0.5, 0.9, 0.7):
        with nbtrack.start("r"):
            nbtrack.log(acc=acc)
    assert nbtrack.plot_trend("acc").data[0].y == (0.5, 0.9, 0.9)


def test_slips_are_named_with_what_was_meant(runs):
    with pytest.raises(MetricNotFoundError, match=r"'los'\. Did you mean loss"):
        nbtrack.plot_trend("los")
    with pytest.raises(MetricNotFoundError, match="There are: loss, speed"):
        nbtrack.plot_box("zzz")
    with pytest.raises(OptionError, match=r"'l_r'.* Did you mean lr"):
        nbtrack.plot_scatter("l_r", "loss")
    with pytest.raises(RunNotFoundError, match="answers to 'lr > 5'"):
        nbtrack.plot_parallel("lr > 5")
    with pytest.raises(MetricNotFoundError, match="None of 1 run has a metric"):
        nbtrack.plot_parallel("name == 'none'")
    with pytest.raises(OptionError, match="NaN or infinite in each of 1 run"):
        nbtrack.plot_box("loss", query="name == 'odd'")
    with pytest.raises(QueryError):
        nbtrack.plot_trend("loss", "lr <")


def test_a_store_without_runs_says_so_and_so_does_a_missing_plotly(
    store_path, monkeypatch
):
    with pytest.raises(RunNotFoundError, match="in this store yet"):
        nbtrack.plot_parallel()
    monkeypatch.setitem(__import__("sys").modules, "plotly.graph_objects", None)
    for plot in (nbtrack.plot_box, nbtrack.plot_trend):
        with pytest.raises(MissingExtraError, match=r"nbtrack\[lab\]"):
            plot("loss")


def test_names_and_values_stay_text(store_path, monkeypatch):
    monkeypatch.setenv("NBTRACK_OFF", "all")
    metric = f"loss{HOSTILE}"
    for at in (1, 2):
        params = {HOSTILE: f"{HOSTILE}{at}", "n": at}
        with nbtrack.start(HOSTILE, params=params, group=f"{HOSTILE}{at}"):
            nbtrack.log({metric: at})
    found = nbtrack.runs().columns
    [param] = [c.partition(".")[2] for c in found if "params.'" in c]
    [metric] = [c.partition(".")[2] for c in found if c.startswith("best.loss")]
    figures = [
        nbtrack.plot_scatter(param, metric, colour=param),
        nbtrack.plot_scatter("n", metric, colour=metric),
        nbtrack.plot_box(metric),
        nbtrack.plot_box(metric, by=param),
        nbtrack.plot_trend(metric),
        nbtrack.plot_parallel(metric=metric, columns=["n"]),
    ]
    for figure in figures:
        text = figure.to_json().replace("\\u003c", "<")
        assert "<b>" not in text
        assert "<a" not in text
        assert "$y" not in text
        assert "\u202e" not in text
    # Ticks of parallel coordinates are shown as they are: entities would be seen.
    lines = nbtrack.plot_parallel(metric=metric, columns=[param]).data[0]
    assert all("<b>x</b>" in text for text in lines.dimensions[0].ticktext)
    assert "<b>" not in lines.dimensions[0].label


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (["b", None, "a"], ["missing", "a", "b"]),
        ([True, False, None], ["missing", "False", "True"]),
        ([1e-3, 1e-2, 1.0], ["0.001", "0.01", "1"]),  # few are written out
        ([2, 8, 4], ["2", "4", "8"]),
        ([1, 2, NAN, None], ["NaN", "missing", "1", "2"]),
        ([1, "1", 1.0], ["1", "1.0", "'1'"]),
        ([NAN, None], ["NaN", "missing"]),
        ([5, 10**400], ["1" + "0" * 38 + "…", "5"]),  # no double holds it
    ],
)
def test_an_axis_has_a_place_for_every_value(values, texts):
    axis = axis_of(Column("params.p", "param", values))
    told = [text for _, text in axis.ticks if text]
    assert told == texts
    assert len({*axis.places}) == len(values)
    assert {*axis.places} <= {place for place, _ in axis.ticks}


def test_many_numbers_have_round_ticks_and_every_value_one_to_snap_to():
    values = [10 ** (-5 + at / 10) for at in range(41)]
    axis = axis_of(Column("params.lr", "param", values))
    told = [text for _, text in axis.ticks if text]
    assert (axis.is_log, told) == (True, ["1e-05", "0.0001", "0.001", "0.01", "0.1"])
    assert set(axis.places) <= {place for place, _ in axis.ticks}
    linear = axis_of(Column("params.p", "param", [*range(30), None]))
    assert [text for _, text in linear.ticks if text][1:] == ["0", "10", "20"]
    assert axis_of(Column("params.p", "param", list(range(30)))).ticks == ()


def test_values_that_look_alike_have_labels_that_do_not():
    long = ["x" * 100 + end for end in "ab"]
    labels = labels_of([*long, None, "missing", 0.12345678, 0.12345679])
    assert len(set(labels)) == 6
    assert max(map(len, labels)) < 50

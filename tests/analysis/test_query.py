"""The query language of `%runs`."""

from __future__ import annotations

import pytest

from nbtrack.analysis.query import check_names, column, parse_query
from nbtrack.errors import QueryError
from nbtrack.store import Table
from nbtrack.store.table import MetricCell


def one_run(*, tags, params, metrics, **fields):
    """A table of one run, `r1`."""
    always = {"id": ["r1"], "experiment": ["digits"], "status": ["finished"]}
    unset = {key: [None] for key in ("group", "parent", "notes", "error", "reason")}
    given = {name: [value] for name, value in fields.items()}
    return Table(
        {**always, **unset, "started_at": ["2026-01-02T03:04:05Z"], **given},
        {"r1": tags},
        {name: {"r1": value} for name, value in params.items()},
        {name: {"r1": cell} for name, cell in metrics.items()},
    )


def metric(name, goal, *, last, low, high):
    best, step = {"min": (low, 1), "max": (high, 0)}.get(goal, (last, 2))
    return MetricCell(name, "r1", last, best, step, low, high, goal)


BASE = one_run(
    name="base",
    duration_s=12.0,
    tags={"base": None, "data": "mnist"},
    params={"opt": "adam", "lr": 0.1, "model.width": 64, "train/batch": 32},
    metrics={
        "loss": metric("loss", "min", last=0.4, low=0.2, high=0.9),
        "acc": metric("acc", "max", last=0.8, low=0.1, high=0.95),
        "lr": metric("lr", None, last=0.01, low=0.01, high=0.1),
    },
)
EMPTY = one_run(name="empty", duration_s=None, tags={}, params={}, metrics={})
KNOWN = {"loss", "acc", "lr", "opt", "model.width", "started_at", "name", "params"}


def answers(text, table=BASE):
    asked = parse_query(text)
    return asked.matches({name: column(table, name)[0] for name in asked.names})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "loss < .3",
        "best.loss == 0.2",
        "metrics.loss == 0.4",
        "last.loss == 0.4",
        "max.loss == .9 and min.loss == .2",
        "best_step.loss == 1",
        "acc > .9",
        "lr == .01",  # a metric comes before a param of that name
        "params.lr == 0.1",
        "model.width == 64 and params.model.width >= 64",
        'params["train/batch"] == 32',
        'params.opt == "adam"',
        '"base" in tags and "data" in tags',
        '"data: mnist" in tags',
        'tags["data"] == "mnist"',
        '"x" not in tags',
        'status == "finished"',
        'status in ("finished", "stopped")',
        'name == "base" and experiment == "digits"',
        'id.startswith is None or id == "r1"',
        'started_at >= "2026-01"',
        "duration_s < 60",
        "0 < loss < .3 < acc",
        "not loss > .3",
        "acc - loss > .7 and loss * 2 < 1 and -loss < 0",
        'loss < .3 and (params.opt == "sgd" or "base" in tags)',
        "nothing is None and opt is not None",
        '"bas" in name',
    ],
)
def test_a_run_answers(text):
    assert answers(text)


@pytest.mark.parametrize(
    "text",
    [
        "loss > .3",
        "nothing < 1",
        "nothing > 1",
        "nothing == 1",
        "nothing != 1",
        "not nothing < 1",
        "nothing < 1 and loss < 1",
        "opt < 3",
        "loss < 'x'",
        "loss / 0 > 1",
        "loss in 3",
        "opt * 999999999999 == 'x'",
        "group == 'a'",
        "tags['nope'] == 'x'",
        "False",
    ],
)
def test_missing_values_and_odd_types_leave_a_run_out(text):
    assert not answers(text)


def test_one_true_side_is_enough_even_if_the_other_is_missing():
    assert answers("nothing < 1 or loss < 1")


@pytest.mark.parametrize("text", ["loss < 1", "not loss < 1", "duration_s > 0"])
def test_a_run_without_anything_never_answers(text):
    assert not answers(text, EMPTY)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("loss <", "cannot be read: something is missing at its end. Write it like"),
        ("loss < 3 acc > 1", 'Write it like loss < 0.3 and "base" in tags.'),
        ("loss = .3", "Write == to compare"),
        ("__import__('os').system('x')", "calls are not part of a query"),
        ("(lambda: 1)()", "calls"),
        ("[x for x in tags]", "ListComp is not part"),
        ("loss < .3 & acc > .9", "write and"),
        ("loss | acc", "write or"),
        ("loss ** 9999999", "operator"),
        ("'a' % loss", "operator"),
        ("~loss", "operator"),
        ("metrics < 3", "metrics wants a name after it"),
        ("loss[0] < 1", 'write params["name"]'),
        ("(1).real", "only names stand before a dot"),
        ("b'x' == name", "b'x'"),
        ("f'{loss}'", "JoinedStr"),
        ("x := 3", "cannot be read"),
        ("(" * 500 + "1" + ")" * 500, "cannot be read"),
        ("a" * 3000, "longer than"),
        ("loss < 1; acc", "cannot be read"),
        ("x\x1b[31m <", "\\x1b"),
    ],
)
def test_what_is_no_query_is_refused_with_the_reason(text, says):
    with pytest.raises(QueryError) as caught:
        parse_query(text)
    assert says in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_an_error_names_the_place():
    with pytest.raises(QueryError, match="at character 12, 'len\\(tags\\)'"):
        parse_query("loss < 1 + len(tags)")


def test_a_name_that_is_nearly_right_is_a_slip():
    with pytest.raises(QueryError, match=r"character 5: no 'lss'\. Did you mean loss"):
        check_names(parse_query("1 > lss"), KNOWN)
    with pytest.raises(QueryError, match="Did you mean started_at"):
        check_names(parse_query("startedat > 1"), KNOWN)


def test_a_name_nothing_is_like_is_just_missing():
    check_names(parse_query("zzzqqq < 1 and params.opt == 'x'"), KNOWN)

"""What most likely made two runs differ: the order of the causes, their evidence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nbtrack.analysis.diff.cause import Cause
from nbtrack.analysis.diff.causes import causes_of, verdict
from nbtrack.analysis.diff.run_diff import diff_sides
from nbtrack.analysis.diff.side import Side
from nbtrack.records import (
    CellRecord,
    Fact,
    FlowRecord,
    InputRecord,
    MetricSummary,
    Param,
    RunRecord,
    TextRecord,
)

FIT = "loss = fit(lr, data)"


def side(
    *,
    loss=1.0,
    params=(),
    facts=None,
    inputs=(),
    cells=(FIT,),
    packages="",
    module="m",
    **fields,
):
    """A run with one metric; `cells` are those that it depends on, its own the last."""
    summary = MetricSummary("loss", "min", 1, loss, 0, loss, 0, loss, 0)
    found = {param.name: param for param in params}
    record = RunRecord(
        "x", "x", "e", "finished", "", None, 1, params=found, metrics={"loss": summary}
    )
    executed = [
        cell if isinstance(cell, CellRecord) else of_cell(n, cell)
        for n, cell in enumerate(cells)
    ]
    texts = [TextRecord("packages", "r.txt", packages, packages)] if packages else []
    told = {"python.version": "3.11.7", "rng.unseeded": [], **(facts or {})}
    return Side(
        replace(record, id=str(loss), **fields),
        {name: Fact(name, value) for name, value in told.items()},
        [*texts, TextRecord("module", "part.py", module, module)],
        inputs,
        executed,
        frozenset(range(len(executed))) if executed else None,
    )


def of_cell(n, source, **fields):
    return CellRecord(n, f"c{n}", n + 1, source, f"sha {source}", "2026", **fields)


def causes(a, b):
    return causes_of(diff_sides(a, b))


def kinds(a, b):
    return [cause.kind for cause in causes(a, b)]


def test_causes_come_in_the_order_of_their_likelihood():
    a = side(
        params=[Param("lr", 0.1, "literal"), Param("seed", 1, "option")],
        inputs=[InputRecord("data", "list", "1", n_rows=2)],
        facts={"python.loaded": ["numpy==1"], "cpu.model": "x", "numerics.dtype": 32},
        packages="numpy==1\nother==1",
        cells=("import numpy", FIT),
    )
    b = side(
        loss=2.0,
        status="failed",
        error="Traceback\nValueError: no",
        params=[Param("lr", 0.2, "literal"), Param("seed", 2, "option")],
        inputs=[InputRecord("data", "list", "2", n_rows=3)],
        facts={"python.loaded": ["numpy==1"], "cpu.model": "y", "numerics.dtype": 64},
        packages="numpy==2\nother==2",
        cells=("import numpy as np", FIT),
    )
    found = causes(a, b)
    assert [cause.kind for cause in found] == [
        "end", "data", "params", "code", "seed", "packages", "environment", "packages",
        "hardware",
    ]  # fmt: skip
    assert [cause.rank for cause in found] == sorted(cause.rank for cause in found)
    assert [cause.strength for cause in found] == [
        *["likely"] * 5, *["possible"] * 3, "unlikely"
    ]  # fmt: skip
    assert found[0].sentence == "A finished, B failed"
    assert found[0].evidence == ("B: ValueError: no",)
    assert found[1].sentence == "list data: +1 row"
    assert found[2].evidence == ("read by [2]", "literal")
    assert "package numpy: 1 in A, 2 in B" in [cause.sentence for cause in found]


def test_the_param_that_nothing_reads_is_unlikely():
    def run(loss, **values):
        return side(
            loss=loss, params=[Param(n, v, "option") for n, v in values.items()]
        )

    found = causes(run(1.0, lr=1, note="a"), run(2.0, lr=2, note="b"))
    assert [(c.sentence.split(":")[0], c.strength) for c in found] == [
        ("param lr", "likely"), ("param note", "unlikely")
    ]  # fmt: skip
    assert "no cell that the result depends on reads" in found[1].evidence[0]
    # Where the text is handed a name as text, it may be read all the same.
    text = side(params=[Param("note", "a", "option")], cells=("loss = f(p['note'])",))
    other = replace(text, record=replace(text.record, params={}))
    assert causes(text, other)[0].strength == "likely"


def test_a_param_of_which_no_reader_can_be_known_is_not_called_unread():
    a = side(params=[Param("lr", 1, "call")])
    b = side(params=[Param("lr", 2, "call")], loss=2.0)
    assert causes(a, b)[0].strength == "likely"
    assert causes(a, b)[0].evidence == ("call",)
    a = side(params=[Param("lr", 1, "option")], cells=())
    b = side(params=[Param("lr", 2, "option")], cells=(), loss=2.0)
    assert causes(a, b)[0].strength == "likely"


def test_the_same_number_of_another_type_is_unlikely_and_another_origin_no_cause():
    a = side(params=[Param("lr", 1, "literal"), Param("n", 1, "literal")])
    b = side(params=[Param("lr", 1.0, "literal"), Param("n", 1, "option")], loss=2.0)
    found = causes(a, b)
    assert [cause.kind for cause in found] == ["params", "unknown"]
    assert "the same number of another type, 1 in A, 1.0 in B" in found[0].sentence


def test_details_of_an_object_of_another_kind_are_told_with_it():
    def run(loss, **values):
        told = [
            Param(name.replace("_", "."), v, "object") for name, v in values.items()
        ]
        return side(loss=loss, params=told)

    a = run(1.0, opt="SGD", opt_lr=0.1, opt_momentum=0.9)
    b = run(2.0, opt="Adam", opt_lr=0.2, opt_betas=[0.9, 0.999])
    first, second = causes(a, b)
    assert first.sentence == "param opt: 'SGD' in A, 'Adam' in B"
    assert first.evidence[-1] == "2 of its settings are those of one kind"
    assert second.sentence == "param opt.lr: 0.1 in A, 0.2 in B"
    # Of objects of one kind a setting more is a cause.
    assert len(causes(run(1.0, opt="SGD"), run(2.0, opt="SGD", opt_lr=1))) == 1


def test_a_code_change_that_only_writes_a_told_value_is_told_once():
    a = side(
        params=[Param("lr", 0.1, "inherited", "[1]")],
        inputs=[InputRecord("data", "list", "1")],
        cells=("lr = 0.1\ndata = [1]\nother = 1", FIT),
    )
    b = side(
        loss=2.0,
        params=[Param("lr", 0.2, "inherited", "[1]")],
        inputs=[InputRecord("data", "list", "2")],
        cells=("lr = 0.2  # more\ndata = [2]\nother = 2", FIT),
    )
    assert kinds(a, b) == ["data", "params"]
    cells = ("lr = 0.1\ndata = [1]\nother = 3", FIT + " + other")
    params = a.record.params.values()
    read = side(loss=3.0, params=params, inputs=a.inputs, cells=cells)
    assert kinds(a, read) == ["code", "code"]


def test_a_metric_written_as_a_plain_value_is_code_that_changed():
    assert kinds(side(cells=("loss = 1",)), side(cells=("loss = 2",), loss=2.0)) == [
        "code"
    ]


def test_code_that_only_looks_different_is_no_cause():
    a = side(cells=("x = 1", f"%%track a\n{FIT}"))
    b = side(cells=("x  =  1  # one", f"%%track b\n{FIT}"), loss=2.0)
    assert kinds(a, b) == ["unknown"]


def test_how_far_a_loop_came_is_a_result():
    loop = "for epoch in range(9):\n    loss = fit(lr)"
    a = side(cells=(loop,))
    done = [Param("epoch.done", 3, "literal")]
    assert kinds(a, side(cells=(loop,), params=done, loss=2.0)) == ["unknown"]
    other = [Param("cfg.done", 3, "literal")]
    b = side(cells=(f"cfg = {{'done': 3}}\n{loop}",), params=other, loss=2.0)
    assert "params" in kinds(a, b)


@pytest.mark.parametrize(
    ("a", "b", "says"),
    [
        ({"seed.numpy": 1, "rng.numpy.digest": "s"},
         {"seed.numpy": 2, "rng.numpy.digest": "t"},
         "generator numpy: seed 1 in A, 2 in B"),
        ({"rng.numpy.digest": "s"}, {"rng.numpy.digest": "t"},
         "generator numpy: another state as the run began"),
        ({"rng.unseeded": ["numpy"]}, {"rng.unseeded": ["numpy"]},
         "generator numpy: its numbers may differ"),
        ({"rng.numpy.digest": "s", "rng.unseeded": ["numpy"]},
         {"rng.numpy.digest": "s"}, None),
        ({"seed.numpy": 1}, {"seed.numpy": 1}, None),
    ],
)  # fmt: skip
def test_generators_count_where_their_numbers_may_differ(a, b, says):
    drawn = {"rng.drawn_from": ["numpy"], "rng.torch.digest": "u"}
    other = {"rng.drawn_from": ["numpy"], "rng.torch.digest": "v"}  # not drawn from
    found = causes(side(facts=a | drawn), side(facts=b | other, loss=2.0))
    seeds = [cause.sentence for cause in found if cause.kind == "seed"]
    assert seeds == ([says] if says else [])
    if "its numbers" in (says or ""):
        assert found[0].evidence == ("nobody seeded it in A and B",)


def test_a_generator_that_the_cell_itself_seeds_begins_nowhere_else():
    flow = FlowRecord(kills=("@rng:numpy",))
    cells = (of_cell(0, FIT, flow=flow),)
    facts = {"rng.drawn_from": ["numpy"]}
    a = side(facts={**facts, "rng.numpy.digest": "s"}, cells=cells)
    b = side(facts={**facts, "rng.numpy.digest": "t"}, cells=cells, loss=2.0)
    assert kinds(a, b) == ["unknown"]


def test_a_seed_among_the_params_is_a_seed():
    for name in ("seed", "cfg.random_state", "data_seed", "split.seed"):
        a = side(params=[Param(name, 1, "option")])
        b = side(params=[Param(name, 2, "option")], loss=2.0)
        assert kinds(a, b) == ["seed"], name
    a, b = (
        side(params=[Param("seeds_per_m2", n, "option")], loss=n) for n in (1.0, 2.0)
    )
    assert kinds(a, b) == ["params", "unknown"]


def test_threads_are_hardware_and_precision_is_a_setting():
    a = side(facts={"numerics.torch.threads": 1, "numerics.torch.dtype": "float32"})
    b = side(
        facts={"numerics.torch.threads": 8, "numerics.torch.dtype": "float64"}, loss=2.0
    )
    assert kinds(a, b) == ["environment", "hardware", "unknown"]
    older = side(facts={"python.version": "3.12.1"}, loss=2.0)
    assert (
        causes(side(), older)[0].sentence
        == "python.version: '3.11.7' in A, '3.12.1' in B"
    )


def test_where_nothing_differs_that_is_said_with_what_was_not_seen():
    a, b = side(facts={"numerics.torch.deterministic": False}), side(loss=2.0)
    [cause] = causes(a, b)
    assert cause.kind == "unknown"
    assert cause.sentence == (
        "Nothing that was recorded differs: noise, or something not recorded"
    )
    assert "A and B: the packages were not recorded" in cause.evidence
    assert "PyTorch was not asked for deterministic algorithms" in cause.evidence
    text = repr(diff_sides(a, b))
    assert "1 of 1 metric differs." in text.replace("metrics", "metric")
    assert "noise, or something not recorded" in text


def test_equal_metrics_need_no_cause():
    a, b = side(), side()
    assert (causes(a, b), diff_sides(a, b).is_same) == ((), True)
    b = replace(b, record=replace(b.record, id="other"))
    assert verdict(diff_sides(a, b)) == (
        "The metric is the same, and nothing else that was recorded differs."
    )
    b = replace(b, record=replace(b.record, params={"lr": Param("lr", 1, "literal")}))
    assert "had no effect that can be seen" in verdict(diff_sides(a, b))
    assert kinds(a, b) == ["params"]
    layout = replace(a, record=b.record, cells=[of_cell(0, f"{FIT}  # x")])
    layout = replace(layout, record=replace(b.record, params={}))
    assert "nothing differs that could matter" in verdict(diff_sides(a, layout))
    bare = Side(replace(a.record, metrics={}, id="3"))
    assert verdict(diff_sides(bare, Side(replace(bare.record, id="4")))) == (
        "Neither run has a metric, and nothing else differs."
    )


def test_a_run_that_goes_on_or_was_stopped_is_told_first():
    running = side(loss=2.0, status="running")
    assert causes(side(), running)[0] == Cause("end", "B still goes on", (), 0)
    stopped = side(status="stopped", reason="Stop pressed", loss=2.0, module="n")
    found = causes(stopped, side())
    assert found[0].evidence == ("A: Stop pressed",)
    assert found[1].sentence == "local module part.py changed"

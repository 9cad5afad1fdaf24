"""Two runs have the same result only when every double of it is the same."""

from __future__ import annotations

import math
import sys
import threading

import pytest

import nbtrack
from nbtrack.slices.compare import compare_runs, is_timing, why_not_comparable
from nbtrack.slices.segments import segments_of
from nbtrack.slices.value_digest import NotComparable, value_digest


@pytest.fixture
def recorded(store_path, plain_surroundings):
    """Records a run of these series, and gives it with its store."""

    def record(params=None, **series):
        with nbtrack.start("base", params=params or {}) as run:
            for name, values in series.items():
                for step, value in enumerate(values):
                    run.log({name: value}, step=step)
        store = nbtrack.open()
        return store, store.run(run.id)

    return record


def reason(one, other):
    return compare_runs(one, other).reason


def test_equal_doubles_are_the_same_and_the_next_one_is_not(recorded):
    values = [0.1, math.nan, math.inf, -0.0]
    one = recorded(loss=values)
    assert reason(one, recorded(loss=values)) == ""
    assert reason(one, recorded(loss=[0.1, math.nan, math.inf, 0.0])) == ""
    near = math.nextafter(0.1, 1)
    assert reason(one, recorded(loss=[near, *values[1:]])) == (
        f"loss at step 0 is 0.1, in the replay {near!r}"
    )
    differs = reason(one, recorded(loss=[0.1, 0.2, math.inf, 0.0]))
    assert differs == "loss at step 1 is nan, in the replay 0.2"


def test_series_that_are_missing_added_or_longer_are_named(recorded):
    one = recorded(loss=[1, 2], acc=[1])
    assert reason(one, recorded(loss=[1, 2])) == "the replay has no metric acc"
    more = reason(one, recorded(loss=[1, 2], acc=[1], f1=[1]))
    assert more == "the replay has a metric f1 that the run has not"
    longer = reason(one, recorded(loss=[1, 2, 3], acc=[1]))
    assert longer == "loss: 2 points, in the replay 3"


def test_an_axis_of_other_values_is_a_difference(store_path, plain_surroundings):
    def record(shift):
        with nbtrack.start("base") as run:
            for step in range(3):
                run.set_axis("epoch", step + shift)
                run.log(loss=1.0, step=step)
        return nbtrack.open(), nbtrack.open().run(run.id)

    with_axes = record(0)
    assert with_axes[0].curve(with_axes[1].id, "loss").axes
    assert reason(with_axes, record(0)) == ""
    differs = reason(with_axes, record(1))
    assert differs == "loss, axis epoch at step 0 is 0.0, in the replay 1.0"


def test_params_count_and_paths_in_the_folder_of_the_proof_do_not(recorded):
    one = recorded({"lr": 0.1, "data": "/home/u/in.csv"}, loss=[1])
    moved = {"/tmp/proof/tree": ""}
    there = {"lr": 0.1, "data": "/tmp/proof/tree/home/u/in.csv"}
    assert compare_runs(one, recorded(there, loss=[1]), moved=moved).reason == ""
    assert "param data" in reason(one, recorded(there, loss=[1]))
    other = {"lr": 0.2, "data": "/home/u/in.csv"}
    found = reason(one, recorded(other, loss=[1]))
    assert found == "param lr is 0.1, in the replay 0.2"
    whole = recorded({"n": 1}, loss=[1])
    assert "param n is 1, in the replay 1.0" in reason(
        whole, recorded({"n": 1.0}, loss=[1])
    )
    assert reason(one, recorded({}, loss=[1])) == "the replay has no param lr"


def test_what_a_clock_says_may_differ_and_is_named(recorded):
    one = recorded(loss=[1.0], epoch_time=[3.2], samples_per_s=[100.0])
    again = recorded(loss=[1.0], epoch_time=[3.1], samples_per_s=[90.0])
    comparison = compare_runs(one, again)
    assert comparison.reason == ""
    remark = "not compared, as a clock's: epoch_time, samples_per_s"
    assert comparison.remarks == (remark,)
    only = recorded(epoch_time=[3.2])
    assert why_not_comparable(only[1]) == "no metric to compare"
    assert compare_runs(only, recorded(epoch_time=[3.2])).reason
    assert not any(
        map(is_timing, ("time_loss", "timestep_error", "steps", "times_acc"))
    )


def test_a_run_that_did_not_finish_is_not_compared(store_path, plain_surroundings):
    run = nbtrack.start("base")
    for step in range(13):
        run.log(loss=1.0, step=step)
    run.finish("stopped")
    stopped = nbtrack.open().run(run.id)
    assert why_not_comparable(stopped) == "it was stopped by hand at step 12"
    run = nbtrack.start("base")
    run.log(loss=1.0)
    run.finish("failed", error="Traceback\n  ...\nZeroDivisionError: division by zero")
    failed = nbtrack.open().run(run.id)
    assert why_not_comparable(failed).startswith("it failed at step 0: ZeroDivision")
    with nbtrack.start("base") as run:
        pass
    empty = nbtrack.open().run(run.id)
    assert why_not_comparable(empty) == "no metric to compare"


def test_a_script_is_taken_apart_at_its_marks():
    script = (
        '"""Made."""\nimport a\n# %% [cell 2 · exec 7]\nx = 1\n# beside\ny()\n'
        "# %% [cell 3 · exec 8 · tracked]\n# %%track base -p lr=.1\nfit(x)\n"
    )
    parts = segments_of(script, {3: 2, 7: 3})
    assert [(p.source, p.execution, p.tracked) for p in parts] == [
        ('"""Made."""\nimport a', None, False),
        ("x = 1\n", 7, False),
        ("# beside\ny()", None, False),
        ("%%track base -p lr=.1 --no-live\nfit(x)\n", 8, True),
    ]
    with pytest.raises(ValueError, match="went on with another run"):
        segments_of("# %% [cell 1 · tracked]\n# %%track a --resume last\nfit()")


def test_values_have_a_digest_of_all_that_they_hold():
    import dataclasses
    from collections import namedtuple

    import numpy as np
    import pandas as pd

    @dataclasses.dataclass
    class Config:
        lr: float
        sizes: list

    Point = namedtuple("Point", "x y")
    values = [
        lambda n: {"a": [n, 2.0, "x"], "b": {n, 5}},
        lambda n: Config(0.1, [n]),
        lambda n: Point(n, 2),
        lambda n: np.arange(n + 3),
        lambda n: pd.DataFrame({"a": [n, 2]}),
        lambda n: {"deep": [np.float64(n), np.ones(n)]},
        lambda n: (range(n), slice(n), n + 1j),
        lambda n: np.random.RandomState(n),
    ]
    for make in values:
        assert value_digest(make(1)) == value_digest(make(1)), make(1)
        assert value_digest(make(1)) != value_digest(make(2)), make(1)
    assert value_digest(1) != value_digest(1.0) != value_digest(True)
    assert value_digest([1]) != value_digest((1,))
    assert value_digest(0.0) == value_digest(-0.0)
    circle = [1]
    circle.append(circle)
    assert value_digest(circle) == value_digest(circle)


def test_values_that_cannot_be_compared_say_why():
    space = {"__name__": "__main__"}
    exec("def f(): ...\nclass Own: ...", space)
    refused = {
        "a function of the notebook": space["f"],
        "a class of the notebook": [space["Own"]],
        "generator": {"a": (i for i in ())},
        "lock": threading.Lock(),
        "TextIOWrapper": sys.__stdout__,
        "nested more than": deep(100),
    }
    for why, value in refused.items():
        with pytest.raises(NotComparable, match=why):
            value_digest(value)


def deep(n):
    return [deep(n - 1)] if n else []


def test_an_edited_class_of_the_notebook_is_another():
    def made(body):
        space = {"__name__": "__main__"}
        exec(f"class Model:\n    def predict(self):\n        return {body}", space)
        return space["Model"]()

    assert value_digest(made("1")) == value_digest(made("1"))
    assert value_digest(made("1")) != value_digest(made("2"))
    model = made("1")
    model.coef = [1.0]
    assert value_digest(model) != value_digest(made("1"))


def test_names_that_tempfile_made_up_are_the_same():
    from nbtrack.slices.compare import _same_json

    old = "/tmp/tmpk59bvqya/x.txt"
    assert _same_json(old, "/tmp/nbtrack-proof-1-a/tmp/tmp52pqlxa1/x.txt")
    assert not _same_json(old, "/tmp/nbtrack-proof-1-a/tmp/tmp52pqlxa1/y.txt")
    assert not _same_json("/data/tmp/x.txt", "/other/tmp/x.txt")

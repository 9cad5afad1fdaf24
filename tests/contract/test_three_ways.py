"""A context manager, a decorator and a cell magic give the same run."""

from __future__ import annotations

import pytest

import nbtrack

pytestmark = pytest.mark.usefixtures("plain_surroundings")

BODY = "for epoch in range(3):\n    loss = rate / (epoch + 1)\n"


def what_is_kept(run):
    """What the three have in common: names, values, status, one row."""
    loss = run.metrics["loss"]
    curve = nbtrack.open().curve(run.id, "loss")
    return (
        run.status,
        run.experiment,
        run.params["rate"].value,
        (loss.goal, loss.n, loss.best, loss.best_step, loss.last),
        list(curve.steps),
        list(curve.values),
        dict(run.tags),
    )


def test_start_track_and_the_magic_keep_the_same_run(shell):
    with nbtrack.start("by start", experiment="one", params={"rate": 0.5}):
        for epoch in range(3):
            nbtrack.log(loss=0.5 / (epoch + 1))

    @nbtrack.track(name="by decorator", experiment="one")
    def train(rate):
        for epoch in range(3):
            nbtrack.log(loss=rate / (epoch + 1))

    train(0.5)
    shell.run_line_magic("load_ext", "nbtrack")
    shell.run_cell("rate = 0.5")
    shell.run_cell(f"%%track 'by magic' --experiment one --no-live\n{BODY}")

    runs = nbtrack.open().runs()
    assert [run.name for run in runs] == ["by magic", "by decorator", "by start"]
    first, *others = map(what_is_kept, runs)
    assert others == [first, first]


def test_a_curve_has_every_axis_one_can_draw_it_against(store_path):
    with nbtrack.start("base") as run:
        for epoch in nbtrack.epochs(2):
            for batch in range(2):
                run.log(loss=1.0 / (1 + epoch + batch), seen=10.0 * (epoch + batch))
    curve = nbtrack.curve("base", "loss")
    assert list(curve["epoch"]) == [0, 0, 1, 1]
    assert {"step", "value", "at", "epoch"} <= set(curve.columns)
    relative = curve["at"] - curve["at"].iloc[0]
    assert relative.is_monotonic_increasing
    by_seen = nbtrack.curve("base", "seen")["value"]
    assert list(by_seen) == [0.0, 10.0, 10.0, 20.0]


def test_params_can_be_said_again_with_another_value_and_type(store_path):
    nested = {"opt": {"lr": 1e-3, "b": [0.9, 0.99], "on": True, "none": None}}
    with nbtrack.start("base", params=nested) as run:
        run.log_params(opt={"lr": "warm-up"})
    params = {name: param.value for name, param in run.record().params.items()}
    assert params["opt.lr"] == "warm-up"
    assert (params["opt.b"], params["opt.on"], params["opt.none"]) == (
        [0.9, 0.99], True, None
    )  # fmt: skip

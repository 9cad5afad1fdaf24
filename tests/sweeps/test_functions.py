"""`nbtrack.sweep` of a function: search, seeds, pruning, going on, what is refused."""

from __future__ import annotations

import random
import sqlite3
import warnings

import pytest

import nbtrack
from nbtrack.errors import OptionError, SweepError
from nbtrack.sweeps.studies import FILE_NAME

optuna = pytest.importorskip("optuna")
pytestmark = pytest.mark.usefixtures("plain_surroundings", "studies")

BOWL = {"x": "uniform(-1, 1)", "y": "uniform(-1, 1)"}


def bowl(x, y):
    return x**2 + y**2


def values_of(sweep):
    return [tuple(row.labels.values()) for row in sweep.rows]


@pytest.mark.parametrize(
    ("sampler", "n", "least"),
    [("random", 25, 0.1), ("halving", 25, 0.1), ("tpe", 20, 0.1), ("gp", 12, 0.01)],
)
def test_each_sampler_finds_the_bottom_of_a_bowl(sampler, n, least):
    found = nbtrack.sweep(bowl, BOWL, metric="z:min", n=n, sampler=sampler)
    assert found.state == "finished"
    assert found.n_done == n
    assert found.best.value < least


def test_the_grid_finds_it_in_as_many_trials_as_it_has():
    grid = {"x": "step(-1, 1, .5)", "y": "uniform(-1, 1, n=5)"}
    found = nbtrack.sweep(bowl, grid, metric="z:min", sampler="grid")
    assert (found.n_done, found.best.value) == (25, 0.0)
    assert len(set(values_of(found))) == 25


def test_every_trial_is_a_run_with_its_values_and_its_place():
    found = nbtrack.sweep(bowl, {"x": [1, 2], "y": [0.5]}, metric="z:min", n=2,
                          sampler="grid", name="bowl")  # fmt: skip
    frame = nbtrack.runs("tags.sweep == 'bowl'").sort_values("id")
    assert list(frame["name"]) == ["bowl #0", "bowl #1"]
    assert list(frame["params.x"]) == [1, 2]
    assert list(frame["best.z"]) == [1.25, 4.25]
    assert [row.run for row in found.rows] == list(frame["id"])
    assert found.df["id"].tolist() == nbtrack.runs()["id"].tolist()


def test_a_seeded_sweep_repeats_and_another_seed_does_not():
    sweeps = [
        nbtrack.sweep(bowl, BOWL, metric="z:min", n=5, seed=seed) for seed in (7, 7, 8)
    ]
    first, again, other = map(values_of, sweeps)
    assert first == again
    assert first != other


def test_every_trial_begins_from_the_same_random_state():
    def draw(x):
        return random.random()

    found = nbtrack.sweep(draw, {"x": [1, 2, 3]}, metric="z:min", sampler="grid")
    assert len({row.value for row in found.rows}) == 1


def test_a_mapping_that_is_returned_holds_several_metrics():
    found = nbtrack.sweep(
        lambda x: {"loss": x, "acc": 1 - x}, {"x": [0.25, 0.75]}, metric="acc",
        sampler="grid",
    )  # fmt: skip
    assert found.best.labels == {"x": 0.25}
    assert nbtrack.runs()["best.loss"].tolist() == [0.75, 0.25]


def test_the_last_value_counts_where_it_is_asked_for():
    def train(lr):
        for value in (lr, 5.0 - lr):
            nbtrack.log(loss=value)

    space = {"lr": [1, 2]}
    best = nbtrack.sweep(train, space, metric="loss:min", sampler="grid")
    last = nbtrack.sweep(train, space, metric="loss:min:last", sampler="grid")
    assert (best.best.labels, last.best.labels) == ({"lr": 1}, {"lr": 2})


def test_values_that_are_objects_are_passed_and_kept_as_text():
    found = nbtrack.sweep(
        lambda f: f([3, 1]), {"f": [min, max]}, metric="z:max", sampler="grid"
    )
    assert found.best.labels == {"f": "max"}
    assert sorted(nbtrack.runs()["params.f"]) == ["max", "min"]


def test_a_condition_leaves_a_value_out():
    def train(opt, momentum=0.0):
        return momentum

    found = nbtrack.sweep(
        train,
        {"opt": ["adam", "sgd"], "momentum": "[.5, .9] if opt == 'sgd'"},
        metric="z:min",
        sampler="grid",
    )
    assert values_of(found) == [("adam",), ("sgd", 0.5), ("sgd", 0.9)]


@pytest.mark.parametrize("pruner", ["median", "asha", "hyperband"])
def test_bad_trials_are_pruned_at_a_logged_step(pruner):
    def train(quality):
        for step in range(9):
            nbtrack.log({"loss": quality + 1 / (step + 1)}, step=step)

    qualities = [0.0, 0.1, 0.2, 0.1, 0.0, 5.0, 6.0, 7.0, 8.0]
    found = nbtrack.sweep(
        train, {"quality": qualities}, metric="loss:min", sampler="grid", prune=pruner
    )
    pruned = [row for row in found.rows if row.status == "pruned"]
    assert pruned
    assert found.best.labels["quality"] == 0.0
    record = nbtrack.open().run(pruned[-1].run)
    assert record.status == "pruned"
    assert record.reason.startswith("pruned: loss ")
    assert record.metrics["loss"].n < 9
    assert f"at step {record.metrics['loss'].last_step}" in record.reason


def test_a_trial_that_fails_is_one_failed_trial():
    def train(x):
        if x == 2:
            raise ValueError("no luck with 2")
        return x

    found = nbtrack.sweep(train, {"x": [1, 2, 3]}, metric="z:min", sampler="grid")
    assert [row.status for row in found.rows] == ["finished", "failed", "finished"]
    assert found.rows[1].error == "ValueError: no luck with 2"
    assert "no luck" in nbtrack.open().run(found.rows[1].run).error


def test_a_value_that_is_no_number_is_no_best_one():
    found = nbtrack.sweep(
        lambda x: float("nan") if x == 1 else x, {"x": [1, 2]}, metric="z:min",
        sampler="grid",
    )  # fmt: skip
    assert found.best.labels == {"x": 2}
    assert found.n_done == 2


def test_three_trials_that_fail_alike_at_the_start_end_the_sweep():
    def broken(x):
        raise KeyError("label")

    with pytest.raises(SweepError, match="first 3 trials failed in the same way"):
        nbtrack.sweep(broken, {"x": "int(1, 9)"}, metric="z:min")
    assert len(nbtrack.runs()) == 3


def test_a_metric_that_is_never_logged_ends_it_after_the_first_trial():
    with pytest.raises(SweepError, match=r"never logged 'los'.* Did you mean loss\?"):
        nbtrack.sweep(lambda x: {"loss": x}, {"x": [1, 2]}, metric="los:min")
    assert len(nbtrack.runs()) == 1


def test_what_a_function_leaves_behind_is_named():
    seen = []

    def train(x):
        seen.append(x)
        return len(seen)

    with pytest.raises(SweepError, match=r"Trial 0 left what train\(\) holds changed"):
        nbtrack.sweep(train, {"x": [1, 2]}, metric="z:min", sampler="grid")


def test_it_goes_on_where_it_was_left_with_the_values_of_one_go():
    whole = nbtrack.sweep(bowl, BOWL, metric="z:min", n=9, seed=3, name="whole")
    nbtrack.sweep(bowl, BOWL, metric="z:min", n=4, seed=3, name="part")
    rest = nbtrack.sweep(bowl, BOWL, metric="z:min", n=9, seed=3, resume="part")
    assert values_of(rest) == values_of(whole)
    assert nbtrack.sweep(bowl, BOWL, metric="z:min", n=9, seed=3,
                         resume="last").n_done == 9  # fmt: skip
    assert len(nbtrack.runs("tags.sweep == 'part'")) == 9


def test_failed_trials_are_run_again_when_asked_for():
    luck = {"is_bad": True}

    def train(x):
        if x == 2 and luck["is_bad"]:
            raise OSError("the disk is full")
        return x

    asked = {"metric": "z:min", "sampler": "grid"}
    first = nbtrack.sweep(train, {"x": [1, 2]}, name="a", **asked)
    assert [row.status for row in first.rows] == ["finished", "failed"]
    luck["is_bad"] = False
    assert nbtrack.sweep(train, {"x": [1, 2]}, resume="a", **asked).best.value == 1
    again = nbtrack.sweep(train, {"x": [1, 2]}, resume="a", rerun_failed=True, **asked)
    assert [row.labels["x"] for row in again.rows if row.status == "finished"] == [1, 2]
    assert again.n_done == 2


def test_going_on_with_something_else_is_refused():
    nbtrack.sweep(bowl, BOWL, metric="z:min", n=2, name="a")
    with pytest.raises(OptionError, match="another space"):
        nbtrack.sweep(bowl, {"x": [1], "y": [1]}, metric="z:min", resume="a")
    with pytest.raises(OptionError, match="another metric"):
        nbtrack.sweep(bowl, BOWL, metric="w:min", resume="a")
    with pytest.raises(OptionError, match="another cell"):
        nbtrack.sweep(lambda x, y: 0, BOWL, metric="z:min", resume="a")
    with pytest.raises(OptionError, match="No sweep 'b' to go on with"):
        nbtrack.sweep(bowl, BOWL, metric="z:min", resume="b")
    with pytest.raises(OptionError, match="already: go on with it"):
        nbtrack.sweep(bowl, BOWL, metric="z:min", name="a")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"sampler": "tpo"}, "Unknown sampler 'tpo'. Did you mean tpe?"),
        ({"prune": "medium"}, "Unknown pruner 'medium'. Did you mean median?"),
        ({"n": 0}, "n is 0"),
        ({"n": 2.5}, "n is 2.5"),
        ({"parallel": 0}, "parallel is 0"),
        ({"seed": -1}, "A seed is a whole number"),
        ({"metric": "z"}, "cannot be told by its name: write metric z:min"),
        ({"metric": None}, "What is to be small or large?"),
        ({"name": "a'b"}, "letters, digits, space"),
        ({"resume": "last"}, "no sweep to go on with yet"),
    ],
)
def test_options_that_cannot_be_are_refused_before_the_first_trial(asked, said):
    with pytest.raises(OptionError) as raised:
        nbtrack.sweep(bowl, BOWL, **{"metric": "z:min", **asked})
    assert said in str(raised.value)
    assert nbtrack.runs().empty


def test_a_function_that_takes_other_names_is_refused():
    with pytest.raises(OptionError, match="takes no 'z'"):
        nbtrack.sweep(bowl, {"x": [1], "z": [1]}, metric="w:min")
    with pytest.raises(OptionError, match="needs 'y' as well"):
        nbtrack.sweep(bowl, {"x": [1]}, metric="w:min")
    with pytest.raises(OptionError, match="swept in a notebook"):
        nbtrack.sweep("loss = 1", {"x": [1]})


def test_optunas_own_tools_open_the_study(store_path):
    found = nbtrack.sweep(bowl, BOWL, metric="z:min", n=5, name="bowl")
    path = store_path / FILE_NAME
    assert path.stat().st_mode & 0o077 == 0
    study = optuna.load_study(study_name="bowl", storage=f"sqlite:///{path}")
    assert study.best_value == found.best.value
    assert [trial.params for trial in study.trials] == [r.labels for r in found.rows]
    with sqlite3.connect(path) as database:
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)
    database.close()


def test_a_sweep_says_nothing_that_the_user_did_not_ask_for(capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nbtrack.sweep(bowl, BOWL, metric="z:min", n=2, sampler="gp")
    told = capfd.readouterr()
    assert (told.out, "optuna" in told.err.lower()) == ("", False)


def test_whoever_waits_for_a_sweep_that_is_about_to_begin_waits(monkeypatch):
    """A panel follows it from before its thread is there."""
    import threading

    sweep = nbtrack.sweep(lambda x: x, {"x": [1]}, metric="z:min", sampler="grid")
    start, waited = threading.Thread.start, []

    def late(thread):
        waited.append(sweep.wait(0))
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", late)
    sweep.run_aside(lambda: None)
    assert waited == [False]
    assert sweep.wait(5)


def test_a_pause_holds_the_next_trial_back_and_stop_ends_it():
    import threading

    sweeps = []

    def train(x):
        sweep = sweeps[0]
        if x == 2:
            sweep.pause()
            threading.Timer(0.3, sweep.go_on).start()
        if x == 3:
            sweep.stop("a test")
        return x

    from nbtrack.sweeps.sweep import Sweep

    start = Sweep.run

    def noted(self, executor):
        sweeps.append(self)
        return start(self, executor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sweep, "run", noted)
        found = nbtrack.sweep(
            train, {"x": [1, 2, 3, 4]}, metric="z:min", sampler="grid"
        )
    assert found.state == "stopped"
    assert [row.labels["x"] for row in found.rows] == [1, 2, 3]
    assert "sweep sweep-1 · 3 trials · stopped" in repr(found)

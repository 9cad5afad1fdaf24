"""Trials of Optuna as runs: once each, with their own times, ends and points."""

from __future__ import annotations

import math
import threading

import pytest

import nbtrack
from nbtrack.guard import guard
from nbtrack.sweeps import optuna_callback
from nbtrack.tracking.session import override, process_session

optuna = pytest.importorskip("optuna")
pytestmark = pytest.mark.usefixtures("plain_surroundings", "store_path")


@pytest.fixture(autouse=True)
def _quiet():
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    yield
    optuna.logging.set_verbosity(before)


@pytest.fixture(params=["callback", "track", "both"])
def optimize(request):
    """`study.optimize` as with us: after each trial, around each, or both."""

    def call(study, objective, n_trials, metric=None, **about):
        ours = nbtrack.OptunaCallback(metric=metric)
        if request.param != "callback":
            objective = ours.track(objective)
        callbacks = [] if request.param == "track" else [ours]
        study.optimize(objective, n_trials=n_trials, callbacks=callbacks, **about)

    call.mode = request.param
    return call


def new_study(name="s", **about):
    sampler = optuna.samplers.RandomSampler(seed=0)
    return optuna.create_study(study_name=name, sampler=sampler, **about)


def runs_of(name="s"):
    """The runs of a sweep by the number of their trial; each trial has one."""
    store = nbtrack.open()
    store.journal.flush()
    found = [run for run in store.runs() if run.tags.get("sweep") == name]
    by_number = {int(run.tags["trial"]): run for run in found}
    assert len(by_number) == len(found)
    return [by_number[number] for number in sorted(by_number)]


def values_of(run):
    return {name: param.value for name, param in run.params.items()}


def test_each_trial_is_one_run_with_its_params_value_and_goal(optimize):
    def objective(trial):
        lr = trial.suggest_float("lr", 1e-4, 1, log=True)
        layers = trial.suggest_int("net.layers", 1, 4)
        opt = trial.suggest_categorical("opt", ["adam", None, 3])
        trial.set_user_attr("note", {"n": layers})
        return lr if opt else lr * 2

    study = new_study(direction="maximize")
    optimize(study, objective, 5, metric="val_acc")
    runs = runs_of()
    assert [int(run.tags["trial"]) for run in runs] == [0, 1, 2, 3, 4]
    for run, trial in zip(runs, study.trials, strict=True):
        assert values_of(run) == {
            **trial.params,
            "attrs.note.n": trial.params["net.layers"],
        }
        assert type(run.params["net.layers"].value) is int
        kept = run.metrics["val_acc"]
        assert (kept.last, kept.n, kept.goal) == (trial.value, 1, "max")
        assert (run.status, run.experiment) == ("finished", "s")
        assert run.started_at.endswith(f"{trial.datetime_start:%M:%S.%f}Z")
    space = nbtrack.open().facts(runs[0].id)["sweep.space.lr"].value
    assert (space["name"], space["attributes"]["log"]) == ("FloatDistribution", True)


def test_a_trial_ends_as_optuna_says(optimize):
    def objective(trial):
        x = trial.suggest_float("x", 0, 1)
        if trial.number == 1:
            raise optuna.TrialPruned
        if trial.number == 2:
            raise ValueError("a bad setting")
        return math.nan if trial.number == 3 else x

    study = new_study()
    optimize(study, objective, 5, catch=(ValueError,))
    assert [t.state.name for t in study.trials] == [
        "COMPLETE", "PRUNED", "FAIL", "FAIL", "COMPLETE"
    ]  # fmt: skip
    runs = runs_of()
    states = ["finished", "pruned", "failed", "failed", "finished"]
    assert [run.status for run in runs] == states
    assert [list(run.params) for run in runs] == [["x"]] * 5
    assert [list(run.metrics) for run in runs[1:4]] == [[]] * 3
    if optimize.mode != "callback":  # Optuna keeps no error
        assert "a bad setting" in runs[2].error
        assert runs[3].reason == "the objective returned nan"


def test_an_error_that_ends_the_study_is_the_users_own(optimize):
    def objective(trial):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        optimize(new_study(), objective, 3)
    statuses = [run.status for run in runs_of()]
    assert statuses == ([] if optimize.mode == "callback" else ["failed"])
    assert override.get() is None


def test_reported_values_are_the_points_of_the_objective(optimize):
    def objective(trial):
        x = trial.suggest_float("x", 0, 1)
        for step in (0, 5, 10):
            trial.report(x + step, step)
        return x + 10 if trial.number else x

    study = new_study()
    optimize(study, objective, 2, metric="loss")
    behind, same = runs_of()
    curve = nbtrack.open().curve(behind.id, "loss")
    x = study.trials[0].value
    assert list(curve.steps) == [0, 5, 10, 11]
    assert list(curve.values) == [x, x + 5, x + 10, x]
    assert same.metrics["loss"].n == 3  # the last value is the one that was reported


def test_several_objectives_are_several_metrics(optimize):
    study = new_study(directions=["minimize", "maximize"])
    optimize(study, lambda trial: (trial.number, 2.5), 2, metric=["loss", "acc"])
    metrics = runs_of()[1].metrics
    assert {k: (m.last, m.goal) for k, m in metrics.items()} == {
        "loss": (1.0, "min"), "acc": (2.5, "max")
    }  # fmt: skip


def test_names_of_metrics_are_the_studys_own_unless_said():
    study = new_study(directions=["minimize", "maximize"])
    with pytest.warns(optuna.exceptions.ExperimentalWarning):
        study.set_metric_names(["mse", "auc"])
    study.optimize(lambda _: (1, 2), n_trials=1, callbacks=[nbtrack.OptunaCallback()])
    assert set(runs_of()[0].metrics) == {"mse", "auc"}


def test_what_is_logged_in_a_tracked_objective_is_the_trials():
    def objective(trial):
        x = trial.suggest_float("x", 0, 1)
        for epoch in range(3):
            nbtrack.log(loss=x / (epoch + 1), lr=0.1)
            trial.report(x / (epoch + 1), epoch)
        with nbtrack.start("a fold"):
            nbtrack.log(fold_loss=1.0)
        nbtrack.log(after=1.0)
        return x / 3

    ours = nbtrack.OptunaCallback(metric="loss")
    with nbtrack.start("outer", experiment="e") as outer:
        new_study().optimize(ours.track(objective), n_trials=2, callbacks=[ours])
        assert nbtrack.current() is outer
        nbtrack.log(outer_loss=1.0)
    run = runs_of()[1]
    assert {name: m.n for name, m in run.metrics.items()} == {
        "loss": 3, "lr": 3, "after": 1
    }  # fmt: skip
    assert (run.parent, run.experiment) == (outer.id, "e")
    [fold, _] = [r for r in nbtrack.open().runs() if r.name.startswith("a fold")]
    assert (list(fold.metrics), fold.parent) == (["fold_loss"], run.id)
    assert list(outer.record().metrics) == ["outer_loss"]


def test_report_before_a_log_by_hand_is_not_a_second_point():
    def objective(trial):
        for step in range(3):
            trial.report(step, step)
            nbtrack.log(value=step)
        return 2

    callback = nbtrack.OptunaCallback()
    new_study().optimize(callback.track(objective), n_trials=1, callbacks=[callback])
    assert runs_of()[0].metrics["value"].n == 3


def test_prints_of_a_tracked_objective_are_kept(monkeypatch, capsys):
    monkeypatch.setenv("NBTRACK_OFF", "code environment system rng")
    tracked = nbtrack.OptunaCallback().track(lambda trial: print("hello") or 1.0)
    new_study().optimize(tracked, n_trials=1)
    assert "hello" in nbtrack.logs(runs_of()[0].id)


def test_trials_in_threads_do_not_mix(optimize):
    meet = threading.Barrier(2, timeout=20)  # both trials run at the same time

    def objective(trial):
        meet.wait()
        for _ in range(20):
            nbtrack.log(number=trial.number)
        return float(trial.number)

    with nbtrack.start("outer") as outer:
        optimize(new_study(), objective, 4, n_jobs=2)
    runs = runs_of()
    assert [run.metrics["value"].last for run in runs] == [0, 1, 2, 3]
    assert {run.parent for run in runs} == {outer.id}
    if optimize.mode == "callback":
        assert outer.record().metrics["number"].n == 80
    else:
        own = [(run.metrics["number"].min, run.metrics["number"].max) for run in runs]
        assert own == [(n, n) for n in range(4)]
        assert list(outer.record().metrics) == []


def test_two_callbacks_record_a_trial_once():
    ours = [nbtrack.OptunaCallback(), nbtrack.OptunaCallback()]
    new_study().optimize(lambda _: 1.0, n_trials=2, callbacks=[*ours, ours[0]])
    assert len(runs_of()) == 2


def test_another_study_of_that_name_is_recorded_too():
    for _ in range(2):
        new_study().optimize(
            lambda _: 1.0, n_trials=1, callbacks=[nbtrack.OptunaCallback()]
        )
    assert len(nbtrack.runs("tags.sweep == 's'")) == 2


@pytest.mark.parametrize("broken", ["begin_trial", "record_trial", "tell_trial"])
def test_our_failure_is_one_warning_and_the_study_goes_on(
    optimize, broken, monkeypatch, capsys
):
    def fails(*_, **__):
        raise RuntimeError("ours")

    monkeypatch.setattr(optuna_callback, broken, fails)
    monkeypatch.setattr(f"nbtrack.sweeps.optuna_trials.{broken}", fails)
    study = new_study()
    optimize(study, lambda trial: trial.suggest_float("x", 0, 1), 3)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE"] * 3
    assert all(isinstance(trial.value, float) for trial in study.trials)
    said = capsys.readouterr().err
    if (optimize.mode, broken) not in {
        ("track", "record_trial"), ("both", "record_trial")
    }:  # fmt: skip
        assert said.count("recording trials of Optuna failed") == 1
        assert guard.failures[optuna_callback.FEATURE] >= 3
    assert process_session().current is None
    assert "running" not in {run.status for run in runs_of()}


def test_stop_of_a_trials_run_ends_the_study():
    def objective(trial):
        nbtrack.current().request_stop()
        nbtrack.log(loss=1.0)

    study = new_study()
    with pytest.raises(nbtrack.RunStopped):
        study.optimize(nbtrack.OptunaCallback().track(objective), n_trials=3)
    assert [run.status for run in runs_of()] == ["stopped"]


def test_the_trial_is_as_it_was_afterwards():
    seen = []

    def objective(trial):
        assert isinstance(trial, optuna.Trial)
        seen.append(trial)
        with pytest.raises(TypeError, match="supposed to be a float"):
            trial.report("much", 0)
        return 1.0

    tracked = nbtrack.OptunaCallback().track(objective)
    new_study().optimize(tracked, n_trials=1)
    assert (tracked.__name__, "report" in vars(seen[0])) == ("objective", False)

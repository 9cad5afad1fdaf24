"""Studies that ran without us become runs, once."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import pytest

import nbtrack
from nbtrack.errors import MissingExtraError, OptionError
from nbtrack.tracking.session import process_session

optuna = pytest.importorskip("optuna")
pytestmark = pytest.mark.usefixtures("plain_surroundings", "store_path")


@pytest.fixture(autouse=True)
def _quiet():
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    yield
    optuna.logging.set_verbosity(before)


@pytest.fixture
def told():
    lines = []
    process_session().tell = lines.append
    return lines


def objective(trial):
    x = trial.suggest_float("x", 0, 1)
    trial.report(x + 1, 3)
    if trial.number == 1:
        raise optuna.TrialPruned
    return x


def new_study(storage=None, n_trials=3):
    sampler = optuna.samplers.RandomSampler(seed=0)
    study = optuna.create_study(study_name="s", sampler=sampler, storage=storage)
    study.optimize(objective, n_trials=n_trials)
    return study


def test_trials_come_with_their_times_params_points_and_ends():
    study = new_study()
    ids = nbtrack.import_study(study, metric="loss", experiment="old")
    store = nbtrack.open()
    runs = [store.run(run_id) for run_id in ids]
    assert [run.status for run in runs] == ["finished", "pruned", "finished"]
    assert [run.tags for run in runs] == [
        {"sweep": "s", "trial": str(number)} for number in range(3)
    ]
    for run, trial in zip(runs, study.trials, strict=True):
        took = trial.datetime_complete - trial.datetime_start
        begun = datetime.fromisoformat(run.started_at)
        assert begun == trial.datetime_start.astimezone(UTC)
        assert run.duration_s == pytest.approx(took.total_seconds(), abs=1e-5)
        assert run.params["x"].value == trial.params["x"]
        assert (run.experiment, run.metrics["loss"].goal) == ("old", "min")
    assert list(store.curve(ids[0], "loss").steps) == [3, 4]
    assert list(store.curve(ids[1], "loss").steps) == [3]


def test_importing_again_adds_only_what_is_new(told):
    study = new_study()
    first = nbtrack.import_study(study)
    before = nbtrack.runs()
    assert nbtrack.import_study(study) == first
    assert nbtrack.runs().equals(before)
    study.optimize(objective, n_trials=1)
    assert nbtrack.import_study(study)[:3] == first
    assert len(nbtrack.runs()) == 4
    assert told[-1] == "study 's': 1 trials imported, 3 were here"


def test_what_a_callback_has_recorded_is_known():
    study = new_study(n_trials=1)
    study.optimize(objective, n_trials=2, callbacks=[nbtrack.OptunaCallback()])
    nbtrack.import_study(study)
    assert sorted(nbtrack.runs()["name"]) == ["s-0", "s-1", "s-2"]


def test_what_was_imported_is_known_to_the_next_process(tmp_path, told):
    address = f"sqlite:///{tmp_path / 'study.db'}"
    new_study(address).ask()
    ids = nbtrack.import_study("s", address)
    process_session().close()  # nothing is left but the files
    assert nbtrack.import_study("s", address) == ids
    assert told[-1].endswith("3 were here; left out: 1 running")
    assert len(nbtrack.runs()) == 3


def test_trials_that_run_or_wait_are_left_out_and_said(told):
    study = new_study()
    study.ask()
    study.enqueue_trial({"x": 0.5})
    assert len(nbtrack.import_study(study)) == 3
    assert told[-1].endswith("3 trials imported; left out: 1 running, 1 waiting")


def test_a_trashed_trial_stays_in_the_trash():
    study = new_study()
    ids = nbtrack.import_study(study)
    nbtrack.open().edit(
        {"kind": "run_changed", "run": ids[0], "fields": {"trashed_at": "2026-01-01"}}
    )
    assert nbtrack.import_study(study) == ids
    assert len(nbtrack.runs()) == 2


def test_a_study_that_is_not_there_is_said_with_the_nearest(tmp_path):
    address = f"sqlite:///{tmp_path / 'study.db'}"
    with pytest.raises(OptionError, match="'s': there is none yet"):
        nbtrack.import_study("s", address)
    assert not (tmp_path / "study.db").exists()
    optuna.create_study(study_name="digits", storage=address)
    with pytest.raises(OptionError, match="Did you mean digits"):
        nbtrack.import_study("digit", address)
    with pytest.raises(OptionError, match="each of the 1 objectives"):
        nbtrack.import_study("digits", address, metric=["a", "b"])


def test_without_optuna_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=r"nbtrack\[sweeps\]"):
        nbtrack.import_study("s")

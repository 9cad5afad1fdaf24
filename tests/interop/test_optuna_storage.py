"""Taking in whole storages of Optuna: all studies, every state, whichever way twice."""

from __future__ import annotations

import gzip
import json
import logging
import sqlite3
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from interop.peer_environment import python_with, run

import nbtrack
from nbtrack.errors import ImportSourceError, MissingExtraError
from nbtrack.interop.optuna import recognises
from nbtrack.store import Store
from nbtrack.sweeps.studies import storage_of

optuna = pytest.importorskip("optuna")
SAMPLES = Path(__file__).parent / "samples"
STATUS = {"COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed"}


@pytest.fixture(autouse=True)
def _quiet():
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    yield
    optuna.logging.set_verbosity(before)


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "ours") as opened:
        yield opened


@pytest.fixture
def database(tmp_path):
    return unpacked("optuna", tmp_path)


def unpacked(sample, folder):
    database = folder / "study.db"
    packed = (SAMPLES / sample / "study.db.gz").read_bytes()
    database.write_bytes(gzip.decompress(packed))
    return database


@pytest.fixture
def journal(tmp_path):
    """A file, and the storage that it is: quicker than a database."""
    path = str(tmp_path / "journal.log")
    backend = optuna.storages.journal.JournalFileBackend(path)
    return path, optuna.storages.JournalStorage(backend)


def study_at(storage, *, name="digits", n_trials=2):
    study = optuna.create_study(study_name=name, storage=storage)
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=n_trials)
    return study


def assert_equal(store, said):
    n_runs = 0
    for study, trials in said.items():
        for trial in trials:
            if trial["state"] == "WAITING":
                continue
            n_runs += 1
            assert_same_trial(store, store.run(f"{study}/{trial['number']}"), trial)
    assert len(store.runs()) == n_runs


def assert_same_trial(store, record, trial):
    assert record.status == STATUS.get(trial["state"], "crashed")
    began = datetime.fromisoformat(record.started_at).timestamp()
    assert began == pytest.approx(trial["start"], abs=1e-5)
    if trial["end"] is not None:
        ended = datetime.fromisoformat(record.ended_at).timestamp()
        assert ended == pytest.approx(trial["end"], abs=1e-5)
    attrs = {f"attrs.{name}.a": v["a"] for name, v in trial["attrs"].items()}
    assert {n: p.value for n, p in record.params.items()} == trial["params"] | attrs
    names = [*record.metrics]
    values = trial["values"] or []
    assert [record.metrics[n].last for n in names[: len(values)]] == values
    if trial["reported"]:
        curve = store.curve(record.id, names[0])
        n = len(trial["reported"])
        points = zip(map(str, curve.steps[:n]), map(str, curve.values[:n]), strict=True)
        assert dict(points) == trial["reported"]


def test_all_studies_come_as_optuna_says_they_are(database, store):
    before = database.read_bytes()
    report = nbtrack.import_runs(f"sqlite:///{database}", store=store)
    assert (report.tool, len(report.new), report.skipped) == ("optuna", 7, {})
    assert_equal(store, json.loads((SAMPLES / "optuna/said.json").read_text()))
    assert database.read_bytes() == before
    assert sorted(p.name for p in database.parent.glob("study*")) == ["study.db"]
    assert nbtrack.import_runs(database, store=store).n_there == 7


@pytest.mark.peers
def test_a_database_of_an_older_optuna_is_read_and_stays_as_it_is(store, tmp_path):
    old = unpacked("optuna_3_1", tmp_path)
    before = old.read_bytes()
    disabled = {name for name, each in loggers() if each.disabled}
    assert len(nbtrack.import_runs(old, store=store).new) == 7
    assert_equal(store, json.loads((SAMPLES / "optuna_3_1/said.json").read_text()))
    assert old.read_bytes() == before
    assert disabled == {name for name, each in loggers() if each.disabled}


def loggers():
    known = logging.root.manager.loggerDict.items()
    return [(name, each) for name, each in known if isinstance(each, logging.Logger)]


def test_directions_are_goals_and_each_objective_is_a_metric(database, store):
    nbtrack.import_runs(database, store=store)
    metrics = store.run("both/0").metrics
    assert {name: m.goal for name, m in metrics.items()} == {
        "value_0": "min", "value_1": "max"
    }  # fmt: skip
    space = store.facts(store.run("both/0").id)["sweep.space.lr"].value
    assert space["attributes"]["log"] is True


@pytest.mark.usefixtures("plain_surroundings", "store_path")
def test_import_study_and_import_runs_know_each_others_runs(journal):
    address, storage = journal
    study = study_at(storage)
    ids = nbtrack.import_study(study)
    before = nbtrack.runs()
    assert nbtrack.import_runs(address).n_there == 2
    assert nbtrack.runs().equals(before)
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    [new] = nbtrack.import_runs(address).new
    assert nbtrack.import_study(study) == [*ids, new]
    assert len(nbtrack.runs("tags.sweep == 'digits'")) == 3


def test_both_ways_keep_the_same_of_a_trial(database, store, tmp_path, monkeypatch):
    nbtrack.import_runs(database, store=store)
    monkeypatch.setenv("NBTRACK_STORE", str(tmp_path / "other"))
    with Store.open(tmp_path / "other") as other:
        for run_id in nbtrack.import_study("one", f"sqlite:///{database}"):
            assert_same_run(run_id, store, other)


def assert_same_run(run_id, store, other):
    here, there = store.run(run_id), other.run(run_id)
    assert here.params == there.params
    assert here.metrics == there.metrics
    assert here.tags == there.tags | {"imported": "optuna"}
    assert (here.name, here.status) == (there.name, there.status)
    for name in here.metrics:
        curves = store.curve(run_id, name), other.curve(run_id, name)
        assert curves[0].steps == curves[1].steps
        assert curves[0].at == curves[1].at


def test_a_journal_comes_and_a_trial_that_went_on_is_brought_up_to_date(store, journal):
    path, storage = journal
    study = study_at(storage)
    trial = study.ask()
    assert recognises(path)
    assert len(nbtrack.import_runs(path, store=store).new) == 3
    assert store.run("digits/2").status == "crashed"
    study.tell(trial, 0.25)
    report = nbtrack.import_runs(path, store=store)
    assert (len(report.updated), report.n_there) == (1, 2)
    assert store.run("digits/2").metrics["value"].last == 0.25
    assert store.run("digits/2").status == "finished"


def test_a_study_that_runs_here_keeps_its_locks(store, tmp_path):
    address = f"sqlite:///{tmp_path / 'study.db'}"
    study = study_at(address, n_trials=1)
    with closing(sqlite3.connect(tmp_path / "study.db")) as writer:
        writer.execute("begin immediate")
        assert len(nbtrack.import_runs(address, store=store).new) == 1
        with (
            closing(sqlite3.connect(tmp_path / "study.db", timeout=0)) as other,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            other.execute("begin immediate")
    assert len(study.trials) == 1


@pytest.mark.usefixtures("plain_surroundings")
def test_sweeps_of_nbtrack_are_runs_already(store_path):
    with nbtrack.open() as here:
        study = study_at(storage_of(here), n_trials=0)
        study.set_user_attr("nbtrack", "{}")
        with pytest.raises(ImportSourceError, match="sweeps of nbtrack only"):
            nbtrack.import_runs(storage_of(here), store=here)


def test_a_database_of_mlflow_is_not_taken_for_optunas(tmp_path):
    database = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(database)) as there:
        for table in ("experiments", "runs", "params", "alembic_version"):
            there.execute(f"create table {table}(a)")
    assert not recognises(str(database))
    assert not recognises(f"sqlite:///{database}")
    with pytest.raises(ImportSourceError, match="no storage of Optuna"):
        nbtrack.import_runs(database, "optuna", store=tmp_path / "ours")


def test_without_optuna_the_extra_is_named(database, store, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=r"nbtrack\[sweeps\]"):
        nbtrack.import_runs(database, store=store)


@pytest.mark.peers
@pytest.mark.timeout(600)
def test_what_the_optuna_of_today_writes_comes_whole(store, tmp_path):
    run(python_with("optuna"), SAMPLES / "make_optuna.py", tmp_path / "made", "--keep")
    report = nbtrack.import_runs(tmp_path / "made/study.db", store=store)
    said = json.loads((tmp_path / "made/said.json").read_text())
    assert len(report.new) == 7
    assert_equal(store, said)

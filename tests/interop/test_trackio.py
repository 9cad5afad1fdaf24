"""Taking in databases of trackio: what its own API says of them comes, all of it."""

from __future__ import annotations

import gzip
import json
import math
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from interop.peer_environment import python_with, run

import nbtrack
from nbtrack.errors import ImportSourceError
from nbtrack.interop.sources import open_source
from nbtrack.store import Store

SAMPLES = Path(__file__).parent / "samples"
OWN = {"_Username", "_Created", "_Group"}


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "ours") as opened:
        yield opened


@pytest.fixture
def cache(tmp_path):
    return unpacked(SAMPLES / "trackio", tmp_path / "cache")


def unpacked(sample, folder):
    shutil.copytree(sample, folder)
    packed = folder / "digits.db.gz"
    (folder / "digits.db").write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()
    return folder


def assert_equal(store, said):
    """The runs here are what trackio's API said of them."""
    runs = {run.name: run for run in store.runs()}
    assert set(runs) == set(said)
    for name, theirs in said.items():
        run = runs[name]
        config = {k: v for k, v in theirs["config"].items() if k not in OWN}
        params = {n: p.value for n, p in run.params.items()}
        assert params == flat(config)
        assert metrics_of(store, run) == logged(theirs["logs"])
        n_system = sum(len(row) - 1 for row in theirs["system"])
        assert sum(m.n for m in run.system.values()) == n_system


def flat(config):
    from nbtrack.capture.values import flatten

    return flatten(config)


def metrics_of(store, run):
    return {
        name: list(zip(curve.steps, map(str, curve.values), strict=True))
        for name in run.metrics
        for curve in [store.curve(run.id, name)]
    }


def logged(rows):
    found = {}
    for row in rows:
        for name, text in row.items():
            if name in ("step", "timestamp") or not is_number(text):
                continue
            found.setdefault(name, []).append((int(row["step"]), str(float(text))))
    return found


def is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("sample", ["trackio", "trackio_0_20"])
def test_runs_come_as_trackio_says_they_are(sample, store, tmp_path):
    folder = unpacked(SAMPLES / sample, tmp_path / "cache")
    report = nbtrack.import_runs(folder, store=store)
    assert (report.tool, len(report.new), report.notices) == ("trackio", 2, ())
    assert_equal(store, json.loads((folder / "said.json").read_text()))
    assert nbtrack.import_runs(folder / "digits.db", store=store).n_there == 2


def test_what_stands_beside_the_numbers_comes_too(cache, store):
    nbtrack.import_runs(cache, store=store)
    run = store.run("net-1")
    values = {v.name: v for v in nbtrack.media(run.id, store=store)}
    assert values["picture"].load().shape == (4, 4, 4)
    assert values["picture"].caption == "black"
    assert values["table"].load()["word"].tolist() == ["a", "b"]
    assert values["weights"].load().counts.tolist() == [1, 0, 1, 2]
    assert values["note"].load() == "step 5"
    [alert] = store.texts(run.id, "alerts")
    assert json.loads(alert.body)["title"] == "high"
    uses = {use.role: use for use in store.artifact_uses(run=run.id)}
    assert (uses["output"].version, uses["input"].version) == (1, 0)
    assert store.artifact("net:gold").version == 1
    [file] = store.artifact_files(uses["input"].version_id)
    assert file.path == "sub/w.bin"
    assert store.file_path(file.digest).read_bytes() == b"weights 0"


def test_ids_and_times_are_those_of_trackio(cache, store):
    nbtrack.import_runs(cache, store=store)
    with closing(sqlite3.connect(cache / "digits.db")) as there:
        rows = there.execute("select run_id, run_name, config from configs").fetchall()
    for id_, name, config in rows:
        run = store.run(id_)
        created = json.loads(config)["_Created"]
        assert run.name == name
        assert run.started_at.rstrip("Z") == created.removesuffix("+00:00")


def test_rows_that_were_logged_since_come_next_time(cache, store):
    nbtrack.import_runs(cache, store=store)
    with closing(sqlite3.connect(cache / "digits.db")) as there, there:
        there.execute(
            "insert into metrics(run_id, timestamp, run_name, step, metrics)"
            " select run_id, timestamp, run_name, 6, '{\"acc\": 0.9}' from metrics"
            " where run_name = 'net-0' limit 1"
        )
    report = nbtrack.import_runs(cache, store=store)
    assert (len(report.updated), report.n_there) == (1, 1)
    assert store.run("net-0").metrics["acc"].last == 0.9


def test_files_that_are_gone_are_told_and_the_rest_comes(cache, store):
    shutil.rmtree(cache / "media")
    shutil.rmtree(cache / "artifacts")
    report = nbtrack.import_runs(cache, store=store)
    assert len(report.new) == 2
    assert any("is gone" in notice for notice in report.notices)
    assert any("files of net:v0 are gone" in notice for notice in report.notices)
    assert math.isnan(store.curve(store.run("net-0").id, "train/loss").values[2])


def test_traces_are_left_out_and_told(cache, store):
    with closing(sqlite3.connect(cache / "digits.db")) as there, there:
        there.execute(
            "insert into traces(id, run_id, timestamp, run_name, step, key, messages,"
            " metadata, search_text) select 'a', run_id, timestamp, run_name, 0, 'k',"
            " '[]', '{}', '' from metrics where run_name = 'net-0' limit 1"
        )
    report = nbtrack.import_runs(cache, store=store)
    assert report.notices == ("net-0: 1 traces did not come",)


@pytest.mark.parametrize("column", ["timestamp", "metrics"])
def test_a_row_that_is_damaged_breaks_its_run_alone(column, cache, store):
    with closing(sqlite3.connect(cache / "digits.db")) as there, there:
        there.execute(
            f"update metrics set {column} = 'soon' where run_name = 'net-0'"
            " and step = 3"
        )
    report = nbtrack.import_runs(cache, store=store)
    assert ([run.name for run in store.runs()], len(report.skipped)) == (["net-1"], 1)


def test_a_path_that_leads_out_of_the_cache_breaks_its_run_alone(cache, store):
    (cache.parent / "secret.png").write_bytes(b"\x89PNG")
    value = {"x": {"_type": "trackio.image", "file_path": "../../secret.png"}}
    with closing(sqlite3.connect(cache / "digits.db")) as there, there:
        there.execute(
            "update metrics set metrics = ? where run_name = 'net-0' and step = 0",
            (json.dumps(value),),
        )
    report = nbtrack.import_runs(cache, store=store)
    assert (len(report.new), len(report.skipped)) == (1, 1)
    assert "leads out" in next(iter(report.skipped.values()))


def test_other_databases_are_not_taken_for_trackios(tmp_path):
    other = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(other)) as there, there:
        there.execute("create table metrics(key, value, step, run_uuid)")
        there.execute("create table configs(a)")
    with pytest.raises(ImportSourceError, match="Nothing that is known"):
        open_source(str(other))
    with pytest.raises(ImportSourceError, match="No database of trackio"):
        open_source(str(tmp_path), "trackio")


@pytest.mark.peers
@pytest.mark.timeout(600)
def test_what_the_trackio_of_today_writes_comes_whole(store, tmp_path):
    made = tmp_path / "made"
    script = SAMPLES / "make_trackio.py"
    run(python_with("trackio"), script, made, "--keep", HF_HUB_OFFLINE="1")
    report = nbtrack.import_runs(made, store=store)
    said = json.loads((made / "said.json").read_text())
    assert len(report.new) == len(said)
    assert_equal(store, said)

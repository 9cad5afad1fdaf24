"""Runs of real MLflow stores, of 2.22 and 3.17, beside what its own client says.

`samples/mlflow/make.py` made the samples; MLflow is not needed here.
"""

from __future__ import annotations

import gzip
import json
import math
import shutil
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

import nbtrack
from nbtrack.errors import ImportSourceError
from nbtrack.interop.mlflow import reader
from nbtrack.interop.mlflow.artifact_files import Place
from nbtrack.interop.mlflow.meta import parse_meta, read_meta
from nbtrack.interop.sources import open_source
from nbtrack.store import Store

SAMPLES = Path(__file__).parent / "samples/mlflow"
KINDS = {"db": "mlflow.db", "mlruns": "mlruns"}
STATUS = {"FINISHED": "finished", "FAILED": "failed", "KILLED": "stopped"}


@pytest.fixture(scope="module", params=["2", "3"])
def sample(request, tmp_path_factory):
    """A folder with mlflow.db, mlruns and artifacts, elsewhere than they were made."""
    folder = tmp_path_factory.mktemp(f"mlflow-{request.param}")
    packed = SAMPLES / f"mlflow-{request.param}.db.gz"
    (folder / "mlflow.db").write_bytes(gzip.decompress(packed.read_bytes()))
    with tarfile.open(SAMPLES / f"mlflow-{request.param}.tar.gz") as files:
        files.extractall(folder, filter="data")
    told = (SAMPLES / f"mlflow-{request.param}.json.gz").read_bytes()
    (folder / "told.json").write_bytes(gzip.decompress(told))
    return folder


@pytest.fixture(scope="module", params=["db", "mlruns"])
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def told(sample, kind):
    return json.loads((sample / "told.json").read_text("utf-8"))[kind]


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "ours") as opened:
        yield opened


@pytest.fixture(scope="module")
def taken(sample, kind, tmp_path_factory):
    """A store with all runs of the sample, and the report; for looking at."""
    with Store.open(tmp_path_factory.mktemp("taken")) as opened:
        yield opened, nbtrack.import_runs(sample / KINDS[kind], store=opened)


@pytest.fixture
def place(sample, kind, tmp_path):
    """A copy of the sample that a test may change."""
    shutil.copytree(sample, tmp_path / "theirs")
    return tmp_path / "theirs" / KINDS[kind]


@pytest.fixture
def database(sample, tmp_path):
    """A copy of its database."""
    shutil.copytree(sample, tmp_path / "theirs")
    return tmp_path / "theirs/mlflow.db"


def test_every_run_comes_with_all_that_the_client_says(told, taken):
    store, report = taken
    assert (report.tool, len(report.new), report.skipped) == ("mlflow", len(told), {})
    assert report.n_points == sum(
        len(points) for run in told.values() for points in run["metrics"].values()
    )
    assert report.n_params == sum(len(run["params"]) for run in told.values())
    assert report.notices == ()
    for id_, theirs in told.items():
        run = store.run(id_)
        assert (run.name, run.experiment) == (theirs["name"], theirs["experiment"])
        assert run.status == STATUS.get(theirs["status"], "crashed")
        assert (run.trashed_at is not None) == (theirs["stage"] == "deleted")
        assert seconds(run.started_at) == theirs["start"] / 1000
        if theirs["end"] is not None:
            assert seconds(run.ended_at) == theirs["end"] / 1000
        values = {name: param.value for name, param in run.params.items()}
        assert {n: str(v) for n, v in values.items()} == theirs["params"]
        assert tags_of(theirs) == {n: v for n, v in run.tags.items() if n != "imported"}


def seconds(text):
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


def tags_of(theirs):
    tags = theirs["tags"].items()
    return {n: v or None for n, v in tags if not n.startswith("mlflow.")}


def test_every_point_comes_nan_and_infinities_too(told, taken):
    store, _ = taken
    n_seen = 0
    for id_, theirs in told.items():
        points = store.tail(store.run(id_).id).points
        assert points.keys() == theirs["metrics"].keys()
        for name, expected in theirs["metrics"].items():
            steps, values, at = points[name]
            came = zip(steps, map(repr, values), at, strict=True)
            # A database says the largest float for Inf, and sorts by nothing.
            wanted = [(s, inf_of(v), ms / 1000) for s, v, ms in expected]
            assert sorted(came) == sorted(wanted)
            n_seen += len(steps)
    assert n_seen == 310


def inf_of(text):
    value = float(text)
    return repr(math.copysign(math.inf, value) if abs(value) > 1.7e308 else value)


def test_files_come_from_where_the_store_lies_now(told, taken):
    store, _ = taken
    for id_, theirs in told.items():
        came = {}
        for use in store.artifact_uses(run=store.run(id_).id, role="output"):
            for file in store.artifact_files(use.version_id):
                is_alone = use.type == "file" and use.name == file.path
                path = file.path if is_alone else f"{use.name}/{file.path}"
                came[path] = file.size_bytes
                store.verify_file(file.digest)
        assert came == dict(map(tuple, theirs["files"])) or theirs["name"] == (
            "with a model"  # MLflow 3 lists a model's files apart
        )


def test_a_model_is_one_artifact_of_its_type(taken):
    store, _ = taken
    run = store.run("with a model")
    [use] = store.artifact_uses(run=run.id)
    assert (use.name, use.type, use.role) == ("net", "model", "output")
    paths = {file.path for file in store.artifact_files(use.version_id)}
    assert {"MLmodel", "python_model.pkl", "requirements.txt"} <= paths


def test_typed_params_notes_git_data_and_parents(taken):
    store, _ = taken
    run = store.run("whole")
    values = {name: param.value for name, param in run.params.items()}
    assert values == {
        "lr": 0.1, "epochs": 300, "augment": True, "name": "resnet18", "none": None,
        "tiny": 1e-05, "padded": "007", "version": "1.10", "zero": "", "list": [1, 2],
        "opt/momentum": 0.9,
    }  # fmt: skip
    assert run.notes == "# Notes\nall fine"
    facts = {name: fact.value for name, fact in store.facts(run.id).items()}
    assert facts["git.commit"] == "0123456789abcdef0123456789abcdef01234567"
    assert (facts["mlflow.user"], facts["mlflow.source.name"]) == ("ada", "train.ipynb")
    [data] = store.inputs(run.id)
    assert (data.name, data.detail["mlflow.digest"]) == ("cifar", "0a1b2c3d")
    uri = {"uri": "s3://bucket/cifar: the 'first', \"second\" # part"}
    assert data.detail["source"] == uri
    assert data.detail["tags"] == {"mlflow.data.context": "training"}
    assert store.run("child").parent == run.id


def test_twice_changes_nothing_nor_does_a_copy(sample, kind, told, taken, place):
    store, _ = taken
    tables = ("runs", "params", "tags", "facts", "artifact_versions", "points")
    before = [store.sql(f"select * from {table}") for table in tables]
    files = {path: path.stat().st_mtime_ns for path in sample.rglob("*")}
    for again in (sample / KINDS[kind], place):
        report = nbtrack.import_runs(again, store=store)
        assert (report.new, report.updated, report.n_there) == ((), (), len(told))
    assert before == [store.sql(f"select * from {table}") for table in tables]
    # Nor is anything of theirs.
    assert files == {path: path.stat().st_mtime_ns for path in sample.rglob("*")}


def test_a_run_that_went_on_is_brought_up_to_date(place, kind, store):
    nbtrack.import_runs(place, store=store)
    id_ = origin(store, "goes on")
    if kind == "db":
        with closing(sqlite3.connect(place)) as theirs, theirs:
            for table in ("metrics", "latest_metrics"):
                columns = "key, value, timestamp, run_uuid, step, is_nan"
                theirs.execute(
                    f"insert into {table}({columns}) values ('acc', 0.5, 9, ?, 4, 0)",
                    (id_,),
                )
    else:
        [run] = place.glob(f"*/{id_}")
        (run / "metrics").mkdir(exist_ok=True)
        (run / "metrics/acc").write_text("9 0.5 4\n")
    report = nbtrack.import_runs(place, store=store)
    assert report.updated == (store.run("goes on").id,)
    assert store.run("goes on").metrics["acc"].last == 0.5


def origin(store, name):
    return store.facts(store.run(name).id)["origin.id"].value


def test_a_broken_run_is_told_and_left_out(place, kind, store):
    if kind == "db":
        with closing(sqlite3.connect(place)) as theirs, theirs:
            theirs.execute("update metrics set value = 'x' where key = 'same step'")
    else:
        [path] = place.glob("*/*/metrics/same step")
        path.write_text("12 0.5 1\nno point\n")
    report = nbtrack.import_runs(place, store=store)
    assert len(report.skipped) == 1
    assert len(report.new) == 5
    assert "whole" not in {run.name for run in store.runs()}


def test_what_an_older_database_lacks_is_taken_as_empty(database, store):
    with closing(sqlite3.connect(database)) as theirs:
        theirs.executescript(
            "drop table latest_metrics; drop table inputs; drop table datasets;"
            "drop table if exists logged_models;"
            "create table m as select key, value, timestamp, run_uuid from metrics"
            " where not is_nan;"
            "drop table metrics; alter table m rename to metrics;"
        )
    report = nbtrack.import_runs(database, store=store)
    assert (len(report.new), report.n_points, report.skipped) == (6, 309, {})
    assert nbtrack.import_runs(database, store=store).n_there == 6


def test_addresses_and_folders_that_are_recognised(sample, monkeypatch):
    monkeypatch.chdir(sample)
    for place in (
        "mlflow.db", "sqlite:///mlflow.db", f"sqlite:///{sample}/mlflow.db", "mlruns",
        f"file://{sample}/mlruns", ".",
    ):  # fmt: skip
        assert reader.recognises(place), place
        with closing(open_source(place)) as source:
            assert len(source.found()) == (12 if place == "." else 6)
    for place in ("no.db", "told.json", "artifacts", "s3://b/mlruns", "a\0b"):
        assert not reader.recognises(place), place


def test_a_server_and_a_place_without_runs_say_the_way_out(tmp_path):
    with pytest.raises(ImportSourceError, match="sqlite:///"):
        open_source("http://127.0.0.1:5000")
    (tmp_path / "x.db").write_bytes(b"no database at all")
    with pytest.raises(ImportSourceError, match="no store of MLflow"):
        open_source(str(tmp_path / "x.db"), "mlflow")


def test_an_address_of_a_stranger_reads_no_file_of_ours(place, kind, store, tmp_path):
    """CVE-2023-1177 and its like: what `artifact_uri` says is not believed."""
    secret = tmp_path / "home"
    secret.mkdir()
    (secret / "id_rsa").write_text("private")
    if kind == "db":
        with closing(sqlite3.connect(place)) as theirs, theirs:
            theirs.execute("update runs set artifact_uri = ?", (str(secret),))
    else:
        for meta in place.rglob("meta.yaml"):
            text = meta.read_text()
            meta.write_text(text.replace("artifact_uri: file:", "artifact_uri: /..;"))
        [artifacts] = place.glob("*/*/artifacts/readme.txt")
        artifacts.unlink()
        artifacts.symlink_to(secret / "id_rsa")
    report = nbtrack.import_runs(place, store=store)
    assert len(report.new) == 6
    kept = [f.path for v in store.artifact_versions() for f in files_of(store, v)]
    assert not [path for path in kept if "id_rsa" in path or path == "readme.txt"]


def files_of(store, version):
    return store.artifact_files(version.id)


def test_files_elsewhere_are_references(database, store):
    with closing(sqlite3.connect(database)) as theirs, theirs:
        theirs.execute("update runs set artifact_uri = 's3://b/1/' || run_uuid")
    nbtrack.import_runs(database, store=store)
    run = store.run("whole")
    [use] = store.artifact_uses(run=run.id)
    [file] = store.artifact_files(use.version_id)
    assert file.uri == f"s3://b/1/{origin(store, 'whole')}"


def test_a_folder_is_found_beside_its_store(tmp_path):
    place = Place([tmp_path])
    there = tmp_path / "mlartifacts/1/abc/artifacts"
    there.mkdir(parents=True)
    assert place.folder("mlflow-artifacts:/1/abc/artifacts", "abc") == there
    assert place.folder("mlflow-artifacts:/1/abc/artifacts", "abd") is None
    assert place.folder("/gone/mlartifacts/1/abc/artifacts", "abc") == there
    assert place.folder("file:///etc", "etc") is None


def test_a_model_of_the_registry_is_told_and_left_out(place, kind, store):
    if kind == "db":
        with closing(sqlite3.connect(place)) as theirs, theirs:
            theirs.execute(
                "update model_versions set run_id ="
                " (select run_uuid from runs where name = 'whole')"
            )
    else:
        [whole] = [p.parents[1] for p in place.glob("*/*/metrics/loss")
                   if len(p.read_text()) > 100]  # fmt: skip
        [path] = place.glob("models/doubles/version-1/meta.yaml")
        path.write_text(
            path.read_text().replace("run_id: null", f"run_id: {whole.name}")
        )
    report = nbtrack.import_runs(place, store=store)
    [notice] = report.notices
    assert "whole: registered as model doubles 1" in notice


def test_a_ring_of_parents_ends(database, store):
    with closing(sqlite3.connect(database)) as theirs, theirs:
        theirs.execute("delete from tags where key = 'mlflow.parentRunId'")
        theirs.execute(
            "insert into tags(key, value, run_uuid)"
            " select 'mlflow.parentRunId', run_uuid, run_uuid from runs"
        )
    assert len(nbtrack.import_runs(database, store=store).new) == 6


def test_meta_files_are_read_as_yaml_reads_them(sample):
    yaml = pytest.importorskip("yaml")
    found = list((sample / "mlruns").rglob("meta.yaml"))
    assert len(found) > 10
    for path in found:
        assert read_meta(path) == yaml.safe_load(path.read_text("utf-8"))


@pytest.mark.parametrize(
    "value",
    [
        "a: b", "- x", "it's\n'odd'", "", " ", "é\u2028\x07", "x" * 300, "a " * 100,
        "null", "1.5", "\n\n a\n", '"', "\\", "# no", None, 1.5, -3, True, {}, [],
        {"k.l": "1", "m": None},
    ],
)  # fmt: skip
def test_what_the_writer_of_meta_files_writes_comes_back(value):
    yaml = pytest.importorskip("yaml")
    said = {"before": 1, "value": value, "z": "end"}
    text = yaml.safe_dump(said, default_flow_style=False, allow_unicode=True)
    assert parse_meta(text) == said


@pytest.mark.parametrize(
    "text", ["a: &x 1", "a: [1, 2]", "- a", "a: !!python/name:os.system x", "a: 'b"]
)
def test_what_it_never_writes_is_an_error(text):
    with pytest.raises(ValueError, match=r"MLflow|closed"):
        parse_meta(text)

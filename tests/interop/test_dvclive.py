"""Taking in DVCLive: what lies in its folder, and the experiments that DVC saved."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tarfile
from datetime import datetime
from pathlib import Path

import pytest
from interop.peer_environment import python_with, run

import nbtrack
from nbtrack.capture.values import flatten
from nbtrack.errors import ImportSourceError
from nbtrack.interop.dvclive import recognises
from nbtrack.interop.yaml_text import read_yaml, write_yaml
from nbtrack.store import Store

pytest.importorskip("yaml")
SAMPLES = Path(__file__).parent / "samples"
DVCLIVE = ("dvclive", "numpy", "pillow", "scikit-learn")
LOSSES = ["1.0", "0.5", "nan", "inf", "0.25"]


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "ours") as opened:
        yield opened


@pytest.fixture
def project(tmp_path):
    with tarfile.open(SAMPLES / "dvclive" / "project.tar.gz") as tar:
        tar.extractall(tmp_path, filter="data")
    return tmp_path / "project"


def experiments_of(said):
    """By the name of the experiment: its commit, params and last values."""
    found = {}
    for row in said:
        data = row["data"]
        found[row["name"] or "workspace"] = data
        for experiment in row["experiments"] or ():
            found[experiment["name"]] = experiment["revs"][0]["data"]
    return {name: data for name, data in found.items() if data["params"]}


def assert_equal(store, said, workspace):
    """The runs here are what `dvc exp show` says."""
    theirs = experiments_of(said)
    runs = {run.name: run for run in store.runs()}
    assert set(runs) == {workspace if n == "workspace" else n for n in theirs}
    for name, data in theirs.items():
        run = runs[workspace if name == "workspace" else name]
        [params] = data["params"].values()
        [metrics] = data["metrics"].values()
        assert {n: p.value for n, p in run.params.items()} == flatten(params["data"])
        last = metrics["data"]
        assert run.metrics["train/loss"].last == last["train"]["loss"]
        assert run.metrics["acc"].last == last["acc"]
        assert run.metrics["test_acc"].last == last["test_acc"]
        assert run.metrics["acc"].last_step == last["step"]
        if name != "workspace":
            assert store.run(data["rev"]).id == run.id


def test_saved_experiments_and_the_folder_come_as_dvc_says(project, store):
    report = nbtrack.import_runs(project, store=store)
    assert (report.tool, len(report.new), report.notices) == ("dvclive", 3, ())
    said = json.loads((SAMPLES / "dvclive" / "said.json").read_text())
    assert_equal(store, said, "project")
    assert nbtrack.import_runs(project / "dvclive", store=store).n_there == 3


def test_points_pictures_plots_and_files_come(project, store):
    nbtrack.import_runs(project, store=store)
    run = store.run("try-5")
    curve = store.curve(run.id, "train/loss")
    assert [*map(str, curve.values)] == LOSSES
    began = datetime.fromisoformat(run.started_at)
    assert curve.at[0] == pytest.approx(began.timestamp())
    drawn = nbtrack.media(run.id, "drawn", store=store)
    assert [value.step for value in drawn] == [0, 1, 2, 3, 4]
    [confusion] = nbtrack.media(run.id, "cm", store=store)
    assert confusion.load()["actual"].tolist() == ["0", "1", "1"]
    assert nbtrack.media(run.id, "kind", store=store)[0].load() == "fine"
    assert run.params["lr"].value == 1e-05
    assert run.params["yes"].value == "yes"
    assert store.facts(run.id)["dvc.experiment"].value == "try-5"
    for name, number in (("try-1", 1), ("try-5", 5), ("project", 7)):
        [use] = store.artifact_uses(run=store.run(name).id)
        [file] = store.artifact_files(use.version_id)
        assert store.file_path(file.digest).read_bytes() == b"weights %d" % number
    assert store.artifact("net").metadata == {"k": 1, "labels": ["a"]}


def test_without_git_the_folder_alone_comes_with_one_id(project, store):
    shutil.rmtree(project / ".git")
    moved = project.parent / "moved"
    shutil.copytree(project, moved)
    assert len(nbtrack.import_runs(project, store=store).new) == 1
    assert nbtrack.import_runs(moved, store=store).n_there == 1


def test_a_run_that_goes_on_is_brought_up_to_date(project, store):
    shutil.rmtree(project / ".git")
    nbtrack.import_runs(project, store=store)
    with (project / "dvclive/plots/metrics/acc.tsv").open("a") as file:
        file.write("5\t0.875\n")
    report = nbtrack.import_runs(project, store=store)
    assert len(report.updated) == 1
    assert store.runs()[0].metrics["acc"].last == 0.875


def test_a_folder_without_its_runs_is_none_of_dvclives(tmp_path):
    (tmp_path / "metrics.json").write_text('{"loss": 1}')
    assert not recognises(str(tmp_path))
    with pytest.raises(ImportSourceError, match="no folder of DVCLive"):
        nbtrack.import_runs(tmp_path, "dvclive", store=tmp_path / "ours")


def test_a_folder_of_a_stranger_reads_no_file_outside_of_it(project, store):
    shutil.rmtree(project / ".git")
    (project.parent / "secret.txt").write_text("secret")
    text = (project / "dvc.yaml").read_text().replace("net.bin", "../secret.txt")
    (project / "dvc.yaml").write_text(text)
    report = nbtrack.import_runs(project, store=store)
    assert report.notices == ("project: the files of artifact net are not here",)


@pytest.mark.parametrize(
    "row",
    ["soon\t0\t1.0", "1\tx\t1.0", "1\t0", f"1\t0\t{'9' * 200_000}"],
    ids=["time", "step", "value", "length"],
)
def test_broken_points_break_that_run_alone(row, project, store):
    table = project / "dvclive/plots/metrics/train/loss.tsv"
    table.write_text(f"timestamp\tstep\tloss\n{row}\n")
    report = nbtrack.import_runs(project, store=store)
    assert len(report.new) == 2
    assert next(iter(report.skipped)).startswith("workspace-")


def test_broken_params_break_that_run_alone(project, store):
    (project / "dvclive/params.yaml").write_text("a: [1,\n")
    report = nbtrack.import_runs(project, store=store)
    assert (len(report.new), len(report.skipped)) == (2, 1)
    assert "no YAML" in next(iter(report.skipped.values()))


def test_without_pyyaml_the_extra_is_named(project, store, monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    report = nbtrack.import_runs(project, store=store)
    assert all("nbtrack[dvc]" in why for why in report.skipped.values())


def test_yaml_is_read_as_version_1_2_and_written_for_both():
    hostile = [
        "yes", "no", "on", "1e5", "1e-05", "0o17", "1:30", "null", "~", "", "1_0",
        ".inf", "- x", "a: b", "#", "é\u202e", "true", "\n", "'", "0x1F",
    ]  # fmt: skip
    value = {"words": hostile, "n": [1e-05, 1e20, 3, True, None, float("inf")]}
    import yaml

    text = write_yaml(value)
    assert read_yaml(text) == value
    assert yaml.safe_load(text) == value


@pytest.mark.peers
@pytest.mark.timeout(600)
def test_what_the_dvclive_of_today_writes_comes_whole(store, tmp_path):
    python = python_with(*DVCLIVE)
    path = os.pathsep.join([str(python.parent), os.environ["PATH"]])
    script = SAMPLES / "make_dvclive.py"
    run(python, script, tmp_path / "made", "--keep", PATH=path, DVC_NO_ANALYTICS="1")
    report = nbtrack.import_runs(tmp_path / "made/project", store=store)
    assert (len(report.new), report.notices) == (3, ())
    assert_equal(
        store, json.loads((tmp_path / "made/said.json").read_text()), "project"
    )

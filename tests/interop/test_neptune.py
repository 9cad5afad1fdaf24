"""Taking in what `neptune-exporter` left of Neptune: parquet in its schema, and files.

The exporter is on no index and needs servers that are gone; the sample is written in
the schema that its README documents (`samples/make_neptune.py`).
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

import nbtrack
from nbtrack.errors import ImportSourceError, MissingExtraError
from nbtrack.interop.neptune import recognises
from nbtrack.store import Store

pytest.importorskip("pyarrow")
SAMPLE = Path(__file__).parent / "samples" / "neptune"


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "ours") as opened:
        yield opened


@pytest.fixture
def exported(tmp_path):
    return shutil.copytree(SAMPLE, tmp_path / "exports")


def test_runs_come_with_ids_times_params_and_all_points(exported, store):
    said = json.loads((exported / "said.json").read_text())
    report = nbtrack.import_runs(exported, store=store)
    assert (report.tool, len(report.new), report.notices) == ("neptune", 2, ())
    assert report.n_points == sum(run["n_points"] for run in said.values())
    for id_ in said:
        run = store.run(id_)
        assert (run.experiment, run.notes) == ("team/digits", "a note")
        assert run.started_at == "2025-01-02T03:04:05.000000Z"
        assert run.tags == {"gold": None, "first": None, "imported": "neptune"}
    run = store.run("team/digits/DIG-2")
    assert (run.name, run.status, run.duration_s) == ("net-2", "failed", 62.0)
    assert {n: p.value for n, p in run.params.items()} == {
        "parameters/lr": 0.2, "parameters/n": 3, "parameters/flag": True,
        "parameters/kinds": ["a", "b"], "parameters/when": "2025-01-02T03:04:05+00:00",
    }  # fmt: skip
    assert nbtrack.import_runs(exported / "data", store=store).n_there == 2


def test_points_are_exact_and_broken_steps_become_an_axis(exported, store):
    nbtrack.import_runs(exported, store=store)
    run = store.run("team/digits/DIG-1")
    loss = store.curve(run.id, "train/loss")
    assert str([*loss.values]) == "[1.0, 0.5, nan, inf, 0.25]"
    assert [at - loss.at[0] for at in loss.at] == [0, 1, 2, 3, 4]
    acc = store.curve(run.id, "val/acc")
    assert [*acc.steps] == [0, 1, 2]
    assert [*acc.axes["neptune_step"]] == [0.0, 0.5, 1.0]
    assert "system/0/cpu" in run.system


def test_texts_pictures_histograms_and_files_come(exported, store):
    nbtrack.import_runs(exported, store=store)
    run = store.run("team/digits/DIG-1")
    [text] = store.texts(run.id, "stdout")
    assert text.body == "line 0\nline 1\nline 2\n"
    values = {value.name: value for value in nbtrack.media(run.id, store=store)}
    assert values["hist"].load().counts.tolist() == [3, 1]
    assert values["drawn"].step == 1
    [use] = store.artifact_uses(run=run.id)
    [file] = store.artifact_files(use.version_id)
    assert store.file_path(file.digest).read_bytes() == b"weights 1"


def test_a_broken_part_is_told_and_the_other_run_comes(exported, store):
    [part] = exported.glob("data/*/DIG-1_part_0.parquet")
    part.write_bytes(part.read_bytes()[:100])
    report = nbtrack.import_runs(exported, store=store)
    assert [run.name for run in store.runs()] == ["net-2"]
    assert list(report.skipped) == ["team_digits_0a1b2c/DIG-1"]


def test_files_that_are_gone_or_lie_elsewhere_are_told(exported, store):
    shutil.rmtree(exported / "files")
    (exported / "files").mkdir()
    report = nbtrack.import_runs(exported, store=store)
    assert len(report.notices) == 4
    assert report.notices[0].endswith("is not here")


def test_a_link_in_a_folder_of_files_fetches_nothing_from_elsewhere(exported, store):
    (exported.parent / "id_rsa").write_text("secret")
    files = [p for p in exported.glob("files/**/*") if p.is_file()]
    [weights] = [p for p in files if p.read_bytes() == b"weights 1"]
    weights.unlink()
    weights.mkdir()
    (weights / "part.bin").write_bytes(b"weights 1")
    (weights / "key").symlink_to(exported.parent / "id_rsa")
    nbtrack.import_runs(exported, store=store)
    [use] = store.artifact_uses(run=store.run("team/digits/DIG-1").id)
    assert [f.path for f in store.artifact_files(use.version_id)] == ["part.bin"]


def test_other_parquet_is_not_taken_for_neptunes(tmp_path):
    import pandas as pd

    pd.DataFrame({"run_id": [1]}).to_parquet(tmp_path / "a_part_0.parquet")
    assert not recognises(str(tmp_path))
    with pytest.raises(ImportSourceError, match="no files of neptune-exporter"):
        nbtrack.import_runs(tmp_path / "none", "neptune", store=tmp_path / "ours")


def test_without_pyarrow_the_extra_is_named(exported, store, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtraError, match=r"nbtrack\[data\]"):
        nbtrack.import_runs(exported, store=store)

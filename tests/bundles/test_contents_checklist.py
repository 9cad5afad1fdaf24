"""The checklist: 20 items, ok only where the store has the value."""

from __future__ import annotations

import json
import subprocess
from collections import Counter

import pytest
from bundles.tracked_runs import tracked

import nbtrack
from nbtrack.bundles.contents.checklist import checklist, checklist_json
from nbtrack.slices.slice import slice_of_record

pytestmark = pytest.mark.usefixtures("plain_surroundings")
SHA = "ab" * 32
PACKAGES = {
    "packages": [
        {"name": "numpy", "group": "run", "wheel": {"sha256": SHA}, "source": {}},
        {"name": "sqlite-utils", "group": "tracker", "wheel": None, "source": {}},
    ]
}
INPUTS = {
    "files": [{"path": "points.csv", "role": "input", "sha256": SHA, "schema": None}],
    "variables": [{"name": "points", "digest": SHA, "n_rows": 20}],
}


def by_item(items):
    return {item.item: item for item in items}


def checked(run, packages=None, inputs=None):
    found = checklist(run.store, run.record(), None, packages or {}, inputs or {})
    return by_item(found)


@pytest.fixture(scope="module")
def items(tmp_path_factory):
    pytest.importorskip("torch")
    with tracked(tmp_path_factory.mktemp("trained")) as (store, record):
        found = slice_of_record(store, record)
        yield checklist(store, record, found, PACKAGES, INPUTS)


def test_there_are_twenty_items_in_five_groups(items):
    assert Counter(item.group for item in items) == {
        "Code": 4, "Data": 5, "Configuration": 4, "Metrics": 4, "Artifacts": 3,
    }  # fmt: skip
    assert len(by_item(items)) == 20


def test_what_is_not_there_says_what_to_do(items):
    assert all(item.fix for item in items if item.state != "ok")
    assert all(item.value for item in items)


def test_what_a_tracked_training_has_is_ok(items):
    ok = {item.item for item in items if item.state == "ok"}
    assert ok == {
        "dependencies", "digest", "source path", "number of rows", "features",
        "hyper-parameters", "training configuration", "seeds", "environment",
        "curves", "model file",
    }  # fmt: skip


def test_values_are_those_of_the_run(items):
    told = {name: item.value for name, item in by_item(items).items()}
    assert told["dependencies"] == "1 package by version and hash"
    assert told["source path"] == "points.csv"
    assert told["number of rows"] == "points: 20"
    assert "points: a, b, y" in told["features"]
    assert "lr = 0.1" in told["hyper-parameters"]
    assert told["training configuration"].startswith("all of the code, 3 cells")
    assert "torch: seed 3" in told["seeds"]
    assert "Python 3." in told["environment"]
    assert "net:v3" in told["model file"]


def test_one_run_has_no_confidence_interval(items):
    item = by_item(items)["evaluation metrics"]
    assert item.state == "missing"
    assert "val_loss" in item.value
    assert "no confidence interval" in item.value
    assert "--group" in item.fix


def test_a_group_of_runs_has_one(store_path):
    for loss in (0.50, 0.52, 0.51):
        with nbtrack.start("base", group="seeds") as run:
            nbtrack.log(val_loss=loss)
    item = checked(run)["evaluation metrics"]
    assert item.state == "ok"
    assert item.value == "val_loss 0.5100 ± 0.0248 (95 % CI, n=3)"


def test_commit_and_branch_of_a_repository_are_told(run_in_git):
    found = checked(run_in_git(dirty=False))
    assert found["commit"].state == found["branch"].state == "ok"
    assert len(found["commit"].value) == 40
    assert found["branch"].value == "trunk, everything committed"


def test_uncommitted_changes_are_told(run_in_git):
    branch = checked(run_in_git(dirty=True))["branch"]
    assert branch.state == "ok"
    assert branch.value == (
        "trunk, with uncommitted changes that the store keeps: model.py"
    )
    assert branch.fix.startswith("Commit them")


@pytest.fixture
def run_in_git(tmp_path, store_path, monkeypatch):
    monkeypatch.setenv("NBTRACK_OFF", "environment system rng")
    place = tmp_path / "repository"
    place.mkdir()
    monkeypatch.chdir(place)

    def make(*, dirty):
        (place / "model.py").write_text("lr = 1\n")
        named = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        for words in (
            ["init", "-q", "-b", "trunk"],
            ["add", "model.py"],
            ["commit", "-q", "-m", "one"],
        ):
            subprocess.run(["git", *named, *words], check=True)
        if dirty:
            (place / "model.py").write_text("lr = 2\n")
        with nbtrack.start("base") as run:
            nbtrack.log(loss=0.5)
        from nbtrack.tracking.background import background

        background.settle(10)
        return run

    return make


@pytest.mark.parametrize(
    ("image", "state"), [(f"jupyter@sha256:{SHA}", "ok"), ("jupyter:latest", "missing")]
)
def test_an_image_is_told_by_its_digest_alone(run, image, state):
    from nbtrack.records import Fact

    run.log_facts([Fact("container.kind", "docker"), Fact("container.image", image)])
    assert checked(run)["container image"].state == state


def test_what_nobody_looked_at_is_unknown(run):
    found = checked(run)
    unknown = {name for name, item in found.items() if item.state == "unknown"}
    assert {"commit", "branch", "container image", "seeds", "environment"} <= unknown
    assert {"digest", "source path", "number of rows", "features"} <= unknown


def test_packages_from_a_folder_are_no_lock(run):
    mine = {"name": "mine", "group": "run", "source": {"type": "editable"}}
    item = checked(run, packages={"packages": [mine]})["dependencies"]
    assert item.state == "missing"
    assert "mine" in item.value


def test_versions_without_hashes_are_said_to_be_so(run):
    one = {"name": "numpy", "group": "run", "source": {"type": "index"}, "wheel": None}
    item = checked(run, packages={"packages": [one]})["dependencies"]
    assert (item.state, item.value) == (
        "ok", "1 package by version; no hash of numpy"
    )  # fmt: skip


def test_data_without_a_digest_is_missing(run):
    inputs = {"files": [], "variables": [{"name": "x", "digest": None, "n_rows": None}]}
    found = checked(run, inputs=inputs)
    assert found["digest"].state == found["number of rows"].state == "missing"
    assert found["digest"].value == "not known of x"


def test_a_version_of_an_artifact_is_a_version_of_data(run):
    run.log_artifact([1, 2], "train", type="dataset")
    run.use_artifact("train:v0")
    assert checked(run)["version"].value == "train:v0"


def test_a_confusion_matrix_and_importance_are_found(run):
    from nbtrack.tracking.media.keeping import settle

    run.log_confusion_matrix([0, 1], [0, 0])
    run.log_importance({"a": 0.5})
    settle()
    found = checked(run)
    assert found["confusion matrix"].value == "confusion_matrix at step 0"
    assert found["feature importance"].state == "ok"


def test_parts_of_a_registered_model_are_found(run):
    pytest.importorskip("sklearn")
    from sklearn.linear_model import LinearRegression
    from sklearn.preprocessing import StandardScaler

    model = LinearRegression().fit([[0.0], [1.0]], [0, 1])
    run.log_artifact(model, "line", type="model")
    scaler = StandardScaler().fit([[0.0], [1.0]])
    nbtrack.models.register("line:v0", "line", parts={"preprocessor": scaler})
    found = checked(run)
    assert found["model file"].state == "ok"
    assert found["preprocessor"].state == "ok"
    assert found["feature selector"].state == "missing"


def test_long_and_wild_values_stay_in_one_line(run):
    inputs = {"files": [{"path": "a\n\x1b[31m" + "b" * 5000, "sha256": SHA}]}
    value = checked(run, inputs=inputs)["source path"].value
    assert value.isprintable()
    assert len(value) < 500


def test_the_json_is_the_same_each_time_and_has_all_fields(items):
    body = checklist_json(items)
    assert body == checklist_json(items)
    told = json.loads(body)
    assert [one["item"] for one in told] == [item.item for item in items]
    assert set(told[0]) == {"group", "item", "state", "value", "fix"}

"""Scripts written for wandb record in the store what they log."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from compat.conftest import params, points

import nbtrack

ROOT = Path(__file__).parents[2]


def media_of(store, run, name):
    [value] = nbtrack.media(run, name, store=store)
    return value.load()


def test_a_torch_loop_is_recorded_with_its_axis_params_and_files(play):
    pytest.importorskip("torch")
    store = play("torch_loop")
    [run] = store.runs()
    assert (run.name, run.experiment, run.group) == ("torch-mlp", "blobs", "baseline")
    assert run.tags == {"torch": None, "first try": None, "job_type": "train"}
    assert run.notes == "A *small* net."
    assert params(run) == {
        "learning_rate": 0.05, "epochs": 3, "batch_size": 16,
        "architecture.hidden": 8, "architecture.activation": "relu",
    }  # fmt: skip
    steps = [step for step, _ in points(store, run, "train.loss")]
    assert steps == [0, 1, 2, 3, 5, 6, 7, 8, 10, 11, 12, 13]
    assert [step for step, _ in points(store, run, "val/acc")] == [4, 9, 14]
    assert list(store.curve(run.id, "val/acc").axes["epoch"]) == [0, 1, 2]
    assert run.metrics["val/acc"].goal == "max"
    accs = [value for _, value in points(store, run, "val/acc")]
    facts = store.facts(run.id)
    assert facts["summary.best_acc"].value == accs[-1]
    assert facts["summary.val/acc"].value == {"max": max(accs)}
    assert facts["summary.note"].value == "converged"
    assert run.metrics["best_acc"].last == accs[-1]
    told = [(a.level, a.title, a.text) for a in run.alerts]
    assert told == [("info", "Done", "training is over")]
    watched = {value.name for value in nbtrack.media(run, store=store)}
    assert {"gradients/0.weight", "weights/2.bias"} <= watched
    [files] = store.artifact_versions(name=f"run-{run.id}-files")
    assert [file.path for file in store.artifact_files(files.id)] == ["model.pt"]


def test_curves_of_scikit_learn_are_kept_as_numbers_and_charts_as_figures(play):
    pytest.importorskip("sklearn")
    store = play("sklearn_curves")
    [run] = store.runs()
    assert params(run) == {"C": 1.0, "max_iter": 500}
    matrix = media_of(store, run, "conf_mat")
    assert list(matrix.index) == ["setosa", "versicolor", "virginica"]
    assert matrix.to_numpy().sum() == 60
    right = np.trace(matrix.to_numpy()) / 60
    assert run.metrics["accuracy"].last == pytest.approx(right)
    assert set(media_of(store, run, "roc")["label"]) == set(matrix.index)
    assert run.metrics["roc.auc"].last > 0.9
    assert run.metrics["pr.average_precision"].last > 0.9
    assert media_of(store, run, "weights").data[0].x[0] == "sepal length (cm)"
    assert list(media_of(store, run, "square").data[0].y) == [0, 1, 4, 9, 16]
    assert media_of(store, run, "points_table")["y"].tolist() == [0, 1, 4, 9, 16]
    assert [trace.name for trace in media_of(store, run, "both").data] == ["up", "down"]


def test_pictures_tables_and_other_values_are_kept_by_their_kind(play):
    store = play("tables_images")
    [run] = store.runs()
    kinds = {value.name: (value.type, value.step) for value in store.media(run.id)}
    assert kinds == {
        "sample": ("image", 0),
        "examples": ("image", 1),
        "predictions": ("table", 2),
        "predictions.image": ("image", 2),
        "words": ("table", 3),
        "chart": ("image", 4),
        "weights": ("histogram", 5),
        "counted": ("histogram", 5),
        "activations": ("histogram", 5),
        "page": ("html", 5),
        "text": ("text", 5),
        "few": ("text", 5),
        "from_file": ("html", 6),
    }
    [sample] = nbtrack.media(run, "sample", store=store)
    assert (sample.caption, sample.load().shape) == ("noise", (8, 8, 3))
    [examples] = nbtrack.media(run, "examples", store=store)
    assert examples.caption == "no 0 | no 1 | no 2"
    table = media_of(store, run, "predictions")
    assert list(table.columns) == ["id", "image", "guess", "truth", "right"]
    assert table["image"].tolist() == [f"predictions.image[{i}]" for i in range(3)]
    assert table["right"].tolist() == [False, True, False]
    assert media_of(store, run, "words").to_dict("list") == {
        "word": ["cat", "dog"], "n": [2, 3],
    }  # fmt: skip
    assert media_of(store, run, "counted").counts.tolist() == [1, 2]
    assert media_of(store, run, "weights").counts.sum() == 100
    assert media_of(store, run, "few") == "[1, 2, 3]"
    assert media_of(store, run, "from_file") == "<b>from a file</b>"
    assert points(store, run, "flag") == [(5, 1.0)]
    assert points(store, run, "count") == [(5, 3.0)]
    assert points(store, run, "loss") == [(6, 0.25)]


def test_artifacts_of_two_runs_are_one_lineage(play):
    store = play("artifact_lineage")
    train, prepare = store.runs()
    assert prepare.tags == {"job_type": "prepare"}
    assert train.tags == {"job_type": "train"}
    edges = {
        (use.run, use.role, use.name) for run in (prepare, train)
        for use in store.artifact_uses(run=run.id)
    }  # fmt: skip
    assert edges == {
        (prepare.id, "output", "letters"),
        (train.id, "input", "letters"),
        (train.id, "output", "net"),
        (train.id, "output", "net-file"),
    }
    letters = store.artifact("letters:clean")
    assert (letters.type, letters.description) == ("dataset", "two letters")
    assert letters.metadata == {"n": 2}
    files = {file.path: file for file in store.artifact_files(letters.id)}
    assert sorted(files) == [
        "a.txt", "about.json", "counts.table.json", "kept/a.txt", "more/b.txt",
    ]  # fmt: skip
    assert files["kept/a.txt"].uri.endswith("/raw/a.txt")
    assert store.artifact("net-file:candidate").type == "model"


def test_an_agent_runs_the_trials_of_a_sweep(play):
    pytest.importorskip("optuna")
    store = play("sweep_agent")
    runs = store.runs()[::-1]
    assert [run.status for run in runs] == ["finished"] * 6
    assert {run.experiment for run in runs} == {"bowls"}
    assert [(params(run)["x"], params(run)["optimizer.kind"]) for run in runs] == [
        (x, kind) for x in (-1, 0, 2) for kind in ("sgd", "adam")
    ]
    assert all(params(run)["y"] == 0.5 and params(run)["epochs"] == 2 for run in runs)
    assert points(store, runs[-1], "loss") == [(0, 5.5), (1, 4.5)]
    assert set(params(runs[0])) == {"x", "y", "epochs", "optimizer.kind"}
    assert len({run.tags["sweep"] for run in runs}) == 1


def test_a_run_goes_on_under_its_id(play):
    store = play("resumed")
    [run] = store.runs()
    assert (run.id, run.status) == ("long-job-1", "finished")
    assert points(store, run, "loss") == [(n, 1 / (n + 1)) for n in range(6)]
    assert store.facts(run.id)["summary.lives"].value == 2
    assert run.metrics["lives"].last == 2


def test_settings_of_argparse_are_typed_params(play):
    store = play("argparse_config")
    [run] = store.runs()
    assert params(run) == {
        "lr": 0.5, "epochs": 2, "model": "cnn", "no_cuda": True, "layers": [16, 32],
        "seed": 3, "dropout": None,
    }  # fmt: skip
    assert run.tags == {"cli": None}
    assert points(store, run, "acc") == [(0, 0.5), (1, 0.6)]
    assert points(store, run, "loss") == [(0, 1.0), (1, 0.9)]
    assert [points(store, run, name) for name in ("late", "later", "last")] == [
        [(10, 1.0)], [(10, 2.0)], [(10, 3.0)],
    ]  # fmt: skip


def test_cells_that_begin_and_finish_make_runs_of_their_own(play):
    store = play("notebook_twice")
    third, second, first = store.runs()
    assert [run.status for run in (first, second, third)] == [
        "finished", "finished", "failed",
    ]  # fmt: skip
    assert (second.name, second.tags, second.notes) == (
        "the second", {"again": None}, "a note",
    )  # fmt: skip
    assert {run.parent for run in (first, second, third)} == {None}
    assert points(store, first, "loss")[2] == (2, 1 / 3)
    assert third.metrics["loss"].n_nan == 1


def ended(code, tmp_path):
    """The run of a script that ends by itself, in a process of its own."""
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "NBTRACK_STORE": str(tmp_path / "s"),
        "NBTRACK_OFF": "all", "NBTRACK_REGISTRY": "off",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", f"import nbtrack.compat.wandb as wandb\n{code}"],
        env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    with nbtrack.open(tmp_path / "s") as store:
        [run] = store.runs()
    return done, run


def test_an_exception_that_ends_the_script_fails_its_run(tmp_path):
    code = "wandb.init(project='p'); wandb.log({'loss': 1}); 1 / 0"
    done, run = ended(code, tmp_path)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert (run.status, run.metrics["loss"].last) == ("failed", 1.0)
    assert "ZeroDivisionError" in run.error


def test_a_script_without_finish_keeps_its_files_and_loads_nothing_heavy(tmp_path):
    code = (
        "import sys, os\n"
        "print({'torch', 'numpy', 'pandas', 'optuna'} & sys.modules.keys())\n"
        "run = wandb.init(project='p'); wandb.log({'loss': 0.5})\n"
        "open(os.path.join(run.dir, 'a.txt'), 'w').write('kept')\n"
    )
    done, run = ended(code, tmp_path)
    assert (done.returncode, done.stdout) == (0, "set()\n")
    assert run.status == "finished"
    with nbtrack.open(tmp_path / "s") as store:
        [files] = store.artifact_versions(run=run.id)
        assert [file.path for file in store.artifact_files(files.id)] == ["a.txt"]
        assert not (store.path / "wandb").exists()


def test_a_forked_child_ends_nothing_and_may_have_a_run_of_its_own(tmp_path):
    code = (
        "import os\n"
        "run = wandb.init(project='p', mode='online')\n"
        "if os.fork() == 0:\n"
        "    wandb.log({'lost': 1})\n"
        "    own = wandb.init(mode='disabled')\n"
        "    raise SystemExit(0 if own is not run else 3)\n"
        "assert os.waitstatus_to_exitcode(os.wait()[1]) == 0\n"
        "wandb.log({'loss': 0.5})\n"
    )
    done, run = ended(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert (run.status, list(run.metrics)) == ("finished", ["loss"])

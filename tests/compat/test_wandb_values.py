"""Values that are logged through the shim, sweeps, and what is read back."""

from __future__ import annotations

import wave
from io import BytesIO

import numpy as np
import pytest
from compat.conftest import params

import nbtrack
from nbtrack.compat.wandb.sweeps import space_of


def media(name):
    return nbtrack.media("last", name)


# ---- values


def test_pictures_of_every_kind_are_copied_when_they_are_made(wandb, tmp_path):
    torch, pillow = pytest.importorskip("torch"), pytest.importorskip("PIL.Image")
    pixels = np.zeros((4, 6, 3), np.uint8)
    tensor = torch.zeros(3, 5, 7)
    drawn = pillow.fromarray(np.full((2, 3), 9, np.uint8))
    drawn.save(tmp_path / "a.jpg")
    with wandb.init() as run:
        made = {
            "array": wandb.Image(pixels),
            "tensor": wandb.Image(tensor),
            "pillow": wandb.Image(drawn, mode="RGB"),
            "file": wandb.Image("a.jpg", caption="a file"),
            "again": wandb.Image(wandb.Image(pixels)),
            "list": wandb.Image([[0, 255], [255, 0]]),
        }
        pixels[:] = 255
        tensor += 1
        (tmp_path / "a.jpg").unlink()
        run.log({**made, "raw": drawn, "several": [made["file"], made["array"]]})
    shapes = {name: media(name)[0].load().shape for name in made}
    assert shapes == {
        "array": (4, 6, 3), "tensor": (5, 7, 3), "pillow": (2, 3, 3), "file": (2, 3),
        "again": (4, 6, 3), "list": (2, 2),
    }  # fmt: skip
    assert media("array")[0].load().max() == 0
    assert media("tensor")[0].load().max() == 0
    assert media("several")[0].data["n"] == 2
    assert media("file")[0].caption == "a file"


def test_boxes_and_masks_are_kept_beside_the_picture(wandb, capfd):
    box = {"position": {"minX": 0, "maxX": 1, "minY": 0, "maxY": 1}, "class_id": 1}
    mask = np.array([[0, 1], [2, 0]])
    with wandb.init() as run:
        image = wandb.Image(
            np.zeros((2, 2)),
            boxes={"guess": {"box_data": [box], "class_labels": {1: "cat"}}},
            masks={"guess": {"mask_data": mask}},
        )
        run.log({"street": image})
    assert '"class_id": 1' in media("street.boxes")[0].load()
    assert media("street.masks.guess")[0].load().tolist() == mask.tolist()
    assert "not drawn over it" in capfd.readouterr().err


def test_sounds_and_films_are_kept(wandb, tmp_path):
    pytest.importorskip("PIL")
    with wandb.init() as run:
        frames = np.zeros((3, 3, 8, 8), np.uint8)
        run.log({
            "beep": wandb.Audio(np.zeros(160), sample_rate=16_000, caption="silence"),
            "film": wandb.Video(frames, fps=2),
        })  # fmt: skip
        with pytest.raises(ValueError, match="sample_rate"):
            wandb.Audio([0.0, 1.0])
        with pytest.raises(wandb.UsageError, match="shape"):
            wandb.Video(np.zeros((3, 8, 8)))
    [beep], [film] = media("beep"), media("film")
    assert beep.caption == "silence"
    with wave.open(BytesIO(beep.load())) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (16_000, 160)
    assert film.load().startswith(b"GIF89a")


def test_what_has_no_kind_is_kept_as_text(wandb):
    pd = pytest.importorskip("pandas")
    with wandb.init() as run:
        run.log({
            "names": ["cat", "dog"], "small": np.arange(3),
            "frame": pd.DataFrame({"a": [1]}),
            "tables": [wandb.Table(columns=["a"], data=[[1]])] * 2, "none": None,
        })  # fmt: skip
    kinds = {value.name: value.type for value in nbtrack.media("last")}
    assert kinds == {
        "names": "text", "small": "text", "frame": "table", "tables/0": "table",
        "tables/1": "table",
    }  # fmt: skip
    assert media("names")[0].load() == '["cat", "dog"]'


def test_tables_refuse_rows_that_do_not_fit(wandb):
    table = wandb.Table(columns=["a", "b"], data=np.arange(4).reshape(2, 2))
    with pytest.raises(ValueError, match="expects 2 columns"):
        table.add_data(1)
    with pytest.raises(ValueError, match="already"):
        table.add_column("a", [1, 2])
    with pytest.raises(ValueError, match="Expected length 2"):
        table.add_column("c", [1])
    table.add_computed_columns(lambda at, row: {"sum": row["a"] + row["b"]})
    assert table.get_column("sum", convert_to="numpy").tolist() == [1, 5]
    assert table.get_dataframe()["b"].tolist() == [1, 3]
    assert list(table.iterrows())[1] == (1, [2, 3, 5])
    assert wandb.Table().columns == ["Input", "Output", "Expected"]


def test_a_confusion_matrix_is_made_of_probabilities_too(wandb):
    probs = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]])
    with wandb.init() as run:
        chart = wandb.plot.confusion_matrix(
            probs=probs, y_true=[0, 1, 0], class_names=["cat", "dog"]
        )
        run.log({"matrix": chart})
        run.log({"roc": wandb.plot.roc_curve([0, 1, 0], probs, labels=["cat", "dog"])})
    assert media("matrix")[0].load().loc["cat"].tolist() == [1, 1]
    assert nbtrack.open().run("last").metrics["roc.auc"].last == 1.0
    with pytest.raises(ValueError, match="not both"):
        wandb.plot.confusion_matrix(y_true=[0])


def test_a_classifier_is_judged_in_one_call(wandb):
    linear = pytest.importorskip("sklearn.linear_model")
    x = np.array([[0.0, 1], [1, 0], [0, 2], [2, 0]])
    y = np.array([0, 1, 0, 1])
    model = linear.LogisticRegression().fit(x, y)
    with pytest.raises(wandb.Error, match=r"before wandb\.sklearn\.plot_roc"):
        wandb.sklearn.plot_roc(y, model.predict_proba(x), ["a", "b"])
    with wandb.init():
        wandb.sklearn.plot_classifier(
            model, x, x, y, y, model.predict(x), model.predict_proba(x), ["a", "b"],
            feature_names=["left", "right"],
        )  # fmt: skip
    assert media("confusion_matrix")[0].load().to_numpy().tolist() == [[2, 0], [0, 2]]
    assert set(media("feature_importances")[0].load().index) == {"left", "right"}
    assert nbtrack.open().run("last").metrics["roc.auc"].last == 1.0
    assert media("precision_recall")


def test_a_chart_that_lies_on_a_server_keeps_its_table(wandb, capfd):
    with wandb.init() as run:
        table = wandb.Table(columns=["x"], data=[[1], [2]])
        run.log({"c": wandb.plot_table("me/chart", table, {"x": "x"})})
    assert media("c_table")[0].load()["x"].tolist() == [1, 2]
    assert "its table is kept" in capfd.readouterr().err


# ---- sweeps


def test_each_distribution_has_its_place_in_the_space():
    assert space_of({
        "a": {"min": 1, "max": 4}, "b": {"min": 0.0, "max": 1},
        "c": {"distribution": "log_uniform_values", "min": 1e-4, "max": 0.1},
        "d": {"distribution": "q_uniform", "min": 0, "max": 1, "q": 0.25},
        "e": {"distribution": "log_uniform", "min": 0, "max": 1},
        "f": {"value": [1, 2]}, "g": {"parameters": {"h": {"values": ["x"]}}},
    }) == {
        "a": "int(1, 4)", "b": "uniform(0.0, 1)", "c": "log(0.0001, 0.1)",
        "d": "step(0, 1, 0.25)", "e": "log(1.0, 2.718281828459045)", "f": [[1, 2]],
        "g.h": ["x"],
    }  # fmt: skip


def test_a_sweep_that_cannot_be_is_refused(wandb):
    params = {"x": {"values": [1]}}
    for config, why in (
        ({"method": "gird", "parameters": params}, "Did you mean grid"),
        ({"method": "grid"}, "needs parameters"),
        ({"method": "grid", "parameters": {"x": {"min": 1}}}, "neither values"),
        (
            {"method": "random", "parameters": {
                "x": {"distribution": "normal", "min": 0, "max": 1}}},
            "'normal' has no counterpart",
        ),
    ):  # fmt: skip
        with pytest.raises(wandb.UsageError, match=why):
            wandb.sweep(config)
    with pytest.raises(wandb.CommError, match="no sweep"):
        wandb.agent("nothing", lambda: None)
    sweep_id = wandb.sweep({"method": "grid", "parameters": params})
    with pytest.raises(wandb.UsageError, match="needs function="):
        wandb.agent(sweep_id)


def test_values_of_a_sweep_stand_and_its_function_may_change_globals(wandb):
    pytest.importorskip("optuna")
    seen = []

    def train():
        run = wandb.init(config={"x": 9, "y": 1}, tags=["t"])
        wandb.config.update({"x": 8})
        seen.append((wandb.config.x, run.sweep_id))
        wandb.log({"score": wandb.config.x})

    parameters = {"x": {"values": [1, 2]}}
    metric = {"name": "score", "goal": "maximize"}
    sweep_id = wandb.sweep(
        {"method": "grid", "parameters": parameters, "metric": metric}, project="s"
    )
    wandb.agent(f"me/s/{sweep_id}", function=train)
    assert seen == [(1, sweep_id), (2, sweep_id)]
    runs = nbtrack.open().runs()
    assert [(run.status, params(run)["x"]) for run in runs] == [
        ("finished", 2), ("finished", 1),
    ]  # fmt: skip
    assert all(run.tags["sweep"] == sweep_id and "t" in run.tags for run in runs)
    assert wandb.run is None


def test_a_sweep_whose_trials_all_fail_says_so_and_the_script_goes_on(wandb, capfd):
    pytest.importorskip("optuna")

    def train():
        with wandb.init():
            raise ValueError("wrong shape")

    parameters = {"x": {"min": 0.0, "max": 1.0}}
    wandb.agent(wandb.sweep({"method": "random", "parameters": parameters}), train)
    assert "failed in the same way: ValueError: wrong shape" in capfd.readouterr().err
    assert [run.status for run in nbtrack.open().runs()] == ["failed"] * 3


def test_a_sweep_without_a_metric_lists_its_trials_by_their_time(wandb):
    pytest.importorskip("optuna")

    def train():
        with wandb.init() as run:
            run.log({"a": run.config.x})

    config = {"method": "random", "parameters": {"x": {"values": [1, 2]}}, "run_cap": 2}
    wandb.agent(wandb.sweep(config), train)
    runs = nbtrack.open().runs()
    assert [run.metrics["duration_s"].n for run in runs] == [1, 1]


# ---- reading back


@pytest.fixture
def recorded(wandb):
    for lr, tag in ((0.1, "a"), (0.2, "b"), (0.3, "b")):
        with wandb.init(
            project="p", config={"lr": lr, "net": {"depth": 2}}, tags=[tag],
            group="g", job_type="train",
        ) as run:  # fmt: skip
            for step in range(3):
                run.log({"loss": lr * step})
            run.log({"late": 1}, step=7)
            run.summary["best"] = lr
    wandb.init(project="other").finish()
    return wandb.Api()


def test_runs_are_read_with_filters_and_order(wandb, recorded):
    assert [run.config["lr"] for run in recorded.runs("e/p")] == [0.1, 0.2, 0.3]
    assert len(recorded.runs()) == 4
    asked = {
        "0.3 0.2": ({"tags": "b"}, "-config.lr"),
        "0.2": ({"config.lr": {"$gt": 0.1, "$lt": 0.3}}, "+created_at"),
        "0.1 0.3": ({"$or": [{"config.lr": 0.1}, {"config.lr": 0.3}]}, "+created_at"),
        "0.2 0.3": ({"summary_metrics.best": {"$gte": 0.2}}, "+created_at"),
        "0.1": ({"tags": {"$nin": ["b"]}, "jobType": "train"}, "+created_at"),
        "": ({"state": "failed"}, "+created_at"),
        "0.3 0.2 0.1": ({"config.net.depth": 2}, "-summary_metrics.loss"),
    }
    for shown, (filters, order) in asked.items():
        found = recorded.runs("p", filters=filters, order=order)
        assert " ".join(str(run.config["lr"]) for run in found) == shown
    for filters in ({"colour": 1}, {"state": {"$like": "x"}}):
        with pytest.raises(wandb.UsageError, match="know no"):
            recorded.runs("p", filters=filters)


def test_a_run_is_read_with_its_history_config_and_summary(wandb, recorded):
    first = recorded.runs("p")[0]
    run = recorded.run("/".join(["me", *first.path]))
    assert (run.state, run.group, run.job_type, run.tags) == (
        "finished", "g", "train", ["a"],
    )  # fmt: skip
    assert run.config == {"lr": 0.1, "net": {"depth": 2}}
    assert (run.summary["best"], run.summary["_step"]) == (0.1, 7)
    frame = run.history()
    assert frame["_step"].tolist() == [0, 1, 2, 7]
    assert frame["loss"].dropna().tolist() == [0.0, 0.1, 0.2]
    assert run.history(keys=["loss"], pandas=False)[2]["loss"] == 0.2
    assert [row["_step"] for row in run.scan_history(min_step=2)] == [2, 7]
    assert run.history(keys=["nothing"], pandas=False) == []
    assert len(run.history(samples=2)) == 3  # an even share, and the last one
    with pytest.raises(wandb.CommError, match="Could not find run"):
        recorded.run("p/nothing")
    with pytest.raises(AttributeError, match=r"Api\.sweeps"):
        recorded.sweeps  # noqa: B018


def test_artifacts_are_read_too(wandb, recorded):
    with wandb.init(project="p") as run:
        run.log_artifact(wandb.Artifact("data", type="dataset"))
    assert recorded.artifact("me/p/data:latest", type="dataset").version == "v0"
    assert not recorded.artifact_exists("data:v9")
    assert [a.name for a in recorded.run(run.id).logged_artifacts()] == ["data:v0"]
    assert recorded.run(run.id).used_artifacts() == []

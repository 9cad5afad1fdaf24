"""Made the samples beside it, once with MLflow 2.22.5, once with 3.17.2.

`python make.py FOLDER` logs the same runs into an SQLite store and into a `mlruns`
folder of FOLDER, and writes what MLflow's own client then says of them as
`expected.json`.

    MLFLOW_ALLOW_FILE_STORE=true python make.py /tmp/sample
    gzip -9n < /tmp/sample/mlflow.db > mlflow-3.db.gz
    tar -C /tmp/sample -czf mlflow-3.tar.gz mlruns artifacts
    gzip -9n < /tmp/sample/expected.json > mlflow-3.json.gz
"""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path

import mlflow
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, ViewType

AT = 1_700_000_000_000  # ms
PARAMS = {
    "lr": 0.1, "epochs": 300, "augment": True, "name": "resnet18", "none": None,
    "tiny": 1e-05, "padded": "007", "version": "1.10", "zero": "", "list": [1, 2],
}  # fmt: skip
CURVE = [1 / (n + 1) for n in range(300)]
ODD = [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.0]


class Doubles(mlflow.pyfunc.PythonModel):
    """A model that needs nothing."""

    def predict(self, context, model_input, params=None):
        return model_input


def fill(client: mlflow.MlflowClient, folder: Path, **where) -> None:
    """The runs of a sample, in the store of the client."""
    vision = client.create_experiment("vision", **where)
    whole = client.create_run(vision, start_time=AT, run_name="whole")
    write_whole(client, whole.info.run_id, folder)
    child = client.create_run(
        vision, start_time=AT + 5000, run_name="child",
        tags={"mlflow.parentRunId": whole.info.run_id},
    )  # fmt: skip
    client.log_metric(child.info.run_id, "loss", 0.5, timestamp=AT + 5001, step=1)
    client.set_terminated(child.info.run_id, "FAILED", end_time=AT + 6000)
    client.create_run(vision, start_time=AT + 7000, run_name="goes on")
    killed = client.create_run(vision, start_time=AT + 8000, run_name="killed")
    client.set_terminated(killed.info.run_id, "KILLED", end_time=AT + 9000)
    client.delete_run(killed.info.run_id)
    gone = client.create_experiment("gone")
    client.create_run(gone, start_time=AT + 10_000, run_name="in the trash")
    client.delete_experiment(gone)
    with mlflow.start_run(experiment_id=vision, run_name="with a model") as run:
        mlflow.pyfunc.log_model("net", python_model=Doubles())
    client.create_registered_model("doubles")
    client.create_model_version("doubles", f"runs:/{run.info.run_id}/net")


def write_whole(client: mlflow.MlflowClient, run: str, folder: Path) -> None:
    """A run that has all there can be."""
    for name, value in PARAMS.items():
        client.log_param(run, name, value)
    client.log_param(run, "opt/momentum", 0.9)
    points = [Metric("loss", v, AT + n * 10, n) for n, v in enumerate(CURVE)]
    points += [Metric("val/odd", v, AT + n, n) for n, v in enumerate(ODD)]
    points += [Metric("same step", n / 2, AT + n, 7) for n in range(3)]
    client.log_batch(run, metrics=points)
    for name, value in {
        "team": "vision", "flag": "", "mlflow.note.content": "# Notes\nall fine",
        "mlflow.source.git.commit": "0123456789abcdef0123456789abcdef01234567",
        "mlflow.source.name": "train.ipynb", "mlflow.source.type": "NOTEBOOK",
        "mlflow.user": "ada",
    }.items():  # fmt: skip
        client.set_tag(run, name, value)
    source = json.dumps({"uri": "s3://bucket/cifar: the 'first', \"second\" # part"})
    dataset = Dataset(
        "cifar", "0a1b2c3d", "s3", source, schema=json.dumps({"cols": ["a"] * 30}),
        profile=json.dumps({"num_rows": 50_000}),
    )  # fmt: skip
    tags = [InputTag("mlflow.data.context", "training")]
    client.log_inputs(run, [DatasetInput(dataset, tags)])
    client.log_text(run, "hello\n", "readme.txt")
    client.log_text(run, "a,b\n1,2\n", "tables/épochs 1.csv")
    client.log_text(run, "x" * 5000, "tables/deep/x.bin")
    client.set_terminated(run, "FINISHED", end_time=AT + 4000)


def told(client: mlflow.MlflowClient) -> dict[str, object]:
    """What the client says of all runs, NaN and Inf as text."""
    found = {}
    for experiment in client.search_experiments(view_type=ViewType.ALL):
        ids = [experiment.experiment_id]
        for run in client.search_runs(ids, run_view_type=ViewType.ALL):
            found[run.info.run_id] = {
                "name": run.info.run_name, "experiment": experiment.name,
                "status": run.info.status, "stage": run.info.lifecycle_stage,
                "start": run.info.start_time, "end": run.info.end_time,
                "params": run.data.params, "tags": run.data.tags,
                "metrics": {
                    name: [
                        [m.step, repr(m.value), m.timestamp]
                        for m in client.get_metric_history(run.info.run_id, name)
                    ]
                    for name in run.data.metrics
                },
                "inputs": [dict(i.dataset) for i in run.inputs.dataset_inputs],
                "files": sorted(files(client, run.info.run_id)),
            }  # fmt: skip
    return found


def files(client: mlflow.MlflowClient, run: str, path: str | None = None):
    for item in client.list_artifacts(run, path):
        if item.is_dir:
            yield from files(client, run, item.path)
        else:
            yield item.path, item.file_size


def main(folder: Path) -> None:
    folder.mkdir()
    os.chdir(folder)
    (folder / "artifacts").mkdir()
    expected: dict[str, object] = {"mlflow": mlflow.__version__}
    for kind, uri, where in (
        ("db", f"sqlite:///{folder}/mlflow.db",
         {"artifact_location": f"{folder}/artifacts"}),
        ("mlruns", f"file://{folder}/mlruns", {}),
    ):  # fmt: skip
        mlflow.set_tracking_uri(uri)
        mlflow.set_registry_uri(uri)
        client = mlflow.MlflowClient()
        fill(client, folder, **where)
        expected[kind] = told(client)
    text = json.dumps(expected, indent=1, sort_keys=True)
    (folder / "expected.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())

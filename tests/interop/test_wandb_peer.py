"""The real wandb, an old and a new one, logs runs; its own reader says what is there.

The reader of logs was a part of wandb until 2025: the old one reads those of both.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from interop.peer_environment import json_from, python_with, run

import nbtrack
from nbtrack.store import Store

pytestmark = [pytest.mark.peers, pytest.mark.timeout(900)]

MAKE = Path(__file__).parent / "samples" / "make_wandb.py"
OLD = ("wandb==0.19.11", "numpy", "pillow", "setuptools<81")
NEW = ("wandb", "numpy", "pillow")
WHAT_IS_THERE = """
import json, math, sys
from pathlib import Path
from wandb.proto.wandb_internal_pb2 import Record
from wandb.sdk.internal.datastore import DataStore

told = {}
for file in sorted(Path(sys.argv[1]).glob("wandb/*run-*/run-*.wandb")):
    store = DataStore()
    store.open_for_scan(str(file))
    about = {"points": {}, "system": 0, "params": {}, "exit": None, "artifacts": []}
    try:
        bodies = iter(store.scan_data, None)
        for body in bodies:
            record = Record.FromString(body)
            kind = record.WhichOneof("record_type")
            if kind == "run":
                about |= {"id": record.run.run_id, "project": record.run.project}
                about["at"] = record.run.start_time.ToMicroseconds() / 1e6
            if kind in ("run", "config"):
                config = record.run.config if kind == "run" else record.config
                for item in config.update:
                    if item.key and item.key != "_wandb":
                        about["params"][item.key] = json.loads(item.value_json)
            if kind == "history":
                for item in record.history.item:
                    path = list(item.nested_key) or [item.key]
                    value = json.loads(item.value_json)
                    if path[0][0] != "_" and isinstance(value, (bool, int, float)):
                        step = record.history.step.num
                        name = ".".join(path)
                        point = [step, repr(float(value))]
                        about["points"].setdefault(name, []).append(point)
            if kind == "stats":
                about["system"] += len(record.stats.item)
            if kind == "exit":
                about["exit"] = record.exit.exit_code
            if kind == "artifact" and record.artifact.type != "run_table":
                about["artifacts"].append(record.artifact.name)
    except AssertionError as exc:  # how it says that a log is cut off
        about["cut"] = str(exc)
    whose = about.get("project", "") + "/" + about.get("id", "?")
    told.setdefault(whose, []).append(about)
print(json.dumps(told))
"""
IN_MEDIA = ("one.", "three.", "rows.", "hist.", "page.")  # numbers that describe media


@pytest.fixture(scope="module", params=[OLD, NEW], ids=["old", "new"])
def logged(request, tmp_path_factory):
    """A folder of runs, and what wandb's own reader finds there."""
    folder = tmp_path_factory.mktemp("project")
    kept = {"WANDB_DATA_DIR": str(folder / "data"), "N_KILLED": "2000"}
    run(python_with(*request.param), MAKE, folder, **kept)
    return folder, json_from(python_with(*OLD), WHAT_IS_THERE, folder)


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "ours") as opened:
        yield opened


def test_counts_values_params_and_times_are_those_of_wandb(logged, store):
    folder, told = logged
    report = nbtrack.import_runs(folder, store=store)
    assert not report.skipped
    assert len(report.new) == len(told) == 5
    for whose, pieces in told.items():
        id_ = "beta/full1234" if whose == "beta/full1234" else pieces[0]["id"]
        found = store.run(id_)
        check_points(store, found, pieces)
        params = {}
        for piece in pieces:
            params |= piece["params"]
        assert {name.partition(".")[0] for name in found.params} == set(params)
        at = nbtrack_time(found.started_at)
        assert at == pytest.approx(pieces[0]["at"], abs=1e-5)
        exits = {0: "finished", 1: "failed", None: "crashed"}
        assert found.status == exits[pieces[-1]["exit"]]
        n_system = sum(summary.n for summary in found.system.values())
        assert n_system == sum(piece["system"] for piece in pieces)
        uses = {use.name for use in store.artifact_uses(run=found.id)}
        assert set(pieces[0]["artifacts"]) <= uses


def nbtrack_time(text):
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


def check_points(store, found, pieces):
    points = {}
    for piece in pieces:
        for name, logged in piece["points"].items():
            if not name.startswith(IN_MEDIA):
                points.setdefault(name, []).extend(logged)
    ours = {name: summary.n for name, summary in found.metrics.items()}
    assert {name: len(logged) for name, logged in points.items()} == {
        name: n for name, n in ours.items() if name != "best"
    }
    for name, logged in points.items():
        curve = store.curve(found.id, name)
        values = map(repr, map(float, curve.values))
        assert [[*pair] for pair in zip(curve.steps, values, strict=True)] == logged


def test_files_come_with_their_content(logged, store):
    folder, _ = logged
    nbtrack.import_runs(folder, store=store)
    found = store.run("full1234")
    uses = {use.name: use for use in store.artifact_uses(run=found.id)}
    [data] = store.artifact_files(uses["ds"].version_id)
    assert store.file_path(data.digest).read_bytes() == b"data\n"
    names = {f.path for f in store.artifact_files(uses["wandb-files"].version_id)}
    assert "kept.txt" in names
    kinds = {value.type for value in store.media(found.id)}
    assert kinds == {"image", "table", "histogram", "html", "text"}
    texts = {text.role: text.body for text in store.texts(found.id)}
    assert "printed to stdout" in texts["stdout"]
    assert "numpy==" in texts["packages"]
    facts = store.facts(found.id)
    assert facts["python.version"].value[:2] == "3."
    assert store.run("fail1234").error.rstrip().endswith("it went wrong")


def test_twice_changes_nothing(logged, store):
    folder, _ = logged
    nbtrack.import_runs(folder, store=store)
    assert nbtrack.import_runs(folder, store=store).n_there == 5

"""Real writers of event files log runs; TensorBoard's own readers say what is there,
in what they wrote and in what we wrote."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from interop.peer_environment import json_from, python_with, run

import nbtrack
from nbtrack.interop.export.folder import ExportFolder
from nbtrack.interop.tensorboard.writing import write_tensorboard
from nbtrack.store import Store

pytestmark = [pytest.mark.peers, pytest.mark.timeout(900)]

MAKE = Path(__file__).parent / "samples" / "make_tensorboard.py"
PEER = ("tensorboard", "tensorboardX", "pillow", "setuptools<81")
WHAT_IS_THERE = """
import json, sys
from pathlib import Path
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray

told = {}
everything = dict.fromkeys(
    ("scalars", "images", "histograms", "tensors", "compressedHistograms", "audio"), 0
)
for folder in sorted({file.parent for file in Path(sys.argv[1]).rglob("*tfevents*")}):
    log = EventAccumulator(str(folder), size_guidance=everything)
    log.Reload()
    tags = log.Tags()
    about = {"scalars": {}, "media": {}}
    for tag in tags["scalars"]:
        points = log.Scalars(tag)
        about["scalars"][tag] = [
            [p.step, repr(p.value), round(p.wall_time * 1e6)] for p in points
        ]
    for tag in tags["tensors"]:
        plugin = log.SummaryMetadata(tag).plugin_data.plugin_name
        points = log.Tensors(tag)
        if plugin == "scalars":
            about["scalars"][tag] = [
                [
                    p.step,
                    repr(float(make_ndarray(p.tensor_proto))),
                    round(p.wall_time * 1e6),
                ]
                for p in points
            ]
        elif plugin in ("images", "histograms", "text"):
            about["media"][tag] = len(points)
    for tag in tags["images"]:
        about["media"][tag] = len(log.Images(tag))
    for tag in tags["histograms"]:
        about["media"][tag] = len(log.Histograms(tag))
    told[folder.relative_to(sys.argv[1]).as_posix()] = about
print(json.dumps(told))
"""
HPARAMS_TAB = """
import json, sys
from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.plugin_event_multiplexer import (
    EventMultiplexer,
)
from tensorboard.context import RequestContext
from tensorboard.plugins.base_plugin import TBContext
from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups

runs = EventMultiplexer()
runs.AddRunsFromDirectory(sys.argv[1])
runs.Reload()
provider = MultiplexerDataProvider(runs, sys.argv[1])
context = backend_context.Context(
    TBContext(logdir=sys.argv[1], multiplexer=runs, data_provider=provider)
)
ask = api_pb2.ListSessionGroupsRequest(slice_size=99, allowed_statuses=[0, 1, 2, 3])
groups = list_session_groups.Handler(RequestContext(), context, "1", ask).run()
print(json.dumps({
    group.name: {
        "params": {key: value.number_value or value.string_value or value.bool_value
                   for key, value in group.hparams.items()},
        "metrics": {value.name.tag: value.value for value in group.metric_values},
        "status": [session.status for session in group.sessions],
    }
    for group in groups.session_groups
}))
"""


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    """A folder of runs, and what TensorBoard finds there."""
    folder = tmp_path_factory.mktemp("logs")
    python = python_with(*PEER)
    run(python, MAKE, folder)
    return folder, json_from(python, WHAT_IS_THERE, folder)


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "ours") as opened:
        yield opened


def ours_of(store, found):
    points = {}
    for name in found.metrics:
        curve = store.curve(found.id, name)
        values = map(repr, map(float, curve.values))
        at = map(in_us, curve.at)
        points[name] = [[*row] for row in zip(curve.steps, values, at, strict=True)]
    return points


def in_us(at):
    """To the microsecond: more is not kept of a time."""
    return round(at * 1e6)


def test_every_point_is_the_one_that_tensorboard_reads(logged, store):
    folder, told = logged
    report = nbtrack.import_runs(folder, store=store)
    assert not report.skipped
    assert report.n_points == sum(
        len(points) for about in told.values() for points in about["scalars"].values()
    )
    merged = {"classic/acc/top/train": "train", "classic/acc/top/val": "val"}
    for name, about in told.items():
        if name in merged:
            [points] = about["scalars"].values()
            ours = ours_of(store, store.run("classic"))
            assert ours[f"acc/top/{merged[name]}"] == points
        elif name == "classic":
            ours = ours_of(store, store.run(name))
            assert ours | about["scalars"] == ours
        elif not name.startswith("classic/"):
            assert ours_of(store, store.run(name)) == about["scalars"]


def test_rich_values_are_as_many(logged, store):
    folder, told = logged
    nbtrack.import_runs(folder, store=store)
    for name in ("classic", "keras/train", "keras/validation"):
        ours = Counter(value.name for value in store.media(store.run(name).id))
        theirs = told[name]["media"]
        names = {tag.removesuffix("/text_summary"): n for tag, n in theirs.items()}
        two = names.pop("two", None)  # of two pictures
        assert (ours.pop("two/0", None), ours.pop("two/1", None)) == (two, two)
        assert ours == names


def test_tensorboard_reads_what_we_write(logged, store, tmp_path):
    folder, _ = logged
    nbtrack.import_runs(folder, store=store)
    counts = write_tensorboard(store, store.runs(), ExportFolder(tmp_path / "written"))
    told = json_from(python_with(*PEER), WHAT_IS_THERE, tmp_path / "written")
    assert len(told) == counts.n_runs == len(store.runs())
    n_points = 0
    for found in store.runs():
        [about] = [about for name, about in told.items() if name.endswith(found.id)]
        for name, points in ours_of(store, found).items():
            theirs = about["scalars"][name]
            assert [[p[0], p[2]] for p in theirs] == [[p[0], p[2]] for p in points]
            values = [float(p[1]) for p in points]
            close = pytest.approx(values, rel=1e-6, nan_ok=True)
            assert [float(p[1]) for p in theirs] == close
            n_points += len(points)
        rich = {value.name for value in store.media(found.id)}
        texts = {"nbtrack/params"} if found.params else set()
        assert set(about["media"]) == rich | texts
    assert n_points == counts.n_points


def test_its_hparams_tab_shows_params_metrics_and_status(logged, store, tmp_path):
    folder, _ = logged
    nbtrack.import_runs(folder, store=store)
    write_tensorboard(store, store.runs(), ExportFolder(tmp_path / "written"))
    told = json_from(python_with(*PEER), HPARAMS_TAB, tmp_path / "written")
    assert len(told) == len(store.runs())
    for found in store.runs():
        [row] = [row for name, row in told.items() if name.endswith(found.id)]
        params = {name: param.value for name, param in found.params.items()}
        assert row["params"] == params
        for name, summary in found.metrics.items():
            if name != "odd":
                assert row["metrics"][name] == pytest.approx(summary.last, rel=1e-6)
        assert row["status"] == [1 if found.status == "finished" else 2]

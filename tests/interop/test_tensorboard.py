"""Event files of real writers (samples/make_tensorboard.py) taken in, and our own."""

from __future__ import annotations

import math
import shutil
import struct
from pathlib import Path

import pytest

import nbtrack
from nbtrack.errors import ImportSourceError
from nbtrack.interop.export.folder import ExportFolder
from nbtrack.interop.tensorboard.messages import EVENT, START
from nbtrack.interop.tensorboard.records import framed
from nbtrack.interop.tensorboard.writing import write_tensorboard
from nbtrack.store import Store

SAMPLES = Path(__file__).parent / "samples" / "tensorboard"


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    with Store.open(tmp_path_factory.mktemp("ours")) as store:
        store.report = nbtrack.import_runs(SAMPLES, store=store)
        yield store


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "ours") as opened:
        yield opened


def write_events(folder, events, name="events.out.tfevents.1.here"):
    folder.mkdir(parents=True, exist_ok=True)
    body = framed([EVENT.write({"wall_time": 1.7e9, **event}) for event in events])
    (folder / name).write_bytes(body)
    return folder


def scalar(step, value, tag="loss", at=1.7e9):
    value = {"tag": tag, "simple": value}
    return {"wall_time": at, "step": step, "summary": {"value": [value]}}


def points(store, run, name):
    curve = store.curve(run.id, name)
    return list(zip(curve.steps, curve.values, strict=True))


def float32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def test_every_folder_with_event_files_is_a_run(taken):
    assert not taken.report.skipped
    names = {run.name for run in taken.runs()}
    searched = {name for name in names if name.startswith("searched/")}
    assert len(searched) == 3
    assert names - searched == {
        "classic", "restarted", "searched", "keras/train", "keras/validation"
    }  # fmt: skip
    parent = taken.run("searched")
    assert {taken.run(name).parent for name in searched} == {parent.id}
    assert {run.experiment for run in taken.runs()} == {"tensorboard"}


def test_scalars_come_with_step_time_and_value(taken):
    run = taken.run("classic")
    assert points(taken, run, "loss") == [(i, float32(1 / (i + 1))) for i in range(30)]
    odd = [value for _, value in points(taken, run, "odd")][:3]
    assert str(odd) == "[nan, inf, -inf]"
    at = taken.curve(run.id, "loss").at
    assert 1.7e9 < at[0] <= at[-1] < 4e9


def test_what_add_scalars_and_add_hparams_wrote_comes_with_its_run(taken):
    run = taken.run("classic")
    assert run.metrics["acc/top/train"].n == run.metrics["acc/top/val"].n == 30
    assert {name: param.value for name, param in run.params.items()} == {
        "lr": 0.1, "batch": 32, "opt": "adam", "nesterov": True
    }  # fmt: skip
    assert run.metrics["final"].last == float32(0.9)
    # Its run has a metric of that name: one point does not become a part of a curve.
    assert run.metrics["hparam/loss"].last == float32(0.03)
    assert run.metrics["loss"].n == 30


def test_tensors_of_tensorflow_2_come_too(taken):
    run = taken.run("keras/train")
    assert points(taken, run, "exact") == [(i, 1 / (i + 1)) for i in range(15)]
    assert run.metrics["epoch_loss"].n == 15
    media = {value.name: value for value in taken.media(run.id)}
    assert set(media) == {"h", "said", "two/0", "two/1"}
    assert media["h"].data == {"counts": [3, 4], "edges": [0.0, 1.0, 2.0], "n": 7}
    assert media["said"].data["text"] == "hello"
    picture = taken.file_path(media["two/0"].digest).read_bytes()
    assert picture.startswith(b"\x89PNG")


def test_pictures_histograms_and_texts_come(taken):
    run = taken.run("classic")
    media = {value.name: value for value in taken.media(run.id)}
    assert {n: (v.type, v.step) for n, v in media.items()} == {
        "picture": ("image", 3), "weights": ("histogram", 1), "note": ("text", 2)
    }  # fmt: skip
    assert sum(media["weights"].data["counts"]) == 500
    assert media["note"].data["text"] == "hello **world**"


def test_what_is_not_taken_is_said(taken):
    assert "values of kind 'pr_curves' are not taken: 1" in str(taken.report)


def test_steps_that_were_done_anew_are_left_out_as_in_tensorboard(taken):
    run = taken.run("restarted")
    anew = [(i, float(-i)) for i in range(5, 12)]
    assert points(taken, run, "loss") == [(i, float(i)) for i in range(5)] + anew
    assert "done anew behind a restart: 5" in str(taken.notices(run.id))


def test_a_status_is_what_the_hparams_plugin_says(taken):
    assert taken.run("keras/train").status == "finished"
    assert taken.run("keras/validation").status == "failed"
    assert "do not say how a run ended" in taken.run("restarted").reason


def test_twice_changes_nothing_from_another_place_too(taken, tmp_path):
    shutil.copytree(SAMPLES, tmp_path / "copy")
    n = len(taken.runs())
    assert nbtrack.import_runs(tmp_path / "copy", store=taken).n_there == n
    one = nbtrack.import_runs(tmp_path / "copy" / "restarted", store=taken)
    assert (one.n_there, one.new, one.updated) == (1, (), ())


def test_one_event_file_is_a_run(tmp_path, store):
    folder = write_events(tmp_path / "logs" / "a", [scalar(0, 0.5)])
    write_events(folder, [scalar(1, 0.5)], "events.out.tfevents.2.here")
    file = folder / "events.out.tfevents.1.here"
    report = nbtrack.import_runs(file, store=store)
    assert report.n_points == 1
    assert store.run("a").experiment == "logs"


def test_files_of_a_run_are_read_in_the_order_of_their_names(tmp_path, store):
    folder = write_events(tmp_path / "a", [scalar(1, 1.0)], "events.out.tfevents.2.x")
    write_events(folder, [scalar(0, 0.0)], "events.out.tfevents.1.x")
    nbtrack.import_runs(tmp_path, store=store)
    assert points(store, store.run("a"), "loss") == [(0, 0.0), (1, 1.0)]


def test_add_scalars_of_pytorch_is_told_by_the_name_of_its_folder(tmp_path, store):
    write_events(tmp_path / "a", [scalar(0, 1.0)])
    write_events(tmp_path / "a" / "top_acc_val", [scalar(0, 0.5, "top/acc")])
    write_events(tmp_path / "a" / "other", [scalar(0, 0.5, "top/acc")])
    nbtrack.import_runs(tmp_path, store=store)
    assert store.run("a").metrics["top/acc/val"].last == 0.5
    assert store.run("a/other").parent == store.run("a").id


def test_a_run_that_goes_on_is_brought_up_to_date(tmp_path, store):
    write_events(tmp_path / "a", [scalar(0, 1.0)])
    nbtrack.import_runs(tmp_path / "a", store=store)
    write_events(tmp_path / "a", [scalar(0, 1.0), scalar(1, 0.5)])
    assert len(nbtrack.import_runs(tmp_path / "a", store=store).updated) == 1
    assert store.run("a").metrics["loss"].n == 2


@pytest.mark.parametrize("at", [math.nan, math.inf, -1.0, 1e300])
def test_times_that_cannot_be_are_as_good_as_none(at, tmp_path, store):
    write_events(tmp_path / "a", [scalar(0, 1.0, at=at), scalar(1, 0.5, at=1.7e9)])
    assert not nbtrack.import_runs(tmp_path, store=store).skipped
    assert store.run("a").started_at == "2023-11-14T22:13:20.000000Z"
    assert store.run("a").metrics["loss"].n == 2


def test_a_restart_in_the_folder_of_a_part_is_none_of_its_run(tmp_path, store):
    write_events(tmp_path / "a", [scalar(n, 1.0) for n in range(5)])
    start = {"step": 2, "session": {"status": START}}
    points = [scalar(n, 0.5, "acc") for n in range(4)]
    write_events(tmp_path / "a" / "acc_val", [*points, start, points[2]])
    report = nbtrack.import_runs(tmp_path, store=store)
    run = store.run("a")
    assert (run.metrics["loss"].n, run.metrics["acc/val"].n) == (5, 3)
    assert "done anew behind a restart: 2" in str(report)


def test_many_restarts_cost_no_more_than_one(tmp_path, store):
    again = [{"step": 2**60, "session": {"status": START}}] * 20_000
    events = [event for n in range(500) for event in (scalar(n, 0.0), *again[:40])]
    write_events(tmp_path / "a", [*events, {"step": 7, "session": {"status": START}}])
    nbtrack.import_runs(tmp_path / "a", store=store)
    assert store.run("a").metrics["loss"].n == 7


def test_a_folder_without_event_files_is_an_error(tmp_path, store):
    with pytest.raises(ImportSourceError, match="no event file"):
        nbtrack.import_runs(tmp_path, "tensorboard", store=store)
    write_events(tmp_path / "empty", [])
    report = nbtrack.import_runs(tmp_path, store=store)
    assert "no event in its files" in "".join(report.skipped.values())


# ---- written


@pytest.fixture
def written(taken, tmp_path):
    """The runs as our own event files, and what was counted."""
    counts = write_tensorboard(taken, taken.runs(), ExportFolder(tmp_path / "written"))
    return tmp_path / "written", counts


def contents(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder): path.read_bytes() for path in files}


def test_what_is_written_comes_back_in_another_store(taken, written, store):
    folder, counts = written
    report = nbtrack.import_runs(folder, store=store)
    assert (len(report.new), report.n_points) == (counts.n_runs, counts.n_points)
    for before in taken.runs():
        after = store.run(before.id)
        assert after.params.keys() == before.params.keys()
        assert {n: p.value for n, p in after.params.items()} == {
            n: p.value for n, p in before.params.items()
        }
        assert after.started_at == before.started_at
        for name in before.metrics:
            curves = [s.curve(before.id, name) for s in (taken, store)]
            assert [*curves[0].steps] == [*curves[1].steps]
            assert [*curves[0].at] == [*curves[1].at]
            narrow = [float32(value) for value in curves[0].values]
            assert str(narrow) == str([*curves[1].values])
    media = {value.name: value for value in store.media(taken.run("classic").id)}
    assert sum(media["weights"].data["counts"]) == 500
    before = {value.name: value for value in taken.media(taken.run("classic").id)}
    assert media["picture"].digest == before["picture"].digest
    assert media["note"].data == before["note"].data
    assert "| lr | 0.1 |" in media["nbtrack/params"].data["text"]


def test_writing_twice_gives_the_same_bytes(taken, written):
    folder, counts = written
    before = contents(folder)
    assert write_tensorboard(taken, taken.runs(), ExportFolder(folder)) == counts
    assert contents(folder) == before
    assert {path.parts[0].rpartition("-")[2] for path in before} == {
        run.id for run in taken.runs()
    }


def test_a_run_that_comes_back_to_its_store_is_there_already(taken, written):
    folder, counts = written
    report = nbtrack.import_runs(folder, store=taken)
    assert (report.n_there, report.new, report.updated) == (counts.n_runs, (), ())


def test_params_of_any_kind_and_hostile_names_are_written(store_path, tmp_path):
    params = {"list": [1, "a|b"], "none": None, "nan": math.nan, "big": 2**80}
    params |= {"lr": 1e-3, "flag": False, "text": "x\ny"}
    with nbtrack.start("../evil\0/name", params=params, notes="as *it* was") as run:
        run.log({"../loss": 1e300})
    with Store.open(store_path) as ours:
        counts = write_tensorboard(ours, ours.runs(), ExportFolder(tmp_path / "out"))
        assert (counts.n_runs, counts.n_params) == (1, 7)
    [inner] = (tmp_path / "out").iterdir()
    assert inner.name.endswith(run.id)
    with Store.open(tmp_path / "other") as other:
        nbtrack.import_runs(tmp_path / "out", store=other)
        back = other.run(run.id)
        values = {name: param.value for name, param in back.params.items()}
        assert str(values.pop("nan")) == "nan"
        assert values == {
            "list": '[1, "a|b"]', "big": str(2**80), "lr": 1e-3, "flag": False,
            "text": "x\ny",
        }  # fmt: skip
        assert back.metrics["../loss"].last == math.inf

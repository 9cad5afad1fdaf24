"""Taking in runs of another tool, whichever: ids, times, counts, twice, broken ones."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from types import ModuleType

import pytest

import nbtrack
from nbtrack.errors import ImportSourceError
from nbtrack.interop import importing, sources
from nbtrack.interop.foreign import (
    ForeignArtifact,
    ForeignFile,
    ForeignImage,
    ForeignRun,
    ForeignSeries,
    ForeignText,
    FoundRun,
)
from nbtrack.store import Store

AT = 1_700_000_000.0
SECRET = "hf_" + "abcdefghijklmnopqrstuvwxyz"


class JsonRuns:
    """A tool that keeps a run as a JSON file: what a reader of it would be."""

    tool = "json"

    def __init__(self, place):
        self.folder = Path(place)

    def found(self):
        return [self._found(file) for file in sorted(self.folder.glob("*.json"))]

    def _found(self, file):
        head = json.loads(file.read_text())
        read = lambda: self._read(file)  # noqa: E731 - as the protocol has it
        return FoundRun(
            head["id"], head.get("at", AT), read, state=head.get("state"),
            ours=head.get("ours"),
        )  # fmt: skip

    def _read(self, file):
        told = json.loads(file.read_text())
        steps = range(len(told["loss"]))
        at = [AT + n for n in steps]
        files = [ForeignFile(p.name, p) for p in sorted(self.folder.glob("*.bin"))]
        return ForeignRun(
            name=told.get("name", told["id"]),
            experiment="old",
            status=told.get("status", "finished"),
            ended_at=AT + 60,
            params=told.get("params", {}),
            tags=told.get("tags", {}),
            notes=told.get("notes", ""),
            parent=told.get("parent"),
            texts=[ForeignText("stdout", "stdout", told.get("out", ""))],
            series=[ForeignSeries("loss", steps, told["loss"], at)],
            artifacts=[
                ForeignArtifact("net", files, type="model", step=1),
                ForeignArtifact("ds", [ForeignFile("d", uri="s3://b/d")], role="input"),
            ],
            images=[ForeignImage("plot", 0, AT, b"\x89PNG")],
            notices=told.get("notices", ()),
        )

    def close(self):
        pass


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of that tool, which `import_runs` knows."""
    reader = ModuleType("json_runs")
    reader.recognises = lambda place: any(Path(place).glob("*.json"))
    reader.open_source = JsonRuns
    monkeypatch.setitem(sys.modules, "json_runs", reader)
    monkeypatch.setitem(sources.READERS, "json", "json_runs")
    made = tmp_path / "theirs"
    made.mkdir()
    return made


def write(folder, id_, *, loss=(0.5, 0.25), **more):
    (folder / f"{id_}.json").write_text(json.dumps({"id": id_, "loss": loss, **more}))


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "ours") as opened:
        yield opened


def test_a_run_comes_with_its_id_times_points_and_files(folder, store):
    (folder / "w.bin").write_bytes(b"weights")
    write(folder, "abc", params={"opt.lr": 0.1, "net": {"n": [1, 2]}}, tags={"x": "y"})
    report = nbtrack.import_runs(folder, store=store)
    assert (len(report.new), report.n_points, report.n_params) == (1, 2, 2)
    assert report.n_files == 2
    run = store.run("abc")
    assert (run.started_at, run.ended_at) == (
        "2023-11-14T22:13:20.000000Z", "2023-11-14T22:14:20.000000Z"
    )  # fmt: skip
    assert (run.duration_s, run.status, run.experiment) == (60.0, "finished", "old")
    assert {n: p.value for n, p in run.params.items()} == {
        "opt.lr": 0.1, "net.n": [1, 2]
    }  # fmt: skip
    assert run.tags == {"x": "y", "imported": "json"}
    curve = store.curve(run.id, "loss")
    assert [*curve.values] == [0.5, 0.25]
    assert [*curve.at] == [AT, AT + 1]
    uses = {use.role: use for use in store.artifact_uses(run=run.id)}
    assert (uses["output"].name, uses["input"].name) == ("net", "ds")
    [file] = store.artifact_files(uses["output"].version_id)
    assert store.file_path(file.digest).read_bytes() == b"weights"
    [image] = store.media(run.id)
    assert store.file_path(image.digest).read_bytes() == b"\x89PNG"


def test_twice_changes_nothing(folder, store):
    write(folder, "abc")
    write(folder, "def", state="7")
    nbtrack.import_runs(folder, store=store)
    before = [store.sql(f"select * from {t}") for t in ("runs", "facts", "artifacts")]
    again = nbtrack.import_runs(folder, store=store)
    assert (again.new, again.updated, again.n_there) == ((), (), 2)
    assert str(again) == "from json: 2 already there"
    assert before == [
        store.sql(f"select * from {t}") for t in ("runs", "facts", "artifacts")
    ]


def test_a_run_that_went_on_is_brought_up_to_date_and_keeps_what_is_ours(folder, store):
    write(folder, "abc", status="running", state="1")
    nbtrack.import_runs(folder, store=store)
    run = store.run("abc")
    assert (run.status, run.reason) == ("crashed", "had not ended in json when it came")
    store.edit({"kind": "tags", "run": run.id, "set": {"mine": None}})
    write(folder, "abc", loss=[0.5, 0.25, 0.125], state="2")
    report = nbtrack.import_runs(folder, store=store)
    assert report.updated == (run.id,)
    after = store.run("abc")
    assert (after.status, after.metrics["loss"].n) == ("finished", 3)
    assert "mine" in after.tags
    assert nbtrack.import_runs(folder, store=store).n_there == 1


def test_nan_and_infinities_come_exactly(folder, store):
    write(folder, "abc", loss=[math.nan, math.inf, -math.inf, -0.0])
    nbtrack.import_runs(folder, store=store)
    values = [*store.curve(store.run("abc").id, "loss").values]
    assert str(values) == "[nan, inf, -inf, -0.0]"


def test_what_happened_there_long_ago_calls_nobody(folder, store):
    write(folder, "one", loss=[1.0, math.nan])
    nbtrack.import_runs(folder, "json", store=store)
    [alert] = store.runs()[0].alerts
    assert (alert.title, alert.step) == ("loss is NaN", 1)
    assert alert.seen_at is not None


def test_a_broken_run_is_told_and_left_out_whole(folder, store):
    write(folder, "bad", loss=[0.5, "x"])
    write(folder, "good")
    seen = []
    report = nbtrack.import_runs(
        folder, store=store, progress=lambda *at: seen.append(at)
    )
    assert list(report.skipped) == ["bad"]
    assert "ValueError" in report.skipped["bad"]
    assert [run.name for run in store.runs()] == ["good"]
    assert seen == [(0, 2), (1, 2), (2, 2)]
    assert report.n_points == 2
    write(folder, "bad")  # mended, so it comes
    assert len(nbtrack.import_runs(folder, store=store).new) == 1


def test_what_came_stays_when_an_import_is_cut_off(folder, store, monkeypatch):
    monkeypatch.setattr(importing, "BATCH_RUNS", 2)
    for n in range(5):
        write(folder, f"r{n}")

    def stop(n_done, n_all):
        if n_done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        nbtrack.import_runs(folder, store=store, progress=stop)
    assert len(store.runs()) == 2
    report = nbtrack.import_runs(folder, store=store)
    assert (len(report.new), report.n_there) == (3, 2)


def test_a_thousand_runs_of_one_second_have_a_thousand_ids(folder):
    ids = {nbtrack_id(n) for n in range(1000)}
    assert len(ids) == 1000


def nbtrack_id(n):
    from nbtrack.tracking.ids import foreign_run_id

    return foreign_run_id(f"json:{n}", started_at=0.0)


def test_two_runs_whose_ids_would_be_one_both_come(folder, store, monkeypatch):
    same = lambda what, started_at: f"0000000000{what.count('#'):03}"  # noqa: E731
    monkeypatch.setattr(importing, "foreign_run_id", same)
    write(folder, "a")
    write(folder, "b")
    assert len(nbtrack.import_runs(folder, store=store).new) == 2
    assert nbtrack.import_runs(folder, store=store).n_there == 2
    assert store.run("a").name == "a"


def test_a_child_knows_its_parent(folder, store):
    write(folder, "a")
    write(folder, "b", parent="a")
    nbtrack.import_runs(folder, store=store)
    assert store.run("b").parent == store.run("a").id


def test_a_run_of_ours_that_comes_back_is_not_taken(folder, store_path):
    with nbtrack.start("mine") as run:
        run.log(loss=1.0)
    write(folder, "abc", ours=run.id)
    assert nbtrack.import_runs(folder).n_there == 1


def test_hostile_text_is_cleaned_and_secrets_do_not_come(folder, store, tmp_path):
    write(
        folder, "abc", name="evil\x1b[31m\u202e\0", notes=SECRET, out=f"key {SECRET}",
        tags={"t\r": SECRET}, params={"api_key": "hunter2hunter2", "x": SECRET},
    )  # fmt: skip
    nbtrack.import_runs(folder, store=store)
    run = store.run("abc")
    assert run.name.isprintable()
    store.journal.flush()
    store.close()
    kept = b"".join(p.read_bytes() for p in tmp_path.rglob("nbtrack.db*"))
    assert SECRET.encode() not in kept
    assert b"hunter2" not in kept


def test_a_path_of_a_file_stays_inside(folder, store):
    from nbtrack.interop.taking import _inside

    assert _inside("../../etc\\passwd") == "etc/passwd"
    assert _inside("/a//./b") == "a/b"
    assert _inside("..") == "file"


@pytest.mark.parametrize(
    ("place", "tool", "word"),
    [
        (".", None, r"Nothing that is known was found at '\.'.*--tool"),
        (".nbtrack", None, "is a store of nbtrack: nbtrack merge"),
        (".nbtrack/nbtrack.db", None, "is a store of nbtrack: nbtrack merge"),
        ("none", None, "There is nothing at 'none'"),
        (".", "mlfow", "cannot be imported"),
    ],
)
def test_a_place_without_runs_is_an_error(
    place, tool, word, tmp_path, store, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    Store.open(tmp_path).close()
    with pytest.raises(ImportSourceError, match=word):
        nbtrack.import_runs(place, tool, store=store)


def test_what_another_tool_left_in_the_same_folder_is_told(tmp_path, store_path):
    with nbtrack.start("a"):
        nbtrack.log(loss=0.5)
    place = tmp_path / "project"
    nbtrack.export_runs(place / "runs", format="tensorboard")
    nbtrack.export_runs(place, format="json")
    store = Store.open(tmp_path / "new")
    told = nbtrack.import_runs(place, store=store)
    assert (told.tool, len(told.new), len(told.notices)) == ("nbtrack", 1, 1)
    assert "runs of tensorboard lie there too" in told.notices[0]
    assert nbtrack.import_runs(place, "tensorboard", store=store).notices == ()
    assert nbtrack.import_runs(place / "runs", store=store).notices == ()
    store.close()

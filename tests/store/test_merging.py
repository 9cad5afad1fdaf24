"""Stores that are merged: everything comes, nothing here goes, and once is enough."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace

import pytest

import nbtrack
from nbtrack.analysis import edits
from nbtrack.errors import StoreError, StoreTooNewError
from nbtrack.store import Store
from nbtrack.store.schema import APPLICATION_ID, VERSION
from nbtrack.store.schema_v1 import SCHEMA_V1
from nbtrack.tracking.artifacts import api
from nbtrack.tracking.session import process_session

pytestmark = pytest.mark.usefixtures("plain_surroundings")
LARGE = random.Random(5).randbytes(2_500_000)


@pytest.fixture
def at(monkeypatch, tmp_path):
    """Log into the store of this name from now on; its folder comes back."""

    def go(name):
        process_session().close()
        monkeypatch.setenv("NBTRACK_STORE", str(tmp_path / name / ".nbtrack"))
        return tmp_path / name / ".nbtrack"

    yield go
    process_session().close()


def logged(name, losses, *, resume=None, **more):
    with nbtrack.start(name, resume=resume, **more) as run:
        for loss in losses:
            run.log(loss=loss)
    return run.id


def merged(into, other):
    process_session().close()
    with Store.open(into) as store:
        return store.merge(other)


def points_of(store, run, metric):
    """The values as text: NaN is like NaN then."""
    curve = store.curve(run, metric)
    axes = {name: list(axis) for name, axis in curve.axes.items()}
    return list(curve.steps), list(map(str, curve.values)), list(curve.at), axes


def look(folder):
    """Everything a store says of its runs, artifacts and models, but for row ids."""
    with Store.open(folder) as store:
        runs = {run.id: run for run in store.runs(trashed=None)}
        return {
            "runs": runs,
            "curves": {
                (id_, name): points_of(store, id_, name)
                for id_, run in runs.items()
                for name in run.metrics
            },
            "sources": {id_: store.run(id_).source for id_ in runs},
            "facts": {id_: store.facts(id_) for id_ in runs},
            "texts": {id_: store.texts(id_) for id_ in runs},
            "inputs": {id_: store.inputs(id_) for id_ in runs},
            "media": {id_: store.media(id_) for id_ in runs},
            "cells": {id_: store.cells(id_) for id_ in runs},
            "notices": {id_: store.notices(id_) for id_ in runs},
            "versions": {v.ref: replace(v, id=0) for v in store.artifact_versions()},
            "files": {v.ref: store.artifact_files(v.id)
                      for v in store.artifact_versions()},
            "uses": {
                id_: [replace(u, version_id=0) for u in store.artifact_uses(run=id_)]
                for id_ in runs
            },
            "models": store.model_copies(),
            "edits": [(e.kind, e.at, e.runs) for e in store.edits().all()],
        }  # fmt: skip


def bytes_of(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def rows_of(folder):
    """Every row of every table."""
    connection = sqlite3.connect(folder / "nbtrack.db")
    try:
        names = connection.execute(
            "select name from sqlite_master where type = 'table'"
        ).fetchall()
        return {
            name: connection.execute(f"select * from {name}").fetchall()
            for (name,) in names
        }
    finally:
        connection.close()


def change(folder, *statements):
    connection = sqlite3.connect(folder / "nbtrack.db")
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def describe(run):
    """What capture says of a run in a notebook."""
    cell = {
        "seq": 1, "cell_id": "c", "execution": 3, "source": "x = 1", "ok": True,
        "source_digest": "d" * 64, "started_at": "2026-11-26T00:00:00.000000Z",
        "flow": {"reads": ["y"]},
    }  # fmt: skip
    for event in (
        {"kind": "facts", "facts": [["python", "3.11", None], ["gpu", None, "none"]]},
        {"kind": "texts", "texts": [{"role": "diff", "name": "", "body": "+1"}]},
        {"kind": "inputs", "inputs": [{"name": "a.csv", "type": "file", "n_rows": 3}]},
        {"kind": "notices", "texts": ["not captured: z"]},
        {"kind": "cells", "cells": [cell]},
    ):
        run.store.journal.emit({**event, "run": run.id})


def a_full_store(folder, tmp_path):
    """Runs with one of everything; the ids of the runs."""
    with nbtrack.start(
        "base", params={"lr": 0.1, "opt": {"name": "adam"}}, group="g", notes="first",
        tags=["raw", "data: mnist"], off="system",
    ) as run:  # fmt: skip
        for step in range(20):
            run.log({"loss": 1 / (step + 1), "acc": step / 20}, step=2 * step)
        run.log(bad=float("nan"))
        (tmp_path / "large.bin").write_bytes(LARGE)
        run.log_artifact(tmp_path / "large.bin", "weights", metadata={"rows": 3})
        run.log_artifact({"n": 1}, "net", type="model", aliases=["gold"], tags=["t"])
        run.log_image([[0, 255], [128, 64]], name="picture")
        run.log_table([{"a": 1, "b": "x"}], name="table")
        run.tag(late="yes")
        describe(run)
    with nbtrack.fork(run.id, step=6, name="forked") as fork:
        fork.log({"loss": 0.01}, step=30)
        fork.use_artifact("weights:v0")
    with nbtrack.start("folds") as parent:
        pass
    child = logged("fold", [0.3], parent=parent.id)
    nbtrack.models.register("net:v0", "fraud", by="ada")
    nbtrack.rename_metric("acc", "accuracy", "loss < 9")
    logged("bin", [0.9])
    with Store.open(folder) as store:
        edits.trash_all(store, "loss == .9")
        store.keep_artifact(
            {"name": "from elsewhere", "type": "dataset", "run": None,
             "files": [["a", store.put_bytes(b"a").digest, 1, None, None]]}
        )  # fmt: skip
        store.put_bytes(b"named by nothing")
    process_session().close()
    return run.id, fork.id, parent.id, child


def test_everything_comes_once_and_the_other_store_is_not_touched(at, tmp_path):
    there, here = at("there"), tmp_path / "here" / ".nbtrack"
    run, *_ = a_full_store(there, tmp_path)
    before = bytes_of(there)
    report = merged(here, there)
    assert bytes_of(there) == before
    assert len(report.new) == 5
    assert (report.n_there, report.skipped, report.notices) == (0, {}, ())
    assert set(report.versions) == {"weights:v0", "net:v0", "from elsewhere:v0"}
    assert (report.models, report.n_edits) == (("fraud",), 2)
    assert report.n_bytes > len(LARGE)
    theirs, ours = look(there), look(here)
    for part in ("media", "facts", "texts", "inputs", "notices", "cells", "uses"):
        assert theirs[part][run], part
    assert len([media for media in theirs["media"][run] if media.digest]) == 2
    for part, expected in theirs.items():
        assert ours[part] == expected, part
    with Store.open(here) as store:
        assert api.verify(store=store)
        for media in store.media(run):
            if media.digest:
                store.verify_file(media.digest)
        assert store.file_path(store.artifact_files(store.artifact("weights").id)[
            0].digest).read_bytes() == LARGE  # fmt: skip
    rows = rows_of(here)
    again = merged(here, there)
    assert (again.new, again.updated, again.n_there) == ((), (), 5)
    assert (again.versions, again.models, again.n_edits) == ((), (), 0)
    assert again.n_files == 0
    assert rows_of(here) == rows
    # What can be undone there can be undone here.
    with Store.open(here) as store:
        assert "acc" not in store.run(run).metrics
        store.edits().undo(store.edits().all()[0].id)
        assert store.run(run).metrics["acc"].n == 20
    assert merged(here, there).new == ()


def test_what_is_here_stays_and_its_edits_are_undone_first(at, tmp_path):
    here = at("here")
    own = logged("own", [0.5, 0.4], tags=["mine"])
    kept = look(here)
    there = at("there")
    logged("theirs", [0.9])
    nbtrack.rename_metric("loss", "cost")
    with Store.open(there) as store:
        edits.trash_all(store, "cost == .9")
    assert merged(here, there).n_edits == 2
    now = look(here)
    assert now["runs"][own] == kept["runs"][own]
    assert now["curves"][own, "loss"] == kept["curves"][own, "loss"]
    # Nothing was edited here: the last edit there is the last.
    with Store.open(here) as store:
        assert store.edits().undo().kind == "trash"
    third = at("third")
    logged("own", [0.5])
    nbtrack.rename_metric("loss", "cost")
    assert merged(third, there).n_edits == 2
    with Store.open(third) as store:
        kinds = [edit.kind for edit in store.edits().all()]
        assert kinds == ["rename_metric", "trash", "rename_metric"]
        assert store.edits().undo().what["new"] == "cost"


def test_a_run_that_went_on_there_keeps_what_was_edited_here(at, tmp_path):
    there = at("there")
    run = logged("base", [0.5, 0.4], tags=["raw"], params={"lr": 1})
    here = tmp_path / "here" / ".nbtrack"
    merged(here, there)
    with Store.open(here) as store:
        store.edit({"kind": "tags", "run": run, "set": {"raw": "mine", "own": None}})
        store.edit({"kind": "run_changed", "run": run,
                    "fields": {"notes": "my note", "name": "renamed",
                               "trashed_at": 1.7e9}})  # fmt: skip
    at("there")
    with nbtrack.start(resume=run, params={"more": 2}) as resumed:
        for loss in (0.3, 0.2):
            resumed.log(loss=loss)
        resumed.tag("late")
        resumed.log_artifact({"n": 1}, "net")
    report = merged(here, there)
    assert (report.new, report.updated, report.skipped) == ((), (run,), {})
    assert report.versions == ("net:v0",)
    with Store.open(here) as store, Store.open(there) as other:
        found, theirs = store.run(run), other.run(run)
        assert (found.name, found.notes) == ("renamed", "my note")
        assert found.trashed_at is not None
        assert found.tags == {"raw": "mine", "own": None, "late": None}
        assert found.params == theirs.params
        assert found.metrics == theirs.metrics
        assert points_of(store, run, "loss") == points_of(other, run, "loss")
        assert found.ended_at == theirs.ended_at
        assert found.checkpoints == theirs.checkpoints
    rows = rows_of(here)
    assert merged(here, there).n_there == 1
    assert rows_of(here) == rows
    # Where it came from, the older copy changes nothing the other way round.
    assert merged(there, here).n_there == 1


def test_a_run_that_went_on_in_both_stays_as_it_is_here(at, tmp_path):
    there = at("there")
    run = logged("base", [0.5])
    here = tmp_path / "here" / ".nbtrack"
    merged(here, there)
    for folder, loss in (("there", 0.3), ("here", 0.2)):
        at(folder)
        logged(None, [loss], resume=run)
    process_session().close()
    before = rows_of(here)
    report = merged(here, there)
    assert report.skipped == {run: "it went on in both stores: it stays as it is here"}
    assert rows_of(here) == before
    assert "run " + run in str(report)


def test_a_run_with_a_renamed_metric_that_went_on_is_told(at, tmp_path):
    there = at("there")
    run = logged("base", [0.5])
    here = at("here")
    merged(here, there)
    nbtrack.rename_metric("loss", "cost")
    at("there")
    logged(None, [0.3], resume=run)
    assert "undo that edit" in merged(here, there).skipped[run]
    with Store.open(here) as store:
        assert store.run(run).metrics["cost"].n == 1
        store.edits().undo()
    assert merged(here, there).updated == (run,)
    with Store.open(here) as store:
        assert store.run(run).metrics["loss"].n == 2


def test_versions_of_one_number_and_different_content_get_free_ones(at, tmp_path):
    here = at("here")
    with nbtrack.start("own") as run:
        run.log_artifact({"who": "here"}, "net", aliases=["gold"])
        run.log_artifact({"who": "both"}, "net")
    there = at("there")
    with nbtrack.start("foreign") as run:
        run.log_artifact({"who": "there"}, "net", aliases=["gold", "theirs"])
        run.log_artifact({"who": "both"}, "net")
        run.log_artifact({"who": "third"}, "net")
    report = merged(here, there)
    assert report.versions == ("net:v2", "net:v3")
    assert report.renumbered == {"net:v0": "net:v2", "net:v2": "net:v3"}
    assert "net:v0 of the other store is net:v2 here" in str(report)
    with Store.open(here) as store:
        told = {v.ref: v.aliases for v in store.artifact_versions()}
        assert told == {
            "net:v0": ("gold",), "net:v1": ("latest",), "net:v2": ("theirs",),
            "net:v3": (),
        }  # fmt: skip
        made = store.artifact_uses(run=run.id)
        assert [use.version for use in made] == [2, 1, 3]
        assert api.verify(store=store)
    rows = rows_of(here)
    assert merged(here, there).renumbered == {}
    assert rows_of(here) == rows


def test_latest_follows_where_the_other_store_went_on_from_here(at, tmp_path):
    there = at("there")
    with nbtrack.start("one") as run:
        run.log_artifact({"n": 1}, "net")
    here = tmp_path / "here" / ".nbtrack"
    merged(here, there)
    at("there")
    with nbtrack.start("two") as run:
        run.log_artifact({"n": 2}, "net")
    merged(here, there)
    with Store.open(here) as store:
        assert store.artifact("net:latest").ref == "net:v1"


def test_models_go_on_or_stay_and_never_have_two_in_production(at, tmp_path):
    def in_production(folder, content):
        at(folder)
        with nbtrack.start("train") as run:
            run.log_artifact({"n": content}, "net", type="model")
        nbtrack.models.register(f"net:v{content - 1}", "fraud", by="ada")

    in_production("there", 1)
    there, here = tmp_path / "there" / ".nbtrack", tmp_path / "here" / ".nbtrack"
    assert merged(here, there).models == ("fraud",)
    in_production("there", 2)
    assert merged(here, there).models == ("fraud",)
    with Store.open(here) as store:
        assert len(store.model_versions("fraud")) == 2
    elsewhere = tmp_path / "elsewhere" / ".nbtrack"
    in_production("elsewhere", 1)
    before = rows_of(here)["model_versions"]
    report = merged(here, elsewhere)
    assert report.models == ()
    [notice] = report.notices
    assert "fraud went different ways" in notice
    assert rows_of(here)["model_versions"] == before


def test_a_store_of_version_1_comes_as_it_would_be_today(at, tmp_path):
    pytest.importorskip("sqlite_utils")
    there, here = tmp_path / "there" / ".nbtrack", tmp_path / "here" / ".nbtrack"
    there.mkdir(parents=True)
    connection = sqlite3.connect(there / "nbtrack.db")
    connection.executescript(
        f"{SCHEMA_V1} pragma application_id = {APPLICATION_ID};"
        "pragma user_version = 1; pragma journal_mode = wal;"
        "insert into runs(id, name, experiment, status, started_at)"
        " values ('old', 'base', 'x', 'finished', '2026-11-01T00:00:00Z');"
        "insert into metrics(run, name, n, last, last_step)"
        " values ('old', 'loss', 1, 0.5, 0);"
    )
    connection.close()
    before = bytes_of(there)
    assert merged(here, there).new == ("old",)
    assert bytes_of(there) == before
    with Store.open(here) as store:
        assert store.run("old").metrics["loss"].last == 0.5
    assert merged(here, there).n_there == 1


def test_damaged_runs_and_files_are_told_and_the_rest_comes(at, tmp_path):
    there, here = at("there"), tmp_path / "here" / ".nbtrack"
    runs = {name: logged(name, [0.5, 0.4]) for name in "abcde"}
    with nbtrack.start("files") as run:
        run.log_artifact({"n": 1}, "good")
        run.log_artifact({"n": 2}, "bad")
        run.log_image([[0, 255], [128, 64]], name="picture")
    process_session().close()
    with Store.open(there) as store:
        [file] = store.artifact_files(store.artifact("bad").id)
        [picture] = store.media(run.id)
        for digest in (file.digest, picture.digest):
            blob = store.file_path(digest)
            blob.chmod(0o600)
            blob.write_bytes(b"something else")
    change(
        there,
        "pragma foreign_keys = off",
        f"insert into params values ('{runs['a']}', 'p', '{{no json', 'literal', null)",
        "update chunks set body = x'00' where metric = (select id from metrics"
        f" where run = '{runs['b']}')",
        f"update runs set id = '../../c' where id = '{runs['c']}'",
        f"update runs set notes = x'ff00' where id = '{runs['d']}'",
    )
    report = merged(here, there)
    assert set(report.new) == {runs["e"], run.id}
    assert set(report.skipped) == {runs["a"], runs["b"], "../../c", runs["d"]}
    assert report.versions == ("good:v0",)
    bad, picture = report.notices
    assert "bad:v0 did not come: File" in bad
    assert f"picture at step 0 of run {run.id}: File" in picture
    assert "chunk body" in report.skipped[runs["b"]]
    with Store.open(here) as store:
        assert [use.name for use in store.artifact_uses(run=run.id)] == ["good"]
        assert store.media(run.id) == []
        assert api.verify(store=store)
    rows = rows_of(here)
    again = merged(here, there)
    assert (again.new, again.updated, again.n_there) == ((), (), 2)
    assert (again.skipped, again.notices) == (report.skipped, report.notices)
    assert rows_of(here) == rows


def test_pages_that_cannot_be_read_cost_their_runs_only(at, tmp_path):
    there, here = at("there"), tmp_path / "here" / ".nbtrack"
    good = logged("good", [0.5])
    with nbtrack.start("bad") as run:
        run.note("x" * 40_000)  # on pages of its own
    process_session().close()
    change(there, "vacuum")
    database = there / "nbtrack.db"
    content = bytearray(database.read_bytes())
    at_ = content.find(b"x" * 4000) // 4096 * 4096
    for place in (0, 1, 2, 3):  # where the next page is
        content[at_ + place] = 0xFF
    database.write_bytes(content)
    report = merged(here, there)
    assert report.new == (good,)
    assert "damaged" in report.skipped[run.id]


def test_a_file_that_leads_out_of_its_folder_does_not_come(at, tmp_path):
    there, here = at("there"), tmp_path / "here" / ".nbtrack"
    with nbtrack.start("evil") as run:
        run.log_artifact({"n": 1}, "net")
    process_session().close()
    change(there, "update artifact_files set path = '../../evil'")
    report = merged(here, there)
    assert (report.new, report.versions) == ((run.id,), ())
    assert "leads out of it" in report.notices[0]


def test_what_a_dead_process_left_in_its_journal_comes_too(at, tmp_path):
    there, here = at("there"), tmp_path / "here" / ".nbtrack"
    code = (
        "import os, sys; from nbtrack.store import Store;"
        "store = Store.open(sys.argv[1]);"
        "store.journal.emit({'kind': 'run_started', 'run': 'r', 'name': 'dead'});"
        "series = store.journal.series('r', 'loss');"
        "[store.journal.point(series, n, n / 2, 1.7e9) for n in range(7)];"
        "os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(there)], check=True)
    before = bytes_of(there)
    assert len([path for path in before if path.suffix == ".seg"]) == 1
    assert merged(here, there).new == ("r",)
    kept = ("-shm", "-wal")  # SQLite's own, of a process that did not close them
    after = bytes_of(there)
    assert {p: b for p, b in after.items() if not p.name.endswith(kept)} == {
        p: b for p, b in before.items() if not p.name.endswith(kept)
    }
    with Store.open(here) as store:
        assert (store.run("r").status, store.run("r").metrics["loss"].n) == (
            "crashed",
            7,
        )
    Store.open(there).close()  # there it is taken over only now
    assert merged(here, there).n_there == 1


def test_a_run_that_goes_on_there_waits_for_the_next_merge(at, tmp_path):
    there, here = at("there"), tmp_path / "here" / ".nbtrack"
    done = logged("done", [0.5])
    live = nbtrack.start("live")
    live.log(loss=0.1)
    with Store.open(here) as store:
        report = store.merge(there)
    assert (report.new, report.skipped) == ((done,), {live.id: "it is running there"})
    live.finish()
    assert merged(here, there).new == (live.id,)
    with Store.open(here) as store:
        assert store.run("live").status == "finished"


def test_a_store_that_is_none_or_this_one_is_refused(at, tmp_path, monkeypatch):
    here = at("here")
    logged("own", [0.5])
    process_session().close()
    with Store.open(here) as store:
        with pytest.raises(StoreError, match="is this store itself"):
            store.merge(here.parent)
        with pytest.raises(StoreError, match="There is no store at"):
            store.merge(tmp_path / "nowhere")
        (tmp_path / "text" / ".nbtrack").mkdir(parents=True)
        database = tmp_path / "text" / ".nbtrack" / "nbtrack.db"
        for content in (b"", b"no database at all" * 100):
            database.write_bytes(content)
            with pytest.raises(StoreError, match=r"nbtrack.db is (empty|damaged)"):
                store.merge(tmp_path / "text")
        database.unlink()
        sqlite3.connect(database).execute("create table x(y)").connection.close()
        with pytest.raises(StoreError, match="is not an nbtrack store"):
            store.merge(tmp_path / "text")
        shutil.copytree(here, tmp_path / "newer" / ".nbtrack")
        change(tmp_path / "newer" / ".nbtrack", f"pragma user_version = {VERSION + 1}")
        with pytest.raises(StoreTooNewError, match="Upgrade nbtrack"):
            store.merge(tmp_path / "newer")
        assert [run.name for run in store.runs()] == ["own"]


def test_merge_is_there_for_everybody(at, tmp_path):
    there, here = at("there"), tmp_path / "here"
    logged("one", [0.5])
    at("default")
    report = nbtrack.merge(there.parent, here)
    assert len(report.new) == 1
    assert (here / ".nbtrack" / "nbtrack.db").exists()
    assert nbtrack.merge(there).new == report.new
    assert nbtrack.runs()["name"].tolist() == ["one"]
    assert repr(nbtrack.merge(str(there))).endswith(": 1 already there")

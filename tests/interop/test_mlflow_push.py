"""Runs pushed to a real MLflow server, and what its own client then says of them.

Once with SQLite and a folder behind it, once with PostgreSQL and S3.
"""

from __future__ import annotations

import http.server
import json
import math
import os
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from contextlib import suppress

import pytest
from interop.mlflow_server import (
    python,
    run,
    sha256,
    surroundings,
    with_postgresql,
    with_sqlite,
)
from s3_here import BUCKET, s3_here

import nbtrack
from nbtrack.interop.mlflow.names import name_there
from nbtrack.store import Store
from nbtrack.tracking.ids import new_run_id

pytestmark = [
    pytest.mark.peers,
    pytest.mark.timeout(900),  # the first test makes the environment
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
LARGE = os.urandom(5 << 20)
STATUSES = {"base": "FINISHED", "child": "FINISHED", "broken": "FAILED"}
STATUSES |= {"stopped": "KILLED"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "sqlite":
        with with_sqlite(folder) as made:
            yield made
        return
    # boto3, in the processes that push and serve, reads where S3 is from what is set.
    with (
        pytest.MonkeyPatch.context() as patch,
        s3_here(patch),
        with_postgresql(folder, BUCKET) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A store with runs that have everything a run can have."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("ours")
        patch.setenv("NBTRACK_STORE", str(folder / ".nbtrack"))
        patch.setenv("NBTRACK_OFF", "environment system rng")
        fill(folder)
        with Store.open(folder) as opened:
            yield opened


def fill(folder):
    (folder / "large.bin").write_bytes(LARGE)
    (folder / "ds/in").mkdir(parents=True)
    (folder / "ds/in/a:b é.csv").write_text("x\n1\n")
    (folder / "ds/c.csv").write_text("x\n2\n")
    params = {
        "lr": 0.1, "text": "0.1", "opt": {"betas": [0.9, 0.99], "amsgrad": False},
        "limit": math.inf, "long": "x" * 7000, "odd name!": None,
    }  # fmt: skip
    with nbtrack.start(
        "base", experiment="vision", params=params, group="g1", notes="# Notes\nfine",
        tags=["quick", "team: a/b"],
    ) as base:  # fmt: skip
        print("printed by the run")
        base.log_artifact(folder / "ds", "ds", type="dataset")
        base.log_artifact(folder / "large.bin", "weights", type="model")
        for epoch in nbtrack.epochs(4):
            for _ in range(600):
                base.log({"loss": 1 / (1 + epoch), "acc@5": epoch / 4})
        for n, value in enumerate((math.nan, math.inf, -math.inf, 0.1 + 0.2, 1e-300)):
            base.log({"val/odd": value}, step=n)
        base.log_image([[0, 255], [255, 0]], "picture", step=3)
        base.log_table({"a": [1, 2], "b": ["x", "y"]}, "table")
    with nbtrack.start("child", experiment="vision", parent=base.id) as child:
        child.use_artifact("ds:v0")
        child.log(loss=0.5)
    with suppress(ZeroDivisionError), nbtrack.start("broken") as broken:
        broken.log(loss=1.0)
        _ = 1 / 0
    with suppress(KeyboardInterrupt), nbtrack.start("stopped"):
        raise KeyboardInterrupt
    nbtrack.models.register("weights:v0", "fraud", by="ada", notes="first")


@pytest.fixture(scope="module")
def pushed(server, filled):
    """The report of the first push, and what is there after it."""
    return server.push(filled), server.look()


def test_every_run_is_there_with_its_status_times_and_experiment(filled, pushed):
    report, there = pushed
    runs = filled.runs()
    assert set(report["new"]) == {run.id for run in runs} == there.keys() - {"models"}
    assert (report["skipped"], report["notices"]) == ({}, [])
    for ours in runs:
        theirs = there[ours.id]
        assert (theirs["name"], theirs["experiment"]) == (ours.name, ours.experiment)
        assert theirs["status"] == STATUSES[ours.name]
        assert theirs["start"] == ms(ours.started_at)
        assert theirs["end"] == ms(ours.ended_at)


def ms(text):
    from datetime import datetime

    return round(datetime.fromisoformat(text).timestamp() * 1000)


def test_params_tags_notes_and_parents_are_there(filled, pushed):
    _, there = pushed
    base = there[filled.run("base").id]
    assert base["params"] == {
        "lr": "0.1", "text": "0.1", "opt.betas": "[0.9, 0.99]", "opt.amsgrad": "False",
        "epochs": "4", "limit": "inf", "long": "x" * 5999 + "…",
        name_there("odd name!"): "None",
    }  # fmt: skip
    tags = base["tags"]
    assert (tags["quick"], tags["team"], tags["nbtrack.group"]) == ("", "a/b", "g1")
    assert tags["mlflow.note.content"] == "# Notes\nfine"
    child = there[filled.run("child").id]
    assert child["tags"]["mlflow.parentRunId"] == base["id"]
    assert child["inputs"] == ["ds:v0"]


def test_every_point_is_there_with_its_step_and_time(server, filled, pushed):
    report, there = pushed
    n_points = 0
    for ours in filled.runs():
        tail = filled.tail(ours.id)
        series = {name_there(name): points for name, points in tail.points.items()}
        for metric, axes in tail.axes.items():
            for axis, points in axes.items():
                series[name_there(f"axes/{metric}/{axis}")] = points
        theirs = there[ours.id]["metrics"]
        assert theirs.keys() == series.keys()
        for name, (steps, values, at) in series.items():
            expected = sorted(
                [step, as_kept(value), round(t * 1000)]
                for step, value, t in zip(steps, values, at, strict=True)
            )
            # The largest float stands for Inf in MLflow's databases.
            assert theirs[name] == expected, name
            n_points += len(steps)
    assert report["n_points"] == n_points > 4800


def as_kept(value):
    largest = 1.7976931348623157e308
    return repr(value if math.isnan(value) else max(-largest, min(largest, value)))


def test_every_file_is_there_bit_for_bit(filled, pushed):
    report, there = pushed
    base = there[filled.run("base").id]
    assert base["files"]["artifacts/weights/v0/large.bin"] == sha256(LARGE)
    record = base["record"]
    named = [row for told in record["artifacts"] for row in told["files"]]
    assert sorted(row[0] for row in named) == ["c.csv", "in/a:b é.csv", "large.bin"]
    for _, digest, _, _, _, where in named:
        assert base["files"][where] == digest
    for medium in record["media"]:
        if medium["digest"] is not None:
            assert base["files"][medium["path"]] == medium["digest"]
    assert {medium["name"] for medium in record["media"]} == {"picture", "table"}
    files = [run["files"] for id_, run in there.items() if id_ != "models"]
    assert report["n_files"] == sum(map(len, files))


def test_the_record_is_whole(filled, pushed):
    _, there = pushed
    for ours in filled.runs():
        record = there[ours.id]["record"]
        for name, value in record["run"].items():
            assert getattr(ours, name) == value
        facts = {fact["name"]: fact["value"] for fact in record["facts"]}
        kept = filled.facts(ours.id)
        assert facts == {name: fact.value for name, fact in kept.items()}
        texts = {(text["role"], text["name"]) for text in record["texts"]}
        assert texts == {(text.role, text.name) for text in filled.texts(ours.id)}
    assert len(there[filled.run("broken").id]["record"]["run"]["error"]) > 20


def test_a_registered_model_is_registered_there(filled, pushed):
    report, there = pushed
    assert report["models"] == ["fraud@1.0.0"]
    base = there[filled.run("base").id]
    name, number, source, aliases = there["models"]["1.0.0"]
    assert (name, aliases) == ("fraud", {"development": str(number)})
    assert base["id"] in source
    assert source.endswith("artifacts/weights/v0")


def test_to_push_again_changes_nothing(server, filled, pushed):
    _, before = pushed
    report = server.push(filled)
    assert (report["new"], report["updated"], report["models"]) == ([], [], [])
    assert report["n_there"] == len(filled.runs())
    assert report["n_points"] == report["n_files"] == report["n_params"] == 0
    assert server.look() == before


def test_a_run_is_pushed_while_it_runs_and_completed_later(server, tmp_path):
    store = tmp_path / "live"
    script = (
        "import sys, nbtrack\n"
        "run = nbtrack.start('live', off='all')\n"
        "for n in range(1500): run.log(loss=n / 7, step=n)\n"
        "run.store.journal.flush(); print(run.id, flush=True); sys.stdin.readline()\n"
        "for n in range(1500, 3000): run.log(loss=n / 7, step=n)\n"
        "run.log_params(late=1); run.finish()\n"
    )
    child = subprocess.Popen(
        [python(), "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env=os.environ | surroundings() | {"NBTRACK_STORE": str(store)}, text=True,
    )  # fmt: skip
    id_ = child.stdout.readline().strip()
    with Store.open(store) as opened:
        assert server.push(opened)["n_points"] == 1500
        there = server.look(id_)[id_]
        assert (there["status"], there["end"]) == ("RUNNING", None)
        child.communicate("go on\n", timeout=60)
        opened.recover()
        report = server.push(opened)
        assert (report["updated"], report["n_points"]) == ([id_], 1500)
        there = server.look(id_)[id_]
        assert (there["status"], there["params"]) == ("FINISHED", {"late": "1"})
        assert len(there["metrics"]["loss"]) == 3000
        assert len({step for step, *_ in there["metrics"]["loss"]}) == 3000


KILLED = """
import os, signal, sys
import nbtrack
from nbtrack.interop.mlflow.server import Server
ask, left = Server.ask, int(sys.argv[3])

def counted(self, *words, **more):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return ask(self, *words, **more)

Server.ask = counted
nbtrack.push_runs(sys.argv[1], store=sys.argv[2])
"""


def test_what_killed_pushes_left_the_next_one_completes(server, tmp_path):
    with Store.open(tmp_path / "big") as store:
        id_ = many_points(store, n_points=12_000)
        for n_calls in (10, 8, 10):  # among the points, again, and before the files
            pushing = subprocess.run(
                [python(), "-c", KILLED, server.url, str(store.path), str(n_calls)],
                env=os.environ | surroundings(), stdout=subprocess.DEVNULL,
            )  # fmt: skip
            assert pushing.returncode == -signal.SIGKILL
        report = server.push(store)
        assert (report["new"], report["updated"]) == ([], [id_])
        assert report["n_points"] < 6_000
        there = server.look(id_)[id_]
        steps = Counter(step for step, *_ in there["metrics"]["loss"])
        assert steps == Counter(range(12_000))
        assert there["files"]["artifacts/blob/v0/blob.bin"] == sha256(LARGE)
        assert server.push(store)["n_there"] == 1


def many_points(store, n_points):
    """A run of that many points and a file, written as it would be by a loop."""
    id_ = new_run_id()
    journal = store.journal
    journal.emit(
        {"kind": "run_started", "run": id_, "name": "many", "experiment": "big",
         "started_at": time.time()}
    )  # fmt: skip
    loss = journal.series(id_, "loss")
    at = time.time()
    for n in range(n_points):
        journal.point(loss, n, 1 / (1 + n), at + n / 1000)
        if n % 100_000 == 0:
            journal.flush(60)
    ref = store.put_bytes(LARGE)
    store.edit(
        {"kind": "artifact", "run": id_, "role": "output", "name": "blob",
         "type": "file", "created_at": at,
         "files": [["blob.bin", ref.digest, ref.size_bytes, None, None]]},
        {"kind": "run_finished", "run": id_, "status": "finished", "ended_at": at + 9},
    )  # fmt: skip
    return id_


def test_a_long_run_goes_at_the_pace_of_the_server(server, tmp_path, capsys):
    n_points = 100_001
    with Store.open(tmp_path / "long") as store:
        many_points(store, n_points=n_points)
        began = time.monotonic()
        assert server.push(store)["n_points"] == n_points
        took = time.monotonic() - began
    with capsys.disabled():
        print(f"\n{server.kind}: {n_points / took:,.0f} points/s pushed")


def test_what_was_pushed_comes_back_as_it_was(server, filled, pushed, tmp_path):
    if server.kind != "sqlite":
        pytest.skip("stores are read from files: a database of SQLite, a folder")
    with Store.open(tmp_path / "back") as back:
        report = nbtrack.import_runs(server.folder / "mlflow.db", store=back)
        assert report.skipped == {}
        for ours in filled.runs():
            assert same(filled, back, ours.id) is None
        again = nbtrack.import_runs(server.folder / "mlflow.db", store=back)
        assert (again.new, again.updated) == ((), ())
    # In the store that they came from there is nothing to take.
    ids = {run.id for run in filled.runs()}
    shutil.copytree(filled.path, tmp_path / "here/.nbtrack")
    with Store.open(tmp_path / "here") as here:
        report = nbtrack.import_runs(server.folder / "mlflow.db", store=here)
        assert ids.isdisjoint({*report.new, *report.updated})


RUN_FIELDS = (
    "id", "name", "experiment", "status", "group", "parent", "notes", "source",
    "error", "reason",
)  # fmt: skip


def same(ours: Store, back: Store, id_: str) -> None:
    mine, theirs = ours.run(id_), back.run(id_)
    for name in RUN_FIELDS:
        assert getattr(mine, name) == getattr(theirs, name), name
    params = [{n: p.value for n, p in run.params.items()} for run in (mine, theirs)]
    assert params[0] == params[1]
    metrics = [sorted(map(repr, run.metrics.values())) for run in (mine, theirs)]
    assert metrics[0] == metrics[1]  # as text, for NaN is not itself
    assert {n: v for n, v in theirs.tags.items() if n != "imported"} == mine.tags
    assert ms(mine.started_at) == ms(theirs.started_at)
    assert ms(mine.ended_at) == ms(theirs.ended_at)
    tails = ours.tail(id_), back.tail(id_)
    assert rounded(tails[0]) == rounded(tails[1])
    facts = [store.facts(id_) for store in (ours, back)]
    for name, fact in facts[0].items():
        assert fact.value is None or facts[1][name].value == fact.value
    texts = [{(t.role, t.name): t.body for t in s.texts(id_)} for s in (ours, back)]
    assert {key: body for key, body in texts[0].items() if body is not None} == texts[1]
    assert ours.inputs(id_) == back.inputs(id_)
    media = [
        [(m.name, m.type, m.step, m.mime, m.digest, m.data) for m in s.media(id_)]
        for s in (ours, back)
    ]
    assert media[0] == media[1]
    assert list(uses(ours, id_)) == list(uses(back, id_))


def rounded(tail):
    def as_ms(points):
        steps, values, at = points
        return [*steps], [*map(repr, values)], [round(t * 1000) for t in at]

    series = {name: as_ms(points) for name, points in tail.points.items()}
    for metric, axes in tail.axes.items():
        series |= {(metric, axis): as_ms(points) for axis, points in axes.items()}
    return series


def uses(store, id_):
    for use in store.artifact_uses(run=id_):
        [version] = store.artifact_versions(ids=[use.version_id])
        yield use.name, use.type, use.role, use.step, version.digest, version.metadata


def test_the_command_pushes_one_run_and_says_so_in_json(server, filled, pushed):
    words = ["push", server.url, "base", "--json", "--store", filled.path]
    code = "from nbtrack.cli import main; main()"
    said = run(python(), "-c", code, *words, **surroundings())
    told = json.loads(said)
    assert (told["n_there"], told["new"], told["url"]) == (1, [], server.url)


class Refuses(http.server.BaseHTTPRequestHandler):
    """Somebody who is no MLflow, or will not let one in."""

    status = 404

    def do_GET(self):
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(b"<html>none of your business</html>")

    do_POST = do_GET

    def log_message(self, *_):
        """Keep still."""


@pytest.mark.parametrize(
    ("status", "word"),
    [(404, "not as an MLflow"), (401, "MLFLOW_TRACKING_USERNAME"), (None, "reached")],
)
def test_a_wrong_address_is_one_line_with_the_way_out(filled, status, word):
    serving = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuses)
    url = f"http://user:hunter2@127.0.0.1:{serving.server_port}"
    if status is None:
        serving.server_close()
    else:
        Refuses.status = status
        threading.Thread(target=serving.serve_forever, args=(0.05,)).start()
    try:
        code = "from nbtrack.cli import main; main()"
        done = subprocess.run(
            [python(), "-c", code, "push", url, "--store", str(filled.path)],
            env=os.environ | surroundings(), capture_output=True, text=True,
            timeout=100,
        )  # fmt: skip
    finally:
        if status is not None:
            serving.shutdown()
            serving.server_close()
    assert done.returncode == 1
    [line] = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert word in line
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_in_the_trash_there_stays_there(server, tmp_path):
    with Store.open(tmp_path / "one") as store:
        store.edit(
            {"kind": "run_started", "run": "06avk3m8xq2zz", "name": "one",
             "started_at": 1.7e9},
            {"kind": "run_finished", "run": "06avk3m8xq2zz", "status": "finished",
             "ended_at": 1.7e9},
        )  # fmt: skip
        server.push(store)
        id_ = server.look("06avk3m8xq2zz")["06avk3m8xq2zz"]["id"]
        code = "import mlflow, sys; a = sys.argv; mlflow.MlflowClient(a[1]).delete_run"
        code += "(a[2])"
        run(python(), "-c", code, server.url, id_, **surroundings())
        store.edit({"kind": "tags", "run": "06avk3m8xq2zz", "set": {"new": None}})
        report = server.push(store)
        assert "trash" in report["skipped"]["06avk3m8xq2zz"]

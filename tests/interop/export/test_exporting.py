"""Exports: each format read back by what reads it, twice the same, nothing lost."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import shlex
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from interop.export.filled import AT, FIRST, LOSSES, SECOND, all_of, fill
from interop.peer_environment import python_with, run

import nbtrack
from nbtrack.cli import command
from nbtrack.errors import (
    ImportSourceError,
    MissingExtraError,
    OptionError,
    QueryError,
    RunNotFoundError,
)
from nbtrack.interop.export import json_lines
from nbtrack.interop.yaml_text import read_yaml
from nbtrack.store import Store
from nbtrack.text import csv_cell

FORMATS = ["parquet", "json", "csv", "rows", "dvc"]
DVCLIVE = ("dvclive", "numpy", "pillow", "scikit-learn")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with Store.open(tmp_path_factory.mktemp("filled")) as opened:
        yield fill(opened)


def bytes_in(folder):
    return {p: p.read_bytes() for p in files_in(folder)}


def times_in(folder):
    return [p.stat().st_mtime_ns for p in files_in(folder)]


def files_in(folder):
    return [p for p in sorted(folder.rglob("*")) if p.is_file()]


@pytest.mark.parametrize("format", [*FORMATS, "tensorboard"])
def test_twice_writes_nothing(format, store, tmp_path):
    first = nbtrack.export_runs(tmp_path, format=format, store=store)
    before, written_at = bytes_in(tmp_path), times_in(tmp_path)
    again = nbtrack.export_runs(tmp_path, format=format, store=store)
    assert bytes_in(tmp_path) == before
    assert times_in(tmp_path) == written_at
    assert (again.n_runs, again.n_points) == (first.n_runs, first.n_points) == (
        2, first.n_points
    )  # fmt: skip
    assert again.n_written == 0
    assert again.n_unchanged == first.n_written + first.n_unchanged


@pytest.mark.parametrize("format", ["json", "parquet"])
def test_what_comes_back_is_equal_in_everything(format, store, tmp_path):
    nbtrack.export_runs(tmp_path / "out", format=format, store=store)
    with Store.open(tmp_path / "new") as new:
        report = nbtrack.import_runs(tmp_path / "out", store=new)
        assert (report.tool, report.new) == ("nbtrack", (FIRST, SECOND))
        assert report.notices == ()
        for run_id in (FIRST, SECOND):
            there = all_of(store, run_id)
            for what, here in all_of(new, run_id).items():
                assert here == there[what], what
        use = new.artifact_uses(run=FIRST)[0]
        digest = new.artifact_files(use.version_id)[0].digest
        assert new.file_path(digest).read_bytes() == b"weights"
        assert nbtrack.import_runs(tmp_path / "out", store=new).n_there == 2
        nbtrack.export_runs(tmp_path / "again", format=format, store=new)
    out, again = bytes_in(tmp_path / "out"), bytes_in(tmp_path / "again")
    assert list(out.values()) == list(again.values())


@pytest.mark.parametrize("format", ["json", "parquet"])
def test_the_store_that_it_came_from_does_not_change(format, store, tmp_path):
    nbtrack.export_runs(tmp_path, format=format, store=store)
    assert nbtrack.import_runs(tmp_path, store=store).n_there == 2


def test_parquet_has_types_and_exact_numbers(store, tmp_path):
    import pyarrow.parquet as pq

    nbtrack.export_runs(tmp_path, format="parquet", store=store)
    names = {p.stem for p in tmp_path.glob("*.parquet")}
    assert names == {
        "runs", "params", "tags", "metrics", "points", "facts", "texts", "inputs",
        "notices", "media", "artifacts", "artifact_files",
    }  # fmt: skip
    points = pq.read_table(tmp_path / "points.parquet").to_pandas()
    loss = points[(points.run == FIRST) & (points.metric == "loss")]
    assert [*map(str, loss["value"])] == [*map(str, LOSSES)]
    assert loss["step"].tolist() == list(range(len(LOSSES)))
    assert loss["at"].iloc[0] == AT
    assert points.dtypes.astype(str)[["step", "value", "at"]].tolist() == [
        "int64", "float64", "float64"
    ]  # fmt: skip
    runs = pq.read_table(tmp_path / "runs.parquet").to_pandas()
    assert str(runs["started_at"].dtype).startswith("datetime64[us")
    params = pq.read_table(tmp_path / "params.parquet").to_pylist()
    told = {p["name"]: (p["value"], p["number"], p["text"]) for p in params}
    assert told["lr"] == ("0.1", 0.1, None)
    assert told["limit"] == ('{"$float": "inf"}', math.inf, None)
    assert told["id"] == ('"0012"', None, "0012")
    assert told["flag"] == ("true", None, None)
    metadata = pq.read_schema(tmp_path / "runs.parquet").metadata
    assert metadata[b"nbtrack.version"] == b"1"


def test_rows_are_rows_to_any_sqlite(store, tmp_path):
    nbtrack.export_runs(tmp_path, format="rows", store=store)
    with closing(sqlite3.connect(tmp_path / "runs.db")) as plain:
        ask = lambda query: plain.execute(query).fetchall()  # noqa: E731
        values = ask(
            "select value from points where metric = 'loss'"
            f" and axis_of is null and run = '{FIRST}' order by step"
        )
        assert [None if math.isnan(v) else v for v in LOSSES] == [v for (v,) in values]
        params = dict(ask("select name, value from params"))
        assert (params["lr"], params["n"], params["id"]) == (0.1, 3, "0012")
        assert ask("select json from params where name = 'flag'") == [("true",)]
        assert ask("select count(*) from points") == [(15,)]
        assert ask("select name from runs where id in (select run from points)") == [
            ("=cmd()",), ("../up",)
        ]  # fmt: skip
        assert ask("pragma foreign_key_check") == []
        assert ask("pragma integrity_check") == [("ok",)]


def test_csv_is_wide_for_runs_and_long_for_points(store, tmp_path):
    import pandas as pd

    nbtrack.export_runs(tmp_path, format="csv", store=store)
    runs = pd.read_csv(tmp_path / "runs.csv", dtype={"params.id": str})
    assert runs["id"].tolist() == [FIRST, SECOND]
    assert runs["params.lr"].iloc[0] == 0.1
    assert runs["params.id"].iloc[0] == "0012"
    assert runs["name"].tolist() == ["'=cmd()", "../up"]
    points = pd.read_csv(tmp_path / "points.csv")
    loss = points[(points.run == FIRST) & (points.metric == "loss")]
    assert [*map(str, loss["value"])] == [*map(str, LOSSES)]
    assert len(points) == 15


def is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def test_s12_no_cell_of_an_export_starts_a_formula(store, tmp_path):
    nbtrack.export_runs(tmp_path, format="csv", store=store)
    for path in tmp_path.glob("*.csv"):
        for row in csv.reader(io.StringIO(path.read_text(), newline="")):
            for cell in row:
                assert is_number(cell) or cell[:1] not in "=+-@\t\r＝＋－＠" or not cell


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("=+-@\t\r＝＋－＠ a1'\n,\"")) | st.text())
def test_s12_a_text_is_read_back_behind_its_quote(text):
    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC).writerow([csv_cell(text)])
    [[back]] = csv.reader(io.StringIO(buffer.getvalue(), newline=""))
    assert back in (text, f"'{text}")
    assert back[:1] not in tuple("=+-@\t\r＝＋－＠")


@settings(max_examples=60, deadline=None)
@given(st.floats(allow_nan=False) | st.integers())
def test_s12_numbers_stay_numbers(number):
    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC).writerow([csv_cell(number)])
    assert type(number)(buffer.getvalue()) == number


def test_json_goes_on_where_it_was_cut_off(store, tmp_path, monkeypatch):
    nbtrack.export_runs(tmp_path, [FIRST], format="json", store=store)
    kept = tmp_path / f"runs/{FIRST}.jsonl"
    before = kept.stat().st_mtime_ns
    (tmp_path / "runs/.partial-rest").write_text("half")
    report = nbtrack.export_runs(tmp_path, format="json", store=store)
    assert kept.stat().st_mtime_ns == before
    assert report.n_written == 1
    monkeypatch.setattr(json_lines, "PIECE_POINTS", 2)
    nbtrack.export_runs(tmp_path / "small", format="json", store=store)
    lines = (tmp_path / f"small/runs/{FIRST}.jsonl").read_text().splitlines()
    assert [len(json.loads(line)["steps"]) for line in lines[1:5]] == [2, 2, 2, 1]


def test_a_run_that_went_on_is_written_anew(tmp_path):
    with Store.open(tmp_path / "mine") as mine:
        fill(mine)
        for format in ("json", "parquet", "rows"):
            out = tmp_path / format
            nbtrack.export_runs(out, format=format, store=mine)
            mine.edit({"kind": "tags", "run": FIRST, "set": {format: None}})
            assert nbtrack.export_runs(out, format=format, store=mine).n_written > 0


def test_runs_are_chosen_by_name_id_and_query(store, tmp_path):
    def names(runs):
        out = tmp_path / str(time.monotonic_ns())
        nbtrack.export_runs(out, runs, format="json", files=False, store=store)
        assert not (out / "files").exists()
        return sorted(p.stem for p in out.glob("runs/*"))

    assert names("../up") == names(SECOND) == names(["last", "../up"]) == [SECOND]
    assert names("params.lr < 1") == [FIRST]
    assert names(["loss > 0.4", FIRST]) == [FIRST, SECOND]
    with pytest.raises(RunNotFoundError, match="'no'"):
        names("no")
    with pytest.raises(QueryError):
        names("loss >")


def test_what_cannot_be_is_said(store, tmp_path, monkeypatch):
    with pytest.raises(OptionError, match="Did you mean parquet"):
        nbtrack.export_runs(tmp_path, format="parket", store=store)
    (tmp_path / "file").touch()
    with pytest.raises(OptionError, match="is a file"):
        nbtrack.export_runs(tmp_path / "file", format="json", store=store)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtraError, match=r"nbtrack\[data\]"):
        nbtrack.export_runs(tmp_path / "out", format="parquet", store=store)
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("format", FORMATS)
def test_hostile_names_stay_in_the_folder(format, store, tmp_path):
    out = tmp_path / "a" / "b"
    nbtrack.export_runs(out, format=format, store=store)
    assert sorted(p.name for p in tmp_path.rglob("*") if "up" in p.name) == (
        [p.name for p in out.glob("up-*")]
    )
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert [p.name for p in out.parent.iterdir()] == ["b"]


def edited(folder, change):
    [first, *_] = sorted((folder / "runs").glob("*.jsonl"))
    head, *rest = first.read_text().splitlines()
    told = json.loads(head)
    change(told["run"])
    first.write_text("\n".join([json.dumps(told), *rest]) + "\n")


@pytest.mark.parametrize(
    "change",
    [
        lambda run: run.update(status="great"),
        lambda run: run.update(execution="4"),
        lambda run: run.update(started_at="soon"),
        lambda run: run.pop("params"),
        lambda run: run["params"][0].update(name=3),
    ],
)
def test_a_run_of_a_stranger_that_is_none_is_left_out(change, store, tmp_path):
    nbtrack.export_runs(tmp_path / "out", format="json", store=store)
    edited(tmp_path / "out", change)
    with Store.open(tmp_path / "new") as new:
        report = nbtrack.import_runs(tmp_path / "out", store=new)
        assert (report.new, list(report.skipped)) == ((SECOND,), [FIRST])


def test_a_later_version_is_an_error(store, tmp_path):
    out = tmp_path / "out"
    nbtrack.export_runs(out, format="json", store=store)
    (out / "nbtrack.json").write_text('{"format": "nbtrack-export", "version": 2,'
                                      ' "kind": "json"}')  # fmt: skip
    with pytest.raises(ImportSourceError, match="later nbtrack"):
        nbtrack.import_runs(out, store=tmp_path / "new")


def test_a_file_that_is_cut_off_or_has_another_id_is_left_out(store, tmp_path):
    out = tmp_path / "out"
    nbtrack.export_runs(out, format="json", store=store)
    edited(out, lambda run: run.update(id="../../x"))
    last = out / f"runs/{SECOND}.jsonl"
    last.write_text(last.read_text()[:50])
    report = nbtrack.import_runs(out, store=tmp_path / "new")
    assert (report.new, set(report.skipped)) == ((), {"../../x", SECOND})


def test_artifacts_whose_files_were_left_out_are_told(store, tmp_path):
    nbtrack.export_runs(tmp_path / "out", format="json", files=False, store=store)
    with Store.open(tmp_path / "new") as new:
        report = nbtrack.import_runs(tmp_path / "out", store=new)
        assert len(report.new) == 2
        assert any("net:v0 did not come" in notice for notice in report.notices)


def test_files_that_are_links_to_elsewhere_are_not_fetched(store, tmp_path):
    nbtrack.export_runs(tmp_path / "out", format="json", store=store)
    (tmp_path / "id_rsa").write_text("secret")
    for file in (tmp_path / "out" / "files").glob("*/*"):
        file.unlink()
        file.symlink_to(tmp_path / "id_rsa")
    with Store.open(tmp_path / "new") as new:
        report = nbtrack.import_runs(tmp_path / "out", store=new)
        assert any("net:v0 did not come" in notice for notice in report.notices)
        assert not new.has_file(sha256(b"secret").hexdigest())


def test_a_stage_of_dvc_has_params_metrics_plots_and_files(store, tmp_path):
    nbtrack.export_runs(tmp_path, FIRST, format="dvc", store=store)
    nbtrack.export_runs(tmp_path, SECOND, format="dvc", store=store)
    stages = read_yaml((tmp_path / "dvc.yaml").read_text())["stages"]
    assert len(stages) == 2
    [(name, stage)] = [(n, s) for n, s in stages.items() if n.endswith(FIRST)]
    assert stage["cmd"].startswith(f"nbtrack rerun {FIRST} --store ")
    assert stage["frozen"] is True  # it has no cells
    params = read_yaml((tmp_path / name / "params.yaml").read_text())
    assert params["opt"] == {"name": "=adam"}
    assert params["limit"] == math.inf
    metrics = json.loads((tmp_path / name / "metrics.json").read_text())
    assert metrics["loss"] == 0.1 + 0.2
    assert (tmp_path / name / "files/net-v0/net.pt").read_bytes() == b"weights"
    [(path, about)] = stage["plots"][0].items()
    assert (about["x"], about["y"]) == ("step", "value")
    assert (tmp_path / path).read_text().splitlines()[:3] == [
        "step,value", "0,1.0", "1,nan"
    ]  # fmt: skip


@pytest.mark.reproduce
@pytest.mark.usefixtures("plain_surroundings")
def test_the_command_of_a_stage_runs_the_cells_again(shell, tmp_path, monkeypatch):
    shell.run_line_magic("load_ext", "nbtrack")
    shell.run_cell("lr = 0.1", store_history=True)
    shell.run_cell(
        "%%track base\nfor step in range(3):\n    loss = lr / (step + 1)",
        store_history=True,
    )
    nbtrack.export_runs(tmp_path / "out", "base", format="dvc")
    told = read_yaml((tmp_path / "out/dvc.yaml").read_text())
    [stage] = told["stages"].values()
    assert "frozen" not in stage
    monkeypatch.chdir(tmp_path / "out")
    done = CliRunner().invoke(command, shlex.split(stage["cmd"])[1:])
    assert (done.exit_code, "BITWISE" in done.output) == (0, True), done.output


def test_a_pipeline_of_the_user_is_not_written_over(store, tmp_path):
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    with pytest.raises(OptionError, match="not nbtrack's"):
        nbtrack.export_runs(tmp_path, format="dvc", store=store)
    assert (tmp_path / "dvc.yaml").read_text() == "stages: {}\n"


def test_event_files_have_the_points(store, tmp_path):
    pytest.importorskip("nbtrack.interop.tensorboard.writing")
    report = nbtrack.export_runs(tmp_path, format="tensorboard", store=store)
    assert (report.n_runs, report.n_written) == (2, 2)
    assert len(list(tmp_path.rglob("events.out.tfevents.*"))) == 2


@pytest.mark.peers
@pytest.mark.timeout(600)
def test_dvc_itself_reads_the_stages(store, tmp_path):
    python = python_with(*DVCLIVE)
    dvc = python.parent / "dvc"
    names = {"PATH": os.pathsep.join([str(python.parent), os.environ["PATH"]]),
             "DVC_NO_ANALYTICS": "1"}  # fmt: skip
    nbtrack.export_runs(tmp_path / "stages", format="dvc", store=store)
    run("git", "init", "-q", tmp_path)

    def call(*words):
        return run(dvc, "--cd", tmp_path / "stages", *words, **names)

    run(dvc, "init", "-q", tmp_path, **names)
    listed = call("stage", "list")
    assert FIRST in listed
    assert SECOND in listed
    assert "net.pt" in call("dag", "--outs", "--dot")
    shown = json.loads(call("metrics", "show", "--json"))
    told = {path.split("/")[-2]: m["data"] for path, m in shown[""]["data"].items()}
    assert [last for name, last in told.items() if name.endswith(SECOND)] == [
        {"loss": 0.5}
    ]
    git = ("git", "-C", tmp_path, "-c", "user.name=a", "-c", "user.email=a@b.org")
    run(*git, "add", ".")
    run(*git, "commit", "-q", "-m", "stages")
    [workspace, *_] = json.loads(call("exp", "show", "--json"))
    params = [told["data"] for told in workspace["data"]["params"].values()]
    assert any(told.get("opt") == {"name": "=adam"} for told in params)
    call("repro", "--dry", "--force")


@pytest.mark.faults
def test_a_million_points_take_bounded_memory(tmp_path):
    script = Path(__file__).with_name("many_points.py")
    said = subprocess.run(
        [sys.executable, script, tmp_path], check=True, capture_output=True, text=True
    ).stdout
    grown = json.loads(said.splitlines()[-1])
    assert max(grown.values()) < 200 << 20, grown

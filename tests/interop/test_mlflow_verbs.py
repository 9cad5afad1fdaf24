"""`nbtrack import` and `nbtrack push` at MLflow's doors, without MLflow."""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import nbtrack
from nbtrack.cli import command
from nbtrack.errors import MissingExtraError
from nbtrack.interop.mlflow.names import axis_there, name_there, path_there
from nbtrack.interop.mlflow.push_report import PushReport
from nbtrack.store import Store

SAMPLES = Path(__file__).parent / "samples/mlflow"
TAKEN = re.compile(r"[/\w.\- :]*\Z")  # MLflow's own rule for names


def call(*words, code=0):
    done = CliRunner().invoke(command, [str(word) for word in words])
    assert done.exit_code == code, done.output
    return done


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "mlflow.db"
    path.write_bytes(gzip.decompress((SAMPLES / "mlflow-3.db.gz").read_bytes()))
    return path


def test_runs_of_another_tool_are_imported(database, tmp_path):
    store = tmp_path / "ours"
    said = call("import", database, "--store", store)
    assert said.stdout.startswith("from mlflow: 6 runs new (11 params, 310 points")
    assert said.stderr == ""
    told = json.loads(call("import", database, "--store", store, "--json").stdout)
    assert (told["tool"], told["new"], told["n_there"]) == ("mlflow", [], 6)
    with Store.open(store) as opened:
        assert opened.run("whole").metrics["loss"].n == 300


def test_what_cannot_be_imported_is_said_in_one_line(database, tmp_path):
    def error(*words):
        said = call("import", *words, "--store", tmp_path / "ours", code=1)
        [line] = said.stderr.splitlines()
        return line

    assert "There is nothing at" in error(tmp_path / "none")
    assert "cannot be imported" in error(database, "--tool", "mlfow")
    assert "is a server" in error("http://127.0.0.1:1")
    assert "no store of MLflow" in error(SAMPLES, "--tool", "mlflow")
    assert "\x1b" not in error("a\x1b[31mb")
    assert not (tmp_path / "ours").exists(), "a slip makes no store"


def test_without_the_client_a_push_names_the_extra(store_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with nbtrack.start("base", off="all"):
        pass
    for url in ("http://127.0.0.1:1", "https://x", "sqlite:///x.db", "postgresql://x"):
        said = call("push", url, code=1)
        assert 'pip install "nbtrack[mlflow]"' in said.stderr
    with pytest.raises(MissingExtraError):
        nbtrack.push_runs("http://127.0.0.1:1")


@given(st.text(max_size=300))
def test_any_name_becomes_one_that_is_taken(text):
    for there in (name_there(text), path_there(text), axis_there("loss", text)):
        assert TAKEN.match(there) or there == path_there(text)
        parts = there.split("/")
        assert len(there) <= 250
        assert not [part for part in parts if part.strip(".") == ""]


def test_a_name_that_is_taken_stays_and_others_stay_apart():
    assert name_there("val/loss a-b_c.d: é") == "val/loss a-b_c.d: é"
    odd = ["acc@5", "acc_5", "acc 5", "acc%5", "../x", "/x", "x", "x/", "x//y", ""]
    assert len({name_there(name) for name in odd}) == len(odd)


def test_a_report_counts_and_shows_no_control_characters():
    report = PushReport(
        "http://h", ("a", "b"), ("c",), 2, {"d": "no \x1b[31m"}, ("net@1.0.0",),
        n_points=1500, n_files=1, n_bytes=2048, notices=("one: x",),
    )  # fmt: skip
    first, *rest = str(report).splitlines()
    assert first == (
        "to http://h: 2 runs new (1,500 points, 1 file, 2.0 KiB), 1 run updated, "
        "1 run skipped, 2 already there"
    )
    assert rest == [
        "registered net@1.0.0", "run d skipped: no \\x1b[31m", "one: x"
    ]  # fmt: skip
    assert str(PushReport("http://h")) == "to http://h: no runs"

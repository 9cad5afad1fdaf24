"""`nbtrack export --format`: runs as files, from a terminal."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from interop.export.filled import FIRST, SECOND, fill

from nbtrack.cli import command
from nbtrack.store import Store


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "filled") as opened:
        yield fill(opened)


def call(store, *words, code=0):
    done = CliRunner().invoke(command, [*map(str, words), "--store", str(store.path)])
    assert done.exit_code == code, done.output
    return done


def test_all_runs_or_those_that_are_asked_for_are_written(store, tmp_path):
    out = tmp_path / "out"
    said = call(store, "export", "--format", "json", "-o", out).stdout
    assert said.startswith(f"json in {out}: 2 runs, 12 points; 5 files written")
    call(store, "export", "params.lr < 1", "--format", "csv", "-o", tmp_path / "csv")
    assert SECOND not in (tmp_path / "csv/runs.csv").read_text()
    done = call(
        store, "export", FIRST, "../up", "--format", "rows", "-o", tmp_path / "rows",
        "--json",
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert (told["n_runs"], told["n_written"], told["format"]) == (2, 1, "rows")


def test_files_can_be_left_out(store, tmp_path):
    words = ("export", "--format", "json", "--no-files", "-o", tmp_path / "out")
    call(store, *words)
    assert not (tmp_path / "out/files").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--format", "json"), "Say with -o"),
        (("--format", "jsn", "-o", "x"), "'jsn' is not one of"),
        (("--format", "json", "-o", "x", "nobody"), "There is no run 'nobody'"),
        ((), "Name one run"),
        (("a", "b"), "Name one run"),
    ],
)
def test_what_cannot_be_is_one_line(words, said, store, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    code = 1 if "nobody" in words else 2
    assert said in call(store, "export", *words, code=code).stderr

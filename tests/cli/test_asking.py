"""`compare`, `sql`, `slice`: what is asked of a store, and CSV without a formula."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from cli_calls import call, json_of
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import nbtrack
from nbtrack.analysis.code_view import settled_store
from nbtrack.store import Store
from nbtrack.text import csv_cell


def test_many_runs_are_compared_and_the_best_is_marked(filled):
    heads, first, second = call("compare", "base-0", "base-1").stdout.splitlines()
    assert heads.split()[:4] == ["run", "status", "loss", "lr"]
    assert (first.split()[:2], "*" in first) == (["base-0", "finished"], False)
    assert "0.4000 @ 0*" in second
    told = json_of("compare", "loss < 1", "--sort", "loss", "--baseline", "base-0")
    assert [run["name"] for run in told["runs"]] == ["base-1", "base-0"]
    best, base = told["runs"]
    assert (best["best"], base["best"]) == (["best.loss"], [])
    assert best["delta"] == {"best.loss": pytest.approx(-0.1)}
    assert (best["values"]["params.lr"], told["baseline"]) == (1, base["id"])
    assert "base-0 (baseline)" in call("compare", "--baseline", "base-0").stdout
    assert "−0.1000" in call("compare", "--baseline", "base-0").stdout
    assert call("compare", "loss < 0").stdout == "no runs\n"


def test_params_that_are_the_same_are_shown_when_asked_for(
    store_path, plain_surroundings
):
    for nth in range(2):
        with nbtrack.start(f"base-{nth}", params={"lr": nth, "depth": 3}):
            pass
    assert "depth" not in call("compare").stdout
    assert "depth" in call("compare", "--all").stdout.splitlines()[0]
    assert json_of("compare", "--last", 1)["runs"][0]["name"] == "base-1"


def test_the_store_is_asked_in_sql_and_only_read(filled):
    asked = "select name, best from summaries order by best"
    assert json_of("sql", asked) == [
        {"name": "loss", "best": 0.4},
        {"name": "loss", "best": 0.5},
    ]
    assert call("sql", asked).stdout.splitlines()[1].split() == ["loss", "0.4"]
    for bad in ("delete from runs", "attach '/tmp/x' as x", "select 1; select 2"):
        assert "Only reading is allowed" in call("sql", bad, code=1).stderr
    call("sql", asked, "--csv", "--json", code=2)
    assert len(json_of("ls")) == 2


def test_csv_of_the_store_has_no_formula(filled):
    said = call("sql", "select '=1+1' as '@f', -1.5 as n, null as e, 'a\nb' as t",
                "--csv").stdout  # fmt: skip
    assert said == '"\'@f","n","e","t"\n"\'=1+1",-1.5,"","a\nb"\n'


@settings(deadline=None, max_examples=examples(500))
@given(st.text() | st.text(st.sampled_from("=＝+＋-－@﹫ \t\r\n\ufeff\u200b1a'\"")))
def test_s12_no_text_is_a_formula_to_a_spreadsheet(text):
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_NONNUMERIC).writerow([csv_cell(text)])
    [[back]] = csv.reader(io.StringIO(written.getvalue(), newline=""))
    assert unicodedata.normalize("NFKC", back.lstrip()[:1]) not in set("=+-@")
    assert back[:1] not in set("\t\r\n")
    assert back in (text, f"'{text}")


@given(st.integers() | st.floats(allow_nan=False))
def test_s12_numbers_stay_numbers(number):
    written = io.StringIO()
    csv.writer(written).writerow([csv_cell(number)])
    assert float(written.getvalue()) == float(number)


def test_the_cells_of_a_run_are_printed_as_a_script(store_path, shell, tmp_path):
    shell.run_line_magic("load_ext", "nbtrack")
    shell.run_cell("lr = 0.1", store_history=True)
    shell.run_cell("unused = 3", store_history=True)
    shell.run_cell(
        "%%track base\nfor step in range(3):\n    loss = lr / (step + 1)",
        store_history=True,
    )
    settled_store()
    said = call("slice", "base")
    assert "lr = 0.1\n" in said.stdout
    assert "unused" not in said.stdout
    assert "2 of 3 cells made run base · grade" in said.stderr
    told = json_of("slice", "base", "-o", tmp_path / "out" / "run.py")
    assert told["script"] == said.stdout
    assert Path(told["path"]).read_text() == told["script"]
    done = subprocess.run([sys.executable, told["path"]], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_run_without_cells_has_no_slice(filled):
    assert "has no cells" in call("slice", "base-0", code=1).stderr


def test_what_is_empty_says_so(store_path, plain_surroundings):
    Store.open(store_path).close()
    assert call("ls").stdout == "no runs\n"
    assert call("artifacts").stdout == "no artifacts\n"
    assert call("models").stdout == "no models\n"
    assert json_of("ls") == []


def test_times_are_whole_in_what_sql_shows_and_utc_in_every_table(filled):
    exact = json_of("sql", "select at from points limit 1")[0]["at"]
    said = call("sql", "select at from points limit 1").stdout.split()[1]
    assert float(said) == pytest.approx(exact, abs=1e-3)
    for verb in ("ls", "compare"):
        head, row, *_ = call(verb).stdout.splitlines()
        assert "started (UTC)" in head
        assert filled.run("base-1").started_at[:16].replace("T", " ") in row


def test_a_run_is_shown_with_what_was_said_of_it_and_where_it_is_from(
    store_path, plain_surroundings, tmp_path
):
    said_of_it = {"tags": ["first", "data: mnist"], "group": "g", "notes": "*so*"}
    with nbtrack.start("a", **said_of_it) as run:
        run.log(loss=1.0)
    nbtrack.export_runs(tmp_path / "events", format="tensorboard")
    nbtrack.import_runs(tmp_path / "events", store=tmp_path / "other")
    said = call("show", "a").stdout
    assert "tags  first, data: mnist" in said
    assert ("group  g" in said, "notes  *so*" in said) == (True, True)
    assert "1 point\n" in said
    there = f"imported  from tensorboard, where it is {run.id}"
    assert there in call("show", "last", "--store", tmp_path / "other").stdout

"""The command line: what it says, its JSON, its exit status, hostile names."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from cli_calls import HOSTILE, PAYLOADS, call, filled, json_of, run_nbtrack
from click.testing import CliRunner

import nbtrack
from nbtrack.cli import command
from nbtrack.store import Store

__all__ = ["filled"]  # a fixture


def test_runs_are_listed_and_chosen(filled):
    said = call("ls").stdout
    assert said.index("base-1") < said.index("base-0")
    assert "loss" in said.splitlines()[0]
    assert [run["name"] for run in json_of("ls", "loss", "<", ".45")] == ["base-1"]
    [run] = json_of("ls", "params.lr == 0")
    assert (run["params"], run["metrics"]["loss"]["best"]) == ({"lr": 0}, 0.5)
    by_loss = json_of("ls", "--sort", "-loss", "--last", 2)
    assert [run["name"] for run in by_loss] == ["base-0", "base-1"]
    assert json_of("ls", "--trashed") == []


def test_a_run_is_shown(filled):
    said = call("show", "base-1").stdout
    assert said.startswith("base-1 · finished")
    assert "Params\n" in said
    [net] = [a for a in json_of("show", "last")["artifacts"] if a["ref"] == "net:v1"]
    assert net == {"ref": "net:v1", "role": "output", "type": "model", "step": 0}


def test_two_runs_are_compared(filled, tmp_path):
    said = call("diff", "base-0", "base-1").stdout.splitlines()
    assert said[0].startswith("A  base-0 · finished")
    assert said[2:4] == ["1 of 1 metric differs.", "loss 0.5000 → 0.4000 (B better)"]
    told = json_of("diff", "base-0", "base-1")
    assert told["causes"][0]["sentence"] == "param lr: 0 in A, 1 in B"
    assert told["metrics"][0]["better"] == "b"
    assert json_of("diff", "base-0") == told  # with the last one
    assert json_of("diff", "base-1", "base-1")["is_same"]
    assert json_of("diff", "base-0", "base-1", "--other", tmp_path) == told
    call("diff", "base-0", "base-1", "--other", tmp_path / "none", code=1)


def test_artifacts_are_listed_and_shown(filled):
    assert call("artifacts").stdout.splitlines()[1].startswith("net:v1")
    versions = json_of("artifacts", "list", "ds")
    assert [version["ref"] for version in versions] == ["ds:v1", "ds:v0"]
    assert json_of("artifacts", "--type", "model") == json_of(
        "artifacts", "list", "net"
    )
    shown = json_of("artifacts", "show", "ds:v0")
    assert [file["path"] for file in shown["files"]] == ["a.csv", "b.csv"]
    assert [use["run_name"] for use in shown["uses"]] == ["base-0"]
    said = call("artifacts", "show", "net:gold").stdout
    assert "output of run base-1" in said
    assert "n.json" in said or "net.json" in said


def test_du_adds_up_to_the_files(filled, store_path):
    for by in ("run", "artifact", "type"):
        rows = json_of("du", "--by", by)
        there = [path for path in store_path.rglob("*") if path.is_file()]
        total = sum(path.stat().st_size for path in there)
        assert sum(row["bytes"] for row in rows) == pytest.approx(total, rel=0.01)
    assert {row["name"] for row in json_of("du")} >= {"base-0", "base-1"}
    assert call("du", "--by", "artifact").stdout.splitlines()[-1].startswith("total")


def test_gc_says_what_would_go_and_frees_it(filled, store_path, tmp_path):
    (tmp_path / "big").write_bytes(os.urandom(1 << 20))
    with nbtrack.start("third") as run:
        run.log_artifact(tmp_path / "big", "big", ttl="1h")
        run.log_artifact({"n": 1}, "big")
    filled.edit_artifact("big:v0", expires_at="2026-01-01T00:00:00.000000Z")
    for path in [*store_path.glob("blobs/**/*"), *store_path.glob("cache/**/*")]:
        if path.is_file():
            os.utime(path, (0, 0))
    age_files(filled)
    before = blob_bytes(store_path)
    said = json_of("gc", "--dry-run", "--keep", "big:*")
    assert (said["n_bytes"], list(said["spared"])) == (0, ["big:v0"])
    said = json_of("gc", "--dry-run")
    assert (said["expired"], said["n_bytes"] >= 1 << 20) == (["big:v0"], True)
    assert blob_bytes(store_path) == before
    assert "freed" in call("gc").stdout
    assert before - blob_bytes(store_path) == said["n_bytes"]
    assert json_of("gc")["n_bytes"] == 0
    assert json_of("artifacts", "show", "big:v0")["gone_why"] == "expired"


def age_files(store):
    """What the store kept, it kept long ago."""
    with store._writing() as database:
        database.connection.execute("update files set kept_at = '2020'")


def blob_bytes(store_path):
    found = [p for part in ("blobs", "cache") for p in (store_path / part).rglob("*")]
    return sum(path.stat().st_size for path in found if path.is_file())


def test_verify_names_the_damaged_file_and_says_1(filled, store_path):
    assert "all whole" in call("verify").stdout
    assert json_of("verify", "ds:v0")["ok"]
    [file] = filled.artifact_files(filled.artifact("net:v0").id)
    path = filled.file_path(file.digest)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    said = call("verify", code=1).stdout
    assert f"net:v0 {file.path}" in said
    assert json_of("verify", code=1)["problems"][0]["ref"] == "net:v0"
    call("verify", "ds")
    call("verify", "net:v9", code=1)


def test_merge_takes_in_another_store(filled, store_path, tmp_path):
    other = tmp_path / "other"
    said = call("merge", store_path, "--into", other).stdout
    assert said.startswith(f"from {store_path}: 2 runs new, 4 versions of artifacts, ")
    assert sorted(run["name"] for run in json_of("ls", "--store", other)) == [
        "base-0",
        "base-1",
    ]
    again = json_of("merge", store_path, "--store", other)
    assert (again["new"], again["n_there"], again["models"]) == ([], 2, [])
    said = call("merge", tmp_path / "nowhere", "--store", other, code=1)
    assert "There is no store" in said.stderr
    call("merge", store_path, "--into", other, "--store", other, code=2)


def test_push_and_pull(filled, tmp_path):
    url, other = tmp_path / "remote", tmp_path / "other"
    said = call("push", url)
    assert "sent ds:v0\n" in said.stdout
    assert "sent model fraud\n" in said.stdout
    assert said.stderr == ""
    assert "nothing to be sent" in call("push", url, "ds", "fraud@1.0.0").stdout
    came = json_of("pull", url, "ds:v0", "--store", other)
    assert came["versions"] == ["ds:v0"]
    pulled = call("pull", url, "--store", other).stdout
    assert "fetched net:v1\n" in pulled
    assert json_of("models", "--store", other)[0]["name"] == "fraud"
    assert call("pull", tmp_path / "no", code=1).stderr.startswith("Error: ")
    call("push", url, "none", code=1)


def test_a_report_is_written_and_made_again(filled, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = call("report", "loss", "<", ".45", "-o", "r.html", "--title", "T").stdout
    assert said.strip() == f"{tmp_path / 'r.html'}: 1 run"
    told = json_of("report", "-o", "r.html")
    assert (told["runs"], told["refreshed"], told["format"]) == (1, True, "html")
    assert told["line"] == "%report loss < .45 --title T -o r.html"
    both = json_of("report", "base-0", "base-1", "--diff", "base-0", "base-1",
                   "--baseline", "base-0", "-o", "r.md")  # fmt: skip
    assert both["runs"] == 2
    assert "param lr\\: 0 in A, 1 in B" in (tmp_path / "r.md").read_text()
    (tmp_path / "mine.html").write_text("mine")
    call("report", "-o", "mine.html", code=2)
    call("report", "nobody", code=1)
    assert (tmp_path / "mine.html").read_text() == "mine"


def test_models_versions_events_and_card(filled):
    assert "fraud" in call("models").stdout
    [model] = json_of("models", "list")
    assert (model["versions"], model["latest"]) == (1, "1.0.0")
    [version] = json_of("models", "versions", "fraud")
    assert (version["artifact"], version["stage"]) == ("net:v1", "development")
    assert [e["what"] for e in json_of("models", "events", "fraud")] == ["registered"]
    assert "ada" in call("models", "events", "fraud").stdout
    assert call("card", "fraud").stdout.startswith("# fraud")
    assert json_of("card", "fraud@1.0.0")["ref"] == "fraud@1.0.0"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["show", "nobody"], 1),
        (["diff", "base-0", "nobody"], 1),
        (["diff"], 2),
        (["ls", "loss", "<<"], 2),
        (["ls", "--sort", "los"], 2),
        (["artifacts", "show", "d"], 1),
        (["artifacts", "list", "d"], 1),
        (["models", "versions", "f"], 1),
        (["models", "events", "f"], 1),
        (["card", "f"], 1),
        (["push", "nonsense://x"], 1),
        (["compare", "nobody"], 1),
        (["compare", "--sort", "los"], 2),
        (["sql", "select los"], 1),
        (["sql"], 2),
        (["slice", "nobody"], 1),
        (["purge", "nobody", "--yes"], 1),
        (["purge", "base-0"], 2),
        (["completion", "csh"], 2),
        (["backup", "-o", "/nowhere/at/all"], 1),
        (["salvage", "-o", "/nowhere/at/all"], 1),
        (["salvage"], 2),
        (["du", "--by", "colour"], 2),
        (["frobnicate"], 2),
        (["ls", "--colour"], 2),
        (["push"], 2),
        (["ls", "--store", "/nowhere/at/all"], 1),
    ],
)
def test_errors_are_one_line_without_a_traceback(filled, words, code):
    done = call(*words, code=code)
    assert "Traceback" not in done.output
    assert done.stdout == ""
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("Error: ")
    assert len(last) > len("Error: ")


def test_s14_names_of_strangers_are_shown_as_escapes(store_path, plain_surroundings):
    with nbtrack.start("plain", tags=[HOSTILE]) as run:
        run.note(HOSTILE)
        run.log({HOSTILE: 1.0})
    with Store.open(store_path) as store, store._writing() as database:
        # As a store that somebody else wrote may have it.
        database.connection.execute("update runs set name = ?", (HOSTILE,))
        ref = ["".join(PAYLOADS), "ab", 1, None, None]
    with Store.open(store_path) as store:
        store.keep_artifact(
            {"name": HOSTILE, "type": HOSTILE, "files": [ref], "description": HOSTILE,
             "metadata": {HOSTILE: HOSTILE}, "run": run.id}
        )  # fmt: skip
    written = str(store_path.with_name("report.html"))
    for words in (
        ["ls"], ["show", "last"], ["artifacts"], ["artifacts", "show", HOSTILE],
        ["du"], ["du", "--by", "artifact"], ["verify"], ["show", HOSTILE + "x"],
        ["diff", "last", "last"], ["diff", HOSTILE + "x", "last"],
        ["artifacts", "show", f"{HOSTILE}:{HOSTILE}"], ["gc", "--dry-run"],
        ["push", "nonsense\x1b[1m://x"], ["card", HOSTILE],
        ["report", "-o", written, "--title", HOSTILE],
        ["report", "-o", written, "--metric", HOSTILE + "x"],
        ["artifacts", "list", HOSTILE], ["models"], ["models", "list"],
        ["models", "versions", HOSTILE], ["models", "events", HOSTILE],
        ["merge", HOSTILE], ["pull", "nonsense\x1b[1m://x"], ["import", HOSTILE],
        ["export", HOSTILE], ["rerun", HOSTILE], ["verify", HOSTILE],
        ["du", "--by", "type"], ["ls", HOSTILE], ["ls", "--sort", HOSTILE],
        ["compare"], ["compare", "--baseline", HOSTILE + "x"], ["slice", "last"],
        ["sql", "select name, notes from runs"], ["sql", f"select '{HOSTILE}'"],
        ["purge", HOSTILE + "x", "--yes"], ["doctor"],
    ):  # fmt: skip
        for flags in ([], ["--json"]):
            done = CliRunner().invoke(command, [*words, *flags])
            assert done.exit_code in (0, 1, 2), done.output
            assert isinstance(done.exception, SystemExit | None), words
            assert not [p for p in PAYLOADS if p in done.stdout + done.stderr]
    report = Path(written).read_text()
    assert not [p for p in PAYLOADS if p in report]
    assert report.count("evil") > 5


def test_as_a_process_it_is_light_and_knows_its_version(store_path):
    code = (
        "import sys; from nbtrack.cli import command\n"
        "command(['--help'], standalone_mode=False)\n"
        "heavy = {'pandas', 'numpy', 'torch', 'IPython', 'fsspec', 'rich',\n"
        "         'sqlite_utils'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"
    for verb in command.commands:
        assert f"  {verb} " in done.stdout
    assert nbtrack.__version__ in run_nbtrack("--version").stdout


def test_reading_verbs_need_no_pandas_and_change_nothing(filled, store_path):
    def listing():
        files = [path for path in store_path.rglob("*") if path.is_file()]
        return {
            path: path.stat().st_mtime_ns for path in files if "-shm" not in path.name
        }

    filled.close()
    before = listing()
    code = (
        "import sys; from nbtrack.cli import command\n"
        "for words in (['ls'], ['artifacts'], ['models'], ['du'], ['verify'],\n"
        "              ['diff', 'base-0', 'base-1'], ['compare'],\n"
        "              ['sql', 'select 1 as one']):\n"
        "    try: command(words)\n"
        "    except SystemExit as end: assert end.code == 0, words\n"
        "assert not {'pandas', 'rich'} & sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert {path.suffix for path in listing().keys() ^ before.keys()} <= {".db-wal"}


def test_progress_is_shown_at_a_terminal_alone(filled, tmp_path):
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", "from nbtrack.cli import main; main()", "push",
         str(tmp_path / "remote")],
        stdout=subprocess.PIPE, stderr=theirs, text=True, timeout=60,
    )  # fmt: skip
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    assert done.returncode == 0
    assert " of " in shown
    assert "sent ds:v0" in done.stdout
    assert run_nbtrack("push", str(tmp_path / "again")).stderr == ""


def test_a_terminal_that_cannot_write_it_gets_escapes(store_path, plain_surroundings):
    with nbtrack.start("größe"):
        pass
    done = run_nbtrack("ls", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert (done.returncode, "gr\\xf6\\xdfe" in done.stdout) == (0, True)


def test_readme_names_every_verb_and_flag():
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    for verb in command.commands.values():
        assert f"nbtrack {verb.name}" in readme, verb.name
        for parameter in verb.params:
            flags = [opt for opt in parameter.opts if opt.startswith("--")]
            assert all(flag in readme for flag in flags), (verb.name, flags)

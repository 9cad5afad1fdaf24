"""What a shell offers at a Tab: words of the store, and nothing is changed for it."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from cli_calls import call, json_of, run_nbtrack
from click.testing import CliRunner

import nbtrack
from nbtrack.cli import command
from nbtrack.store import Store


def completed(shell, words, place, **environment):
    asked = {"_NBTRACK_COMPLETE": f"{shell}_complete", "COMP_WORDS": words,
             "COMP_CWORD": str(place), **environment}  # fmt: skip
    done = CliRunner().invoke(command, [], env=asked, prog_name="nbtrack")
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout.rstrip("\n").split("\n")


def test_a_shell_completes_what_the_store_has(filled, store_path, tmp_path):
    filled.close()
    before = {path: path.stat().st_mtime_ns for path in store_path.glob("*.db")}
    assert completed("bash", "nbtrack show ba", 2) == ["plain,base-1", "plain,base-0"]
    assert completed("bash", "nbtrack compare --sort lo", 3) == ["plain,loss"]
    assert "plain,ds:v1" in completed("bash", "nbtrack artifacts show ds", 3)
    assert completed("bash", "nbtrack verify ds : v", 4)[:2] == ["plain,v1", "plain,v0"]
    assert completed("bash", "nbtrack verify ds :", 3)[:2] == ["plain,v1", "plain,v0"]
    assert completed("bash", "nbtrack rerun base.nb", 2) == ["file,base.nb"]
    assert completed("bash", "nbtrack card fr", 2)[0] == "plain,fraud"
    assert "plain,show" in completed("bash", "nbtrack artifacts sh", 2)
    assert completed("fish", "nbtrack show", "la") == ["plain,last\tthe newest"]
    zsh = completed("zsh", "nbtrack diff base-0 base-1", 3)
    assert zsh[:2] == ["plain", "base-1"]
    assert before == {path: path.stat().st_mtime_ns for path in store_path.glob("*.db")}
    nowhere = tmp_path / "nowhere" / ".nbtrack"
    said = completed("bash", "nbtrack show ba", 2, NBTRACK_STORE=str(nowhere))
    assert (said, nowhere.exists()) == ([""], False)
    asked = {"_NBTRACK_COMPLETE": "bash_complete", "COMP_WORDS": "nbtrack show ba"}
    done = run_nbtrack(env={**os.environ, **asked, "COMP_CWORD": "2"})
    assert (done.stdout, done.stderr) == ("plain,base-1\nplain,base-0\n", "")
    (store_path / "nbtrack.db").write_bytes(b"this is no database" * 100)
    assert completed("bash", "nbtrack show ba", 2) == [""]


@pytest.mark.parametrize(
    ("words", "place", "offered"),
    [
        ("nbtrack import ml", 2, ["file,ml"]),
        ("nbtrack import --tool t", 3, ["plain,trackio", "plain,tensorboard"]),
        ("nbtrack run tr", 2, ["file,tr"]),
        ("nbtrack run --resume la", 3, ["plain,last"]),
        ("nbtrack ls --store ../o", 3, ["file,../o"]),
        ("nbtrack backup -o b", 3, ["file,b"]),
        ("nbtrack merge o", 2, ["file,o"]),
    ],
)
def test_a_path_is_completed_by_the_shell_and_a_tool_by_its_name(
    words, place, offered, filled
):
    assert completed("bash", words, place) == offered


def test_a_hostile_name_is_completed_by_its_id(store_path, plain_surroundings):
    with nbtrack.start("plain") as run:
        pass
    with Store.open(store_path) as store, store._writing() as database:
        database.connection.execute("update runs set name = '$(touch x)\n`y`'")
    assert completed("bash", "nbtrack show", 2) == [f"plain,{run.id}", "plain,last"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_is_printed(shell, tmp_path):
    script = call("completion", shell).stdout
    assert f"_NBTRACK_COMPLETE={shell}_complete" in script.replace("'", "")
    assert json_of("completion", shell)["script"].strip() == script.strip()
    if shutil.which(shell):
        (tmp_path / "script").write_text(script)
        read = subprocess.run([shell, "-n", tmp_path / "script"], capture_output=True)
        assert (read.returncode, read.stderr) == (0, b"")

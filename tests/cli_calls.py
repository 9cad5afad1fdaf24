"""Calls of the command line: in this process, as one of its own, and at a terminal."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pytest
from click.testing import CliRunner

import nbtrack
from nbtrack.cli import command
from nbtrack.store import Store

HOSTILE = "evil\x1b[31m\u202e\r\nname"
PAYLOADS = ["\x1b", "\u202e", "\r", "\x07", "\x9b", "\0"]


def call(*words, code=0):
    done = CliRunner().invoke(command, [str(word) for word in words])
    assert done.exit_code == code, done.output
    return done


def json_of(*words, code=0):
    return json.loads(call(*words, "--json", code=code).stdout)


@pytest.fixture
def filled(store_path, plain_surroundings, tmp_path):
    """A store with two runs, two artifacts and a registered model."""
    for nth in range(2):
        with nbtrack.start(f"base-{nth}", params={"lr": nth}) as run:
            run.log(loss=0.5 - nth / 10)
            (tmp_path / "ds").mkdir(exist_ok=True)
            (tmp_path / "ds" / "a.csv").write_text(f"x\n{nth}\n")
            (tmp_path / "ds" / "b.csv").write_text("x\n1\n")
            run.log_artifact(tmp_path / "ds", "ds", type="dataset")
            run.log_artifact({"n": nth}, "net", type="model", aliases=["gold"])
    nbtrack.models.register("net:v1", "fraud", by="ada", notes="first")
    with Store.open(store_path) as opened:
        yield opened


def run_nbtrack(*words, **options):
    return subprocess.run(
        [sys.executable, "-c", "from nbtrack.cli import main; main()", *words],
        capture_output=True,
        text=True,
        **options,
    )


EVERY_VERB = """
import json, sys
from nbtrack.cli import command
for words in json.loads(sys.argv[1]):
    try: command(words, prog_name="nbtrack")
    except SystemExit: pass
"""


def at_terminal(*calls, answer="", **environment):
    """What verbs write to a terminal, all from one process."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", EVERY_VERB, json.dumps(calls)],
        stdin=theirs, stdout=theirs, stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", **environment},
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, answer.encode())
    shown = bytearray()
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:
        pass  # Linux says so when the last of them has closed it
    os.close(ours)
    assert child.wait(60) == 0
    return shown.decode()

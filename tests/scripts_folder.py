"""Real scripts in a folder of their own, run by Python and by nbtrack."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

from nbtrack.store import Store

COMMAND = [sys.executable, "-c", "from nbtrack.cli import main; main()", "run"]
TIMEOUT_S = 90


@dataclass
class Said:
    code: int
    out: str
    err: str

    @property
    def own(self):
        """What the script itself said on stderr."""
        lines = self.err.splitlines(keepends=True)
        return "".join(line for line in lines if not line.startswith("nbtrack: "))

    @property
    def ours(self):
        return [line for line in self.err.splitlines() if line.startswith("nbtrack: ")]


class Folder:
    """A folder with scripts, and a store."""

    def __init__(self, path: Path, store_path: Path) -> None:
        self.path = path
        self._store_path = store_path

    def write(self, name, text):
        file = self.path / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(textwrap.dedent(text).encode("utf-8", "surrogateescape"))

    def plainly(self, *words, given=""):
        return self._said([sys.executable, *words], given)

    def tracked(self, *words, given=""):
        return self._said([*COMMAND, *words], given)

    def start(self, *words):
        return subprocess.Popen(
            words, cwd=self.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def _said(self, command, given):
        done = subprocess.run(
            [os.fspath(word) for word in command], cwd=self.path, input=given,
            capture_output=True, text=True, timeout=TIMEOUT_S,
        )  # fmt: skip
        return Said(done.returncode, done.stdout, done.stderr)

    def runs(self):
        with Store.open(self._store_path) as store:
            return store.runs()

    def texts(self, run_id):
        with Store.open(self._store_path) as store:
            return {(t.role, t.name): t.body for t in store.texts(run_id)}

    def facts(self, run_id):
        with Store.open(self._store_path) as store:
            return store.facts(run_id)

    def inputs(self, run_id):
        with Store.open(self._store_path) as store:
            return store.inputs(run_id)

    def told(self, said):
        return json.loads(said.err.splitlines()[-1])

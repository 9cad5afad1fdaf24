"""A Jupyter Server in a process of its own, with a store that has something of all."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import fresh_shell
from notebook_cells import quick_to_start

import nbtrack
from nbtrack.store.registry import store_id
from nbtrack.tracking.background import background
from nbtrack.tracking.session import process_session

EVIL = "<img src=x onerror=alert(1)>\"'\u202e\x1b[31m&\n</script>"
START_S = 60.0
_EXTENSIONS = {"nbtrack.server": True, "jupyterlab": False, "notebook": False}
_URL = re.compile(r"(http://127\.0\.0\.1:\d+)/")


@dataclass(frozen=True)
class Filled:
    """A store, and the ids of what is in it."""

    path: Path
    runs: list[str]
    digests: list[str]
    cells: list[str]

    @property
    def id(self) -> str:
        """As the server calls the store."""
        return store_id(self.path)


@dataclass(frozen=True)
class Server:
    """Where it answers, and how to be let in."""

    url: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """What every request needs."""
        return {"Authorization": f"token {self.token}"}


@contextmanager
def filled_store(folder: Path) -> Iterator[Filled]:
    """Runs of cells and of scripts, NaN, hostile text, files, models; one running."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NBTRACK_STORE", str(folder / ".nbtrack"))
        patch.setenv("NBTRACK_OFF", "code environment system rng")
        patch.chdir(folder)
        with fresh_shell() as shell:
            _run_cells(shell)
        _log_odd_values()
        _log_files(folder)
        running = nbtrack.start(EVIL, tags=["base"], group="g")
        running.log(loss=0.5)
        assert background.settle(10.0)
        assert running.store.journal.flush(10.0)
        store = nbtrack.open()
        runs = [run.id for run in store.runs()]
        cells = [run.cell_id for run in store.runs() if run.cell_id]
        digests = [hashlib.sha256(b"content").hexdigest()]
        yield Filled(running.store.path, runs, digests, cells)
        process_session().close()


def _run_cells(shell):
    cells = (
        "%load_ext nbtrack",
        "x = 2",
        "%%track base --no-live\nfor i in range(30):\n    loss = x / (i + 1)",
        "%%track again --no-live\nfor i in range(20):\n    val_loss = x / (i + 2)",
        "%%track broken --no-live\nloss = 1 / 0",
    )
    for number, cell in enumerate(cells):
        shell.run_cell(cell, store_history=True, cell_id=f"cell-{number}")


def _log_odd_values():
    odd = {"lr": 0.1, "note": EVIL, "nan": float("nan"), "deep": {"a": [1, None]}}
    with nbtrack.start(EVIL, params=odd, notes=EVIL, tags=[EVIL, "k: v"]) as run:
        for value in (1.0, float("nan"), float("inf"), -float("inf"), 1e308):
            run.log({"loss": value, "acc <b>": value, EVIL: value})
        run.checkpoint({"w": [1]}, name="odd", step=1, metrics={"loss": float("inf")})


def _log_files(folder):
    (folder / "data.csv").write_bytes(b"content")
    with nbtrack.start("files", params={"lr": 10**30}) as run:
        run.log_artifact(folder / "data.csv", name="data", type="dataset")
        run.use_artifact("odd:v0")
        nbtrack.models.register({"weights": [1]}, "fraud")


@contextmanager
def real_server(home: Path, root: Path, store: Path) -> Iterator[Server]:
    """Started anew, with settings of its own, and gone afterwards."""
    token, log = secrets.token_hex(16), home / "server.log"
    command = [
        *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"),
        *("--ServerApp.ip=127.0.0.1", "--ServerApp.port=0"),
        f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={root}",
        "--ServerApp.terminals_enabled=False",
        f"--ServerApp.jpserver_extensions={_EXTENSIONS}",
        f"--NbtrackServer.stores={store}",
    ]
    with log.open("wb") as told:
        process = subprocess.Popen(
            command,
            cwd=root,
            env=_environment(home),
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=subprocess.STDOUT,
        )
        try:
            yield _answering(process, log, token)
        finally:
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=15)


def _environment(home: Path) -> dict[str, str]:
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    kept = {
        name: value
        for name, value in quick_to_start(os.environ).items()
        if not name.startswith(("JUPYTER", "NBTRACK_STORE"))
    }
    own = {name: str(home / name.lower()) for name in names}
    # A bundle is remembered as the user's own, and its packages are asked for online.
    bundles = {"XDG_STATE_HOME": str(home / "state"), "NBTRACK_OFFLINE": "1"}
    return {**kept, **own, **bundles, "JUPYTER_PREFER_ENV_PATH": "0"}


def _answering(process, log: Path, token: str) -> Server:
    """The server once it answers; its own log says where."""
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        said = _URL.search(log.read_text())
        if said is not None:
            server = Server(said[1], token)
            url = f"{server.url}/api/status"
            request = urllib.request.Request(url, headers=server.headers)
            try:
                with urllib.request.urlopen(request, timeout=5):
                    return server
            except (urllib.error.URLError, OSError):
                pass
        time.sleep(0.05)
    raise RuntimeError(f"Jupyter Server did not start:\n{log.read_text()[-3000:]}")

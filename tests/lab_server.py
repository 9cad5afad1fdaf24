"""A JupyterLab and a Chromium of the tests' own, started and stopped.

Nothing of the user's Jupyter or IPython settings is read or written, and no address but
this machine's own is opened.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from notebook_cells import quick_to_start
from playwright.sync_api import Browser, sync_playwright

SERVER_START_S = 60.0
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
QUIET_LAB = """{
  "@jupyterlab/apputils-extension:notification":
    {"fetchNews": "false", "checkForUpdates": false},
  "@jupyterlab/docmanager-extension:plugin": {"autosave": false},
  "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"}
}"""


@dataclass(frozen=True)
class LabServer:
    """One running JupyterLab: where it answers, and the folder that it shows."""

    url: str
    token: str
    root: Path
    log: Path


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def private_environment(home: Path) -> dict[str, str]:
    """The environment of a Jupyter that knows none of the user's settings or stores."""
    kept = {
        k: v
        for k, v in quick_to_start(os.environ).items()
        if not k.startswith(("JUPYTER", "NBTRACK_STORE"))
    }
    folders = {
        name: str(home / name.lower())
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    }
    # A bundle is remembered as the user's own, and its packages are asked for online.
    bundles = {"XDG_STATE_HOME": str(home / "state"), "NBTRACK_OFFLINE": "1"}
    ours = {"IPYTHONDIR": str(home / "ipython"), "PYTHONUNBUFFERED": "1"}
    return kept | folders | bundles | ours


def server_command(
    python: str, home: Path, root: Path, port: int, token: str
) -> list[str]:
    """JupyterLab without news, updates, terminals or a browser of its own."""
    settings = home / "settings"
    settings.mkdir()
    (settings / "overrides.json").write_text(QUIET_LAB)
    never = "jupyterlab.handlers.announcements.NeverCheckForUpdate"
    return [
        *(python, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={root}",
        "--ServerApp.terminals_enabled=False",
        "--LabApp.expose_app_in_browser=True",
        "--JupyterNotebookApp.expose_app_in_browser=True",
        "--LabApp.news_url=None",
        f"--LabApp.check_for_updates_class={never}",
        f"--LabApp.app_settings_dir={settings}",
        f"--LabApp.user_settings_dir={home / 'user-settings'}",
        f"--LabApp.workspaces_dir={home / 'workspaces'}",
    ]


def wait_for_server(server: LabServer, process: subprocess.Popen[bytes]) -> None:
    """Return when the server answers; raise with its log when it does not."""
    end = time.monotonic() + SERVER_START_S
    request = urllib.request.Request(
        f"{server.url}/api/status", headers={"Authorization": f"token {server.token}"}
    )
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(request, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{server.log.read_text()[-3000:]}")


def stop_group(process: subprocess.Popen[bytes]) -> None:
    """End the server and the kernels that it started."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=15)


@contextmanager
def running_lab(
    home: Path,
    root: Path,
    *,
    python: str = sys.executable,
    environment: Mapping[str, str] | None = None,
) -> Iterator[LabServer]:
    """JupyterLab of one Python, with its settings in `home` and showing `root`."""
    port, token = free_port(), secrets.token_hex(16)
    server = LabServer(f"http://127.0.0.1:{port}", token, root, home / "server.log")
    with server.log.open("wb") as log:
        process = subprocess.Popen(
            server_command(python, home, root, port, token),
            cwd=root,
            env=private_environment(home) | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_for_server(server, process)
            yield server
        finally:
            stop_group(process)


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """A headless Chromium; a missing one fails with the command that brings it."""
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.fail(
            "browser tests need Chromium: "
            "apt-get install --no-install-recommends chromium fonts-dejavu-core"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, headless=True, args=CHROMIUM_ARGS
        )
        yield browser
        browser.close()

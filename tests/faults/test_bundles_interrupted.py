"""Ctrl-C and kill -9 while a bundle is made: no half file, no process, no folder."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import pytest
from bundles.conftest import played_in

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]
CELLS = (
    "import time\nx = 3.0",
    "%%track base --no-live\nfor epoch in range(4):\n    loss = x / (epoch + 1)\n"
    "    time.sleep(0.25)",
)
EXPORT = "from nbtrack.cli import main; main()"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store with one run, whose session is over."""
    home = tmp_path_factory.mktemp("home")
    place = home / ".nbtrack"
    played_in(
        home, *CELLS, environment={"NBTRACK_STORE": str(place)},
        then="from nbtrack.tracking.session import process_session\n"
        "process_session().close()",
    )  # fmt: skip
    return place


def exporting(store, folder):
    words = ["export", "base", "--offline", "--store", str(store), "-o", "b.nbt.zip"]
    return subprocess.Popen(
        [sys.executable, "-c", EXPORT, *words],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def left_behind(pid):
    """Folders and processes of an export."""
    folders = [p.name for p in Path(tempfile.gettempdir()).glob(f"nbtrack-*-{pid}-*")]
    mark = f"NBTRACK_PROOF_OF={pid}".encode()
    alive = []
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and mark in Path("/proc", entry, "environ").read_bytes():
                alive.append(entry)
        except OSError:
            continue
    return folders, alive


def test_interrupted_at_any_moment_it_leaves_nothing(store, tmp_path):
    draw, n_done = random.Random(5), 0
    for nth in range(8):
        folder = tmp_path / str(nth)
        folder.mkdir()
        process = exporting(store, folder)
        time.sleep(draw.uniform(0.2, 4.0))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        files = os.listdir(folder)
        assert files in ([], ["b.nbt.zip"])
        if files:
            n_done += 1
            assert zipfile.ZipFile(folder / "b.nbt.zip").testzip() is None
        assert left_behind(process.pid) == ([], [])
    assert n_done < 8  # some were interrupted


def test_killed_its_children_die_and_the_next_one_clears_up(store, tmp_path):
    process = exporting(store, tmp_path)
    deadline = time.monotonic() + 60
    while not left_behind(process.pid)[0] and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.5)
    process.kill()
    process.communicate(timeout=60)
    time.sleep(1.0)
    _, alive = left_behind(process.pid)
    assert alive == []
    assert [name for name in os.listdir(tmp_path) if "nbt" in name] == []
    second = exporting(store, tmp_path)
    said, _ = second.communicate(timeout=120)
    assert "exported b.nbt.zip" in said
    assert left_behind(process.pid) == ([], [])

"""Processes that are killed, stopped and starved, and what the tests ask of them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from faults.children import Acknowledged
from nbtrack.store import Store

HERE = Path(__file__).parent


@pytest.fixture
def child():
    """Start `children.py` with these arguments; all are killed after the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object) -> subprocess.Popen[str]:
        path = [str(HERE.parent.parent), os.environ.get("PYTHONPATH", "")]
        process = subprocess.Popen(
            [sys.executable, str(HERE / "children.py"), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def serving():
    """Start a program, given as text, that ends in `children.serve`."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", program],
            env={**os.environ, "PYTHONPATH": str(HERE.parent)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.stdin.close()
        process.wait(20)
        process.stdout.close()


@pytest.fixture
def killed(until):
    """Have a zygote fork a child that works on a new store, and kill it in its work.

    It is killed some time, between the two, after it has acknowledged in that place.
    """

    def kill(zygote, store: Path, ack: Path, between, place: int = 0) -> Acknowledged:
        store.mkdir()
        done = Acknowledged(str(ack))
        zygote.stdin.write(f"{store} {ack}\n")
        zygote.stdin.flush()
        pid = int(zygote.stdout.readline())
        until(lambda: done.get(place) > 0)
        time.sleep(random.uniform(*between))
        os.kill(pid, signal.SIGKILL)
        assert zygote.stdout.readline() == "dead\n"
        return done

    return kill


@pytest.fixture
def until():
    """Wait until a condition holds; fail when it never does."""

    def wait(condition, seconds=10.0):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not come to pass"
            time.sleep(0.01)

    return wait


@pytest.fixture
def filled(tmp_path):
    """The folder of a store with twenty runs, that nobody has open."""
    with Store.open(tmp_path / "good") as store:
        for run in range(20):
            store.journal.emit(
                {"kind": "run_started", "run": f"r{run}", "notes": "n" * 3000}
            )
            series = store.journal.series(f"r{run}", "loss")
            for n in range(500):
                store.journal.point(series, n, float(n), 1e9)
            store.journal.emit(
                {"kind": "run_finished", "run": f"r{run}", "status": "finished"}
            )
        assert store.journal.flush()
    return tmp_path / "good" / ".nbtrack"


class SmallDisk:
    """A tmpfs of two megabytes that can be filled and enlarged."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self) -> None:
        with (self.path / "ballast").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                return

    def enlarge(self) -> None:
        subprocess.run(["mount", "-o", "remount,size=200m", str(self.path)], check=True)


@pytest.fixture
def small_disk(tmp_path):
    path = tmp_path / "disk"
    path.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "none", str(path)],
        capture_output=True,
    )
    if made.returncode != 0:
        pytest.skip("mounting a tmpfs is not permitted here")
    yield SmallDisk(path)
    subprocess.run(["umount", "--lazy", str(path)], check=True)

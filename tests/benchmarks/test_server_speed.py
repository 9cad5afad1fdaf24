"""What the sidebar's server costs: the first list of many runs, a minute of polling.

`pytest -m benchmark -s tests/benchmarks/test_server_speed.py`
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import numpy as np
import psutil
import pytest
from benchmarks.report import report

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(600)]
N_TABS, POLL_S = 5, 0.5
WARM_S, WATCHED_S = 30.0, 60.0
TOKEN = "of-a-benchmark"
LIVE = "z" * 13


class Asked:
    """A Jupyter Server of its own process, asked as a page asks it."""

    def __init__(self, port, process):
        self.url, self.process = f"http://127.0.0.1:{port}/nbtrack/", process

    def get(self, path, **question):
        url = f"{self.url}{path}?{urlencode(question)}"
        asked = Request(url, headers={"Authorization": f"token {TOKEN}"})
        with urlopen(asked, timeout=30) as answer:
            return json.loads(answer.read())

    def cpu_s(self):
        return sum(psutil.Process(self.process.pid).cpu_times()[:2])

    def rss_mib(self):
        return psutil.Process(self.process.pid).memory_info().rss / 2**20


@contextmanager
def server(folder, store):
    """One whose root is `folder`, told of the store at that path."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": folder,
        "ServerApp.jpserver_extensions": {"nbtrack.server": True},
        "ServerApp.log_level": "ERROR",
        "IdentityProvider.token": TOKEN,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"]
        + [f"--{name}={value}" for name, value in options.items()],
        env={**os.environ, "NBTRACK_STORE": str(store)},
    )
    asked = Asked(port, process)
    try:
        for _ in range(300):
            try:
                asked.get("stores")
                break
            except OSError:
                time.sleep(0.1)
        yield asked
    finally:
        process.terminate()
        process.wait(20)


def test_the_first_list_of_five_thousand_runs(five_thousand, tmp_path):
    """Of a server that was started just now, the opening of the store included."""
    times = []
    for _ in range(3):
        with server(tmp_path, tmp_path / ".nbtrack") as asked:
            asked.get("stores")  # the handlers themselves are loaded
            (tmp_path / ".nbtrack").symlink_to(five_thousand.path)
            began = time.perf_counter()
            answer = asked.get("runs", limit=200)
            times.append(time.perf_counter() - began)
            (tmp_path / ".nbtrack").unlink()
        assert (len(answer["runs"]), answer["total"]) == (200, 5_000)
    report("server: the first 200 of 5,000 runs, ms", min(times) * 1e3, 500)


def poll(asked, until, failures):
    """One tab: the list that it has seen and the frames of a live panel."""
    seen, cursor = "", ""
    while time.monotonic() < until:
        began = time.monotonic()
        try:
            more = {"seen": seen} if seen else {}
            seen = asked.get("runs", limit=200, **more)["version"]
            more = {"cursor": cursor} if cursor else {}
            cursor = asked.get(f"runs/{LIVE}/frame", **more)["cursor"]
        except OSError as exc:
            failures.append(exc)
        time.sleep(max(0.0, POLL_S - (time.monotonic() - began)))


def test_memory_stays_flat_while_five_tabs_poll(five_thousand, tmp_path):
    """S3: a live run of two curves, longer than a page is sent of them from the start.

    Each tab asks twice a second for the list that it has seen, which each commit makes
    out of date, and for what is new of the run.
    """
    journal = five_thousand.journal
    journal.emit({"kind": "run_started", "run": LIVE, "name": "live"})
    curves = [journal.series(LIVE, name) for name in ("train_loss", "val_loss")]

    def log(begin, n):
        for step in range(begin, begin + n):
            for curve in curves:
                journal.point(curve, step, 1 / (step + 1), time.time())

    log(0, 20_000)
    assert journal.flush(60.0)
    with server(tmp_path, five_thousand.path) as asked:
        until = time.monotonic() + WARM_S + WATCHED_S
        failures, sizes, step = [], [], 20_000
        tabs = [
            threading.Thread(target=poll, args=(asked, until, failures))
            for _ in range(N_TABS)
        ]
        for tab in tabs:
            tab.start()
        while time.monotonic() < until:
            log(step, 10)
            step += 10
            time.sleep(0.1)
            if time.monotonic() > until - WATCHED_S:
                sizes.append((asked.rss_mib(), asked.cpu_s()))
        for tab in tabs:
            tab.join()
    assert failures == []
    grown = np.mean(sizes[-20:], axis=0) - np.mean(sizes[:20], axis=0)
    print(f"RSS {sizes[-1][0]:.0f} MiB at last, CPU {grown[1] / WATCHED_S:.0%}")
    report("server: RSS grown in 60 s of polling by 5 tabs, MiB", float(grown[0]), 5)

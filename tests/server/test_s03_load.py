"""S3: what is too much is refused; a minute of questions leaves memory flat."""

from __future__ import annotations

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from examples import often
from server.real_server import filled_store, real_server

from nbtrack.server.handlers.request import MAX_BODY_BYTES, MAX_ROWS
from nbtrack.server.reader import ANSWER_S
from nbtrack.server.viewers import MAX_POINTS
from nbtrack.store.followed import QUESTION_S

pytest_plugins = ["pytest_jupyter.jupyter_server"]
GROWTH_MAX_BYTES = 50 << 20
ASKED_AT_ONCE = 4


def test_s03_the_limits_are_those_that_are_promised():
    assert (MAX_BODY_BYTES, MAX_ROWS, MAX_POINTS) == (1_000_000, 1000, 5000)
    assert max(ANSWER_S, QUESTION_S) <= 10.0


async def test_s03_a_thousand_rows_are_the_most(refused, ask, run):
    run.store.journal.flush()
    assert (await ask("runs", params={"limit": "1000"}))["total"] == 1
    code, _ = await refused("runs", params={"limit": "1001"})
    assert code == 400


async def test_s03_every_body_has_its_limit(refused, run):
    too_big = json.dumps({"x": "n" * MAX_BODY_BYTES})
    for path in (("jobs",), ("compare",), ("runs", run.id, "control")):
        assert (await refused(*path, method="POST", body=too_big))[0] == 413


def process_of(url):
    """The server that listens there, of those this process started."""
    port = int(url.rsplit(":", 1)[1])
    for child in Path(f"/proc/{os.getpid()}/task").glob("*/children"):
        for pid in child.read_text().split():
            words = Path("/proc", pid, "cmdline").read_bytes()
            if b"jupyter_server" in words:
                return int(pid)
    raise AssertionError(f"no server listens at {port}")


def resident_bytes(pid):
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def served(tmp_path):
    with (
        filled_store(tmp_path) as filled,
        real_server(tmp_path, filled.path.parent, filled.path) as server,
    ):
        yield server, filled


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "seconds", [pytest.param(8, marks=pytest.mark.faults), *often(0, 60)[1:]]
)
def test_s03_memory_is_flat_under_load(served, seconds, capsys):
    server, filled = served
    pid = process_of(server.url)
    paths = [
        "runs", "runs?limit=1000", "stores", "models", "runs?query=loss%20<%201",
        *(f"runs/{run}{what}" for run in filled.runs
          for what in ("", "/frame", "/page", "/cells", "/static")),
    ]  # fmt: skip
    n = 0

    def ask_until(end):
        nonlocal n
        with requests.Session() as session:
            while time.monotonic() < end:
                path = paths[n % len(paths)]
                n += 1
                answer = session.get(
                    f"{server.url}/nbtrack/{path}", headers=server.headers, timeout=30
                )
                assert answer.status_code < 500, (path, answer.text)

    def load(duration):
        end = time.monotonic() + duration
        with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
            for each in [pool.submit(ask_until, end) for _ in range(ASKED_AT_ONCE)]:
                each.result()

    load(3)  # imports, caches, connections
    before = resident_bytes(pid)
    load(seconds)
    growth = resident_bytes(pid) - before
    with capsys.disabled():
        print(f"\nS3: {n} questions, {growth / 2**20:.1f} MiB more after {seconds} s")
    os.kill(pid, signal.SIGCONT)  # it is still there
    assert growth < GROWTH_MAX_BYTES

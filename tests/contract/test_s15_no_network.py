"""S15: nothing is fetched and nothing told: the tutorials run without a network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from examples import often

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
ROOT = Path(__file__).parent.parent.parent

# A network of its own, in which there is nothing but this machine: kernels need that.
ALONE = """
import fcntl, os, socket, struct, sys
with socket.socket() as any_socket:
    up = struct.pack("16sh", b"lo", 0x1 | 0x40)  # IFF_UP, IFF_RUNNING
    fcntl.ioctl(any_socket, 0x8914, up)  # SIOCSIFFLAGS
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
OUT = """
import socket
try:
    socket.create_connection(("192.0.2.1", 80), timeout=2)
except OSError as exc:
    print(exc.strerror)
"""


def alone(*words, **how):
    command = ["unshare", "--net", sys.executable, "-c", ALONE, *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, **how)


@pytest.fixture(scope="module", autouse=True)
def _network_can_be_left():
    try:
        done = alone("-c", OUT)
    except FileNotFoundError:
        pytest.skip("unshare is not here")
    if done.returncode != 0:
        pytest.skip("leaving the network is not permitted here")
    assert done.stdout == "Network is unreachable\n"


# A short one; all of them, the quickstart first, take two minutes.
@pytest.mark.parametrize("n_tutorials", often(1, 7))
def test_s15_the_tutorials_run_where_there_is_no_network(n_tutorials):
    only = ["-k", "what_is_captured"] if n_tutorials == 1 else []
    done = alone(
        *("-m", "pytest", "-q", "-m", "reproduce", "tests/test_notebooks.py"),
        *("-p", "no:cacheprovider", "-p", "no:xdist", *only),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= n_tutorials - 1


USED = """
import os, socket, sys
asked = []
def look(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        asked.append((event, arguments[1:]))
sys.addaudithook(look)
import numpy, nbtrack
with nbtrack.start("base", params={"lr": 1}) as run:
    run.log(loss=1.0)
    run.log_artifact({"a": 1}, "a")
    run.checkpoint({"w": numpy.ones(2)}, name="m")
    nbtrack.models.register({"w": 1}, "fraud")
nbtrack.runs(), nbtrack.sql("select 1"), nbtrack.curve("base", "loss")
from click.testing import CliRunner
from nbtrack.cli import command
for words in (["ls"], ["show", "last"], ["du"], ["verify"], ["card", "fraud"],
              ["report", "-o", "r.html"]):
    assert CliRunner().invoke(command, words).exit_code == 0
print([each for each in asked if "AF_UNIX" not in str(each)])
"""


def test_s15_nobody_is_asked_for_an_address_or_connected_to(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", USED], cwd=tmp_path, text=True,
        env={**os.environ, "NBTRACK_STORE": str(tmp_path / ".nbtrack"),
             "PYTHONPATH": str(ROOT)},
        capture_output=True,
    )  # fmt: skip
    assert (done.stdout.splitlines()[-1:], done.returncode) == (["[]"], 0), done.stderr


ADDRESS = re.compile(
    r"""(?:src|href|from|import|fetch|url)\s*[=(:]?\s*["'(]https?://"""
)


def test_s15_what_is_built_loads_nothing_from_elsewhere():
    """No address in the front end stands where a browser would go and fetch it."""
    built = [*(ROOT / "nbtrack").rglob("static/**/*.js")]
    if not built:
        pytest.skip("the front end is not built here")
    found = {p.name for p in built if ADDRESS.search(p.read_text("utf-8", "replace"))}
    assert found == set()

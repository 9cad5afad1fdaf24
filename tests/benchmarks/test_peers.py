"""nbtrack beside trackio and MLflow, in turn, in the same run: ratios and targets.

`pytest -m peers -s tests/benchmarks/test_peers.py` with `pip install -e ".[peers]"`.
"""

from __future__ import annotations

import importlib.util
import json
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.report import report

pytestmark = [pytest.mark.peers, pytest.mark.timeout(900)]

SCRIPT = Path(__file__).with_name("peer_scripts.py")
ROUNDS = 3

# measure, key, peer, how our figure compares: ours / theirs must be at most this.
AT_MOST = [
    ("first_metric", "seconds", "trackio", 1 / 20),
    ("log_call", "us", "trackio", 1 / 10),
    ("log_call", "us", "mlflow", 1 / 1000),
    ("training", "share", "trackio", 1 / 4),
    ("throughput", "bytes_per_point", "mlflow", 1 / 17),
    ("eight_writers", "seconds", "trackio", 1 / 5),
    ("table", "seconds", "mlflow", 1 / 15),
]
AT_LEAST = [
    ("throughput", "points_per_s", "trackio", 5),
    ("throughput", "points_per_s", "mlflow", 1000),
]


def measure(peer: str, what: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(SCRIPT), peer, what],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def ratio(what: str, key: str, peer: str) -> float:
    """The median over rounds of ours / theirs, measured in turn."""
    if importlib.util.find_spec(peer) is None:
        pytest.skip(f"{peer} is not installed: pip install -e '.[peers]'")
    ratios = []
    for _ in range(ROUNDS):
        ours, theirs = measure("nbtrack", what)[key], measure(peer, what)[key]
        ratios.append(ours / theirs)
    return statistics.median(ratios)


@pytest.mark.parametrize(("what", "key", "peer", "target"), AT_MOST)
def test_nbtrack_needs_at_most_a_share_of_what_a_peer_needs(what, key, peer, target):
    got = ratio(what, key, peer)
    report(f"{what} {key} / {peer}", got, target)
    assert got <= target


@pytest.mark.parametrize(("what", "key", "peer", "target"), AT_LEAST)
def test_nbtrack_stores_many_times_faster_than_a_peer(what, key, peer, target):
    got = ratio(what, key, peer)
    report(f"{what} {key} / {peer}", got, target, at_least=True)
    assert got >= target


# Who has no table of its own is read as its own API reads: run by run.
# Not Aim: its table of 1,000 runs was not there after 10 minutes.
THOUSAND = {
    "trackio": "trackio",
    "mlflow": "mlflow",
    "mlflow-file": "mlflow",
    "tensorboard": "tensorboardX",
}


@pytest.mark.parametrize("peer", THOUSAND)
def test_a_thousand_runs_are_a_table_ten_times_sooner_than_with_a_peer(peer):
    if importlib.util.find_spec(THOUSAND[peer]) is None:
        pytest.skip(f"{THOUSAND[peer]} is not installed")
    before = measure("nbtrack", "thousand")["seconds"]
    theirs = measure(peer, "thousand")["seconds"]
    after = measure("nbtrack", "thousand")["seconds"]
    got = theirs / statistics.mean([before, after])
    report(f"{peer} / nbtrack.runs() on 1,000 runs", got, 10, at_least=True)
    assert got >= 10

"""Targets: the environment takes 300 ms of the training's thread, states 0.5 ms a cell.

Cold, in a process of its own with PyTorch and NumPy imported, as a first tracked cell
finds it; by the thread's own time on a core, so that neighbours do not count.
"""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median

import pytest
from benchmarks.report import report

MAIN_MS = 300.0  # the issue's own figure
BACKGROUND_MS = 1_000.0  # nobody waits for it, but it shares the GIL
STATES_MS = 0.5
SHARE_OF_TRACKED = 0.1  # of the 30 ms that a tracked cell may cost more
ROUNDS = 5

pytestmark = pytest.mark.benchmark

COLD = """
import json, time
import numpy, torch
import nbtrack
from nbtrack.tracking.background import background

said = {}
waited = []
background.submit = lambda job, feature: waited.append(job)  # each is timed below

def timed(call, *args):
    began = time.thread_time()
    call(*args)
    return (time.thread_time() - began) * 1e3

run = nbtrack.start(off="all")

def parts():
    from nbtrack.tracking.environment_part import EnvironmentPart
    from nbtrack.tracking.randomness_part import RandomnessPart
    return [EnvironmentPart(), RandomnessPart()]

made = []
said["import"] = timed(lambda: made.extend(parts()))
said["begin"] = sum(timed(part.begin, run) for part in made)
torch.rand(1)
said["background at start"] = sum(map(timed, waited))
waited.clear()
said["end"] = sum(timed(part.end, run) for part in made)
said["background at end"] = sum(map(timed, waited))
waited.clear()
again = []
for _ in range(20):
    made = parts()
    began = timed(lambda: [part.begin(run) for part in made])
    again.append(began + timed(lambda: [part.end(run) for part in made]))
said["later runs"] = sorted(again)[10]
print(json.dumps(said))
"""


def test_the_environment_hardly_takes_the_trainings_thread(store_path, capsys):
    found = []
    for _ in range(ROUNDS):
        ran = subprocess.run([sys.executable, "-c", COLD], capture_output=True)
        assert ran.returncode == 0, ran.stderr.decode()
        found.append(json.loads(ran.stdout))
    cost = {name: median(said[name] for said in found) for name in found[0]}
    main = cost["import"] + cost["begin"] + cost["end"]
    background = cost["background at start"] + cost["background at end"]
    with capsys.disabled():
        report("environment and states: first run, main thread, ms", main, MAIN_MS)
        report("the same, later runs, ms", cost["later runs"], 30 * SHARE_OF_TRACKED)
        report("the same, in the background, ms", background, BACKGROUND_MS)
    assert main <= MAIN_MS
    assert cost["later runs"] <= 30 * SHARE_OF_TRACKED
    assert background <= BACKGROUND_MS


STATES = """
import json, time
import numpy as np, torch
from nbtrack.capture.session import RNG, SessionLog
from nbtrack.guard import guard

np.random.seed(0)
namespace = {f"name_{k}": [k] for k in range(500)}
namespace["rng"] = np.random.default_rng(1)
log = SessionLog()

def cell(number):
    began = time.thread_time()
    log.begin("x = 1", "a", number, namespace=namespace)
    log.end(True, None, number, namespace=namespace)
    return (time.thread_time() - began) * 1e3

said = {"with": [], "without": []}
for number in range(400):
    guard.failures[RNG] = number % 2  # off in every other cell
    said["without" if number % 2 else "with"].append(cell(number))
print(json.dumps({name: min(taken) for name, taken in said.items()}))
"""


def test_states_of_generators_hardly_cost_a_plain_cell(capsys):
    ran = subprocess.run([sys.executable, "-c", STATES], capture_output=True)
    assert ran.returncode == 0, ran.stderr.decode()
    said = json.loads(ran.stdout)
    more = said["with"] - said["without"]
    with capsys.disabled():
        report("states of generators, ms for each plain cell", more, STATES_MS)
    assert more <= STATES_MS

"""What chance a run depends on: states, seeds, and what was used unseeded."""

from __future__ import annotations

import random
import subprocess
import sys

import numpy as np
import pytest

import nbtrack
from nbtrack.capture import randomness
from nbtrack.capture.randomness import capture_states, restore_states
from nbtrack.tracking import randomness_part


@pytest.fixture
def variables(monkeypatch):
    """A namespace of the test's own in the place of the script's."""
    namespace: dict = {}
    monkeypatch.setattr(randomness_part, "_variables", lambda: namespace)
    return namespace


def test_a_run_can_be_begun_again_from_its_states(store_path, variables):
    variables["rng"] = np.random.default_rng(5)
    with nbtrack.start() as run:
        first = random.random(), np.random.rand(), variables["rng"].random()
    run.record()
    texts = {text.name: text for text in run.store.texts(run.id, "rng")}
    assert set(texts) == {"random", "numpy", "variable:rng"}
    packed = {name: text.body for name, text in texts.items()}
    assert restore_states(packed, variables) == {}
    facts = run.store.facts(run.id)
    begun = capture_states(variables)
    assert facts["rng.numpy.digest"].value == begun["numpy"].digest
    assert facts["rng.variables"].value == {"rng": begun["variable:rng"].digest}
    assert facts["seed.variables"].value == {"rng": 5}
    assert facts["rng.drawn_from"].value == ["random", "numpy", "rng"]
    again = random.random(), np.random.rand(), variables["rng"].random()
    assert again == first


def test_a_run_that_draws_nothing_keeps_no_state(store_path, variables):
    with nbtrack.start() as run:
        pass
    run.record()
    assert run.store.texts(run.id, "rng") == []
    assert run.store.facts(run.id)["rng.drawn_from"].value == []
    assert run.store.facts(run.id)["rng.unseeded"].value == []
    assert run.store.notices(run.id) == []


def test_seeds_are_told_where_they_are_known(store_path, variables):
    torch = pytest.importorskip("torch")
    torch.manual_seed(3)
    np.random.seed(4)
    with nbtrack.start() as run:
        torch.rand(1)
    run.record()
    facts = run.store.facts(run.id)
    assert facts["seed.torch"].value == 3
    assert facts["seed.numpy"].value == 4
    assert facts["seed.random"].value is None
    assert "state is kept" in facts["seed.random"].missing
    assert run.store.notices(run.id) == []


def test_it_can_be_switched_off(store_path, variables):
    with nbtrack.start(off="rng") as run:
        random.random()
    run.record()
    assert not [n for n in run.store.facts(run.id) if n.startswith(("rng", "seed"))]
    assert run.store.texts(run.id, "rng") == []


@pytest.mark.parametrize("broken", ["capture_states", "states_to_keep"])
def test_trouble_costs_one_line_and_nothing_of_the_run(
    store_path, variables, monkeypatch, capsys, broken
):
    def fail(*args, **kwargs):
        raise RuntimeError("no generator")

    monkeypatch.setattr(randomness, broken, fail)
    for _ in range(2):
        with nbtrack.start() as run:
            run.log(loss=1.0)
    assert run.record().metrics["loss"].last == 1.0
    assert capsys.readouterr().err.count("rng failed and was left out") == 1


UNSEEDED = """
import nbtrack
import numpy as np
np.random.rand()
with nbtrack.start() as run:
    np.random.rand()
run.record()
print(run.store.facts(run.id)["rng.unseeded"].value, *run.store.notices(run.id))
np.random.seed(0)
with nbtrack.start() as run:
    np.random.rand()
run.record()
print(run.store.facts(run.id)["rng.unseeded"].value, *run.store.notices(run.id))
"""


def test_a_script_is_told_of_what_it_used_unseeded(store_path):
    ran = subprocess.run(
        [sys.executable, "-c", UNSEEDED], capture_output=True, text=True
    )
    assert ran.stdout.splitlines() == [
        "['numpy'] random numbers of numpy were used unseeded",
        "[]",
    ], ran.stderr

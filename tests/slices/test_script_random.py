"""Unseeded draws come out bit by bit, from the states that a script puts back."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
from slices.emitting import played

from nbtrack.records import CellRecord
from nbtrack.slices.closure import KeptCell
from nbtrack.slices.script import script_of

DRAWS = {
    "random": (
        "import random",
        "x = random.random(), random.gauss(0, 1)",
        "y = random.gauss(0, 1), random.randint(0, 10**30), random.sample('abc', 2)",
    ),
    "numpy, the old way": (
        "import numpy as np",
        "x = np.random.randn(3).tolist()",  # an odd number: half a pair is left
        "y = np.random.randn(2).tolist() + np.random.permutation(9).tolist()",
    ),
    "numpy, PCG64": (
        "import numpy as np\nrng = np.random.default_rng()",
        "x = rng.normal(size=3).tolist()",
        "y = rng.integers(0, 99, 5, dtype=np.uint32).tolist() + [float(rng.random())]",
    ),
    "numpy, PCG64DXSM and SFC64": (
        "import numpy as np\nR = np.random\n"
        "a, b = R.Generator(R.PCG64DXSM()), R.Generator(R.SFC64())",
        "x = float(a.random()), float(b.random())",
        "y = float(a.random()), float(b.random())",
    ),
    "numpy, MT19937 and Philox": (
        "import numpy as np\nR = np.random\n"
        "a, b = R.Generator(R.MT19937()), R.Generator(R.Philox())",
        "x = a.normal(size=3).tolist(), b.integers(0, 9, 3, dtype=np.uint8).tolist()",
        "y = a.normal(size=3).tolist(), b.integers(0, 9, 3, dtype=np.uint8).tolist()",
    ),
    "numpy, a RandomState and random, a Random": (
        "import numpy as np, random\n"
        "old, own = np.random.RandomState(), random.Random()",
        "x = old.randn(3).tolist(), own.gauss(0, 1)",
        "y = old.randn(3).tolist(), own.gauss(0, 1)",
    ),
    "torch": (
        "import torch",
        "x = torch.randn(5).tolist()",
        "y = torch.rand(3).tolist() + torch.randperm(9).tolist()",
    ),
    "torch, a generator": (
        "import torch\ng = torch.Generator()\ng.seed()",
        "x = torch.randn(5, generator=g).tolist()",
        "y = torch.randn(3, generator=g).tolist()",
    ),
    "in an attribute": (
        "import random, numpy as np\nclass Env:\n    def __init__(self):\n"
        "        self.rng, self.own = np.random.default_rng(), random.Random()\n"
        "env = Env()",
        "x = float(env.rng.random()), env.own.random()",
        "y = float(env.rng.random()), env.own.random()",
    ),
}
GENERATORS = {"rng", "a", "b", "old", "own", "g", "env"}


def drawn(values):
    return {name: value for name, value in values.items() if name not in GENERATORS}


@pytest.mark.parametrize("name", DRAWS)
def test_draws_are_the_same_bit_by_bit(notebook, tmp_path, name):
    if "torch" in name:
        pytest.importorskip("torch")
    notebook.run(*DRAWS[name], restore=True)
    here = drawn(notebook.values)
    assert drawn(played(notebook.script(), tmp_path)) == here
    assert drawn(played(notebook.without_states(), tmp_path)) != here


@pytest.mark.parametrize("name", ["random", "numpy, PCG64", "torch"])
def test_a_cell_between_them_may_be_dropped(notebook, tmp_path, name):
    if "torch" in name:
        pytest.importorskip("torch")
    """The generator goes on from where it was, whatever drew before."""
    notebook.run(*DRAWS[name], restore=True)
    there = played(notebook.script(0, 2), tmp_path)
    assert there["y"] == notebook.values["y"]
    assert "x" not in there


def test_a_generator_whose_cell_was_dropped_is_made(notebook, tmp_path):
    notebook.run(*DRAWS["numpy, PCG64"], restore=True)
    notebook.run("import numpy as np", "z = float(rng.random())", restore=True)
    assert played(notebook.script(3, 4), tmp_path)["z"] == notebook.values["z"]


def test_the_state_stands_before_the_mark_of_its_cell(notebook):
    notebook.run("import random", "x = random.random()", restore=True)
    script = notebook.script()
    lines = script.source.split("\n")
    place = next(i for i, line in enumerate(lines) if line.startswith("_nb_put_back("))
    assert script.segments[0].first_line < place + 1 < script.segments[1].first_line
    assert lines[script.segments[1].first_line] == "x = random.random()"


def test_seed_of_the_magic_is_sown_in_a_plain_run(tmp_path):
    source = "%%track base --seed 7\nimport random\nx = random.random()"
    cell = CellRecord(0, None, 1, source, "", "")
    there = played(script_of([KeptCell(cell, ())], title="t"), tmp_path)
    assert there["x"] == random.Random(7).random()


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("random", "no state"),
        ("random", '"); import os; ("'),
        ("variable:x; import os", None),
        ("variable:__import__('os').x", None),
    ],
)
def test_an_odd_state_is_left_out_with_a_note(name, state):
    from nbtrack.capture.randomness import capture_states

    packed = state or capture_states()["random"].packed()
    cell = CellRecord(0, None, 1, "x = 1", "", "", rng={name: packed})
    script = script_of([KeptCell(cell, (), (name,))], title="t")
    assert "_nb_put_back(" not in script.source
    assert "cannot be read" in script.notes[0]


def test_a_script_draws_the_same_in_a_process_of_its_own(notebook, tmp_path):
    notebook.run(
        "import random, numpy as np",
        "x = [random.gauss(0, 1) for i in range(3)], np.random.randn(3).tolist()",
        "y = [random.gauss(0, 1) for i in range(3)], np.random.randn(3).tolist()",
        "print(repr((x, y)))",
        restore=True,
    )
    path = notebook.script().write(tmp_path)
    said = subprocess.check_output([sys.executable, "-I", path], text=True)
    assert said == repr((notebook.values["x"], notebook.values["y"])) + "\n"

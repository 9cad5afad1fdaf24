"""Random numbers in a real kernel: what was unseeded, and how a cell is run again."""

from __future__ import annotations

import ast

import pytest

pytestmark = pytest.mark.reproduce


def test_unseeded_numbers_are_named_and_seeded_ones_are_not(kernel):
    kernel.run("import random, numpy as np, nbtrack")
    line = kernel.run("%%track a\nloss = random.random() + np.random.rand()").line
    assert "random numbers of random and numpy were used unseeded" in line
    seen = kernel.run("nbtrack.open().notices(nbtrack.open().runs()[0].id)").result
    assert "used unseeded" in seen

    line = kernel.run("%%track b\nloss = 1.0").line
    assert "unseeded" not in line

    line = kernel.run("%%track c --seed 7\nloss = random.random()").line
    assert line.startswith("run c")
    assert "unseeded" not in line
    facts = kernel.run(
        "import time; nbtrack.current() or time.sleep(0.5)\n"
        "{n: f.value for n, f in nbtrack.open().facts("
        "nbtrack.open().runs()[0].id).items() if n.startswith('seed.')}"
    ).result
    assert ast.literal_eval(facts) == {"seed.random": 7, "seed.numpy": 7}

    # Seeded by --seed above: no generator is unseeded any more, nor by a library.
    line = kernel.run("%%track d\nloss = random.random() + np.random.rand()").line
    assert "unseeded" not in line


def test_an_earlier_cell_is_run_again_from_its_stored_state(kernel):
    kernel.run("import nbtrack, random, numpy as np; rng = np.random.default_rng()")
    source = "drawn = [random.gauss(0, 1), np.random.randn(), rng.normal()]"
    kernel.run(source)
    first = kernel.run("drawn").result
    line = kernel.run("%%track e\nloss = random.random() + rng.random()").line
    assert line.startswith("run e")
    kernel.run("run_id = nbtrack.open().runs()[0].id; tracked = loss")
    kernel.run("import time; time.sleep(0.6)")  # for what is written in the background

    assert kernel.run(source).status == "ok"
    assert kernel.run("drawn").result != first
    kernel.run(
        "from nbtrack.capture.randomness import restore_states\n"
        "cells = [c for c in nbtrack.open().cells(run_id)"
        f" if c.source == {source!r}]\n"
        "assert set(cells[0].rng) == {'random', 'numpy', 'variable:rng'}, cells[0].rng"
    )
    assert kernel.run("restore_states(cells[0].rng, globals())").result == "{}"
    kernel.run(source)
    assert kernel.run("drawn").result == first

    # And the tracked cell, from what its run keeps.
    again = kernel.run(
        "texts = nbtrack.open().texts(run_id, 'rng')\n"
        "assert restore_states({t.name: t.body for t in texts}, globals()) == {}\n"
        "random.random() + rng.random() == tracked"
    )
    assert again.result == "True", again.traceback


def test_a_seeded_cell_keeps_the_states_it_really_began_with(kernel):
    kernel.run("%%track f --seed 3\nloss = random.random()")
    state = kernel.run(
        "cell = get_ipython()._nbtrack_extension.log.cells[-2]\n"
        "random.seed(3)\n"
        "from nbtrack.capture.randomness import capture_states\n"
        "cell.states['random'] == capture_states()['random']"
    )
    assert state.result == "True", state.traceback


def test_states_are_not_kept_where_they_are_switched_off(kernel):
    kernel.run("%%track g --off rng\nloss = random.random()")
    kernel.run("import time; time.sleep(0.6)")
    kept = kernel.run(
        "[c.rng for c in nbtrack.open().cells(\n"
        "  nbtrack.open().runs()[0].id) if '--off rng' in c.source]"
    )
    assert kept.result == "[{}]"


def test_tracking_moves_no_generator(kernel):
    draw = "drawn = [random.random(), np.random.rand(), rng.random()]\nloss = 1.0"
    seed = "random.seed(5); np.random.seed(6); rng = np.random.default_rng(7)"
    kernel.run(f"import random, numpy as np\n{seed}")
    kernel.run(draw)
    plain = kernel.run("drawn").result
    kernel.run(seed)
    assert kernel.run(f"%%track h\n{draw}").line.startswith("run h")
    assert kernel.run("drawn").result == plain

"""States of random generators: taken, packed, put back, and who seeded them."""

from __future__ import annotations

import json
import random
import subprocess
import sys

import numpy as np
import pytest

from nbtrack.capture.generators import GeneratorState, state_of
from nbtrack.capture.randomness import (
    MAX_LOOKED_AT,
    capture_states,
    consumed,
    restore_states,
    states_to_keep,
)
from nbtrack.capture.seeding import Seeds, follows, known_seeds, variable_seeds

torch = pytest.importorskip("torch")


class Holder:
    def __init__(self, rng):
        self.rng = rng


def every_generator():
    bits = (np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937)
    bits += (np.random.Philox, np.random.SFC64)
    return {
        **{kind.__name__: np.random.Generator(kind(3)) for kind in bits},
        "legacy": np.random.RandomState(4),
        "tg": torch.Generator().manual_seed(5),
        "own": random.Random(6),
        "holder": Holder(np.random.default_rng(7)),
    }


def draws(ns):
    """Numbers of every generator, normal ones too: those leave half a pair behind."""
    held = [g for n, g in ns.items() if isinstance(g, np.random.Generator)]
    return [
        random.random(),
        random.gauss(0, 1),
        np.random.randn(3).tolist(),
        torch.randn(3).tolist(),
        *[(g.normal(), g.integers(9, dtype=np.uint32).item()) for g in held],
        ns["legacy"].randn(3).tolist(),
        torch.randn(3, generator=ns["tg"]).tolist(),
        ns["own"].gauss(0, 1),
        ns["holder"].rng.random(),
    ]


def test_every_generator_goes_on_from_its_packed_state():
    ns = every_generator()
    draws(ns)
    packed = {name: state.packed() for name, state in capture_states(ns).items()}
    first = draws(ns)
    assert restore_states(packed, ns) == {}
    assert draws(ns) == first


def test_taking_states_moves_nothing():
    ns = every_generator()
    states = capture_states(ns)
    assert capture_states(ns) == states
    first = draws(ns)
    restore_states(states, ns)
    capture_states(ns)
    assert draws(ns) == first


def test_only_what_was_drawn_from_is_consumed():
    ns = every_generator()
    before = capture_states(ns)
    assert consumed(before, capture_states(ns)) == []
    ns["holder"].rng.random()
    torch.rand(1)
    after = capture_states(ns)
    assert consumed(before, after) == ["torch", "variable:holder.rng"]
    assert states_to_keep(before, after) == {
        name: before[name] for name in ("torch", "variable:holder.rng")
    }


def test_half_of_a_normal_pair_is_a_state_of_its_own():
    np.random.seed(1)
    np.random.randn()
    before = capture_states()
    second = np.random.randn()  # the words do not move for this one
    assert consumed(before, capture_states()) == ["numpy"]
    restore_states(before)
    assert np.random.randn() == second


def test_known_states_save_reading_and_miss_nothing():
    ns = {"legacy": np.random.RandomState(3)}
    for draw in (lambda: 0, ns["legacy"].rand, ns["legacy"].randn, ns["legacy"].randn):
        before = capture_states(ns)
        draw()
        assert capture_states(ns, known=before) == capture_states(ns)
    ns["legacy"] = np.random.RandomState(np.random.PCG64(3))
    assert capture_states(ns, known=before) == capture_states(ns)


def test_a_variable_that_is_gone_is_made_again():
    ns = {"rng": np.random.default_rng(1), "tg": torch.Generator().manual_seed(2)}
    states = capture_states(ns)
    first = ns["rng"].random(), torch.rand(1, generator=ns["tg"]).item()
    empty: dict = {}
    assert restore_states({n: s for n, s in states.items() if ":" in n}, empty) == {}
    again = empty["rng"].random(), torch.rand(1, generator=empty["tg"]).item()
    assert again == first


def test_what_cannot_be_put_back_says_why():
    state = state_of(random.Random(1))
    failed = restore_states(
        {
            "numpy": state,
            "random": "no state at all",
            "variable:gone.rng": state,
            "what": state,
        },
        {},
    )
    assert failed["numpy"] == "a state of random is none of numpy"
    assert failed["variable:gone.rng"] == "there is no variable 'gone'"
    assert failed["what"] == "no generator is called 'what'"
    assert set(failed) == {"numpy", "random", "variable:gone.rng", "what"}


@pytest.mark.parametrize("text", ["", "!", "aGVsbG8=", "eJwDAAAAAAE=", "é"])
def test_any_other_text_is_refused(text):
    before = random.getstate()
    assert set(restore_states({"random": text})) == {"random"}
    assert random.getstate() == before


def test_a_state_of_another_size_is_refused():
    state = state_of(random.Random(1))
    torn = GeneratorState(state.kind, state.header, state.body[:-4])
    before = random.getstate()
    assert set(restore_states({"random": torn})) == {"random"}
    assert random.getstate() == before


def test_odd_objects_are_left_alone():
    class Liar:
        @property
        def __class__(self):
            raise RuntimeError("no class")

        def __getattr__(self, name):
            raise RuntimeError("no attribute")

        def __repr__(self):
            raise RuntimeError("no repr")

    class Slots:
        __slots__ = ("rng",)

    class Own(random.Random):
        def getstate(self):
            raise NotImplementedError

    ns = {"liar": Liar(), "slots": Slots(), "own": Own(), "os": random.SystemRandom()}
    ns["rng"] = np.random.default_rng(0)
    assert [n for n in capture_states(ns) if ":" in n] == ["variable:rng"]


def test_one_generator_under_two_names_counts_once():
    rng = np.random.default_rng(0)
    ns = {"a": rng, "b": rng, "legacy": np.random.mtrand._rand, "t": Holder(rng)}
    assert [n for n in capture_states(ns) if ":" in n] == ["variable:a"]


def test_a_huge_namespace_is_looked_at_in_part():
    ns = {f"x{n}": Holder(n) for n in range(MAX_LOOKED_AT)}
    ns["late"] = np.random.default_rng(0)
    assert "variable:late" not in capture_states(ns)


def test_no_library_is_imported_to_look():
    code = (
        "import sys; from nbtrack.capture.randomness import capture_states; "
        "print(*capture_states({})); print('numpy' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert said.stdout.split() == ["random", "False"], said.stderr


# ---- who seeded


@pytest.mark.parametrize("n", [0, 1, 311, 312, 313, 5_000, 40_000])
def test_a_state_follows_from_an_earlier_one(n):
    generator = random.Random(n)
    generator.random()
    start = state_of(generator)
    for _ in range(n):
        generator.random()
    assert follows(start, state_of(generator))


def test_a_seeded_state_follows_from_none():
    generator = random.Random(1)
    start = state_of(generator)
    generator.random()
    later = state_of(generator)
    assert not follows(later, start)
    generator.seed(1)
    assert not follows(later, state_of(generator))


FRESH = """
import json, random
from nbtrack.capture.randomness import *
from nbtrack.capture.seeding import Seeds
before = capture_states()
seeds = Seeds()
seeds.begin_session(before, ["import torch"])
import torch, numpy as np

def draw():
    return random.random(), np.random.rand(3).tolist(), torch.rand(3).tolist()

said = {}
first = draw()[1:]
kept = states_to_keep(before, capture_states())
said["imported"] = sorted(kept)
said["failed"] = restore_states({name: kept[name] for name in ("numpy", "torch")})
said["replayed"] = (np.random.rand(3).tolist(), torch.rand(3).tolist()) == first

def judge(name, ran=()):
    said[name] = seeds.unseeded(before, capture_states(), ran=ran)

draw(); judge("nobody")
judge("by state", ["np.random.set_state(s)", "torch.set_rng_state(s)"])
before = capture_states(); judge("not drawn")
np.random.seed(3); draw(); judge("numpy")
torch.manual_seed(2**40); draw(); judge("and torch")
random.seed(3); draw(); judge("and random")

from nbtrack.capture import seeding
seeding.seeds.begin_session(before := capture_states())
restore_states(before)
draw()
said["put back"] = seeding.seeds.unseeded(before, capture_states())
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def fresh():
    """What a process of its own said, in which nobody has seeded anything."""
    ran = subprocess.run([sys.executable, "-c", FRESH], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_a_library_imported_by_the_cell_itself_can_be_put_back(fresh):
    assert fresh["imported"] == ["numpy", "random", "torch"]
    assert (fresh["failed"], fresh["replayed"]) == ({}, True)


def test_what_nobody_seeded_is_named_and_what_anybody_seeded_is_not(fresh):
    assert fresh["nobody"] == ["random", "numpy", "torch"]
    assert fresh["not drawn"] == []
    assert fresh["numpy"] == ["random", "torch"]
    assert fresh["and torch"] == ["random"]
    assert fresh["and random"] == []


def test_a_state_that_was_set_counts_as_seeded(fresh):
    assert fresh["by state"] == ["random"]


@pytest.mark.parametrize("text", ["set_seed(7)", "get_ipython().run_line_magic('run'"])
def test_random_is_not_judged_where_it_may_have_been_seeded_before(text):
    seeds, before = Seeds(), capture_states()
    seeds.begin_session(before, ["", text])
    random.random()
    assert "random" not in seeds.unseeded(before, capture_states())


def test_random_is_not_judged_where_nobody_looked_from_the_start():
    before = capture_states()
    random.random()
    assert "random" not in Seeds().unseeded(before, capture_states())


def test_a_state_that_was_put_back_counts_as_seeded(fresh):
    assert fresh["put back"] == []


def test_seeds_are_read_back_where_that_is_possible():
    torch.manual_seed(11)
    np.random.seed(12)
    assert known_seeds(capture_states()) == {"torch": 11, "numpy": 12}
    np.random.rand()
    assert known_seeds(capture_states()) == {"torch": 11}
    ns = {"rng": np.random.default_rng(13), "tg": torch.Generator().manual_seed(14)}
    assert variable_seeds(ns, capture_states(ns)) == {"rng": 13, "tg": 14}


def test_a_state_of_cuda_is_left_out_where_cuda_is_not_up():
    assert not any(name.startswith("torch.cuda") for name in capture_states())
    failed = restore_states({"torch.cuda.0": state_of(torch.Generator())})
    assert set(failed) == ({"torch.cuda.0"} if not torch.cuda.is_available() else set())


def test_trouble_with_states_costs_one_line_and_not_the_log(monkeypatch, capsys):
    from nbtrack.capture import session

    def fail(*args, **kwargs):
        raise RuntimeError("no generator")

    monkeypatch.setattr(session, "capture_states", fail)
    log = session.SessionLog()
    for number in range(3):
        log.begin("x = 1", "a", number, namespace={})
        log.end(True, None, number, namespace={})
    assert [cell.ok for cell in log.cells] == [True] * 3
    assert [cell.rng for cell in log.cells] == [{}] * 3
    assert capsys.readouterr().err.count("states of random generators failed") == 1

"""Who seeded the random generators of this process, as far as that can be seen.

PyTorch tells its seed, and nobody draws one above 2**32 by hand; NumPy's generator has
lost its first seed sequence once it was seeded; of `random` every state must follow
from the one before, or somebody has set it. Nothing is wrapped and nothing is moved.
Where it cannot be told, the generator counts as seeded: a warning is never wrong.
"""

from __future__ import annotations

import json
import random
import re
import struct
import sys
from collections.abc import Iterable, Iterator, Mapping
from types import BuiltinMethodType, MethodType
from typing import Any

from nbtrack.capture.generators import GeneratorState, put_back
from nbtrack.capture.randomness import VARIABLE, States

LIBRARIES = ("random", "numpy", "torch")
CHOSEN_MAX = 2**32  # NumPy takes no larger seed; PyTorch's own come from 64 random bits
_BLOCK_BYTES = 624 * 4  # what one turn of a Mersenne Twister gives
_TURNS_MAX = 256  # 160,000 words, some ms, and only after a cell that drew that many
# In the code that ran before the session was watched: what may have seeded `random`.
_MAY_SEED = re.compile(r"seed|setstate|exec\(|_magic\('(?:run|load|rerun)'", re.I)
# What no generator tells afterwards: that its whole state was set.
_SETS_STATE = {
    "numpy": re.compile(r"set_state\(|set_bit_generator\("),
    "torch": re.compile(r"set_rng_state\(|manual_seed\("),
}


class Seeds:
    """What is known of the seeding of one process; looks at every cell.

    >>> import random
    >>> from nbtrack.capture.randomness import capture_states
    >>> before, seeds = capture_states(), Seeds()
    >>> seeds.begin_session(before)
    >>> random.seed(3)
    >>> number = random.random()
    >>> "random" in seeds.unseeded(before, capture_states())
    False
    """

    def __init__(self) -> None:
        self._anchor: GeneratorState | None = None  # of `random`; None: may be seeded
        self._torch_seed: int | None = None
        self._torch_was_set = False
        self._put_back: set[str] = set()

    def begin_session(self, states: States, ran: Iterable[str] = ()) -> None:
        """A session begins to be looked at, after the code of `ran`."""
        if not any(map(_MAY_SEED.search, ran)) and not _local_modules():
            self._anchor = states["random"]
        self.look(states)

    def put_back(self, names: Iterable[str]) -> None:
        """States of these were put back: what is drawn now was drawn before."""
        self._put_back.update(names)

    def look(self, states: States) -> None:
        """Tell the states of now; at least once for every cell."""
        now = states["random"]
        if self._anchor is not None and now != self._anchor:
            self._anchor = now if follows(self._anchor, now) else None
        torch_seed = _torch_seed()
        if self._torch_seed is not None and torch_seed != self._torch_seed:
            self._torch_was_set = True
        self._torch_seed = torch_seed

    def unseeded(
        self, before: States, after: States, *, ran: Iterable[str] = ()
    ) -> list[str]:
        """The libraries whose random numbers were drawn though nobody seeded them.

        Parameters
        ----------
        before, after : dict
            The states at the start and at the end.
        ran : texts, optional
            The code that ran in this process.
        """
        self.look(after)
        drawn = [n for n in LIBRARIES if n in after and before.get(n) != after[n]]
        texts = list(ran)
        return [name for name in drawn if not self._may_be_seeded(name, texts)]

    def _may_be_seeded(self, name: str, texts: list[str]) -> bool:
        if name in self._put_back:
            return True
        if name == "random":
            return self._anchor is None
        if any(map(_SETS_STATE[name].search, texts)):
            return True
        if name == "numpy":
            return _numpy_was_seeded()
        seed = _torch_seed()
        return self._torch_was_set or seed is None or seed < CHOSEN_MAX


def follows(earlier: GeneratorState, later: GeneratorState) -> bool:
    """Whether drawing numbers leads from one state of `random` to the other.

    False also where they are more than 160,000 words apart.

    >>> import random
    >>> from nbtrack.capture.generators import state_of
    >>> generator = random.Random(1)
    >>> start = state_of(generator)
    >>> numbers = [generator.random() for _ in range(5_000)]
    >>> follows(start, state_of(generator))
    True
    >>> follows(start, state_of(random.Random(2)))
    False
    """
    (words, place), (later_words, later_place) = _parts(earlier), _parts(later)
    if words == later_words:
        return place <= later_place
    # What a turn gives depends on its 624 words alone: from its beginning, place 0.
    wanted = _at(later, 0).randbytes(_BLOCK_BYTES)
    run, n_left, n = _at(earlier, 624), _TURNS_MAX, 1
    while n_left > 0:
        stream = run.randbytes(_BLOCK_BYTES * n)
        if any(
            stream.startswith(wanted, at) for at in range(0, len(stream), _BLOCK_BYTES)
        ):
            return True
        n_left, n = n_left - n, n * 2  # near ones, which are most, cost little
    return False


def executed_texts(namespace: Mapping[str, Any]) -> list[str]:
    """The code of the cells that IPython has run so far, or is running.

    >>> executed_texts({"In": ["", "lr = 0.1"]})
    ['', 'lr = 0.1']
    """
    found = namespace.get("In")
    texts = list(found) if isinstance(found, list) else []
    return [text for text in texts if isinstance(text, str)]


def known_seeds(states: States) -> dict[str, int]:
    """The seeds that can be read back: of PyTorch, and of NumPy before its first draw.

    >>> from nbtrack.capture.randomness import capture_states
    >>> "random" in known_seeds(capture_states())  # it forgets its seed
    False
    """
    found = {}
    seed = _torch_seed()
    if seed is not None:
        found["torch"] = seed
    if "numpy" in states:
        seed = _fresh_seed(states["numpy"])
        if seed is not None:
            found["numpy"] = seed
    return found


def variable_seeds(namespace: Mapping[str, Any], states: States) -> dict[str, Any]:
    """Seeds of the generators that variables hold, where these tell.

    >>> known = variable_seeds({}, {})
    >>> known
    {}
    """
    found: dict[str, Any] = {}
    for name, state in states.items():
        variable = name.removeprefix(VARIABLE)
        generator = namespace.get(variable) if name.startswith(VARIABLE) else None
        if generator is not None and state.kind.startswith("torch:"):
            found[variable] = generator.initial_seed()
        elif generator is not None and state.kind == "numpy.Generator":
            sequence = getattr(generator.bit_generator, "seed_seq", None)
            entropy = getattr(sequence, "entropy", None)
            if isinstance(entropy, int | list | tuple):
                found[variable] = entropy
    return found


def names_random(namespace: Mapping[str, Any]) -> bool:
    """Whether a script, or a module of its own, has `random` or something of it.

    Libraries draw from it while a script imports them (rich, and so scikit-learn, for
    ids); no result depends on that. What no code of the user's names is not told of.

    >>> names_random({"random": random}), names_random({"shuffle": random.shuffle})
    (True, True)
    """
    spaces = [namespace, *(vars(module) for module in _own_modules())]
    return any(_is_of_random(v) for names in spaces for v in list(names.values()))


def _is_of_random(value: object) -> bool:
    if type(value) in (MethodType, BuiltinMethodType):
        return getattr(value, "__self__", None) is random._inst
    return value is random


def _local_modules() -> bool:
    """Whether modules of the user's own are loaded: they may have seeded anything."""
    return next(_own_modules(), None) is not None


def _own_modules() -> Iterator[Any]:
    from nbtrack.capture.modules import is_own_file

    for name, module in list(sys.modules.items()):
        file = getattr(module, "__dict__", {}).get("__file__")
        if name != "__main__" and isinstance(file, str) and is_own_file(file):
            yield module


def _torch_seed() -> int | None:
    default = getattr(sys.modules.get("torch"), "default_generator", None)
    return None if default is None else int(default.initial_seed())


def _numpy_was_seeded() -> bool:
    """A NumPy that nobody seeded still has the sequence it was imported with."""
    mtrand = getattr(sys.modules.get("numpy.random"), "mtrand", None)
    bits = getattr(getattr(mtrand, "_rand", None), "_bit_generator", None)
    return getattr(bits, "seed_seq", None) is None


def _fresh_seed(state: GeneratorState) -> int | None:
    """The seed of NumPy's generator, which its first word is until numbers are drawn.

    Knuth's recurrence makes the other words of it, so that it is no guess.
    """
    place = json.loads(state.header).get("state", {}).get("pos")
    if place != 624 or len(state.body) != _BLOCK_BYTES:
        return None
    words = struct.unpack("<624I", state.body)
    word = words[0]
    for index in range(1, 624):
        word = (1812433253 * (word ^ (word >> 30)) + index) & 0xFFFFFFFF
        if word != words[index]:
            return None
    return int(words[0])


def _parts(state: GeneratorState) -> tuple[bytes, int]:
    words, place = state.body[:_BLOCK_BYTES], state.body[_BLOCK_BYTES:]
    return words, int.from_bytes(place, "little")


def _at(state: GeneratorState, place: int) -> random.Random:
    """A generator of its own with these words, at that place among them."""
    body = state.body[:_BLOCK_BYTES] + place.to_bytes(4, "little")
    generator = random.Random()  # noqa: S311 - it gets the state of the user's own
    put_back(generator, GeneratorState("random", state.header, body))
    return generator


seeds = Seeds()

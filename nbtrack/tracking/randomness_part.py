"""What chance a run depends on: seeds, states of random generators, what was unseeded.

The states are taken before the first number is drawn, at some 0.1 ms; of those that
the run drew from the packed state is kept as a text of role "rng", so that the run can
be begun again from there whoever seeded what. Nothing is seeded or moved.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from nbtrack.records import Fact, TextRecord
from nbtrack.tracking.background import background

if TYPE_CHECKING:
    from nbtrack.capture.randomness import States
    from nbtrack.tracking.run import Run

FEATURE = "rng"
ROLE = "rng"
_DRAWN_FROM = frozenset({"random", "numpy", "torch"})  # asked before any import
NOT_TOLD = "the generator does not tell its seed; its state is kept if it is drawn from"


class RandomnessPart:
    """The random generators of one run; see `nbtrack.tracking.parts`."""

    feature = FEATURE

    def __init__(self) -> None:
        self._before: States = {}

    def begin(self, run: Run) -> None:
        """Take the states from which the run begins."""
        if sys.modules.keys().isdisjoint(_DRAWN_FROM):
            return  # nothing was drawn yet, and what comes has the state of its import
        from nbtrack.capture.randomness import capture_states

        namespace = _variables()
        self._before = states = capture_states(namespace)
        facts = _seed_facts(states, namespace)
        tell = partial(_tell_start, run, states, facts)
        background.submit(tell, feature=FEATURE)

    def end(self, run: Run) -> None:
        """See what was drawn from, and say what of it nobody seeded."""
        if sys.modules.keys().isdisjoint(_DRAWN_FROM):
            return
        from nbtrack.capture.randomness import (
            VARIABLE,
            capture_states,
            consumed,
            states_to_keep,
        )
        from nbtrack.capture.seeding import executed_texts, names_random, seeds

        namespace, before = _variables(), self._before
        after = capture_states(namespace, known=before)
        kept = states_to_keep(before, after)
        drawn = [*consumed(before, after), *(n for n in kept if n not in before)]
        unseeded = seeds.unseeded(before, after, ran=executed_texts(namespace))
        # Of a library that the run imported, only what was drawn since is news.
        unseeded = [name for name in unseeded if name in drawn]
        if "In" not in namespace and not names_random(namespace):
            unseeded = [name for name in unseeded if name != "random"]
        if unseeded:
            remark = f"random numbers of {_listed(unseeded)} were used unseeded"
            run.remarks.append(remark)
            run.notices([remark])
        facts = [Fact("rng.unseeded", unseeded)]
        late = {n: s for n, s in after.items() if n not in before}
        facts += _seed_facts(late, namespace)
        facts.append(Fact("rng.drawn_from", [n.removeprefix(VARIABLE) for n in drawn]))
        background.submit(partial(_tell_end, run, kept, facts), feature=FEATURE)


def seeded_by_option(seed: int) -> list[Fact]:
    """What is known of the seeds where `--seed` set them; of what is imported."""
    from nbtrack.capture.seeding import LIBRARIES

    loaded = [n for n in LIBRARIES if n in sys.modules]
    return [Fact(f"seed.{name}", seed) for name in loaded]


def _tell_start(run: Run, states: States, facts: Iterable[Fact]) -> None:
    from nbtrack.capture.randomness import VARIABLE

    digests = {name: state.digest for name, state in states.items()}
    held = {
        name.removeprefix(VARIABLE): digest
        for name, digest in digests.items()
        if name.startswith(VARIABLE)
    }
    told = [
        Fact(f"rng.{name}.digest", digest)
        for name, digest in digests.items()
        if not name.startswith(VARIABLE)
    ]
    told += [Fact("rng.variables", held)] if held else []
    run.log_facts([*told, *facts])


def _tell_end(run: Run, kept: States, facts: Iterable[Fact]) -> None:
    run.log_facts(facts)
    run.log_texts(
        TextRecord(ROLE, name, state.digest, state.packed())
        for name, state in kept.items()
    )


def _seed_facts(states: States, namespace: dict[str, Any]) -> list[Fact]:
    from nbtrack.capture.seeding import LIBRARIES, known_seeds, variable_seeds

    known = known_seeds(states)
    facts = [
        Fact(f"seed.{n}", known.get(n), None if n in known else NOT_TOLD)
        for n in LIBRARIES
        if n in states
    ]
    held = variable_seeds(namespace, states)
    return [*facts, Fact("seed.variables", held)] if held else facts


def _variables() -> dict[str, Any]:
    """The namespace of the notebook or the script."""
    return vars(sys.modules["__main__"])


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))

"""What differs in the random numbers of two runs: seeds, states at the start.

Only generators that one of the runs drew from count, and none that the tracked cell
itself seeds: its state before is of no effect, and the seed stands in the code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nbtrack.analysis.diff.side import Side
from nbtrack.capture.dataflow.pseudo import GENERATOR

_DIGEST = ".digest"


@dataclass(frozen=True, slots=True)
class ChanceChange:
    """A generator whose numbers were, or may have been, others in the two runs."""

    generator: str  # "random", "numpy", "torch", or the variable that holds it
    seed_a: Any  # None: it is not known
    seed_b: Any
    same_start: bool | None  # whether both began with one state; None: not known
    unseeded: str  # in which of them nobody seeded it: "a", "b", "a and b" or ""


def diff_chance(a: Side, b: Side) -> tuple[ChanceChange, ...]:
    """The generators that may have given other numbers.

    Examples
    --------
    >>> from nbtrack.records import Fact, RunRecord
    >>> def side(seed):
    ...     facts = {"seed.numpy": seed, "rng.drawn_from": ["numpy"],
    ...              "rng.numpy.digest": f"state {seed}"}
    ...     told = {name: Fact(name, value) for name, value in facts.items()}
    ...     return Side(RunRecord("1", "x", "e", "finished", "", None, 1), told)
    >>> [(c.generator, c.seed_a, c.seed_b) for c in diff_chance(side(1), side(2))]
    [('numpy', 1, 2)]
    >>> diff_chance(side(1), side(1))
    ()
    """
    states, seeds = (_states(a), _states(b)), (_seeds(a), _seeds(b))
    found = []
    for name in _in_use(a, b):
        starts = states[0].get(name), states[1].get(name)
        same = None if None in starts else starts[0] == starts[1]
        made = ChanceChange(
            name, seeds[0].get(name), seeds[1].get(name), same, _unseeded(name, a, b)
        )
        if _may_differ(made):
            found.append(made)
    return tuple(found)


def _may_differ(change: ChanceChange) -> bool:
    if change.same_start is not None:
        return not change.same_start
    other_seed = change.seed_a != change.seed_b
    return bool(change.unseeded) or (
        other_seed and None not in (change.seed_a, change.seed_b)
    )


def _in_use(a: Side, b: Side) -> list[str]:
    """The generators that were drawn from; all that are known where that is not."""
    names: dict[str, None] = {}
    for side in (a, b):
        drawn = side.fact("rng.drawn_from")
        known = {**_states(side), **_seeds(side)}
        names |= dict.fromkeys(map(str, drawn) if isinstance(drawn, list) else known)
    set_inside = _set_inside(a) & _set_inside(b)
    return [name for name in names if name not in set_inside]


def _set_inside(side: Side) -> frozenset[str]:
    """The generators that the tracked cell sets before it draws from them."""
    cells = side.needed_cells[-1:]
    kills = [
        name for cell in cells if cell.flow is not None for name in cell.flow.kills
    ]
    return frozenset(
        name.removeprefix(GENERATOR) for name in kills if name.startswith(GENERATOR)
    )


def _states(side: Side) -> dict[str, Any]:
    """Generator -> digest of its state as the run began."""
    names = [n for n in side.facts if n.startswith("rng.") and n.endswith(_DIGEST)]
    found = {n.removeprefix("rng.").removesuffix(_DIGEST): side.fact(n) for n in names}
    return {**found, **_held(side, "rng.variables")}


def _seeds(side: Side) -> dict[str, Any]:
    names = [n for n in side.facts if n.startswith("seed.") and n != "seed.variables"]
    found = {name.removeprefix("seed."): side.fact(name) for name in names}
    return {**found, **_held(side, "seed.variables")}


def _held(side: Side, name: str) -> Mapping[str, Any]:
    held = side.fact(name)
    return held if isinstance(held, Mapping) else {}


def _unseeded(name: str, a: Side, b: Side) -> str:
    found = []
    for which, side in (("a", a), ("b", b)):
        told = side.fact("rng.unseeded")
        if isinstance(told, list) and name in told:
            found.append(which)
    return " and ".join(found)

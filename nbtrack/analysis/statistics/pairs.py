"""Pairs of runs: the same seed, say, on both sides of a comparison.

A pair takes away what the seed does to both of its runs. Where pairs cannot be made the
reason is told, and nothing is paired by chance, as by the order of runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nbtrack.analysis.query import bare
from nbtrack.analysis.runs_table import names_of
from nbtrack.analysis.statistics.sides import Values
from nbtrack.errors import OptionError
from nbtrack.text import did_you_mean, shorten, visible

if TYPE_CHECKING:
    from nbtrack.store import Store

PAIR_ON = "seed"  # where runs have no such param, groups are compared without pairs


@dataclass(frozen=True, slots=True)
class Pairs:
    """Values of both sides; of one place belong together where `on` names a param."""

    b: list[float] = field(default_factory=list)
    a: list[float] = field(default_factory=list)
    on: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def differences(self) -> list[float]:
        """Of each pair; nothing where there are none."""
        if self.on is None:
            return []
        return [b - a for b, a in zip(self.b, self.a, strict=True)]


def pairs_of(store: Store, sides: Sequence[Values], pair_on: str) -> Pairs:
    """The pairs of two sides, or none with the reason as a warning.

    Raises
    ------
    OptionError
        For a param, other than the seed, that none of the runs has.
    """
    name = bare(pair_on)
    shown = shorten(visible(name), 60)
    keys = [list(side.pair_keys.values()) for side in sides]
    if not any(keys) and name != PAIR_ON:
        raise _unknown(store, sides, name)
    for side, found in zip(sides, keys, strict=True):
        if not found:
            return _none(f"no run of {side.side.label} has a param {shown!r}")
        key, n = Counter(found).most_common(1)[0]
        if n > 1:
            value = shorten(visible(key), 20)
            return _none(f"{side.side.label} has {n} runs with {shown} {value}")
    values = [
        {side.pair_keys[r]: v for r, v in side.kept.items() if r in side.pair_keys}
        for side in sides
    ]
    shared = sorted(values[0].keys() & values[1].keys())
    if len(shared) < 2:
        return _none(f"{len(shared)} values of {shown!r} are on both sides")
    alone = sum(len(side.kept) for side in sides) - 2 * len(shared)
    told = (f"{alone} runs without a partner of the same {shown} left out",)
    b, a = [[side[key] for key in shared] for side in values]
    return Pairs(b, a, on=name, warnings=told if alone else ())


def _none(why: str) -> Pairs:
    return Pairs(warnings=(f"not paired: {why}",))


def _unknown(store: Store, sides: Sequence[Values], name: str) -> OptionError:
    table = store.table(trashed=None, ids=[r for side in sides for r in side.side.runs])
    hint = did_you_mean(name, names_of(table, table.params))
    shown = shorten(visible(name), 60)
    return OptionError(
        f"pair_on={shown!r}: none of the runs has such a param.{hint} "
        "None compares without pairs."
    )

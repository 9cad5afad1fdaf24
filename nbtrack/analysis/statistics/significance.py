"""Whether one group of runs beats another, or whether it is the seeds.

A difference is claimed where a two-sided p is below .05, and only then. What speaks
against believing it (few runs, runs left out, no pairs) is told in `warnings`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from nbtrack.analysis.confidence import mean_ci
from nbtrack.analysis.runs_table import store_here
from nbtrack.analysis.statistics import mean_tests
from nbtrack.analysis.statistics.comparison import Comparison
from nbtrack.analysis.statistics.mean_tests import MeanTest
from nbtrack.analysis.statistics.pairs import PAIR_ON, Pairs, pairs_of
from nbtrack.analysis.statistics.sides import (
    Side,
    Values,
    goal_among,
    side_of,
    table_of,
    values_of,
)
from nbtrack.errors import OptionError
from nbtrack.text import did_you_mean, shorten, visible

if TYPE_CHECKING:
    from nbtrack.store import Store

Method = Literal["auto", "paired-t", "permutation", "bootstrap", "welch"]
ALPHA = 0.05
_METHODS = ("auto", "paired-t", "permutation", "bootstrap", "welch")
_FEW = 5  # runs of a side, or pairs: fewer are told
_FEW_TO_RESAMPLE = 10


def beats(
    b: Any,  # Any: a text, or whatever names runs
    a: Any,
    metric: str,
    *,
    by: str = "group",
    pair_on: str | None = PAIR_ON,
    method: Method = "auto",
    goal: str | None = None,
    seed: int = 0,
    store: Store | None = None,
) -> Comparison:
    """Whether the runs B have a better metric than the runs A, and how sure that is.

    A run counts with its best value by goal. Runs of B and A that share a value of the
    param `pair_on`, which each side has once, are pairs; without two of them, sides are
    compared as independent. Runs with NaN or without the metric are left out and told.

    Parameters
    ----------
    b, a : str or list
        The name of a group (or of a parent, by="parent"), else a query as in
        `nbtrack.runs`, else runs: ids, names or records.
    metric : str
        Its name.
    pair_on : str, optional
        The param that makes pairs; None for no pairs.
    method : str
        "paired-t", "permutation" (flips signs of pairs, else shares the runs out anew:
        all ways where they are few, else 9999 seeded ones), "bootstrap" (studentised),
        "welch" (no pairs); "auto": paired t, else Welch, and a permutation where
        values do not differ at all, which leaves t nothing to measure against.
    goal : {"min", "max"}, optional
        The direction, where the metric has none of its own.
    seed : int
        Of "permutation" and "bootstrap".

    Returns
    -------
    Comparison
        `better`, `difference` with `low` and `high` (95 %), `p` (two-sided), `n`,
        `mean_b`, `mean_a`, `method`, `paired_on` and `warnings`.

    Raises
    ------
    OptionError, QueryError
        For options that cannot be understood, a run on both sides, fewer than two
        values of a side, pairs that are asked for and cannot be made.
    MetricNotFoundError, RunNotFoundError
        With a did-you-mean.

    Examples
    --------
    >>> import nbtrack
    >>> for group, accs in {"A": [.90, .91, .89, .92, .90],
    ...                     "B": [.92, .92, .92, .93, .92]}.items():
    ...     for seed, acc in enumerate(accs):
    ...         with nbtrack.start(group=group, params={"seed": seed}):
    ...             nbtrack.log(acc=acc)
    >>> print(nbtrack.beats("B", "A", "acc"))
    B beats A on acc: +0.018 [0.008, 0.028] (95 %), n=5 pairs, p=.009, paired t
    """
    here = store or store_here()
    sides = side_of(here, b, by=by), side_of(here, a, by=by)
    return compare_sides(
        here, *sides, metric, pair_on=pair_on, method=method, goal=goal, seed=seed
    )


def beats_all(
    baseline: Any,  # Any: as of `beats`
    others: Sequence[Any],
    metric: str,
    **options: Any,
) -> tuple[Comparison, ...]:
    """Each of several groups against one baseline, p corrected after Holm.

    `options` are those of `nbtrack.beats`. Intervals are not corrected.

    Examples
    --------
    >>> import nbtrack
    >>> for group, losses in {"base": [.50, .52, .51], "wide": [.41, .43, .42],
    ...                       "deep": [.51, .50, .52]}.items():
    ...     for seed, loss in enumerate(losses):
    ...         with nbtrack.start(group=group, params={"seed": seed}):
    ...             nbtrack.log(loss=loss)
    >>> found = nbtrack.beats_all("base", ["wide", "deep"], "loss")
    >>> [comparison.better for comparison in found]
    [None, None]
    """
    if isinstance(others, str):
        others = [others]
    found = [beats(other, baseline, metric, **options) for other in others]
    return holm_corrected(found)


def holm_corrected(found: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """The same comparisons, with p after Holm, and claims that still hold."""
    if len(found) < 2:
        return tuple(found)
    corrected = mean_tests.holm([comparison.p for comparison in found])
    return tuple(
        replace(
            comparison, p=p, better=comparison.better if p < ALPHA else None,
            method=f"{comparison.method}, Holm over {len(found)}",
        )
        for comparison, p in zip(found, corrected, strict=True)
    )  # fmt: skip


def compare_sides(
    store: Store,
    b: Side,
    a: Side,
    metric: str,
    *,
    pair_on: str | None = PAIR_ON,
    method: str = "auto",
    goal: str | None = None,
    seed: int = 0,
) -> Comparison:
    """As `beats`, of sides that are known."""
    _check(store, b, a, method)
    if b.label == a.label:  # lists of runs of the same names
        b, a = replace(b, label=f"{b.label} (B)"), replace(a, label=f"{a.label} (A)")
    table = table_of(store, (b, a), metrics=[metric], pair_on=pair_on)
    goal = goal_among(table, metric, goal)
    sides = [
        values_of(store, table, side, metric=metric, goal=goal, pair_on=pair_on)
        for side in (b, a)
    ]
    pairs, told = Pairs(), [line for side in sides for line in side.warnings]
    if method != "welch" and pair_on is not None:
        pairs = pairs_of(store, sides, pair_on)
        told += pairs.warnings
    if method == "paired-t" and not pairs.b:
        raise OptionError(f"There are no pairs to test: {''.join(pairs.warnings)}.")
    if not pairs.b:
        pairs = Pairs(sides[0].by_run, sides[1].by_run)
    _enough(sides, pairs)
    test = _tested(pairs, method, seed)
    return Comparison(
        b=b.label, a=a.label, metric=metric, goal=goal,
        better=_better(b, a, test, goal),
        n=len(pairs.b) if pairs.on else len(pairs.b) + len(pairs.a),
        mean_b=mean_ci(pairs.b), mean_a=mean_ci(pairs.a),
        difference=test.difference, low=test.low, high=test.high, p=test.p,
        method=test.method, paired_on=pairs.on,
        warnings=(*told, *_doubts(pairs, test)),
    )  # fmt: skip


def _check(store: Store, b: Side, a: Side, method: str) -> None:
    if method not in _METHODS:
        hint = did_you_mean(str(method), _METHODS) or f" Use {', '.join(_METHODS)}."
        raise OptionError(f"method={shorten(repr(method))} is no test.{hint}")
    both = [run for run in b.runs if run in set(a.runs)]
    if both:
        names = ", ".join(run.name for run in store.runs(trashed=None, ids=both[:3]))
        raise OptionError(
            f"{len(both)} of the runs are on both sides ({visible(names)}): "
            f"{b.label} and {a.label} cannot be compared."
        )


def _enough(sides: Sequence[Values], pairs: Pairs) -> None:
    for side, values in zip(sides, (pairs.b, pairs.a), strict=True):
        if len(values) < 2:
            left_out = "; ".join(("", *side.warnings))
            raise OptionError(
                f"{side.side.label} has {len(values)} value"
                f"{'s'[: len(values) != 1]} to compare, and two are needed{left_out}."
            )


def _tested(pairs: Pairs, method: str, seed: int) -> MeanTest:
    differences = pairs.differences
    if method == "auto":
        sides = [differences] if pairs.on else [pairs.b, pairs.a]
        flat = all(map(mean_tests.is_flat, sides))
        method = "permutation" if flat else "t"
    if method == "bootstrap":
        if pairs.on:
            return mean_tests.bootstrap_paired(differences, seed=seed)
        return mean_tests.bootstrap_unpaired(pairs.b, pairs.a, seed=seed)
    if method == "permutation":
        if pairs.on:
            return mean_tests.sign_flips(differences, seed=seed)
        return mean_tests.relabelled(pairs.b, pairs.a, seed=seed)
    if pairs.on:
        return mean_tests.paired_t(differences)
    return mean_tests.welch_t(pairs.b, pairs.a)


def _better(b: Side, a: Side, test: MeanTest, goal: str) -> str | None:
    if not test.p < ALPHA:
        return None
    return b.label if (test.difference > 0) == (goal == "max") else a.label


def _doubts(pairs: Pairs, test: MeanTest) -> list[str]:
    """What speaks against the numbers of a test."""
    n = min(len(pairs.b), len(pairs.a))
    what = "pairs" if pairs.on else "runs of a side"
    told = [f"only {n} {what}: few to tell luck from more"] if n < _FEW else []
    if "permutation" in test.method and (least := _least_p(pairs)) > ALPHA:
        told.append(f"with {n} {what} p cannot be below {least:.2g}")
    if "bootstrap" in test.method and n < _FEW_TO_RESAMPLE:
        told.append(f"a bootstrap of {n} {what} is rough")
    spreads = [pairs.differences] if pairs.on else [pairs.b, pairs.a]
    if any(map(mean_tests.is_flat, spreads)):
        told.append("values do not differ among runs: are they runs of their own?")
    return told


def _least_p(pairs: Pairs) -> float:
    n, m = len(pairs.b), len(pairs.a)
    return 2 / 2**n if pairs.on else (2 if n == m else 1) / math.comb(n + m, n)

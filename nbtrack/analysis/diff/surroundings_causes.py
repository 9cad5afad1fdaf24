"""Causes that lie around the code: data, random numbers, packages, settings, machine.

Pure functions of what differs; the ranks are those of `nbtrack.analysis.diff.cause`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from nbtrack.analysis.diff.cause import (
    DATA,
    HARDWARE,
    LOADED,
    PACKAGES,
    SEED,
    SETTINGS,
    Cause,
    Kind,
    in_runs,
    line_text,
    name_text,
)
from nbtrack.analysis.diff.chance import ChanceChange
from nbtrack.analysis.diff.code import FactChange
from nbtrack.analysis.diff.params import pair_text, value_text
from nbtrack.analysis.diff.surroundings import InputChange, PackageChange

_SETTING_GROUPS = ("numerics", "env")
_THREADS = re.compile(r"thread|affinity|proc_bind|\bCUDA_VISIBLE", re.IGNORECASE)
_OWN_PYTHON = ("python.environment",)  # the name of its folder says little
_DIGEST_SHOWN = 12


def data_causes(inputs: Sequence[InputChange]) -> Iterator[Cause]:
    """Data that differ, by digest, by rows, or because one run did not read them.

    >>> [c.sentence for c in data_causes([InputChange("x", "list", "+1 row")])]
    ['list x: +1 row']
    """
    for found in inputs:
        if found.change in ("same", "not known", "other name"):
            continue
        what = (
            f"{'file' if found.type == 'file' else found.type} {name_text(found.name)}"
        )
        change = line_text(in_runs(found.change))
        digests = [
            f"sha256 of {which}: {digest[:_DIGEST_SHOWN]}"
            for which, digest in (("A", found.digest_a), ("B", found.digest_b))
            if digest
        ]
        yield Cause("data", f"{what}: {change}", tuple(digests), DATA)


def chance_causes(changes: Sequence[ChanceChange]) -> Iterator[Cause]:
    """Generators whose numbers were, or may have been, others.

    >>> [c.sentence for c in chance_causes([ChanceChange("numpy", 1, 2, False, "")])]
    ['generator numpy: seed 1 in A, 2 in B']
    """
    for change in changes:
        name, a, b = name_text(change.generator), change.seed_a, change.seed_b
        if None not in (a, b) and a != b:
            what = f"seed {value_text(a)} in A, {value_text(b)} in B"
        elif change.same_start is False:
            what = "another state as the run began"
        else:
            what = "its numbers may differ"
        where = in_runs(change.unseeded)
        why = (f"nobody seeded it in {where}",) if where else ()
        yield Cause("seed", f"generator {name}: {what}", why, SEED)


def package_causes(packages: Sequence[PackageChange]) -> Iterator[Cause]:
    """Distributions that differ; those that were loaded are likelier.

    >>> [c.rank for c in package_causes([PackageChange("numpy", "1", "2", True)])]
    [5]
    """
    for found in packages:
        rank = PACKAGES if found.is_loaded is False else LOADED
        yield Cause("packages", _package_sentence(found), _loaded_text(found), rank)


def _package_sentence(found: PackageChange) -> str:
    name = f"package {name_text(found.name)}"
    if found.a is None or found.b is None:
        which, version = ("B", found.b) if found.a is None else ("A", found.a)
        return (
            f"{name}: {line_text(version or '')} in {which}, not installed in the other"
        )
    return f"{name}: {line_text(found.a)} in A, {line_text(found.b)} in B"


def _loaded_text(found: PackageChange) -> tuple[str, ...]:
    if found.is_loaded is None:
        return ("whether it was loaded is not known",)
    return ("loaded by a run" if found.is_loaded else "not loaded by the runs",)


def setting_causes(facts: Sequence[FactChange]) -> Iterator[Cause]:
    """Python, settings that move bits, and the machine, where they differ.

    >>> names = ["numerics.torch.threads", "os.name"]
    >>> facts = [FactChange(name, 1, 8) for name in names]
    >>> [cause.kind for cause in setting_causes(facts)]
    ['hardware', 'hardware']
    """
    for fact in facts:
        kind, rank = _kind_of(fact.name)
        a, b = _known(fact.a, fact.b)
        yield Cause(kind, f"{name_text(fact.name)}: {a} in A, {b} in B", (), rank)


def _kind_of(name: str) -> tuple[Kind, int]:
    group = name.partition(".")[0]
    if group == "python":
        rank = HARDWARE if name in _OWN_PYTHON else SETTINGS
        return "environment", LOADED if name == "python.version" else rank
    if group in _SETTING_GROUPS and not _THREADS.search(name):
        return "environment", SETTINGS
    return "hardware", HARDWARE


def _known(a: Any, b: Any) -> tuple[str, str]:
    one, other = pair_text(a, b)
    return "not known" if a is None else one, "not known" if b is None else other

"""What differs around the code of two runs: data, packages, machine and settings.

What one of them has no record of is no difference: `unseen_of` says that it is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nbtrack.analysis.data_view import change_of_input
from nbtrack.analysis.diff.code import FactChange
from nbtrack.analysis.diff.side import Side
from nbtrack.analysis.environment_view import compare
from nbtrack.capture.packages import parse_lines
from nbtrack.records import InputRecord

Key = tuple[str, str]  # type and name


@dataclass(frozen=True, slots=True)
class InputChange:
    """Data that one of the runs read, or both."""

    name: str
    type: str
    # "same", "not known", "other name" (the same content), "only in a", "only in b",
    # or what became of it: "+312 rows", "same rows, values differ"
    change: str
    digest_a: str | None = None
    digest_b: str | None = None
    n_rows_a: int | None = None
    n_rows_b: int | None = None


@dataclass(frozen=True, slots=True)
class PackageChange:
    """A distribution that differs; None: it is not installed."""

    name: str
    a: str | None
    b: str | None
    is_loaded: bool | None  # by one of the runs; None: that was not recorded


def diff_data(a: Side, b: Side) -> tuple[InputChange, ...]:
    """All that the two runs read, in the order of the second, then of the first.

    >>> from nbtrack.records import RunRecord
    >>> run = RunRecord("1", "x", "e", "finished", "", None, 1)
    >>> sides = [Side(run, inputs=[InputRecord("x", "list", d, 8, n)])
    ...          for d, n in (("a", 1), ("b", 2))]
    >>> [(found.name, found.change) for found in diff_data(*sides)]
    [('x', '+1 row')]
    """
    return tuple(_inputs(a, b))


def _inputs(a: Side, b: Side) -> Iterator[InputChange]:
    old = {(found.type, found.name): found for found in a.inputs}
    new = {(found.type, found.name): found for found in b.inputs}
    moved = _moved(old, new)
    for key in dict.fromkeys([*new, *old]):
        if key in moved.values():
            continue  # told under its new name
        one, other = old.get(key) or old.get(moved.get(key, key)), new.get(key)
        change = "other name" if key in moved else change_of_input(one, other)
        yield InputChange(
            key[1], key[0], change or "same",
            one.digest if one else None, other.digest if other else None,
            one.n_rows if one else None, other.n_rows if other else None,
        )  # fmt: skip


def _moved(
    old: Mapping[Key, InputRecord], new: Mapping[Key, InputRecord]
) -> dict[Key, Key]:
    """New name -> old name of what has the same content: a file in another folder."""
    gone: dict[tuple[str, str | None], Key] = {
        (key[0], found.digest): key
        for key, found in old.items()
        if key not in new and found.digest is not None
    }
    return {
        key: gone.pop((key[0], found.digest))
        for key, found in new.items()
        if key not in old and (key[0], found.digest) in gone
    }


def diff_packages(a: Side, b: Side) -> tuple[PackageChange, ...]:
    r"""The distributions that differ; none where a run has no list of them.

    >>> from nbtrack.records import RunRecord, TextRecord
    >>> run = RunRecord("1", "x", "e", "finished", "", None, 1)
    >>> sides = [Side(run, texts=[TextRecord("packages", "r.txt", None, text)])
    ...          for text in ("numpy==2.0\n", "numpy==2.1\n")]
    >>> [(p.name, p.a, p.b, p.is_loaded) for p in diff_packages(*sides)]
    [('numpy', '2.0', '2.1', None)]
    """
    return tuple(_packages(a, b))


def _packages(a: Side, b: Side) -> Iterator[PackageChange]:
    ours, theirs = a.environment.packages, b.environment.packages
    if not ours or not theirs:
        return  # not recorded: `unseen` says so
    loaded = [_loaded(side) for side in (a, b)]
    known = None if None in loaded else frozenset().union(*filter(None, loaded))
    for name in sorted({*ours, *theirs}):
        if ours.get(name) != theirs.get(name):
            is_loaded = None if known is None else name in known
            yield PackageChange(name, ours.get(name), theirs.get(name), is_loaded)


def _loaded(side: Side) -> frozenset[str] | None:
    """The distributions of which the process had modules at the end of the run."""
    lines = side.fact("python.loaded")
    if not isinstance(lines, list):
        return None
    return frozenset(parse_lines("\n".join(map(str, lines))))


def diff_settings(a: Side, b: Side) -> tuple[FactChange, ...]:
    """The facts of Python, machine and numerics that differ, where both have them.

    >>> from nbtrack.records import Fact, RunRecord
    >>> run = RunRecord("1", "x", "e", "finished", "", None, 1)
    >>> sides = [Side(run, {"python.version": Fact("python.version", v)})
    ...          for v in ("3.11.7", "3.12.1")]
    >>> diff_settings(*sides)
    (FactChange(name='python.version', a='3.11.7', b='3.12.1'),)
    """
    return tuple(_settings(a, b))


def _settings(a: Side, b: Side) -> Iterator[FactChange]:
    one, other = a.environment, b.environment
    if "python" not in one.groups or "python" not in other.groups:
        return  # not recorded: `unseen` says so
    for name, (old, new) in compare(one, other).facts.items():
        yield FactChange(name, old, new)

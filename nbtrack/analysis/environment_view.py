"""The environment of a run as values, and what differs between two of them.

Facts come grouped by their first word, packages by name. A run's environment is
compared with another run's, or with the one that this process has now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nbtrack.analysis.code_view import settled_store
from nbtrack.capture.packages import parse_lines
from nbtrack.records import Fact

NOW = "now"  # in place of a run: this very process
GROUPS = ("python", "os", "cpu", "ram", "gpu", "container", "numerics", "env", "seed")
# What is of one run and no other, or says the same again.
_OWN = ("python.loaded",)
_OWN_GROUPS = ("seed",)
_N_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Environment(Mapping[str, Mapping[str, Any]]):
    """What is known of one environment; see `nbtrack.environment`."""

    groups: Mapping[str, Mapping[str, Any]]  # Any: JSON values
    packages: Mapping[str, str]  # name -> version, and where it is from
    missing: Mapping[str, str] = field(default_factory=dict)  # name -> reason

    def __getitem__(self, group: str) -> Mapping[str, Any]:
        return self.packages if group == "packages" else self.groups[group]

    def __iter__(self) -> Iterator[str]:
        yield from self.groups
        if self.packages:
            yield "packages"

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @property
    def facts(self) -> dict[str, Any]:
        """Everything but the packages, by dotted name."""
        return {
            f"{group}.{name}": value
            for group, values in self.groups.items()
            for name, value in values.items()
        }

    def __repr__(self) -> str:
        lines = [f"{name} = {_shown(value)}" for name, value in self.facts.items()]
        lines += [f"{name}: not known, {why}" for name, why in self.missing.items()]
        lines.append(f"{len(self.packages)} packages")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class EnvironmentDiff:
    """What differs between two environments; false where nothing does."""

    # Packages by name: only in the second, only in the first, in both.
    added: Mapping[str, str] = field(default_factory=dict)
    removed: Mapping[str, str] = field(default_factory=dict)
    changed: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    # The facts by name, None where one is not known.
    facts: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.facts)

    def __repr__(self) -> str:
        lines = [
            *(f"{n}: {_shown(a)} -> {_shown(b)}" for n, (a, b) in self.facts.items()),
            *(f"{n} {a} -> {b}" for n, (a, b) in self.changed.items()),
            *(f"+ {name} {version}" for name, version in self.added.items()),
            *(f"- {name} {version}" for name, version in self.removed.items()),
        ]
        left = len(lines) - _N_SHOWN
        more = [f"… and {left} more"] if left > 0 else []
        return "\n".join([*lines[:_N_SHOWN], *more]) or "the same environment"


def environment(run: str = "last") -> Environment:
    """In which environment a run took place: Python, machine, numerics, packages.

    Parameters
    ----------
    run : str
        Id, name, the beginning of an id, or "last"; "now" for that of this process.

    Returns
    -------
    Environment
        A mapping: `["python"]["version"]`, `["cpu"]["model"]`, `["gpu"]`,
        `["numerics"]["torch.threads"]`, `["env"]`, `["seed"]`, `["packages"]["numpy"]`.
        `missing` has the reason for what is not known.

    Raises
    ------
    RunNotFoundError
        With a did-you-mean.

    Examples
    --------
    >>> import nbtrack
    >>> from nbtrack.analysis.environment_view import environment
    >>> with nbtrack.start("base"):
    ...     pass
    >>> environment("base")["python"]["implementation"]
    'cpython'
    """
    if run == NOW:
        return _of_this_process()
    store = settled_store()
    found = store.run(run).id
    bodies = [text.body or "" for text in store.texts(found, "packages")]
    return environment_of(store.facts(found).values(), "".join(bodies))


def diff_environment(first: str, second: str = NOW) -> EnvironmentDiff:
    """What differs between the environments of two runs, or of a run and now.

    Parameters
    ----------
    first, second : str
        Runs, as for `nbtrack.environment`; default of the second: "now".

    Raises
    ------
    RunNotFoundError
        With a did-you-mean.

    Examples
    --------
    >>> import nbtrack
    >>> from nbtrack.analysis.environment_view import diff_environment
    >>> for name in ("a", "b"):
    ...     with nbtrack.start(name):
    ...         pass
    >>> diff_environment("a", "b")
    the same environment
    """
    return compare(environment(first), environment(second))


def compare(first: Environment, second: Environment) -> EnvironmentDiff:
    """What differs between two environments.

    A fact that only one of them was asked for (the flags of a library that the other
    had not imported) is no difference.

    >>> compare(Environment({}, {"a": "1"}), Environment({}, {"a": "2", "b": "1"}))
    a 1 -> 2
    + b 1
    """
    ours, theirs = first.packages, second.packages
    return EnvironmentDiff(
        added={n: v for n, v in theirs.items() if n not in ours},
        removed={n: v for n, v in ours.items() if n not in theirs},
        changed={n: (v, theirs[n]) for n, v in ours.items() if theirs.get(n, v) != v},
        facts=_differing(first, second),
    )


def environment_of(facts: Iterable[Fact], packages: str) -> Environment:
    """Group facts by their first word, and read the lines of packages.

    >>> environment_of([Fact("cpu.usable", 4), Fact("git.commit", "ab")], "a==1")
    cpu.usable = 4
    1 packages
    """
    groups: dict[str, dict[str, Any]] = {}
    missing: dict[str, str] = {}
    for fact in facts:
        group, _, name = fact.name.partition(".")
        if group not in GROUPS:
            continue
        if fact.missing is None:
            groups.setdefault(group, {})[name] = fact.value
        else:
            missing[fact.name] = fact.missing
    ordered = {group: groups[group] for group in GROUPS if group in groups}
    listed = {name: about.exact for name, about in parse_lines(packages).items()}
    return Environment(ordered, listed, missing)


def _of_this_process() -> Environment:
    from nbtrack.capture import numerics
    from nbtrack.capture.interpreter import interpreter_facts
    from nbtrack.capture.machine import machine_facts
    from nbtrack.capture.packages import packages

    facts = [*interpreter_facts(), *machine_facts(), *numerics.settings()]
    facts += [*numerics.constants(), *numerics.variables()]
    lines = "\n".join(about.line for about in packages.installed())
    return environment_of(facts, lines)


def _differing(first: Environment, second: Environment) -> dict[str, tuple[Any, Any]]:
    ours, theirs = _comparable(first), _comparable(second)
    # A variable is unset where it is not told; other facts were not asked for.
    both = [n for n in ours if n in theirs or n.startswith("env.")]
    both += [n for n in theirs if n.startswith("env.") and n not in ours]
    pairs = {name: (ours.get(name), theirs.get(name)) for name in both}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _comparable(of: Environment) -> dict[str, Any]:
    told = {**of.facts, **dict.fromkeys(of.missing)}
    return {
        name: value
        for name, value in told.items()
        if name not in _OWN
        and name.partition(".")[0] not in _OWN_GROUPS
        and not name.endswith(".at_start")
    }


def _shown(value: Any) -> str:
    from nbtrack.text import shorten, visible

    if value is None:
        return "not known"
    if isinstance(value, list | tuple):
        value = ", ".join(map(str, value))
    return shorten(visible(str(value)), 120)

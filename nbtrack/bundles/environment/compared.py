"""How an environment differs from the recorded one: in nothing, a little, too much.

EXACT: the same Python, and each package in the same version with the same contents,
where both are known. COMPATIBLE: the same minor version of Python and every package,
some in another version. MISSING: a package is not there, or Python is another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nbtrack.bundles.environment.inventory import inventory, inventory_of
from nbtrack.bundles.environment.needed import OWN

State = Literal["EXACT", "COMPATIBLE", "MISSING"]


@dataclass(frozen=True, slots=True)
class PackageDifference:
    """One package that is not as recorded.

    >>> PackageDifference("numpy", "version", "2.1.0", "2.2.0").line
    'numpy: 2.1.0 recorded, 2.2.0 here'
    >>> PackageDifference("numpy", "missing", "2.1.0").line
    'numpy: 2.1.0 recorded, not here'
    """

    name: str
    kind: Literal["version", "contents", "missing"]
    recorded: str  # the version
    found: str | None = None

    @property
    def line(self) -> str:
        """In words; names and versions are as the bundle has them."""
        if self.kind == "contents":
            return f"{self.name}: {self.recorded}, with other contents here"
        here = "not here" if self.found is None else f"{self.found} here"
        return f"{self.name}: {self.recorded} recorded, {here}"


@dataclass(frozen=True, slots=True)
class EnvironmentComparison:
    """What came of a comparison."""

    state: State
    differences: tuple[PackageDifference, ...]
    python_recorded: str  # "cpython 3.11.7"
    python_found: str

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of the packages that are not there.

        >>> missing = PackageDifference("numpy", "missing", "2.1.0")
        >>> EnvironmentComparison("MISSING", (missing,), "", "").missing
        ('numpy',)
        """
        return tuple(each.name for each in self.differences if each.kind == "missing")


def compare_environment(
    packages: Mapping[str, Any], python: Path | None = None
) -> EnvironmentComparison:
    """Compare an environment with the recorded one; nbtrack itself does not count.

    Parameters
    ----------
    packages
        The content of env/packages.json.
    python
        The executable of the environment; default: this Python.

    Raises
    ------
    EnvironmentBlockedError
        Where that Python cannot be asked.

    >>> recorded = {"python": "2.7.18", "implementation": "cpython", "packages": []}
    >>> compare_environment(recorded).state
    'MISSING'
    """
    names = {str(package["name"]) for package in packages["packages"]} - {OWN}
    found = inventory(names) if python is None else inventory_of(python)
    listed = [each for each in packages["packages"] if each["name"] != OWN]
    differences = tuple(_differences(listed, found["packages"]))
    recorded, here = _python(packages), _python(found)
    state: State = "EXACT"
    if differences or recorded != here:
        state = "COMPATIBLE"
    is_gone = any(each.kind == "missing" for each in differences)
    if is_gone or _minor(recorded) != _minor(here):
        state = "MISSING"
    return EnvironmentComparison(state, differences, recorded, here)


def _differences(
    listed: list[Mapping[str, Any]], found: Mapping[str, Mapping[str, Any]]
) -> Iterator[PackageDifference]:
    for package in sorted(listed, key=lambda each: str(each["name"])):
        name, version = str(package["name"]), str(package["version"])
        there = found.get(name)
        if there is None:
            yield PackageDifference(name, "missing", version)
        elif there["version"] != version:
            yield PackageDifference(name, "version", version, there["version"])
        elif _is_other(package["record_sha256"], there["record_sha256"]) or _is_other(
            package["source"]["commit"], there["commit"]
        ):
            yield PackageDifference(name, "contents", version, version)


def _is_other(recorded: str | None, found: str | None) -> bool:
    return None not in (recorded, found) and recorded != found


def _python(facts: Mapping[str, Any]) -> str:
    return f"{facts['implementation']} {facts['python']}"


def _minor(python: str) -> str:
    return ".".join(python.split(".")[:2])

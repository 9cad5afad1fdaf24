"""What distributions require, and what these require in turn, for one environment.

Only what metadata say is followed: the markers decide what is left out, and an extra
counts where somebody asks for it. Requirements that nobody can read are passed over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from nbtrack.errors import MissingExtraError

if TYPE_CHECKING:
    from packaging.requirements import Requirement


def closure(
    roots: Iterable[str],
    lines_of: Callable[[str], Sequence[str]],
    *,
    environment: Mapping[str, str] | None = None,
) -> dict[str, list[str]]:
    """The roots and all that they require, each with the names it requires itself.

    Parameters
    ----------
    roots
        Names of distributions.
    lines_of
        The `Requires-Dist` lines of a distribution; empty where nothing is known.
    environment
        Values of markers that are not as in this Python.

    Raises
    ------
    MissingExtraError
        Where `packaging` is not installed.

    >>> lines = {"a": ["b>=1", "c; extra == 'more'", "d; python_version < '3'"]}
    >>> closure(["a"], lambda name: lines.get(name, []))
    {'a': ['b'], 'b': []}
    """
    needs: dict[str, set[str]] = {}
    waiting = deque((normalised(root), "") for root in roots)
    seen = set(waiting)
    while waiting:
        name, extra = waiting.popleft()
        required = needs.setdefault(name, set())
        for requirement in _active(lines_of(name), extra, environment or {}):
            needed = normalised(requirement.name)
            required.add(needed)
            asked = {(needed, each) for each in ("", *requirement.extras)} - seen
            waiting.extend(asked)
            seen |= asked
    return {name: sorted(needs[name]) for name in sorted(needs)}


def check_packaging() -> None:
    """Raise MissingExtraError where what packages require could not be read."""
    normalised("packaging")


def normalised(name: str) -> str:
    """A name as the index compares it.

    >>> normalised("Scikit_Learn")
    'scikit-learn'
    """
    try:
        from packaging.utils import canonicalize_name
    except ImportError as exc:
        raise MissingExtraError(
            "Bundles need packaging, which is not installed here. "
            'Install it with: pip install "nbtrack[bundles]"'
        ) from exc
    return str(canonicalize_name(name))


def _active(
    lines: Sequence[str], extra: str, environment: Mapping[str, str]
) -> Iterator[Requirement]:
    from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
    from packaging.requirements import InvalidRequirement, Requirement

    for line in lines:
        try:
            requirement = Requirement(line)
            marker = requirement.marker
            asked = {**environment, "extra": extra}
            is_active = marker is None or marker.evaluate(asked)
        except (InvalidRequirement, UndefinedComparison, UndefinedEnvironmentName):
            continue
        if is_active:
            yield requirement

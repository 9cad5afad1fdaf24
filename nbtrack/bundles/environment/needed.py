"""Which distributions a run needs: the content of env/packages.json.

Those whose modules the cells loaded and all that these require (group "run"), and what
nbtrack requires besides (group "tracker"). nbtrack itself comes from whoever reruns: it
is listed only where the cells load it. What is not known is None, and never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nbtrack.bundles.environment.closure import closure, normalised
from nbtrack.bundles.environment.contents import contents_digest, distribution
from nbtrack.bundles.environment.inventory import python_facts
from nbtrack.bundles.environment.sources import source_of, wheel_of
from nbtrack.capture.packages import Installed, Packages, packages, parse_lines
from nbtrack.text import shorten

OWN = "nbtrack"
# What nbtrack requires, for where it is run from its sources and not installed.
CORE = (
    *("anywidget", "blake3", "click", "ipython", "nvidia-ml-py", "pandas", "psutil"),
    *("rich", "sqlite-utils"),
)


def needed_packages(
    modules: Collection[str], installed: Packages = packages
) -> dict[str, Any]:
    """What these modules need of this Python.

    Parameters
    ----------
    modules
        Names as in `sys.modules`; those of the standard library need nothing.
    installed
        Lists the distributions.

    Raises
    ------
    MissingExtraError
        Where `packaging` is not installed.

    >>> found = needed_packages({"json", "packaging.tags"})
    >>> [(p["name"], p["group"], p["loaded"]) for p in found["packages"]
    ...  if p["group"] == "run"]
    [('packaging', 'run', True)]
    """
    here = {about.name: about for about in installed.installed()}
    loaded = {about.name for about in installed.loaded(modules)}
    return _described(_Known(here, here, is_same=True), loaded, python_facts())


def recorded_packages(
    text: str,
    loaded_names: Collection[str],
    *,
    recorded: Mapping[str, str | None] | None = None,
    installed: Packages = packages,
    tell: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    r"""What a recorded run needed, from the list of packages that was kept with it.

    Parameters
    ----------
    text
        The kept list (role "packages").
    loaded_names
        The distributions that were loaded.
    recorded
        "python", "implementation" and "platform" of the run; default: as here.
    installed
        Lists what this Python has: asked what a distribution of the same version
        requires, and for its digest only where both lists are the same.
    tell
        Gets a sentence on what stays unknown.

    Raises
    ------
    MissingExtraError
        Where `packaging` is not installed.

    >>> found = recorded_packages("numpy==0.9\n", ["numpy"])
    >>> [(p["name"], p["version"], p["requires"]) for p in found["packages"]
    ...  if p["group"] == "run"]
    [('numpy', '0.9', [])]
    """
    here = {about.name: about for about in installed.installed()}
    there = {normalised(name): about for name, about in parse_lines(text).items()}
    facts = python_facts()
    python = facts | {name: told for name, told in (recorded or {}).items() if told}
    known = _Known(there, here, is_same=there == here and python == facts)
    names = {normalised(name) for name in loaded_names}
    found = _described(known, names & there.keys(), python)
    if known.unknown:
        tell(
            "What these require is not known, as other versions are installed here: "
            f"{shorten(', '.join(sorted(known.unknown)), 200)}."
        )
    return found


@dataclass(slots=True)
class _Known:
    """What was there, and what this Python can say of it."""

    there: Mapping[str, Installed]
    here: Mapping[str, Installed]
    is_same: bool
    unknown: set[str] = field(default_factory=set)

    def get(self, name: str) -> Installed | None:
        return self.there.get(name) or self.here.get(name)

    def lines_of(self, name: str) -> Sequence[str]:
        """Its requirements, where this Python has the very version."""
        about, own = self.get(name), self.here.get(name)
        if name == OWN:
            return _lines(OWN) if own else CORE
        if about is None:
            return ()
        if own is None or own.version != about.version:
            self.unknown.add(name)
            return ()
        return _lines(name)

    def of_the_run(self, name: str) -> Sequence[str]:
        """The same, where nbtrack's own do not count and what was not there neither."""
        return () if name == OWN or name not in self.there else self.lines_of(name)


def _lines(name: str) -> Sequence[str]:
    found = distribution(name)
    return (found.requires if found is not None else None) or ()


def _described(
    known: _Known, loaded: Collection[str], python: Mapping[str, str]
) -> dict[str, Any]:
    version = python["python"]
    environment = {
        "python_full_version": version,
        "python_version": ".".join(version.split(".")[:2]),
    }
    run = closure(loaded, known.of_the_run, environment=environment)
    tracker = closure([OWN], known.lines_of, environment=environment)
    needs = {**tracker, **run, OWN: tracker[OWN]}
    names = {name for name in run if name in known.there} | tracker.keys() - {OWN}
    listed = [
        {
            "name": name,
            **_entry(about, has_digest=known.is_same),
            "group": "run" if name in run.keys() - {OWN} else "tracker",
            "loaded": name in loaded,
            "requires": needs[name],
        }
        for name in sorted(names)
        if (about := known.get(name)) is not None
    ]
    return {**python, "packages": listed}


def _entry(about: Installed, *, has_digest: bool) -> dict[str, Any]:
    return {
        "version": about.version,
        "source": source_of(about),
        "record_sha256": contents_digest(about.name) if has_digest else None,
        "wheel": wheel_of(about),
    }

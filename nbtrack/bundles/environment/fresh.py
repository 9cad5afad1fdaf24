"""A virtual environment with exactly the packages of a run, made once and kept.

It stands under its lock's hash in the user's cache, and counts only with a note that is
written last: what was interrupted, or has changed since, is made anew. Two processes
wait for each other. No address of a bundle is ever asked: packages come from the user's
own index, and what never was on one only from folders that the user names.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from nbtrack.bundles.environment.cache_folder import cache_folder, write_whole
from nbtrack.bundles.environment.hashes import is_for
from nbtrack.bundles.environment.interpreter import interpreter_for
from nbtrack.bundles.environment.inventory import inventory_of, python_facts
from nbtrack.bundles.environment.needed import OWN
from nbtrack.bundles.environment.pip_call import calm_environment
from nbtrack.bundles.environment.requirement_lines import requirement, sha256_of
from nbtrack.bundles.environment.turns import turn
from nbtrack.bundles.environment.wheel_install import Wanted, install
from nbtrack.errors import EnvironmentBlockedError
from nbtrack.text import shorten, visible

NOTE = "nbtrack-environment.json"
FOLDER = "environments"


@dataclass(frozen=True, slots=True)
class Environment:
    """One that is ready."""

    python: Path
    key: str
    made: bool  # False: it was there already
    duration_s: float
    installed: tuple[str, ...]  # "name==version"


def fresh_environment(
    packages: Mapping[str, Any],
    *,
    find_links: Sequence[str | Path] = (),
    tell: Callable[[str], None] = lambda text: None,
    timeout_s: float = 900,
) -> Environment:
    """Make an environment with these packages, or take the one that was made.

    nbtrack is not installed into it: the caller puts it on the path.

    Parameters
    ----------
    packages
        The content of env/packages.json.
    find_links
        Folders with wheels that no index has.
    tell
        Gets what is going on, a sentence at a time.
    timeout_s
        Seconds for all of it.

    Raises
    ------
    EnvironmentBlockedError
        Where a package or the Python cannot be had, or differs from its hash.

    >>> source = {"type": "editable", "url": None, "sha256": None, "commit": None}
    >>> mine = {"name": "mine", "version": "0.1", "source": source, "wheel": None}
    >>> try:
    ...     fresh_environment({**python_facts(), "packages": [mine]})
    ... except EnvironmentBlockedError as exc:
    ...     print(str(exc)[:51])
    These packages cannot be had: mine==0.1 (editable):
    """
    begun = time.monotonic()
    wanted = _wanted(packages, tuple(Path(folder).resolve() for folder in find_links))
    base = interpreter_for(
        str(packages["python"]), implementation=str(packages["implementation"])
    )
    key = _key(packages, wanted, base)
    try:
        place = _place(key)
        with turn(place.with_suffix(".lock"), until=begun + timeout_s, tell=tell):
            found = _found(place)
            if found is None:
                tell(f"Making an environment with {len(wanted)} packages.")
                installed = _make(place, base, wanted, begun + timeout_s)
            else:
                installed = found
    except (OSError, RuntimeError) as exc:  # RuntimeError: nobody has a home here
        raise EnvironmentBlockedError(
            f"An environment cannot be kept: {shorten(visible(str(exc)), 200)}. Make "
            "room, name another folder by XDG_CACHE_HOME, or use `--env current`."
        ) from exc
    duration_s = time.monotonic() - begun
    return Environment(_python_in(place), key, found is None, duration_s, installed)


def _place(key: str) -> Path:
    place = cache_folder() / FOLDER / key
    place.parent.mkdir(mode=0o700, exist_ok=True)
    return place


def _python_in(place: Path) -> Path:
    return place / "bin" / "python"


def _wanted(packages: Mapping[str, Any], links: tuple[Path, ...]) -> list[Wanted]:
    """What is to be installed; refuses what cannot be said to pip."""
    with_hashes = is_for(packages, python_facts())
    listed, blocked = [], []
    for package in packages["packages"]:
        if package["name"] == OWN:
            continue
        line = requirement(package)
        is_foreign = package["source"]["type"] in {"editable", "vcs"}
        if line is None or (is_foreign and not links):
            told = f"{package['name']}=={package['version']}"
            blocked.append(
                f"{shorten(visible(told), 60)} ({package['source']['type']})"
            )
        else:
            checked = sha256_of(package) if with_hashes else None
            listed.append(Wanted(line, checked, is_foreign, links))
    if blocked:
        raise EnvironmentBlockedError(
            f"These packages cannot be had: {shorten(', '.join(blocked), 300)}: no "
            "index has them. Build wheels of them and name their folder by "
            "`--find-links DIR`, or use `--env current`."
        )
    return listed


def _key(packages: Mapping[str, Any], wanted: Sequence[Wanted], base: Path) -> str:
    """The hash of the lock, for this Python."""
    lines = sorted([each.line, each.sha256 or ""] for each in wanted)
    whose = [
        packages["python"],
        packages["platform"],
        str(base.resolve()),
        sys.platform,
    ]
    return sha256(json.dumps([lines, whose]).encode()).hexdigest()[:32]


def _found(place: Path) -> tuple[str, ...] | None:
    """What is installed there, if it is whole and as it was made."""
    try:
        noted = json.loads((place / NOTE).read_text("utf-8"))
        there = _listed(place)
    except (OSError, ValueError, EnvironmentBlockedError):
        return None
    is_as_made = isinstance(noted, dict) and noted.get("there") == there
    return tuple(noted["installed"]) if is_as_made else None


def _listed(place: Path) -> dict[str, Any]:
    return inventory_of(_python_in(place), is_checking=True)


def _make(
    place: Path, base: Path, wanted: Sequence[Wanted], until: float
) -> tuple[str, ...]:
    _remove(place)
    try:
        _make_empty(place, base, until)
        install(wanted, python=_python_in(place), until=until)
        there = _listed(place)
        installed = _checked(there, wanted)
        told = {"installed": installed, "there": there}
        write_whole(place / NOTE, json.dumps(told, sort_keys=True, indent=1) + "\n")
    except BaseException:  # Ctrl-C too: no half of one stays
        _remove(place)
        raise
    return installed


def _make_empty(place: Path, base: Path, until: float) -> None:
    """Without pip: it would be a package that was not recorded."""
    try:
        said = subprocess.run(
            [str(base), "-m", "venv", "--without-pip", str(place)],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=max(1.0, until - time.monotonic()),
            env=calm_environment(),
        )
        failure = said.stderr.strip().splitlines() if said.returncode else None
    except (OSError, subprocess.TimeoutExpired) as exc:
        failure = [str(exc)]
    if failure is not None:
        why = shorten(visible((failure or ["no word on why"])[-1]), 200)
        raise EnvironmentBlockedError(
            f"A virtual environment cannot be made: {why}. Install Python's module "
            "venv, or use `--env current`."
        )


def _checked(there: Mapping[str, Any], wanted: Sequence[Wanted]) -> tuple[str, ...]:
    found = there["packages"]
    installed = sorted(f"{name}=={found[name]['version']}" for name in found)
    broken = [name for name in found if not found[name]["whole"]]
    if broken or len(installed) != len(wanted):
        odd = broken or sorted({*installed} ^ {each.line for each in wanted})
        raise EnvironmentBlockedError(
            f"pip made another environment than was asked: {shorten(str(odd), 200)}. "
            "Use `--env current`."
        )
    return tuple(installed)


def _remove(place: Path) -> None:
    (place / NOTE).unlink(missing_ok=True)  # first: what is left counts for nothing
    shutil.rmtree(place, ignore_errors=True)

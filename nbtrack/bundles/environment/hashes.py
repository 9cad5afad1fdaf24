"""Asks the package index, through the user's own pip, which wheel a version is.

Nothing is installed, and only wheels for this Python and platform are asked for: what
was recorded elsewhere comes back as it is. Whatever fails, so do packages that the
index does not know: without a hash, and with a sentence on why.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nbtrack.bundles.environment.closure import normalised
from nbtrack.bundles.environment.inventory import python_facts
from nbtrack.bundles.environment.pip_call import (
    OFFLINE,
    PipAnswer,
    call_pip,
    is_offline,
)
from nbtrack.bundles.environment.requirement_lines import requirement
from nbtrack.bundles.environment.sources import file_name, public_url
from nbtrack.bundles.environment.wheel_cache import remember, remembered
from nbtrack.text import shorten

CALLS_MAX = 12  # each leaves out a package that the index does not have
_ASKED = (
    *("install", "--dry-run", "--no-deps", "--ignore-installed", "--quiet"),
    *("--only-binary", ":all:", "--retries", "0", "--timeout", "10"),
)


def with_hashes(
    packages: Mapping[str, Any],
    *,
    timeout_s: float = 60,
    offline: bool = False,
    tell: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """The same packages, with their wheels where the index has them.

    Parameters
    ----------
    packages
        The content of env/packages.json.
    timeout_s
        Seconds for all questions together.
    offline
        Whether only what is remembered counts; `NBTRACK_OFFLINE=1` says so too.
    tell
        Gets a sentence on what stays without a hash.

    >>> packages = {**python_facts(), "packages": []}
    >>> with_hashes(packages, offline=True) == packages
    True
    """
    here = python_facts()
    if not is_for(packages, here):
        tell(
            "The run was on another Python or platform: its wheels are not known here."
        )
        return dict(packages)
    asked = {told: f"{told} {_tag(here)}" for told in _wanted(packages)}
    known = remembered()
    wheels = {told: known[key] for told, key in asked.items() if key in known}
    missing = [told for told in asked if told not in wheels]
    if missing and (offline or is_offline()):
        tell(f"The package index was not asked: {OFFLINE} is set, or it was not to be.")
    elif missing:
        found = _ask(missing, until=time.monotonic() + timeout_s, tell=tell)
        remember({asked[told]: wheel for told, wheel in found.items()})
        wheels |= found
    return {**packages, "packages": [_with(p, wheels) for p in packages["packages"]]}


def is_for(packages: Mapping[str, Any], here: Mapping[str, str]) -> bool:
    """Whether wheels for these packages are wheels for that Python.

    >>> is_for({"python": "2.7.18"}, python_facts())
    False
    """
    return _tag(packages) == _tag(here)


def _tag(about: Mapping[str, Any]) -> str:
    minor = "".join(str(about.get("python", "")).split(".")[:2])
    return f"{about.get('implementation')}{minor} {about.get('platform')}"


def _wanted(packages: Mapping[str, Any]) -> list[str]:
    """What comes from an index, and has no hash yet."""
    asked = [p for p in packages["packages"] if p["source"]["type"] == "index"]
    told = [requirement(package) for package in asked if package["wheel"] is None]
    return [line for line in told if line is not None]


def _with(
    package: Mapping[str, Any], wheels: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    if package["wheel"] is not None or package["source"]["type"] != "index":
        return dict(package)
    return {**package, "wheel": wheels.get(requirement(package) or "")}


def _ask(
    wanted: Sequence[str], *, until: float, tell: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """The wheels by requirement; asks again without what is not found."""
    left = list(wanted)
    for _ in range(CALLS_MAX):
        answer, found = _asked_once(left, until - time.monotonic())
        left = [line for line in left if line.partition("==")[0] not in answer.refused]
        unknown = [line for line in wanted if line not in left]
        if answer.failure is None:
            _tell_unknown([line for line in wanted if line not in found], tell)
            return found
        if not answer.refused or not left or time.monotonic() > until:
            break
    if unknown and not left:
        _tell_unknown(unknown, tell)
    else:
        tell(f"Wheels could not be asked for: {answer.failure}.")
    return {}


def _tell_unknown(unknown: Sequence[str], tell: Callable[[str], None]) -> None:
    if unknown:
        names = shorten(", ".join(unknown), 200)
        tell(f"The package index has no wheel for this Python of {names}.")


def _asked_once(
    wanted: Sequence[str], timeout_s: float
) -> tuple[PipAnswer, dict[str, dict[str, Any]]]:
    with tempfile.TemporaryDirectory(prefix="nbtrack-") as folder:
        report = Path(folder) / "report.json"
        asked = [*_ASKED, "--report", str(report), *wanted]
        answer = call_pip(asked, timeout_s=timeout_s)
        if answer.failure is not None:
            return answer, {}
        try:
            told = json.loads(report.read_text("utf-8"))
            return answer, dict(_wheels(told, wanted))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
            failure = f"pip's report cannot be read ({type(exc).__name__})"
            return PipAnswer(failure=failure), {}


def _wheels(
    report: Mapping[str, Any], wanted: Sequence[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    by_name = {line.partition("==")[0]: line for line in wanted}
    for installed in report["install"]:
        told = installed["download_info"]
        checked = told.get("archive_info", {}).get("hashes", {}).get("sha256")
        name = normalised(installed["metadata"]["name"])
        if checked and name in by_name:
            file, url = file_name(told["url"]), public_url(told["url"])
            yield by_name[name], {"file": file, "sha256": checked, "url": url}

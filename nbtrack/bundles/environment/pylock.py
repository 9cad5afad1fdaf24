"""Writes the lock file of a run's packages, as PEP 751 has it.

It names one wheel a package, with its sha256, for the Python and platform of the run. A
file that is known by name alone is expected beside the lock. What has no hash cannot be
locked: then there is no text, and the names are told.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nbtrack.bundles.environment.needed import OWN
from nbtrack.bundles.environment.requirement_lines import requirement, sha256_of

_SYSTEMS = {"linux": "linux", "macosx": "darwin", "win": "win32"}
_ON_WINDOWS = {"amd64": "AMD64", "arm64": "ARM64"}


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock file, or why there is none.

    >>> Lock(None, ("torch",)).text is None
    True
    """

    text: str | None
    without: tuple[str, ...] = ()  # the packages that have no hash


def pylock_text(packages: Mapping[str, Any]) -> Lock:
    """The lock file of the content of env/packages.json.

    nbtrack itself is in it only with a hash: its code comes from whoever reruns.

    >>> wheel = {"file": "a-1-py3-none-any.whl", "sha256": "0" * 64, "url": None}
    >>> package = {"name": "a", "version": "1", "wheel": wheel, "requires": []}
    >>> python = {"python": "3.11.7", "implementation": "cpython"}
    >>> python["platform"] = "linux_x86_64"
    >>> lock = pylock_text({**python, "packages": [package]})
    >>> print(lock.text)  # doctest: +ELLIPSIS
    lock-version = "1.0"
    environments = ["...sys_platform == 'linux' and platform_machine == 'x86_64'"]
    requires-python = "==3.11.*"
    created-by = "nbtrack"
    <BLANKLINE>
    [[packages]]
    name = "a"
    version = "1"
    wheels = [
        { name = "a-1-py3-none-any.whl", path = "a-1-py3-none-any.whl", hashes = ...
    ]
    <BLANKLINE>
    """
    listed = sorted(packages["packages"], key=lambda package: str(package["name"]))
    parts = {package["name"]: _package(package) for package in listed}
    missing = {name for name, part in parts.items() if part is None}
    without = tuple(sorted(missing - {OWN}))
    if without or not parts.keys() - missing:
        return Lock(None, without)
    told = [part for part in parts.values() if part is not None]
    return Lock("\n".join(["\n".join(_head(packages)) + "\n", *told]))


def _head(packages: Mapping[str, Any]) -> Iterator[str]:
    minor = ".".join(str(packages["python"]).split(".")[:2])
    yield 'lock-version = "1.0"'
    yield f"environments = [{_quoted(_marker(packages))}]"
    yield f"requires-python = {_quoted(f'=={minor}.*')}"
    yield 'created-by = "nbtrack"'


def _marker(packages: Mapping[str, Any]) -> str:
    """The platform of the run: `linux_x86_64`, `macosx_14_0_arm64`, `win_amd64`."""
    system, _, rest = str(packages["platform"]).partition("_")
    machine = rest
    if system == "macosx":
        machine = rest.split("_", 2)[-1]
    elif system == "win":
        machine = _ON_WINDOWS.get(rest, rest)
    facts = {
        "implementation_name": packages["implementation"],
        "sys_platform": _SYSTEMS.get(system, system),
        "platform_machine": machine,
    }
    return " and ".join(f"{name} == '{value}'" for name, value in facts.items())


def _package(package: Mapping[str, Any]) -> str | None:
    """One table of the file; None for a package without a hash."""
    found = _wheel(package) or _archive(package)
    if requirement(package) is None or found is None:
        return None
    name, version = _quoted(package["name"]), _quoted(package["version"])
    return f"[[packages]]\nname = {name}\nversion = {version}\n{found}\n"


def _wheel(package: Mapping[str, Any]) -> str | None:
    wheel = package.get("wheel")
    if not wheel or sha256_of({"wheel": wheel}) is None:
        return None
    place = {"url": wheel["url"]} if wheel["url"] else {"path": wheel["file"]}
    told = _inline({"name": wheel["file"], **place}, wheel["sha256"])
    return f"wheels = [\n    {told},\n]"


def _archive(package: Mapping[str, Any]) -> str | None:
    """A source archive, or a commit, that others can have too."""
    source = package.get("source") or {}
    url = source.get("url")
    if not url:
        return None
    if source["type"] == "vcs" and source["commit"]:
        kind, _, plain = str(url).partition("+")
        told = {"type": kind, "url": plain, "commit-id": source["commit"]}
        return f"vcs = {_inline(told)}"
    checked = sha256_of({"source": source})
    return f"archive = {_inline({'url': url}, checked)}" if checked else None


def _inline(told: Mapping[str, str], sha256: str | None = None) -> str:
    pairs = [f"{name} = {_quoted(value)}" for name, value in told.items()]
    if sha256:
        pairs.append(f"hashes = {{ sha256 = {_quoted(sha256)} }}")
    return f"{{ {', '.join(pairs)} }}"


def _quoted(text: str) -> str:
    """A basic string of TOML: JSON's escapes are among its, and it has one more."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

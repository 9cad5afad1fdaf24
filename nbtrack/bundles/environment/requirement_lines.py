"""Writes packages down as requirements for pip, each with its exact version.

A bundle may come from anybody: what is no plain name, version or sha256 could be an
option or an address of theirs, and is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_VERSION = re.compile(r"[a-z0-9](?:[a-z0-9.+!_-]*[a-z0-9])?", re.IGNORECASE)
_SHA256 = re.compile(r"[0-9a-f]{64}")


def requirement(package: Mapping[str, Any]) -> str | None:
    """`name==version`; None where that would be something else to pip.

    >>> requirement({"name": "torch", "version": "2.13.0+cpu"})
    'torch==2.13.0+cpu'
    >>> requirement({"name": "--index-url", "version": "1"}) is None
    True
    """
    name, version = str(package.get("name")), str(package.get("version"))
    is_plain = _NAME.fullmatch(name) and _VERSION.fullmatch(version)
    return f"{name}=={version}" if is_plain else None


def sha256_of(package: Mapping[str, Any]) -> str | None:
    """The sha256 of the file that a package is to be installed from.

    >>> sha256_of({"wheel": None, "source": {"type": "archive", "sha256": "f" * 64}})
    ... # doctest: +ELLIPSIS
    'ffff...'
    >>> sha256_of({"wheel": {"sha256": "no"}}) is None
    True
    """
    places = (package.get("wheel"), package.get("source"))
    for place in places:
        told = place.get("sha256") if isinstance(place, Mapping) else None
        if isinstance(told, str) and _SHA256.fullmatch(told):
            return told
    return None

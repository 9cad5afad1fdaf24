"""Remembers which wheel the index gave for a version: that does not change.

One small JSON file; damaged or out of reach it is as good as empty. Only what was found
is kept, so that what is published later is found later.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from typing import Any

from nbtrack.bundles.environment.cache_folder import cache_folder, write_whole

logger = logging.getLogger("nbtrack")

FILE = "wheels.json"
_SHA256 = re.compile(r"[0-9a-f]{64}")


def remembered() -> dict[str, dict[str, Any]]:
    """The wheels by "name==version python platform"."""
    try:
        told = json.loads((cache_folder() / FILE).read_text("utf-8"))
    except (OSError, ValueError, RuntimeError):  # RuntimeError: nobody has a home here
        return {}
    if not isinstance(told, dict):
        return {}
    return {key: wheel for key, wheel in told.items() if _is_wheel(wheel)}


def remember(wheels: Mapping[str, dict[str, Any]]) -> None:
    """Keep these too; where that cannot be, they are asked for again next time."""
    if not wheels:
        return
    told = json.dumps({**remembered(), **wheels}, sort_keys=True, indent=1)
    try:
        write_whole(cache_folder() / FILE, told + "\n")
    except (OSError, RuntimeError) as exc:
        logger.debug("hashes of wheels are not kept", exc_info=exc)


def _is_wheel(told: object) -> bool:
    if not isinstance(told, dict) or told.keys() != {"file", "sha256", "url"}:
        return False
    is_named = isinstance(told["file"], str) and isinstance(told["sha256"], str)
    is_named = is_named and isinstance(told["url"], str | None)
    return is_named and bool(_SHA256.fullmatch(told["sha256"]))

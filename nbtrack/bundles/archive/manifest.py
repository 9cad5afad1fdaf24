"""manifest.json: the format it says, and the types of what everybody reads of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbtrack.bundles.archive.fields import as_fields
from nbtrack.bundles.archive.trouble import refuse, shown
from nbtrack.errors import BundleError

MANIFEST = "manifest.json"
FORMAT = "nbtrack.bundle"
VERSION = 1
_OBJECTS = (
    "run", "code", "seeds", "slice", "environment", "data", "tolerance", "secrets",
)  # fmt: skip
_LISTS = ("metrics", "not_captured", "needs")


def checked_manifest(value: Any) -> Mapping[str, Any]:  # Any: what JSON can hold
    """The manifest, where it is one that this nbtrack knows.

    Raises
    ------
    BundleError
        For another format, a later version, or a field of another type.
    """
    top = as_fields(value, MANIFEST)
    if top.value.get("format") != FORMAT:
        refuse(f"{MANIFEST} is not that of a bundle: {shown(top.value.get('format'))}")
    version = top.whole("version")
    if version > VERSION:
        raise BundleError(
            f"The bundle has format {version}, and this nbtrack knows {VERSION}: "
            "upgrade nbtrack to read it."
        )
    if version < VERSION:
        top.wrong("version", f"{VERSION}")
    for name in _OBJECTS:
        top.fields(name)
    for name in _LISTS:
        top.items(name)
    run = top.fields("run")
    run.text("id", limit=100)
    run.text("name", limit=1_000)
    top.fields("slice").text_or_none("proof", limit=20)
    return top.value

"""What is said of a version, as it may be kept: JSON values, no secrets, 1 MiB."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import PurePath
from typing import Any

from nbtrack.errors import ArtifactError
from nbtrack.text import shorten, shown_bytes

METADATA_MAX_BYTES = 1 << 20  # a row that every list of versions reads
_DEPTH_MAX = 50


def as_metadata(
    metadata: Mapping[str, Any] | None,  # Any: values of any library, looked at below
) -> dict[str, Any]:
    """The values as plain JSON; secrets are taken out.

    Numbers of numpy and torch, paths and dates are taken too; NaN and Inf, which JSON
    does not know, become text.

    Raises
    ------
    ArtifactError
        For what JSON cannot hold, and for more than 1 MiB.

    Examples
    --------
    >>> as_metadata({"rows": 3, "split": ("a", "b"), "password": "hunter2"})
    {'rows': 3, 'split': ['a', 'b'], 'password': '[redacted]'}
    """
    if not metadata:
        return {}
    if not isinstance(metadata, Mapping):
        raise ArtifactError(
            f"metadata is a {type(metadata).__name__}. Give a mapping of names."
        )
    from nbtrack.redact import redact_json, redact_param

    plain = _plain("metadata", metadata, 0)
    cleared: dict[str, Any] = redact_json(redact_param("", plain)[0])
    size = len(json.dumps(cleared, ensure_ascii=False).encode("utf-8", "replace"))
    if size > METADATA_MAX_BYTES:
        raise ArtifactError(
            f"metadata is {shown_bytes(size)}; at most "
            f"{shown_bytes(METADATA_MAX_BYTES)} is kept beside a version. Write it to "
            "a file of the artifact instead."
        )
    return cleared


def _plain(name: str, value: Any, depth: int) -> Any:  # Any: any value, JSON after
    if depth > _DEPTH_MAX:
        raise ArtifactError(f"{shorten(name, 60)} is nested too deeply, or in itself.")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else repr(float(value))
    if isinstance(value, Mapping):
        return {
            str(key): _plain(f"{name}[{str(key)!r}]", item, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return _plain_items(name, value, depth)
    if isinstance(value, date | PurePath):
        return str(value) if isinstance(value, PurePath) else value.isoformat()
    if getattr(value, "shape", None) == () and callable(getattr(value, "item", None)):
        return _plain(name, value.item(), depth + 1)
    raise ArtifactError(
        f"{shorten(name, 120)} is a {type(value).__name__}, which JSON cannot hold. "
        "Use numbers, texts, lists and dicts; `.tolist()` makes a list of an array."
    )


def _plain_items(name: str, values: Iterable[Any], depth: int) -> list[Any]:
    items = [_plain(f"{name}[{n}]", item, depth + 1) for n, item in enumerate(values)]
    if isinstance(values, set | frozenset):  # in whatever order it came
        items.sort(key=lambda item: json.dumps(item, default=repr))
    return items

"""The values of W&B's records: JSON by the path of a key, NaN and Infinity included."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Path = tuple[str, ...]
DEPTH_MAX = 8  # of nested values; what is deeper is kept as its text


def path_of(item: Mapping[str, Any]) -> Path:
    """The path of an item; newer and older logs write it in another field."""
    return tuple(item.get("path") or (item.get("key", ""),))


def number_of(text: str) -> float | None:
    """The number that a JSON text is, if it is one."""
    try:
        return float(text)
    except ValueError:
        return {"true": 1.0, "false": 0.0}.get(text)


def value_of(text: str) -> Any:  # Any: what JSON can hold
    """The value behind a JSON text; the text itself where it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text if depth_of(value) > DEPTH_MAX else value


def depth_of(value: object) -> int:
    """How deep a value is nested; 0 for a plain one. Counts no further than needed.

    >>> depth_of(1), depth_of({"a": [1]})
    (0, 2)
    """
    depth, level = 0, [value]
    while depth <= DEPTH_MAX:
        nested = [part for part in level if isinstance(part, dict | list)]
        if not nested:
            break
        level = [part for outer in nested for part in _parts(outer)]
        depth += 1
    return depth


def _parts(value: dict[str, Any] | list[Any]) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value


class Nested:
    """A config or a summary: values by path, each update over those before."""

    def __init__(self) -> None:
        self._texts: dict[Path, str] = {}

    def apply(self, record: Mapping[str, Any]) -> None:
        """Take the updates and removals of a record."""
        for item in record.get("update", ()):
            self._texts[path_of(item)] = item.get("json", "null")
        for item in record.get("remove", ()):
            gone = path_of(item)
            for path in [p for p in self._texts if p[: len(gone)] == gone]:
                del self._texts[path]

    def __contains__(self, path: Path) -> bool:
        return path in self._texts

    def get(self, *path: str) -> Any:
        """The value at a path; None where there is none."""
        text = self._texts.get(path)
        return None if text is None else value_of(text)

    def flat(self) -> dict[Path, str]:
        """The JSON texts by path."""
        return dict(self._texts)

    def nested(self) -> dict[str, Any]:
        """The values as nested dicts; W&B's own notes (`_wandb`) are not among them."""
        root: dict[str, Any] = {}
        for path, text in sorted(self._texts.items(), key=lambda item: len(item[0])):
            if path[0] != "_wandb":
                _put(root, path, value_of(text))
        return root


def _put(root: dict[str, Any], path: Path, value: Any) -> None:
    *outer, last = path if len(path) <= DEPTH_MAX else (".".join(path),)
    for key in outer:
        inner = root.get(key)
        if not isinstance(inner, dict):
            inner = root[key] = {}
        root = inner
    root[last] = value

"""A logged value of trackio: a number, or what it keeps as JSON with a `_type`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nbtrack.capture.values import flatten_one
from nbtrack.errors import NbtrackError
from nbtrack.interop.confined import inside
from nbtrack.tracking.media import histograms, images, sound, tables, texts
from nbtrack.tracking.media.content import JSON, Content, Snapshot

Value = Any  # what JSON can hold
_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_PREFIX = "trackio."


def number_of(value: Value) -> float | None:
    """The number it is, if it is one.

    >>> number_of("Infinity"), number_of(True), number_of("high")
    (inf, 1.0, None)
    """
    if isinstance(value, int | float):
        return float(value)
    return _SPECIAL.get(value) if isinstance(value, str) else None


def numbers_in(name: str, value: Value) -> Iterator[tuple[str, float]]:
    """The numbers in a value, nested ones under dotted names."""
    for leaf_name, leaf in flatten_one(name, value):
        number = number_of(leaf)
        if number is not None:
            yield leaf_name, number


def is_rich(value: Value) -> bool:
    """Whether it is a text or an object of trackio's own."""
    if isinstance(value, Mapping):
        return str(value.get("_type", "")).startswith(_PREFIX)
    return isinstance(value, str) and value not in _SPECIAL


def content_of(value: Value, media: Path) -> Content:
    """What is kept of a rich value; its file is looked for in `media`.

    Raises
    ------
    OSError, ValueError, KeyError, NbtrackError
        Where its file is gone, leads elsewhere, or it is not what it says.
    """
    if isinstance(value, str):
        return texts.text_snapshot(value).encode()
    kind = value["_type"].removeprefix(_PREFIX)
    if kind in _FROM_FILE:
        return _of_file(kind, media_file(media, value["file_path"]))
    if kind == "table":
        return tables.snapshot_of(value["_value"]).encode()
    if kind == "histogram":
        return histograms.snapshot_of((value["values"], value["bins"])).encode()
    if kind == "markdown":
        return texts.text_snapshot(value["_value"]).encode()
    return Content(kind, {k: v for k, v in value.items() if k != "_type"})


def _of_file(kind: str, path: Path) -> Content:
    try:
        return _FROM_FILE[kind](path).encode()
    except NbtrackError:
        # A format that we do not show: the file is kept as it is.
        body = path.read_bytes()
        mime = "application/octet-stream" if kind != "object3d" else JSON
        return Content(kind, {"file": path.name}, body=body, mime=mime)


def _html(path: Path) -> Snapshot:
    return texts.html_snapshot(path.read_text("utf-8", "replace"))


_FROM_FILE = {
    "image": images.snapshot_of,
    "audio": lambda path: sound.audio_snapshot(path, None),
    "video": sound.video_snapshot,
    "html": _html,
}


def media_file(media: Path, path: str) -> Path:
    """The file of a value, whatever its path says; it need not be there.

    Raises
    ------
    ValueError
        Where it leads out of the folder.
    """
    found = inside(media, path)
    if found is None:
        raise ValueError(f"{path!r} leads out of {media.name}")
    return found

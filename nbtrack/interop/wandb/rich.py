"""W&B's media: what a history says of a picture, a table, a histogram, and their files.

Files are read only inside the folder of the run, wherever a log says they lie.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbtrack.errors import ValueNotLoggedError
from nbtrack.interop.confined import file_inside
from nbtrack.interop.foreign import ForeignImage
from nbtrack.interop.rich import rich_value
from nbtrack.text import shorten
from nbtrack.tracking.media import (
    figures,
    histograms,
    images,
    sound,
    tables,
    texts,
)
from nbtrack.tracking.media.content import Snapshot, read_bounded, refusal

_INSTEAD = "It stays where it is"


@dataclass(frozen=True, slots=True)
class Logged:
    """A rich value as a history has it."""

    name: str
    step: int
    at: float
    told: Mapping[str, Any]  # with its `_type`
    folder: Path | None  # of the files of its run

    @property
    def kind(self) -> str:
        """What W&B calls it: `image-file`."""
        return str(self.told.get("_type"))

    @property
    def is_known(self) -> bool:
        """Whether it comes as a rich value, and not as a file among others."""
        return self.kind in _SNAPSHOTS or self.kind == _SEVERAL

    def paths(self) -> list[str]:
        """Its files, inside the folder."""
        several = self.told.get("filenames")
        found = several if isinstance(several, list) else [self.told.get("path")]
        return [path for path in found if isinstance(path, str)]

    def values(self, tell: Callable[[str], None]) -> Iterator[ForeignImage]:
        """What is kept of it; what cannot be is told."""
        for one in self._each():
            try:
                yield one._value()
            except (ValueNotLoggedError, OSError, ValueError, RecursionError) as exc:
                tell(f"{one.kind} {one.name!r} did not come: {shorten(str(exc), 200)}")

    def _each(self) -> Iterator[Logged]:
        """One for each picture of several at a step."""
        if self.kind != _SEVERAL:
            yield self
            return
        captions = self.told.get("captions")
        captions = captions if isinstance(captions, list) else []
        paths = self.paths()
        for n, path in enumerate(paths):
            caption = captions[n] if n < len(captions) else None
            told = {"_type": "image-file", "path": path, "caption": caption}
            name = self.name if len(paths) == 1 else f"{self.name}/{n}"
            yield Logged(name, self.step, self.at, told, self.folder)

    def _value(self) -> ForeignImage:
        caption = self.told.get("caption")
        return rich_value(
            self.name,
            _SNAPSHOTS[self.kind](self).encode(),
            step=self.step,
            at=self.at,
            about={"caption": caption} if isinstance(caption, str) else None,
        )

    def body(self) -> bytes:
        """The bytes of its file."""
        for path in self.paths():
            file = None if self.folder is None else file_inside(self.folder, path)
            if file is not None:
                return read_bounded(file, instead=_INSTEAD)
        raise refusal("its file is not there", "Copy the whole folder of the run")


def _document(logged: Logged) -> dict[str, Any]:
    document = json.loads(logged.body())
    if not isinstance(document, dict):
        raise refusal("its file is no JSON object", _INSTEAD)
    return document


def _image(logged: Logged) -> Snapshot:
    return images.snapshot_of(logged.body())


def _table(logged: Logged) -> Snapshot:
    document = _document(logged)
    return tables.snapshot_of(document.get("data"), document.get("columns"))


def _html(logged: Logged) -> Snapshot:
    return texts.html_snapshot(logged.body().decode("utf-8", "replace"))


def _text(logged: Logged) -> Snapshot:
    return texts.text_snapshot(logged.told.get("text"))


def _figure(logged: Logged) -> Snapshot:
    content = figures.plotly_content(_document(logged))
    return Snapshot(lambda: content)


def _audio(logged: Logged) -> Snapshot:
    return sound.audio_snapshot(logged.body(), None)


def _video(logged: Logged) -> Snapshot:
    return sound.video_snapshot(logged.body())


def _histogram(logged: Logged) -> Snapshot:
    counts, edges = logged.told.get("values"), logged.told.get("bins")
    packed = logged.told.get("packedBins")
    if isinstance(packed, dict) and isinstance(counts, list):
        low, width = float(packed["min"]), float(packed["size"])
        edges = [low + width * n for n in range(len(counts) + 1)]
    return histograms.counted_snapshot(counts, edges)


_SEVERAL = "images/separated"
_SNAPSHOTS: dict[str, Callable[[Logged], Snapshot]] = {
    "image-file": _image,
    "table-file": _table,
    "histogram": _histogram,
    "text": _text,  # not W&B's: a text in a history
    "html-file": _html,
    "plotly-file": _figure,
    "audio-file": _audio,
    "video-file": _video,
}

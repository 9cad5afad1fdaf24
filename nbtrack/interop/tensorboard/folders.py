"""Which folders of event files are runs, and which only parts of one.

As in TensorBoard, a run is a folder with event files; one inside another is its child.
But what `SummaryWriter.add_scalars` and `add_hparams` put into folders of their own is
taken with the run that called them, as long as it can only be one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from nbtrack.interop.tensorboard.messages import EVENT, HPARAMS_PLUGIN
from nbtrack.interop.tensorboard.records import RecordFile
from nbtrack.interop.tensorboard.run_events import is_time

MARK = "tfevents"  # in the name of every event file
_LOOKED_AT = 8  # the first events of a file, which say what it is


@dataclass(slots=True)
class Part:
    """Event files that are taken with a run, and the name of their one metric there."""

    files: Sequence[Path]
    tag: str | None = None  # of `add_scalars`: what is renamed
    name: str | None = None
    is_hparams: bool = False


@dataclass(slots=True)
class Folder:
    """A folder with event files."""

    path: Path
    files: Sequence[Path]
    parent: Folder | None = None
    parts: list[Part] = field(default_factory=list)
    started_at: float = 0.0  # of the first event; 0 where none can be read
    first_tag: str = ""
    is_hparams: bool = False


def alone(file: Path) -> Folder:
    """An event file as the only one of its folder."""
    return _looked_into(Folder(file.parent, [file]))


def folders_below(root: Path) -> list[Folder]:
    """The runs, parents before their children."""
    found: dict[Path, Folder] = {}
    for outer, inner, names in os.walk(root):
        inner.sort()
        path = Path(outer)
        events = [path / name for name in sorted(names) if MARK in name]
        files = [file for file in events if file.is_file()]  # in TensorBoard's order
        if files:
            parents = (found[p] for p in path.parents if p in found)
            found[path] = _looked_into(Folder(path, files, next(parents, None)))
    return list(_without_parts(list(found.values())))


def _looked_into(folder: Folder) -> Folder:
    """Read the first events."""
    for event in _first_events(folder.files):
        at = event.get("wall_time", 0.0)
        folder.started_at = folder.started_at or (at if is_time(at) else 0.0)
        for value in event.get("summary", {}).get("value", ()):
            plugin = value.get("metadata", {}).get("plugin", {}).get("name")
            folder.is_hparams = folder.is_hparams or plugin == HPARAMS_PLUGIN
            if plugin != HPARAMS_PLUGIN:
                folder.first_tag = folder.first_tag or value.get("tag", "")
    return folder


def _first_events(files: Sequence[Path]) -> Iterator[dict[str, Any]]:
    for file in files:
        try:
            for _, body in islice(RecordFile(file).records(), _LOOKED_AT):
                yield EVENT.read(body)
        except (OSError, ValueError):
            continue  # told when the run is read


def _without_parts(folders: Sequence[Folder]) -> Iterator[Folder]:
    n_hparams: dict[Path, int] = {}
    for folder in folders:
        if folder.is_hparams and folder.parent is not None:
            outer = folder.parent.path
            n_hparams[outer] = n_hparams.get(outer, 0) + 1
    outers = {folder.parent.path for folder in folders if folder.parent is not None}
    for folder in folders:
        parent = folder.parent
        part = None
        if parent is not None and folder.path not in outers:
            is_only = n_hparams.get(parent.path) == 1 and not parent.is_hparams
            part = _part_of(folder, parent, is_only=is_only)
        if part is None or parent is None:
            yield folder
        else:
            parent.parts.append(part)


def _part_of(folder: Folder, parent: Folder, *, is_only: bool) -> Part | None:
    """What the folder is to its parent; None for a run of its own."""
    if folder.is_hparams:
        return Part(folder.files, is_hparams=True) if is_only else None
    below = folder.path.relative_to(parent.path).as_posix()
    tag = folder.first_tag
    for start in (f"{tag.replace('/', '_')}_", f"{tag}/"):  # torch, tensorboardX
        if tag and below.startswith(start):
            name = f"{tag}/{below.removeprefix(start)}"
            return Part(folder.files, tag=tag, name=name)
    return None

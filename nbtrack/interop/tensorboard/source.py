"""Runs of TensorBoard: folders with event files, whoever wrote them.

Event files have no ids: a run is known by the name of its folder and the time of its
first event, wherever it lies. What nbtrack itself has written keeps its id. They do not
say how a run ended either; without a word of the HParams plugin it counts as finished.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from nbtrack.errors import ImportSourceError
from nbtrack.interop.foreign import ForeignRun, FoundRun
from nbtrack.interop.growing import state_of
from nbtrack.interop.tensorboard.folders import (
    MARK,
    Folder,
    Part,
    alone,
    folders_below,
)
from nbtrack.interop.tensorboard.messages import FAILURE, RUNNING, SUCCESS
from nbtrack.interop.tensorboard.rich import rich_values
from nbtrack.interop.tensorboard.run_events import RunEvents
from nbtrack.records import Status
from nbtrack.text import shorten, visible

TOOL = "tensorboard"
_OURS = re.compile(rf"{MARK}\.\d+\.nbtrack\.(?P<id>[0-9a-hjkmnp-tv-z]{{13}})\Z")
_FOLDERS_LOOKED_AT = 2_000
_STATUSES: dict[int, Status] = {
    SUCCESS: "finished", FAILURE: "failed", RUNNING: "running"
}  # fmt: skip


def recognises(place: str) -> bool:
    """Whether an event file or a folder with some below it lies there."""
    path = Path(place)
    try:
        if path.is_file():
            return MARK in path.name
        below = islice(os.walk(path), _FOLDERS_LOOKED_AT)
        return any(MARK in name for _, _, names in below for name in names)
    except (OSError, ValueError):  # no path at all: too long, a zero byte
        return False


def open_source(place: str) -> TensorBoardSource:
    """The runs at a place: a log folder, or one event file.

    Raises
    ------
    ImportSourceError
        Where there is none.
    """
    if not recognises(place):
        shown = shorten(visible(repr(place)))
        raise ImportSourceError(
            f"There is no event file of TensorBoard below {shown}. Give a log folder, "
            f"or one file with {MARK!r} in its name."
        )
    return TensorBoardSource(Path(place))


class TensorBoardSource:
    """The runs below a folder; see the module."""

    tool = TOOL

    def __init__(self, place: Path) -> None:
        place = place.resolve()
        self._file = place if place.is_file() else None
        self._root = place.parent if self._file else place

    def found(self) -> Sequence[FoundRun]:
        """The runs, parents before their children."""
        ids: dict[Path, str] = {}
        taken: set[str] = set()
        return [self._found(folder, ids, taken) for folder in self._folders()]

    def close(self) -> None:
        """Nothing is kept open."""

    def _folders(self) -> list[Folder]:
        return [alone(self._file)] if self._file else folders_below(self._root)

    def _found(self, folder: Folder, ids: dict[Path, str], taken: set[str]) -> FoundRun:
        below = folder.path.relative_to(self._root).as_posix()
        name = folder.path.name if below == "." else below
        experiment = (self._root.parent if below == "." else self._root).name
        ours = _OURS.search(folder.files[0].name)
        id_ = ours["id"] if ours else f"{folder.path.name}@{folder.started_at!r}"
        if id_ in taken:
            id_ = f"{below}@{folder.started_at!r}"
        taken.add(id_)
        ids[folder.path] = id_
        parent = None if folder.parent is None else ids.get(folder.parent.path)
        files = [*folder.files, *(f for part in folder.parts for f in part.files)]
        read = partial(_read, folder, name=name, experiment=experiment, parent=parent)
        return FoundRun(
            id_, folder.started_at, read, name=name, state=state_of(files),
            ours=ours["id"] if ours else None,
        )  # fmt: skip


def _read(
    folder: Folder, *, name: str, experiment: str, parent: str | None
) -> ForeignRun:
    """The run of a folder.

    Raises
    ------
    ValueError
        Where no event of it can be read.
    OSError
        Where a file cannot be.
    """
    events = RunEvents()
    for file in folder.files:
        events.read(file)
    events.settle()
    for part in folder.parts:
        rename = _renaming(part, events)
        for file in part.files:
            events.read(file, rename)
        events.settle()
    if not events.n_events:
        raise ValueError("there is no event in its files that can be read")
    notices = list(_notices(events))
    status, reason = _status(events)
    return ForeignRun(
        name=name,
        experiment=experiment,
        status=status,
        reason=reason,
        ended_at=events.last_at or None,
        params=events.hparams,
        group=events.group,
        parent=parent,
        series=events.points.series(),
        images=rich_values(events.rich, notices.append),
        notices=notices,
    )


def _renaming(part: Part, events: RunEvents) -> Callable[[str], str]:
    """What the tags of a part are called in its run."""
    if part.name is not None:
        name = part.name
        return lambda tag: name if tag == part.tag else tag
    theirs = set(events.points.columns)
    return lambda tag: f"hparam/{tag}" if tag in theirs else tag


def _status(events: RunEvents) -> tuple[Status, str | None]:
    if events.session is None:
        return "finished", "event files do not say how a run ended"
    return _STATUSES.get(events.session.get("status", RUNNING), "finished"), None


def _notices(events: RunEvents) -> Iterator[str]:
    if events.n_orphans:
        yield (
            f"values of steps that were done anew behind a restart: {events.n_orphans}"
            ", left out as in TensorBoard"
        )
    if events.n_damaged:
        yield f"records that are damaged and did not come: {events.n_damaged}"
    if events.is_cut:
        yield "a file is cut off: what is whole came"
    for kind, n in sorted(events.strange.items()):
        yield f"values of kind {kind!r} are not taken: {n}"

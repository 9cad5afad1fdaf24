"""Runs of Weights & Biases where they lie on disk: offline, or beside an upload.

A run is known by its id, which is unique in its project. Of several runs with one id at
a place the one that began first keeps it, and the others have their project in front:
`project/id`. Several logs of one id and project are one run that was resumed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from nbtrack.errors import ImportSourceError
from nbtrack.interop.foreign import FoundRun
from nbtrack.interop.growing import state_of
from nbtrack.interop.wandb.log_file import LogFile, is_log
from nbtrack.interop.wandb.messages import RECORD
from nbtrack.interop.wandb.reading import read_run
from nbtrack.interop.wandb.run_log import time_of
from nbtrack.text import shorten, visible

TOOL = "wandb"
_SUFFIX = ".wandb"
_LOOKED_AT = 50  # records until that of the run; it is the second one
_PATTERNS = ("run-*.wandb", "*run-*/run-*.wandb", "wandb/*run-*/run-*.wandb")
_FOLDER_NAME = re.compile(r"run-(?P<began>\d{8}_\d{6})-")
_FILE_NAME = re.compile(r"run-(?P<id>.+)\.wandb\Z")


def recognises(place: str) -> bool:
    """Whether a log of W&B, a folder of a run, or one of many lies there."""
    path = Path(place)
    try:
        if path.is_file():
            return path.suffix == _SUFFIX and is_log(path)
        return any(map(is_log, islice(_logs_in(path), _LOOKED_AT)))
    except (OSError, ValueError):  # no path at all: too long, a zero byte
        return False


def open_source(place: str) -> WandbSource:
    """The runs at a place: a `.wandb` file, a folder of a run, one with many of them.

    Raises
    ------
    ImportSourceError
        Where there is none.
    """
    path = Path(place)
    files = [path] if path.is_file() else sorted(set(_logs_in(path)))
    if not any(map(Path.is_file, files)):
        raise ImportSourceError(
            f"There is no log of W&B at {shorten(visible(repr(place)))}: give the "
            "folder `wandb`, one `offline-run-...` in it, or a file `run-ID.wandb`."
        )
    return WandbSource(files)


def _logs_in(folder: Path) -> Iterator[Path]:
    """Without `latest-run`, which is a link to one of the others."""
    for pattern in _PATTERNS:
        yield from folder.glob(pattern)


@dataclass(frozen=True, slots=True)
class _Piece:
    """One log, and whose it is."""

    file: Path
    id: str
    project: str
    entity: str
    started_at: float
    name: str

    @property
    def whose(self) -> tuple[str, str, str]:
        return self.entity, self.project, self.id


class WandbSource:
    """The runs of some logs; see the module."""

    tool = TOOL

    def __init__(self, files: Iterable[Path]) -> None:
        self._files = list(files)

    def found(self) -> Sequence[FoundRun]:
        """The runs, the earliest first."""
        pieces = sorted(
            map(_piece, self._files), key=lambda p: (p.started_at, p.file.name)
        )
        runs: dict[tuple[str, str, str], list[_Piece]] = {}
        for piece in pieces:
            runs.setdefault(piece.whose, []).append(piece)
        taken: set[str] = set()
        return [_found(run, taken) for run in runs.values()]

    def close(self) -> None:
        """Nothing is kept open."""


def _piece(file: Path) -> _Piece:
    told = _run_record(file)
    named = _FILE_NAME.match(file.name)
    return _Piece(
        file,
        id=told.get("id") or (named["id"] if named else file.stem),
        project=told.get("project", ""),
        entity=told.get("entity", ""),
        started_at=time_of(told.get("started", {})) or _named_time(file),
        name=told.get("name", ""),
    )


def _run_record(file: Path) -> Mapping[str, Any]:
    """What the log says of the run itself; nothing where that cannot be read."""
    try:
        for body in islice(LogFile(file).records(), _LOOKED_AT):
            run: Mapping[str, Any] | None = RECORD.read(body).get("run")
            if run is not None:
                return run
    except (OSError, ValueError):
        pass  # told when the run is read
    return {}


def _named_time(file: Path) -> float:
    """When a run whose log does not say it began, by the name of its folder.

    In the time of a zone that nobody knows, but the same wherever it lies.
    """
    named = _FOLDER_NAME.search(file.parent.name)
    if named is None:
        return 0.0
    try:
        began = datetime.strptime(named["began"], "%Y%m%d_%H%M%S")
    except ValueError:
        return 0.0
    return began.replace(tzinfo=UTC).timestamp()


def _found(pieces: Sequence[_Piece], taken: set[str]) -> FoundRun:
    first = pieces[0]
    id_ = first.id
    for more in (first.project, first.entity):
        id_ = f"{more}/{id_}" if id_ in taken else id_
    while id_ in taken:
        id_ += "'"
    taken.add(id_)
    files = [piece.file for piece in pieces]
    return FoundRun(
        id_,
        first.started_at,
        partial(read_run, files, id=id_),
        name=first.name or id_,
        state=state_of(files),
    )

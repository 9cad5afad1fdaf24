"""What a replay is told and what it answers, as JSON between two processes.

Both are written to a temporary sibling and renamed: a file is there whole or not at
all. No pickle, so that reading an answer runs nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nbtrack.slices.segments import Segment


@dataclass(frozen=True, slots=True)
class Borders:
    """What a replay may touch; paths are absolute and without links."""

    scratch: str  # everything in it
    began_at: float  # what changed since then outside of it may be the session's
    written: tuple[str, ...] = ()  # what the session wrote, or may have
    readable: tuple[str, ...] = ()  # changed since, and known not to be the session's
    allow_writes: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """A copy that is to be seen where the notebook's folder is."""

    copy: str
    folder: str
    originals: tuple[str, ...] = ()  # in that folder, to be read as they are


@dataclass(frozen=True, slots=True)
class Job:
    """What a replay is to run, and where its answer goes to."""

    segments: tuple[Segment, ...]
    answer: str  # a path
    borders: Borders
    variable: str | None = None
    view: View | None = None
    network: bool = False  # whether it may use the one of this machine

    def write(self, path: Path) -> None:
        """Keep the job as a file."""
        write_json(path, asdict(self))

    @classmethod
    def read(cls, path: Path) -> Job:
        """The job in a file."""
        told = json.loads(path.read_text(encoding="utf-8"))
        segments = tuple(
            Segment(**{**segment, "looks": tuple(segment["looks"])})
            for segment in told.pop("segments")
        )
        borders = told.pop("borders")
        for name in ("written", "readable"):
            borders[name] = tuple(borders[name])
        view = told.pop("view")
        if view is not None:
            view = View(**{**view, "originals": tuple(view["originals"])})
        borders = Borders(**borders)
        return cls(segments=segments, borders=borders, view=view, **told)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a replay says of itself."""

    error: str | None = None  # of the first cell that raised, in one line
    label: str | None = None  # of that cell
    run: str | None = None  # id in the job's store
    digest: str | None = None  # of the variable
    why_no_digest: str | None = None
    refused: tuple[str, ...] = ()  # what it was not allowed to touch
    numerics: Mapping[str, Any] = field(default_factory=dict)  # at its end
    seen: tuple[Mapping[str, Any], ...] = ()  # cell by cell, see `slices.seen`
    modules: tuple[str, ...] = ()  # at the top, that were imported at its end

    @classmethod
    def read(cls, path: Path) -> Answer | None:
        """The answer in a file; None where there is none."""
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        lists = {name: tuple(told[name]) for name in ("refused", "seen", "modules")}
        return cls(**{**told, **lists})


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file whole or not at all.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "x.json")
    >>> write_json(path, {"a": 1})
    >>> path.read_text()
    '{"a": 1}'
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("w", encoding="utf-8") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)

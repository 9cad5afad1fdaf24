"""What a worker is told before its first trial, as JSON between two processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from nbtrack.slices.segments import Segment


@dataclass(frozen=True, slots=True)
class Stage:
    """What stands before the swept cell, and where it runs."""

    store: str  # the folder in which trials are recorded
    segments: tuple[Segment, ...] = ()  # the cells that the swept one depends on
    files: Mapping[str, str] = field(default_factory=dict)  # relative path -> text
    folder: str | None = None  # to run in; default: the one it was started in
    python: str = ""  # the swept cell, by which its reads are known
    function: str = ""  # or a function: its pickle, in base64
    about: Mapping[str, Any] = field(default_factory=dict)  # of a function's runs
    echo: bool = False  # whether what is recorded there is told here as well
    writes_files: bool = False  # whether one of the segments was seen to

    def as_json(self) -> dict[str, Any]:
        """For another process."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Stage:
        """From another process."""
        segments = tuple(Segment(**segment) for segment in told.pop("segments"))
        return cls(segments=segments, **told)

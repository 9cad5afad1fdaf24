"""What a run of another tool is before it becomes one of ours.

A source finds its runs cheaply and reads each only when it is taken, so that one broken
run costs no other. What a source says is hostile text and is cleaned where it is taken
(`nbtrack.interop.taking`), not here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from nbtrack.records import Goal, InputRecord, Status


@dataclass(frozen=True, slots=True)
class ForeignSeries:
    """Points of one metric, in the order they were logged; three equal lengths.

    A series may come in several pieces of the same name, so that no more than one piece
    is in memory.
    """

    name: str
    steps: Sequence[int]
    values: Sequence[float]  # NaN and Inf as they are
    at: Sequence[float]  # seconds since the epoch
    goal: Goal | None = None  # None: guessed from the name
    axis_of: str | None = None  # the metric of which it is a loop counter


@dataclass(frozen=True, slots=True)
class ForeignFile:
    """One file of an artifact: here, or a reference to where it lies."""

    path: str  # inside the artifact, with "/"
    source: Path | None = None  # None: a reference
    uri: str | None = None
    digest: str | None = None  # sha256 of a reference, where it is known
    size_bytes: int | None = None
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class ForeignArtifact:
    """Files that the run logged (output) or read (input) under one name."""

    name: str
    files: Sequence[ForeignFile]
    type: str = "file"  # as nbtrack says it: dataset, model, checkpoint, file, ...
    role: Literal["output", "input"] = "output"
    step: int | None = None
    aliases: Sequence[str] = ()
    description: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    at: float | None = None


@dataclass(frozen=True, slots=True)
class ForeignText:
    """A text that belongs to the run: its source, diff, what it printed."""

    role: str  # as in `records.TextRecord`: "diff", "packages", "stdout", "stderr", ...
    name: str
    body: str


@dataclass(frozen=True, slots=True)
class ForeignImage:
    """A picture at a step, as the bytes of its file; or another rich value."""

    name: str
    step: int
    at: float
    content: bytes | None  # None: it is all in `data`
    mime: str | None = "image/png"
    type: str = "image"  # as in `records.MediaRecord`
    data: Any = None  # JSON-able


@dataclass(frozen=True, slots=True)
class ForeignRun:
    """All that is taken of one run. Times are seconds since the epoch."""

    name: str
    experiment: str
    status: Status
    ended_at: float | None = None  # None: it had not ended
    params: Mapping[str, Any] = field(default_factory=dict)  # dotted or nested
    tags: Mapping[str, str | None] = field(default_factory=dict)
    notes: str = ""
    group: str | None = None
    parent: str | None = None  # the id of the source
    source: str | None = None  # code that ran
    error: str | None = None
    reason: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)  # "git.commit", ...
    texts: Sequence[ForeignText] = ()
    inputs: Sequence[InputRecord] = ()
    artifacts: Sequence[ForeignArtifact] = ()
    series: Iterable[ForeignSeries] = ()  # read once
    images: Iterable[ForeignImage] = ()  # read once
    is_trashed: bool = False
    notices: Sequence[str] = ()  # what could not be read, a sentence each


@dataclass(frozen=True, slots=True)
class FoundRun:
    """A run that a source has.

    `id` is the source's own and the same wherever the source lies: a run that is taken
    from two copies of it is one run. Where the tool has none, the source makes one of
    what does not change.
    """

    id: str
    started_at: float  # seconds since the epoch
    read: Callable[[], ForeignRun]
    name: str = ""  # for messages; the id where there is none
    state: str | None = None  # changes when the run does; None: known only by reading
    ours: str | None = None  # the id it had as a run of nbtrack, if it was pushed there


class Source(Protocol):
    """Runs of one tool at one place."""

    tool: str  # "mlflow", "wandb", "tensorboard", "trackio", "dvclive", "optuna", ...

    def found(self) -> Sequence[FoundRun]:
        """The runs, parents before their children."""

    def close(self) -> None:
        """Let go of what is open."""

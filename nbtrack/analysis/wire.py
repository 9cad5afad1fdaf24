"""What a live panel is handed: one frame = a header and packed Float64 columns.

The mirror of `labextension/src/shared/wire.ts`; the words are the same on both sides.
A kernel sends the columns as one binary buffer beside the header, a server as base64
in the header's `data`. NaN and the infinities travel exactly in both.
"""

from __future__ import annotations

import base64
import sys
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NotRequired, TypedDict

from nbtrack.records import Goal, Level, Status

PART_BYTES = 28_000  # one message stays under 32 KB, its header included


class MetricMeta(TypedDict):
    """What is said about one metric; its columns come beside it."""

    name: str
    family: str
    role: str
    place: int  # of its role within the family
    colour: int  # of its role, in the palette
    goal: Goal | None
    n: int
    best: float | None
    best_step: int | None
    thinned: int
    n_nan: int
    first_nan_step: int | None


class Progress(TypedDict):
    """How far the outermost loop with a declared bound is."""

    axis: str
    done: float
    total: int


class GhostMeta(TypedDict):
    """The best earlier run of the same cell."""

    id: str
    name: str
    started_at: float


class GradeMeta(TypedDict):
    """How far the notebook explains the result, and what speaks against it."""

    letter: str
    why: list[str]


class CheckpointMeta(TypedDict):
    """A saved checkpoint; of one whose file was given up it is said why."""

    name: str
    version: int
    step: int
    at: float
    metrics: dict[str, float]
    gone: str | None


class AlertMeta(TypedDict):
    """Something about the run that somebody should look at."""

    key: str  # by what it is known
    kind: str
    level: Level
    title: str
    text: str
    step: int | None
    at: float


class RunMeta(TypedDict):
    """The run as it stands; metrics, checkpoints and alerts are those that changed."""

    id: str
    name: str
    status: Status
    stopping: bool
    started_at: float
    elapsed_s: float
    eta_s: float | None
    progress: Progress | None
    headline: list[str]
    error: str | None
    reason: str | None
    grade: GradeMeta | None
    ghost: GhostMeta | None
    system: dict[str, float] | None
    metrics: list[MetricMeta]
    checkpoints: list[CheckpointMeta]
    n_checkpoints: int  # all of them; only the newest are marks
    alerts: list[AlertMeta]


# `from` is a word of Python, so this one is declared as a call.
SeriesHead = TypedDict(
    "SeriesHead",
    {"metric": str, "ghost": bool, "from": int, "n": int, "axes": list[str]},
)


class FrameHead(TypedDict):
    """One message to the panel."""

    type: Literal["frame"]
    full: bool  # forget every series before this frame
    run: RunMeta | None  # None in the later parts of a large frame
    series: list[SeriesHead]
    data: NotRequired[str]  # the columns as base64, where only JSON passes
    cursor: NotRequired[Any]  # what the server wants back for the next frame


@dataclass(frozen=True, slots=True)
class SeriesDelta:
    """Points that replace whatever the panel has of a series from `start` on."""

    metric: str
    start: int
    steps: Sequence[float]
    values: Sequence[float]
    at: Sequence[float]
    axes: dict[str, Sequence[float]] = field(default_factory=dict)
    ghost: bool = False

    def columns(self) -> list[Sequence[float]]:
        """In the order of the buffer."""
        return [self.steps, self.values, self.at, *self.axes.values()]

    def head(self) -> SeriesHead:
        """What stands in the header."""
        return {
            "metric": self.metric,
            "ghost": self.ghost,
            "from": self.start,
            "n": len(self.steps),
            "axes": list(self.axes),
        }

    def cut(self, begin: int, end: int) -> SeriesDelta:
        """The points `begin` to `end` of this delta."""
        return SeriesDelta(
            self.metric,
            self.start + begin,
            self.steps[begin:end],
            self.values[begin:end],
            self.at[begin:end],
            {name: column[begin:end] for name, column in self.axes.items()},
            self.ghost,
        )


def pack(deltas: Sequence[SeriesDelta]) -> bytes:
    """All columns as little-endian Float64, one after the other.

    >>> len(pack([SeriesDelta("loss", 0, [1, 2], [0.5, 0.4], [9.0, 9.1])]))
    48
    """
    packed = array("d")
    for delta in deltas:
        for column in delta.columns():
            packed.extend(column)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def messages(
    run: RunMeta, deltas: Sequence[SeriesDelta], *, full: bool
) -> Iterator[tuple[FrameHead, bytes]]:
    """A frame as messages of at most 32 KB each; the first one carries the header."""
    header: RunMeta | None = run
    for part in _parts(deltas):
        head: FrameHead = {
            "type": "frame",
            "full": full and header is not None,
            "run": header,
            "series": [delta.head() for delta in part],
        }
        yield head, pack(part)
        header = None


def as_json(run: RunMeta, deltas: Sequence[SeriesDelta], *, full: bool) -> FrameHead:
    """A frame as one JSON-able value, for hosts without binary messages."""
    return {
        "type": "frame",
        "full": full,
        "run": run,
        "series": [delta.head() for delta in deltas],
        "data": base64.b64encode(pack(deltas)).decode("ascii"),
    }


def _parts(deltas: Sequence[SeriesDelta]) -> Iterator[list[SeriesDelta]]:
    """Deltas cut and gathered so that no part packs to more than `PART_BYTES`."""
    part: list[SeriesDelta] = []
    room = PART_BYTES
    for piece in (piece for delta in deltas for piece in _pieces(delta)):
        size = 8 * len(piece.columns()) * len(piece.steps)
        if size > room and part:
            yield part
            part, room = [], PART_BYTES
        part.append(piece)
        room -= size
    yield part


def _pieces(delta: SeriesDelta) -> Iterator[SeriesDelta]:
    n_most = PART_BYTES // (8 * len(delta.columns()))
    if len(delta.steps) <= n_most:
        yield delta
        return
    for begin in range(0, len(delta.steps), n_most):
        yield delta.cut(begin, begin + n_most)

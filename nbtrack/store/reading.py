"""Decides which slots of a segment may be taken next: all that are written, in order.

A slot is empty for one of two reasons: its call is still running, or it was
interrupted (Ctrl-C) between taking the number and writing. So an empty slot with
written ones behind it is waited for, and passed when it stayed empty; passed ones are
looked at again, in case the thread was only very slow.
"""

from __future__ import annotations

from dataclasses import dataclass

from nbtrack.store.segments import Segment

BATCH_SLOTS = 4_096  # no step of packing one holds the GIL for over half a ms


@dataclass(frozen=True, slots=True)
class Found:
    """The slots `start` to `stop` are written; at `stop` there may be a hole."""

    start: int
    stop: int
    has_hole: bool


def written(segment: Segment, start: int, *, is_last: bool) -> Found:
    """The written slots from `start`, at most a batch of them."""
    stop = min(start + BATCH_SLOTS, segment.end)
    marks = segment.marks(start, stop)
    n = marks.find(0)
    if n < 0:
        return Found(start, stop, has_hole=False)
    behind = bool(marks[n:].strip(b"\0")) or not is_last
    return Found(start, start + n, has_hole=behind)


def written_later(segment: Segment, holes: list[tuple[int, int]]) -> list[int]:
    """Those passed slots of this segment that have been written after all."""
    return [
        slot
        for number, slot in holes
        if number == segment.number and segment.marks(slot, slot + 1) != b"\0"
    ]

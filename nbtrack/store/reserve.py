"""Supplies the journal with segments: on disk where it can, else in bounded memory.

When the disk refuses (full, quota, file size limit, read-only, gone), segments become
plain memory up to 64 MB in all; beyond that there is none to give and points are
counted as dropped. Every new segment tries the disk first, so it heals by itself.
"""

from __future__ import annotations

from pathlib import Path

from nbtrack.guard import guard
from nbtrack.store.segments import Segment, file_segment, memory_segment

FIRST_SLOTS, FIRST_TEXT_BYTES = 8_192, 64 << 10  # a short run leaves little behind
SLOTS, TEXT_BYTES = 65_536, 256 << 10
MEMORY_BYTES = 64 << 20


class Reserve:
    """Makes segments with rising numbers; the caller holds the journal's lock."""

    def __init__(self, folder: Path | None, *, first: int = 1, mapped: bool) -> None:
        self.folder = folder
        self.in_memory_bytes = 0
        self.is_mapped = mapped
        self._number = first - 1

    def next(self, text_bytes: int = 0) -> Segment | None:
        """A segment with room for a text of that length; None where none is left."""
        self._number += 1
        first = self._number == 1
        n_slots = FIRST_SLOTS if first else SLOTS
        room = max(text_bytes, FIRST_TEXT_BYTES if first else TEXT_BYTES)
        try:
            return self._on_disk(n_slots, room)
        except OSError as exc:
            guard.warn_once(
                "journal on disk",
                f"the journal cannot be written ({exc.strerror or exc}): points wait "
                "in memory and are lost if the kernel dies now",
            )
        return self._in_memory(FIRST_SLOTS, room)

    def give_back(self, segment: Segment) -> None:
        """A drained segment goes away."""
        if segment.path is None:
            self.in_memory_bytes -= segment.size_bytes
        segment.remove()

    def _on_disk(self, n_slots: int, room: int) -> Segment:
        if self.folder is None:
            raise OSError("no journal folder")
        return file_segment(
            self.folder, self._number, n_slots, room, mapped=self.is_mapped
        )

    def _in_memory(self, n_slots: int, room: int) -> Segment | None:
        segment = memory_segment(self._number, n_slots, room)
        if self.in_memory_bytes + segment.size_bytes > MEMORY_BYTES:
            return None
        self.in_memory_bytes += segment.size_bytes
        return segment

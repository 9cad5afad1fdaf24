"""Segments of the journal: slots that are safe the moment they are written.

    slot 0      header: magic, format, n_slots, text_bytes
    slot 1 ..   32 bytes each, little endian: <qddI3xB
                step int64, value float64, at float64, series uint32, mark uint8
    text area   the JSON of events

The mark comes last: 0 not written, 1 point, 2 event (step = offset in the text area,
series = length), 3 nothing. Slot numbers come from `itertools.count`, whose `next` is
atomic under the GIL. A segment is reserved on disk before it is mapped (a full disk is
then an error here, not a SIGBUS in the training loop), is never truncated or shrunk,
and goes away by unlink alone. Where the disk refuses, it is plain memory.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Callable
from itertools import count, islice
from pathlib import Path

SLOT = struct.Struct("<qddI3xB")
SLOT_BYTES = SLOT.size
POINT, EVENT, NOTHING = 1, 2, 3
_HEADER = struct.Struct("<4sIII16x")
_MAGIC = b"nbtJ"
_FORMAT = 1


class Segment:
    """A run of slots with a text area; in a mapped file, in memory, or read back."""

    def __init__(
        self, number: int, buffer: bytes | bytearray | mmap.mmap, n_slots: int
    ) -> None:
        whole = memoryview(buffer)
        edge = SLOT_BYTES * (n_slots + 1)
        self.number = number
        self.slots = whole[:edge]
        self.text = whole[edge:]
        self.end = n_slots + 1  # slots from here on will never be written
        self.path: Path | None = None
        self.handle = -1  # where slots are written through by pwrite (no mmap)
        self._counter = count(SLOT_BYTES, SLOT_BYTES)
        self._burned: list[int] = []  # slots that were taken so that nobody has them
        self.take: Callable[[], int] = self._counter.__next__
        self._text_used = 0

    @property
    def size_bytes(self) -> int:
        """What the segment occupies."""
        return len(self.slots) + len(self.text)

    def marks(self, start: int, stop: int) -> bytes:
        """The marks of slots `start` to `stop`, one byte each."""
        view = self.slots[start * SLOT_BYTES : stop * SLOT_BYTES]
        return view[SLOT_BYTES - 1 :: SLOT_BYTES].tobytes()

    def raw(self, start: int, stop: int) -> bytes:
        """The bytes of slots `start` to `stop`."""
        return self.slots[start * SLOT_BYTES : stop * SLOT_BYTES].tobytes()

    def has_room_for(self, n_bytes: int) -> bool:
        """Whether a text of that length still fits."""
        return self._text_used + n_bytes <= len(self.text)

    def put_text(self, body: bytes) -> int:
        """Keep a text; the caller holds the journal's lock. Returns its offset."""
        offset = self._text_used
        self.text[offset : offset + len(body)] = body
        self._text_used = offset + len(body)
        self.write_through(len(self.slots) + offset, body)
        return offset

    def text_at(self, offset: int, length: int) -> bytes:
        """Read a text back."""
        return self.text[offset : offset + length].tobytes()

    def seal(self) -> None:
        """Take every slot that is left, so that the segment ends here.

        One that Ctrl-C came into is done to its end by the next one.
        """
        if not self._burned:
            place = self.take()
            if place // SLOT_BYTES < self.end:
                SLOT.pack_into(self.slots, place, 0, 0.0, 0.0, 0, NOTHING)
                self.write_through(place, self.slots[place : place + SLOT_BYTES])
            # One C call: no thread takes a number in between, and no interrupt comes.
            self._burned.extend(islice(self._counter, self.end + 1))
        self.end = min(self.end, self._burned[0] // SLOT_BYTES)
        del self._burned[1:]

    def write_through(self, offset: int, body: bytes | memoryview) -> None:
        """Write to the file too, where the segment is not mapped from it."""
        if self.handle >= 0:
            os.pwrite(self.handle, body, offset)

    def remove(self) -> None:
        """Unlink the file; the mapping lives as long as somebody still holds it."""
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def memory_segment(number: int, n_slots: int, text_bytes: int) -> Segment:
    """A segment that dies with the process."""
    return Segment(number, bytearray(_size(n_slots, text_bytes)), n_slots)


def file_segment(
    folder: Path, number: int, n_slots: int, text_bytes: int, *, mapped: bool = True
) -> Segment:
    """A segment in a new file of `folder`; OSError where the disk refuses."""
    path = folder / f"{number:06d}.seg"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(handle, 0, _size(n_slots, text_bytes))
        os.pwrite(handle, _HEADER.pack(_MAGIC, _FORMAT, n_slots, text_bytes), 0)
        if mapped:
            buffer: mmap.mmap | bytearray = mmap.mmap(
                handle, _size(n_slots, text_bytes)
            )
        else:
            buffer = bytearray(_size(n_slots, text_bytes))
    except OSError:
        os.close(handle)
        path.unlink(missing_ok=True)
        raise
    segment = Segment(number, buffer, n_slots)
    segment.path = path
    if mapped:
        os.close(handle)
    else:
        segment.handle = handle
    return segment


def read_segment(path: Path) -> Segment | None:
    """A dead process's segment, read whole; None where it was never begun."""
    body = path.read_bytes()
    if len(body) < SLOT_BYTES:
        return None
    magic, version, n_slots, text_bytes = _HEADER.unpack_from(body)
    if (magic, version) != (_MAGIC, _FORMAT) or len(body) < _size(n_slots, text_bytes):
        return None
    segment = Segment(int(path.stem), body, n_slots)
    segment.path = path
    return segment


def _size(n_slots: int, text_bytes: int) -> int:
    return SLOT_BYTES * (n_slots + 1) + text_bytes

"""Segments are reserved, written, sealed and read back."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from nbtrack.store.reading import written
from nbtrack.store.segments import (
    NOTHING,
    POINT,
    SLOT,
    SLOT_BYTES,
    file_segment,
    memory_segment,
    read_segment,
)


def put(segment, n):
    for _ in range(n):
        SLOT.pack_into(segment.slots, segment.take(), 1, 2.0, 3.0, 4, POINT)


@pytest.mark.parametrize("mapped", [True, False])
def test_a_segment_reads_back_from_its_file(tmp_path, mapped):
    segment = file_segment(tmp_path, 7, 10, 100, mapped=mapped)
    place = segment.take()
    SLOT.pack_into(segment.slots, place, 1, 2.0, 3.0, 4, POINT)
    segment.write_through(place, segment.slots[place : place + SLOT_BYTES])
    offset = segment.put_text(b"hello")
    again = read_segment(segment.path)
    assert (again.number, again.end) == (7, 11)
    assert SLOT.unpack(again.raw(1, 2)) == (1, 2.0, 3.0, 4, POINT)
    assert again.text_at(offset, 5) == b"hello"
    segment.remove()
    assert list(tmp_path.iterdir()) == []


def test_the_whole_segment_is_reserved_before_it_is_used(tmp_path):
    segment = file_segment(tmp_path, 1, 1000, 4096)
    blocks = segment.path.stat().st_blocks * 512
    assert blocks >= segment.size_bytes


def test_a_segment_the_disk_refuses_leaves_nothing_behind(tmp_path):
    code = f"""
import resource, pathlib
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
from nbtrack.store.segments import file_segment
try:
    file_segment(pathlib.Path({str(tmp_path)!r}), 1, 1000, 0)
except OSError as exc:
    print(exc.errno)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert int(done.stdout) == 27, done.stderr  # EFBIG
    assert list(tmp_path.iterdir()) == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 1000


def test_a_sealed_segment_ends_where_it_was_sealed():
    segment = memory_segment(1, 100, 0)
    put(segment, 5)
    segment.seal()
    assert segment.end == 7  # five points and the slot that sealed it
    assert segment.marks(1, 7) == bytes([POINT] * 5 + [NOTHING])
    assert segment.take() >= len(segment.slots)


def test_a_full_segment_is_sealed_as_it_is():
    segment = memory_segment(1, 5, 0)
    put(segment, 5)
    segment.seal()
    assert segment.end == 6
    assert written(segment, 1, is_last=False).stop == 6


def test_a_hole_is_seen_only_with_written_slots_behind_it():
    segment = memory_segment(1, 10, 0)
    put(segment, 2)
    assert not written(segment, 1, is_last=True).has_hole
    segment.take()
    assert not written(segment, 3, is_last=True).has_hole
    put(segment, 1)
    assert written(segment, 3, is_last=True).has_hole
    assert written(segment, 3, is_last=True).stop == 3


@pytest.mark.parametrize("body", [b"", b"x" * 40, b"nbtJ" + b"\xff" * 60])
def test_a_file_that_is_no_segment_is_passed_over(tmp_path, body):
    path = tmp_path / "000001.seg"
    path.write_bytes(body)
    assert read_segment(path) is None


def test_no_segment_takes_the_name_of_another(tmp_path):
    file_segment(tmp_path, 1, 10, 0)
    with pytest.raises(FileExistsError):
        file_segment(tmp_path, 1, 10, 0)
    assert read_segment(tmp_path / "000001.seg") is not None

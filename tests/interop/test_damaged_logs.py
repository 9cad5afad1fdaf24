"""Logs of W&B and event files that are cut off, flipped or made to harm: what is whole
comes, nothing that is wrong does, and neither time nor memory run away."""

from __future__ import annotations

import struct
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from interop.wandb_log import chunk, write_log

from nbtrack.interop.tensorboard.crc32c import masked
from nbtrack.interop.tensorboard.messages import EVENT
from nbtrack.interop.tensorboard.records import framed
from nbtrack.interop.tensorboard.source import open_source as open_tensorboard
from nbtrack.interop.wandb.source import open_source as open_wandb

SAMPLES = Path(__file__).parent / "samples"
TOOLS = ["wandb small", "wandb large", "tensors", "scalars"]
some = settings(max_examples=20, suppress_health_check=list(HealthCheck), deadline=None)


class Logs(dict):
    """Logs by name; hypothesis shows what a test was called with."""

    def __repr__(self):
        return "logs"


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """A place, how it is opened, its good bytes and points: for each of the tools."""
    folder = tmp_path_factory.mktemp("damaged")
    [small] = (SAMPLES / "wandb" / "wandb").glob("*-fail1234/*.wandb")
    [large] = (SAMPLES / "wandb" / "wandb").glob("*-kill1234/*.wandb")
    [events] = (SAMPLES / "tensorboard" / "keras" / "train").glob("*")
    first, *_ = sorted((SAMPLES / "tensorboard" / "restarted").glob("*"))
    wandb, board = folder / "run-x.wandb", folder / "tfevents"
    return Logs(
        {
            "wandb small": (wandb, open_wandb, small.read_bytes()),
            "wandb large": (wandb, open_wandb, large.read_bytes()),
            "tensors": (board, open_tensorboard, events.read_bytes()),
            "scalars": (board, open_tensorboard, first.read_bytes()),
        }
    )


def taken(path, open_source, body):
    """All points that come of these bytes; None where it is refused as a whole."""
    path.write_bytes(body)
    [found] = open_source(str(path)).found()
    try:
        run = found.read()
    except ValueError:
        return None
    points = {
        (series.name, *point)
        for series in run.series
        for point in zip(series.steps, map(str, series.values), series.at, strict=True)
    }
    assert all(image.name for image in run.images)
    assert all(isinstance(notice, str) for notice in run.notices)
    return points


TOOLS = ["wandb small", "wandb large", "tensors", "scalars"]


long = pytest.mark.fuzz


@pytest.mark.parametrize(
    ("tool", "every"),
    [
        ("scalars", 1),
        ("wandb small", 9),
        pytest.param("wandb small", 1, marks=long),
        pytest.param("wandb large", 50, marks=long),
        pytest.param("tensors", 2, marks=long),
    ],
)
def test_cut_off_anywhere_what_is_whole_comes(log, tool, every):
    path, open_source, body = log[tool]
    n_before = 0
    for cut in [*range(0, len(body), every), len(body)]:
        points = taken(path, open_source, body[:cut])
        assert n_before <= len(points or ())
        n_before = len(points or ())
    assert n_before == len(taken(path, open_source, body)) > 0


@pytest.mark.parametrize("tool", ["wandb large", "tensors"])
@given(share=st.floats(0, 1))
@some
def test_a_large_one_cut_off_gives_points_of_the_whole(log, tool, share):
    path, open_source, body = log[tool]
    points = taken(path, open_source, body[: int(share * len(body))])
    check(points, taken(path, open_source, body))


@pytest.mark.parametrize("tool", TOOLS)
@given(flips=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), min_size=1))
@some
def test_flipped_bytes_bring_no_point_that_was_not_logged(log, tool, flips):
    path, open_source, body = log[tool]
    flipped = bytearray(body)
    for share, bits in flips:
        flipped[int(share * (len(body) - 1))] ^= bits
    check(taken(path, open_source, bytes(flipped)), taken(path, open_source, body))


def check(points, whole):
    """Nothing that was not logged. Where all points of a metric of W&B are lost, the
    number that its summary has counts as set by hand: a point of a time of its own."""
    points = points or set()
    assert points <= whole or len(points) == 1
    assert {(name, value) for name, _, value, _ in points} <= {
        (name, value) for name, _, value, _ in whole
    }


@pytest.mark.parametrize("tool", TOOLS)
@given(junk=st.binary(max_size=300), share=st.floats(0, 1))
@example(junk=bytes(300), share=0.0)
@some
def test_bytes_put_in_between_are_no_exception(log, tool, junk, share):
    path, open_source, body = log[tool]
    at = int(share * len(body))
    taken(path, open_source, body[:at] + junk + body[at:])


@pytest.mark.parametrize(("tool", "first"), [("wandb large", 20_000), ("scalars", 190)])
def test_a_flipped_byte_costs_at_most_a_record(log, tool, first):
    path, open_source, body = log[tool]
    whole = taken(path, open_source, body)
    n_costly = 0
    for place in range(first, first + 240, 4):  # over a whole record, and on
        flipped = bytearray(body)
        flipped[place] ^= 1
        points = taken(path, open_source, bytes(flipped))
        check(points, whole)
        n_costly += len(points) == len(whole) - 1
    assert n_costly > 5


def test_behind_a_wrong_length_the_next_record_is_found(log):
    path, open_source, body = log["scalars"]
    whole = taken(path, open_source, body)
    second = body.find(struct.pack("<Q", 29)[1:8], 30)
    assert second > 0
    broken = body[:second] + b"\xff" + body[second + 1 :]
    assert len(whole) - len(taken(path, open_source, broken)) <= 2


# ---- made to harm


def claim(length):
    """The head of a record of an event file, with the right checksum."""
    head = struct.pack("<Q", length)
    return head + struct.pack("<I", masked(head))


def nested(depth):
    body = b""
    for _ in range(depth):
        body = b"\x2a" + _varint(len(body)) + body  # field 5, again and again
    return body


def _varint(number):
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


HOSTILE_EVENTS = {
    "4 GB": claim(2**32) + b"x",
    "2**63": claim(2**63) + b"x",
    "zeros": bytes(3 * 2**20),
    "lengths of zero": claim(0) * 1000,
    "noise": bytes(n * n % 251 for n in range(2**18)),
    "nested": framed([nested(3000)]),
    "a tensor of 2**40": framed([
        EVENT.write({"summary": {"value": [{"tag": "x", "tensor": {
            "dtype": 1, "shape": {"dim": [{"size": 2**20}, {"size": 2**20}]},
            "floats": [1.0],
        }}]}})
    ]),
}  # fmt: skip
HOSTILE_LOGS = {
    "zeros": bytes(2**20),
    "noise": bytes(n * n % 251 for n in range(2**18)),
    "a first part without an end": chunk(b"\x92\x08" + bytes(500), 2) * 1000,
    "middle parts": chunk(bytes(1000), 3) * 1000,
    "empty records": chunk(b"", 1) * 20_000,
    "nested": chunk(nested(3000), 1),
    "a length beyond the block": struct.pack("<IHB", 0, 65535, 1) + bytes(70_000),
}


def measured(call):
    tracemalloc.start()
    began = time.monotonic()
    try:
        call()
        return time.monotonic() - began, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("body", HOSTILE_EVENTS.values(), ids=HOSTILE_EVENTS)
def test_hostile_event_files_take_little_time_and_memory(body, tmp_path):
    good = framed([EVENT.write({"wall_time": 1.0, "version": "brain.Event:2"})])
    path = tmp_path / "tfevents"
    took, memory = measured(lambda: taken(path, open_tensorboard, good + body))
    assert took < 5
    assert memory < 30 * 2**20


@pytest.mark.parametrize("body", HOSTILE_LOGS.values(), ids=HOSTILE_LOGS)
def test_hostile_logs_take_little_time_and_memory(body, tmp_path):
    path = write_log(tmp_path / "run-x.wandb", [{"run": {"id": "x"}}])
    good = path.read_bytes()
    took, memory = measured(lambda: taken(path, open_wandb, good + body))
    assert took < 5
    assert memory < 30 * 2**20

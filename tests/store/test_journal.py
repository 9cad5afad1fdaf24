"""The journal takes whatever is said to it, and says what it could not keep."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from nbtrack.guard import guard
from nbtrack.store import Store, mounts
from nbtrack.store.reserve import FIRST_SLOTS
from nbtrack.store.segments import SLOT, SLOT_BYTES


def begin(store, run="r", **more):
    store.journal.emit({"kind": "run_started", "run": run, "name": run, **more})
    return store.journal.series(run, "loss")


def test_points_go_on_from_segment_to_segment(store):
    series = begin(store)
    n = FIRST_SLOTS * 3
    for i in range(n):
        store.journal.point(series, i, float(i), 1e9)
    assert store.journal.flush()
    assert list(store.curve("r", "loss").values) == [float(i) for i in range(n)]
    left = os.listdir(store.path / "journal" / store.journal.session)
    assert sorted(left) in (
        ["000002.seg", "lock"],
        ["000001.seg", "000002.seg", "lock"],
    )


def test_drained_segments_are_removed(store):
    series = begin(store)
    for i in range(FIRST_SLOTS + 10):
        store.journal.point(series, i, 0.0, 1e9)
    assert store.journal.flush()
    time.sleep(0.5)
    left = os.listdir(store.path / "journal" / store.journal.session)
    assert sorted(left) == ["000002.seg", "lock"]


def test_an_event_larger_than_a_segment_is_kept_whole(store):
    source = "x = 'é'\n" * 300_000
    series = begin(store, source=source)
    store.journal.point(series, 0, 1.0, 1e9)
    assert store.journal.flush()
    assert store.run("r").source == source


@pytest.mark.parametrize("value", ["text", None, [1.0], 10**400])
def test_a_value_that_is_no_number_is_counted_and_warned_of_once(store, value):
    series = begin(store)
    store.journal.point(series, 0, value, 1e9)
    store.journal.point(series, 1, value, 1e9)
    store.journal.point(series, 2, 1.0, 1e9)
    assert store.journal.flush(1.0)
    assert list(store.curve("r", "loss").steps) == [2]
    assert store.journal.dropped == 2
    assert guard.failures["a value"] == 2


def test_a_step_beyond_int64_is_dropped_not_raised(store):
    series = begin(store)
    store.journal.point(series, 2**63, 1.0, 1e9)
    store.journal.point(series, 0, 1.0, 1e9)
    assert store.journal.flush(1.0)
    assert len(store.curve("r", "loss")) == 1


def test_events_that_json_cannot_hold_are_kept_as_text_or_counted(store):
    begin(store)
    odd = {"x": object(), "bytes": b"1"}
    params = [[name, value, "literal", None] for name, value in odd.items()]
    store.journal.emit({"kind": "params", "run": "r", "params": params})
    ring: list = []
    ring.append(ring)
    store.journal.emit({"kind": "params", "run": "r", "params": ring})
    assert store.journal.flush()
    assert store.run("r").params["bytes"].value == "b'1'"
    assert store.journal.dropped == 1


def test_text_that_sqlite_cannot_hold_is_kept_escaped(store):
    begin(store, notes="half \ud800 pair")
    store.journal.emit(
        {"kind": "params", "run": "r", "params": [["p", "\ud800é", "literal", None]]}
    )
    assert store.journal.flush()
    run = store.run("r")
    assert run.notes == "half \\ud800 pair"
    assert run.params["p"].value == "\ud800é"


@pytest.mark.parametrize(
    "value", [2**80, float("nan"), float("inf"), -0.0, "\0", {"a": [1, None, True]}]
)
def test_params_come_back_the_same(store, value):
    begin(store)
    store.journal.emit(
        {"kind": "params", "run": "r", "params": [["p", value, "literal", None]]}
    )
    assert store.journal.flush()
    assert repr(store.run("r").params["p"].value) == repr(value)


def test_events_that_are_not_understood_are_put_aside_with_a_warning(store):
    series = begin(store)
    store.journal.emit({"kind": "from the future", "run": "r", "x": 1})
    store.journal.emit({"kind": "tags", "run": "none", "set": {"a": None}})
    store.journal.emit({"kind": "run_changed", "run": "r", "fields": {"id": "evil"}})
    store.journal.emit({"no": "kind"})
    store.journal.point(series, 0, 1.0, 1e9)
    assert store.journal.flush()
    assert store.sql("select count(*) from unread")[1] == [(4,)]
    assert guard.failures["unread event"] == 4
    assert len(store.curve("r", "loss")) == 1


def test_series_are_numbered_once_per_run_name_and_axis(store):
    begin(store)
    series = store.journal.series
    assert series("r", "loss") == series("r", "loss")
    numbers = {
        series("r", "loss"), series("r", "acc"), series("q", "loss"),
        series("r", "epoch", axis_of="loss"), series("r", "epoch", axis_of="acc"),
    }  # fmt: skip
    assert len(numbers) == 5


def test_an_interrupted_slot_is_passed_and_taken_when_it_comes_after_all(store):
    series = begin(store)
    journal = store.journal
    assert journal.flush()
    segment = journal.segments[-1]
    place = segment.take()  # what a call does before Ctrl-C hits it
    journal.point(series, 1, 1.0, 1e9)
    assert journal.flush(5.0)
    assert list(store.curve("r", "loss").steps) == [1]
    SLOT.pack_into(segment.slots, place, 0, 0.5, 1e9, series, 1)
    time.sleep(0.6)
    assert list(store.curve("r", "loss").steps) == [0, 1]
    journal.point(series, 2, 2.0, 1e9)
    assert journal.flush()
    assert list(store.curve("r", "loss").steps) == [0, 1, 2]
    assert place % SLOT_BYTES == 0


def test_the_hot_call_stays_the_same_from_segment_to_segment(store):
    series = begin(store)
    point = store.journal.point
    for i in range(FIRST_SLOTS * 2):
        point(series, i, 0.0, 1e9)
    assert store.journal.point is point
    assert store.journal.flush()
    assert store.run("r").metrics["loss"].n == FIRST_SLOTS * 2


def test_after_closing_points_are_counted_not_raised(store):
    series = begin(store)
    journal = store.journal
    store.close()
    journal.point(series, 0, 1.0, 1e9)
    journal.emit({"kind": "tags", "run": "r"})
    assert journal.dropped == 2
    assert not journal.flush()


def test_points_of_a_purged_run_are_counted(store):
    series = begin(store)
    store.journal.point(series, 0, 1.0, 1e9)
    store.journal.emit({"kind": "run_finished", "run": "r", "status": "finished"})
    assert store.journal.flush()
    store.purge("r")
    other = begin(store, "q")
    store.journal.point(series, 1, 1.0, 1e9)
    store.journal.point(other, 1, 1.0, 1e9)
    assert store.journal.flush()
    time.sleep(0.3)
    assert store.journal.dropped == 1
    assert len(store.curve("q", "loss")) == 1


def test_r11_on_a_network_mount_neither_wal_nor_mmap_is_used(
    tmp_path, monkeypatch, store_path
):
    table = tmp_path / "mountinfo"
    table.write_text(
        f"1 1 0:1 / / rw - ext4 x rw\n2 1 0:2 / {tmp_path} rw - nfs4 x rw\n"
    )
    monkeypatch.setattr(mounts, "MOUNTINFO", table)
    store = Store.open(store_path)
    series = begin(store)
    for i in range(FIRST_SLOTS + 100):
        store.journal.point(series, i, float(i), 1e9)
    segment = store.journal.segments[-1]
    assert str(store_path) not in Path("/proc/self/maps").read_text()
    body = segment.path.read_bytes()
    assert body[: len(segment.slots)].count(b"\x01") >= 50  # written through
    assert store.journal.flush()
    assert store.sql("select 1") == (["1"], [(1,)])
    assert not (store_path / "nbtrack.db-wal").exists()
    assert len(store.curve("r", "loss")) == FIRST_SLOTS + 100
    store.close()

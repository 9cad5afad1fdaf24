"""R4: a call never raises and never waits, whatever has become of the store."""

from __future__ import annotations

import shutil
import time

import pytest
from examples import often

from nbtrack.guard import guard
from nbtrack.store import Store

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]
SECONDS = often(4, 60)
# The machine's own pauses, seen in a loop that does nothing, are not the call's.
P99_S, MAX_S = 0.001, 0.010


def timed_calls(journal, series, seconds):
    """The sorted times of calls over some seconds, bursts and pauses."""
    times, step, end = [], 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        for _ in range(200):
            began = time.perf_counter()
            journal.point(series, step, 0.5, 1e9)
            times.append(time.perf_counter() - began)
            step += 1
        time.sleep(0.005)
    return sorted(times)


def check(times, capsys, name):
    p99, p9999, longest = (
        times[int(0.99 * len(times))],
        times[-len(times) // 10_000 - 1],
        times[-1],
    )
    with capsys.disabled():
        print(
            f"\nR4 {name}: n {len(times)}, p50 {times[len(times) // 2] * 1e6:.2f} us,"
            f" p99 {p99 * 1e6:.1f} us, max {longest * 1e3:.1f} ms"
        )
    assert p99 < P99_S
    assert p9999 < MAX_S


@pytest.fixture
def begun(store):
    store.journal.emit({"kind": "run_started", "run": "r"})
    series = store.journal.series("r", "loss")
    assert store.journal.flush()
    return store.journal, series


@pytest.mark.parametrize("seconds", SECONDS)
def test_r04_in_fair_weather(begun, capsys, seconds):
    check(timed_calls(*begun, seconds), capsys, "fair weather")


@pytest.mark.parametrize("seconds", SECONDS)
def test_r04_while_another_process_holds_the_lock(begun, store, child, capsys, seconds):
    holder = child("hold_lock", store.path)
    assert holder.stdout.readline() == "held\n"
    check(timed_calls(*begun, seconds), capsys, "locked")
    holder.communicate("go\n")
    assert begun[0].flush(20.0)
    assert begun[0].dropped == 0


@pytest.mark.parametrize("seconds", SECONDS)
def test_r04_with_the_store_gone(begun, store, capsys, seconds):
    shutil.rmtree(store.path)
    times = timed_calls(*begun, seconds)
    check(times, capsys, "gone")
    assert begun[0].dropped == len(times)
    assert not begun[0].flush()
    assert guard.failures["store gone"] == 1


@pytest.mark.parametrize("seconds", SECONDS)
def test_r04_r07_with_the_disk_full(small_disk, capsys, seconds):
    store = Store.open(small_disk.path)
    store.journal.emit({"kind": "run_started", "run": "r"})
    series = store.journal.series("r", "loss")
    small_disk.fill()
    check(timed_calls(store.journal, series, seconds), capsys, "full disk")
    small_disk.enlarge()
    assert store.journal.flush(20.0)
    store.close()

"""The series of the machine under a run, its peaks, and the thread that takes them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest

import nbtrack
from nbtrack.capture import system
from nbtrack.guard import guard
from nbtrack.records import SYSTEM_PREFIX
from nbtrack.tracking import system_part
from nbtrack.tracking.ticker import Ticker, ticker

ALWAYS = {"rss_bytes", "ram_percent", "process_cpu_percent", "disk_free_bytes"}


def named(record) -> set[str]:
    return {name.removeprefix(SYSTEM_PREFIX) for name in record.system}


def test_a_run_that_is_over_at_once_has_a_sample(store_path):
    with nbtrack.start("short") as run:
        pass
    record = run.record()
    assert named(record) >= ALWAYS
    assert record.peak_rss_bytes > 1_000_000


def test_a_longer_run_has_samples_in_order_on_a_time_axis_of_its_own(
    store_path, monkeypatch
):
    monkeypatch.setattr(system_part, "EVERY_S", 0.1)
    before = time.time()
    with nbtrack.start("long") as run:
        run.log(loss=1.0, step=1_000)
        time.sleep(0.6)
    curve = run.store.curve(run.id, "system/rss_bytes")
    assert len(curve) >= 4
    assert list(curve.steps) == list(range(len(curve)))
    assert list(curve.at) == sorted(curve.at)
    assert before <= curve.at[0]
    assert curve.at[-1] <= time.time()
    assert named(run.record()) >= {*ALWAYS, "cpu_percent", "disk_read_bytes_per_s"}


def test_the_machine_is_no_metric_of_the_run(store_path):
    with nbtrack.start("base") as run:
        run.log(loss=0.5)
        assert run.latest_metrics() == {"loss": 0.5}
        assert run.latest_step() == 0
    record = run.record()
    assert list(record.metrics) == ["loss"]
    assert {m.goal for m in record.system.values()} == {None}
    assert "system" not in str(list(nbtrack.runs().columns))


def test_every_live_run_is_served_by_one_thread(store_path):
    with nbtrack.start("outer") as outer, nbtrack.start("inner") as inner:
        time.sleep(0.2)
        threads = [t.name for t in threading.enumerate()]
        assert threads.count("nbtrack-ticker") == 1
    assert outer.record().system["system/rss_bytes"].n >= 2
    assert inner.record().system["system/rss_bytes"].n >= 2


def test_without_runs_nothing_looks_any_more(store_path):
    with nbtrack.start("base"):
        pass
    assert ticker.is_quiet(timeout_s=3.0)
    assert system_part._machine._probes is None


def test_the_feature_can_be_switched_off(store_path):
    with nbtrack.start("base", off="system") as run:
        pass
    assert run.record().system == {}
    assert run.record().peak_rss_bytes is None


def test_a_block_between_two_samples_is_seen_in_the_peak(store_path):
    with nbtrack.start("base") as run:
        time.sleep(0.1)
        at_rest = system.resident_bytes("self")
        block = bytearray(int(system.high_water_bytes() - at_rest) + 80_000_000)
        size = len(block)
        del block
    assert run.record().peak_rss_bytes > at_rest + size - 8_000_000
    facts = run.store.facts(run.id)
    assert "mark" in facts["system.peak_rss_from"].value


def test_the_peak_of_an_earlier_run_is_not_the_peak_of_the_next(store_path):
    with nbtrack.start("big") as big:
        block = bytearray(200_000_000)
        time.sleep(0.1)
        del block
    with nbtrack.start("small") as small:
        time.sleep(0.1)
    high, low = big.record().peak_rss_bytes, small.record().peak_rss_bytes
    assert high > low + 150_000_000
    assert "samples" in small.store.facts(small.id)["system.peak_rss_from"].value


def test_why_there_is_no_gpu_is_a_fact(store_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with nbtrack.start("base") as run:
        time.sleep(0.2)
    run.record()
    fact = run.store.facts(run.id)["system.gpu"]
    assert "pynvml does not import" in fact.missing
    assert run.record().peak_vram_bytes is None


class OneGpu:
    """Stands in for the driver: there is no GPU where these tests run."""

    own = 1_000_000_000.0

    def read(self) -> dict[str, float]:
        OneGpu.own += 500_000_000.0
        return {"gpu0_util_percent": 40.0, "gpu0_own_memory_bytes": OneGpu.own}


def test_gpus_are_series_and_their_memory_has_a_peak(store_path, monkeypatch):
    monkeypatch.setattr(system_part, "Nvidia", OneGpu)
    monkeypatch.setattr(system_part, "EVERY_S", 0.05)
    with nbtrack.start("base") as run:
        time.sleep(0.4)
    record = run.record()
    assert record.system["system/gpu0_util_percent"].last == 40.0
    assert record.peak_vram_bytes == OneGpu.own
    assert "samples" in run.store.facts(run.id)["system.peak_vram_from"].value


def test_torchs_mark_is_the_peak_where_it_rose(store_path, monkeypatch):
    mark = iter([1_000.0, 9_000.0])
    monkeypatch.setattr(system_part, "torch_peak_bytes", lambda: next(mark))
    with nbtrack.start("base") as run:
        pass
    assert run.record().peak_vram_bytes == 9_000


def _broken(*_):
    raise RuntimeError("no")


def test_a_probe_that_breaks_leaves_run_and_other_series_alone(
    store_path, monkeypatch, capsys
):
    monkeypatch.setattr(system_part.Memory, "read", _broken)
    with nbtrack.start("base") as run:
        run.log(loss=0.5)
        time.sleep(0.1)
    record = run.record()
    assert record.metrics["loss"].last == 0.5
    assert "disk_free_bytes" in named(record)
    assert "rss_bytes" not in named(record)
    assert run.store.facts(run.id)["system.memory"].missing == "RuntimeError: no"
    assert capsys.readouterr().err.count("memory probe failed") == 1


def test_a_sampler_that_breaks_is_one_warning(store_path, monkeypatch, capsys):
    monkeypatch.setattr(system_part.Machine, "follow", _broken)
    with nbtrack.start("base") as run:
        run.log(loss=0.5)
    assert run.record().metrics["loss"].last == 0.5
    assert capsys.readouterr().err.count("system failed and was left out") == 1


def test_a_driver_that_hangs_does_not_hold_up_the_end(store_path, monkeypatch):
    release = threading.Event()

    class Hanging:
        def read(self):
            release.wait(10)
            return {}

    monkeypatch.setitem(system_part._PROBES, "torch", Hanging)
    with nbtrack.start("base") as run:
        time.sleep(0.05)
        start = time.monotonic()
    assert time.monotonic() - start < 2.0
    assert run.status == "finished"
    release.set()
    assert ticker.is_quiet(timeout_s=3.0)


def test_a_forked_child_samples_nothing(store_path):
    with nbtrack.start("base") as run:
        time.sleep(0.1)
        reading, writing = os.pipe()
        if (child := os.fork()) == 0:
            names = [thread.name for thread in threading.enumerate()]
            idle = not system_part._machine._followed and ticker._inert
            os.write(writing, b"idle" if idle and len(names) == 1 else b"busy")
            os._exit(0)
        os.waitpid(child, 0)
        assert os.read(reading, 10) == b"idle"
        os.close(reading)
        os.close(writing)
    assert run.record().status == "finished"


KILLED = """
import os, signal, time, nbtrack
from nbtrack.tracking import system_part
system_part.TELL_PEAK_EVERY_S, system_part.EVERY_S = 0.0, 0.1
run = nbtrack.start("killed")
block = bytearray(90_000_000)
time.sleep(0.5)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_peak_of_a_killed_process_is_kept(store_path):
    subprocess.run([sys.executable, "-c", KILLED], check=False)
    record = nbtrack.open().run("last")
    assert record.status == "crashed"
    assert record.peak_rss_bytes > 90_000_000
    assert record.system["system/rss_bytes"].n >= 3


def test_begin_returns_at_once(store_path):
    with nbtrack.start("warm"):
        pass
    with nbtrack.start("base", off="system") as run:
        part, costs = system_part.SystemPart(), []
        for _ in range(5):
            start = time.perf_counter()
            part.begin(run)
            costs.append(time.perf_counter() - start)
            part.end(run)
    assert min(costs) < 1e-3


# -- the ticker ----------------------------------------------------------------------


def test_a_call_comes_again_as_often_as_it_says():
    own, waits = Ticker(), iter([0.01, 0.01, None])
    calls = []

    def call():
        calls.append(time.monotonic())
        return next(waits)

    own.call(call, feature="test")
    assert own.is_quiet(timeout_s=2.0)
    assert len(calls) == 3


def test_a_call_that_raises_is_called_no_more_and_the_others_go_on(capsys):
    own, said = Ticker(), []
    own.call(_broken, feature="broken")
    own.call(lambda: said.append("fine"), feature="test")
    assert own.is_quiet(timeout_s=2.0)
    assert said == ["fine"]
    assert guard.failures["broken"] == 1


def test_a_call_that_was_dropped_is_not_called():
    own = Ticker()
    calls = []

    def call():
        calls.append(1)
        return 0.05

    own.call(call, feature="test")
    while not calls:
        time.sleep(0.001)
    own.drop(call)
    assert own.is_quiet(timeout_s=1.0)
    n = len(calls)
    time.sleep(0.1)
    assert len(calls) == n


@pytest.mark.parametrize("age_s", [0.0, 601.0])
def test_old_runs_are_looked_at_less_often(store_path, age_s):
    with nbtrack.start("base", off="system") as run:
        own = system_part.Machine()
        own.follow(run)
        own._followed[0].since -= age_s
        expected = system_part.EVERY_S if age_s < 600 else system_part.LATER_EVERY_S
        assert own._tick() == expected
        own.leave(run)
        assert own._tick() is None
        ticker.drop(own._tick)

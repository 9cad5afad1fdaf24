"""Memory and CPU of the process and the machine."""

import time

import psutil

from nbtrack.capture.system import SystemSampler


def test_memory_is_what_the_operating_system_says():
    sample = SystemSampler().sample()
    assert abs(sample["rss_bytes"] - psutil.Process().memory_info().rss) < 8e6
    assert 0 < sample["ram_percent"] <= 100


def test_the_peak_stays_when_memory_is_given_back():
    sampler = SystemSampler()
    before = sampler.sample()
    block = bytearray(64_000_000)
    high = sampler.sample()
    del block
    after = sampler.sample()
    assert high["rss_bytes"] > before["rss_bytes"] + 50_000_000
    assert after["rss_bytes"] < high["rss_bytes"] - 50_000_000
    assert after["peak_rss_bytes"] == high["rss_bytes"]


def test_process_cpu_is_the_share_since_the_sample_before():
    now, used = [100.0], [5.0]
    sampler = SystemSampler(clock=lambda: now[0], cpu_clock=lambda: used[0])
    now[0], used[0] = 102.0, 8.0
    assert sampler.sample()["process_cpu_percent"] == 150.0
    now[0] = 103.0
    assert sampler.sample()["process_cpu_percent"] == 0.0


def test_a_clock_that_stands_still_gives_zero():
    sampler = SystemSampler(clock=lambda: 1.0)
    assert sampler.sample()["process_cpu_percent"] == 0.0


def test_a_busy_process_shows():
    sampler = SystemSampler()
    end = time.process_time() + 0.05
    while time.process_time() < end:
        pass
    assert sampler.sample()["process_cpu_percent"] > 5


def test_samplers_do_not_take_each_others_share_of_the_machine():
    first, second = SystemSampler(), SystemSampler()
    end = time.monotonic() + 0.1
    while time.monotonic() < end:
        pass
    assert first.sample()["cpu_percent"] > 100 / (2 * psutil.cpu_count())
    assert second.sample()["cpu_percent"] > 100 / (2 * psutil.cpu_count())
    assert first.sample()["cpu_percent"] <= 100


def test_a_sample_costs_little():
    sampler = SystemSampler()

    def cost() -> float:
        start = time.process_time()
        for _ in range(50):
            sampler.sample()
        return (time.process_time() - start) / 50

    assert min(cost() for _ in range(5)) < 300e-6  # 70 us on an idle machine

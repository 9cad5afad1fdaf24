"""Memory and CPU of the process and the machine."""

import os
import subprocess
import sys
import time
from types import ModuleType, SimpleNamespace

import psutil
import pytest

from nbtrack.capture import system, system_io
from nbtrack.capture.gpu_load import Nvidia, TorchMemory, torch_peak_bytes
from nbtrack.capture.system import (
    Memory,
    NotHereError,
    Probes,
    Rates,
    SystemSampler,
)
from nbtrack.capture.system_io import Children, Disk, DiskFree, Network


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


# -- probes ------------------------------------------------------------------------


class Raising:
    """A probe that breaks after its first look."""

    def __init__(self) -> None:
        self.looks = 0

    def read(self) -> dict[str, float]:
        self.looks += 1
        if self.looks > 1:
            raise RuntimeError("the driver is gone")
        return {"broken": 1.0}


def test_a_probe_that_breaks_is_left_out_and_said_once(capsys):
    raising = Raising()
    probes = Probes({"GPU": lambda: raising, "memory": Memory})
    assert "broken" in probes.read()
    for _ in range(3):
        sample = probes.read()
        assert "rss_bytes" in sample
        assert "broken" not in sample
    assert raising.looks == 2
    assert probes.missing == {"GPU": "RuntimeError: the driver is gone"}
    assert capsys.readouterr().err.count("the GPU probe failed") == 1


def test_what_a_machine_does_not_have_is_a_fact_and_no_warning(capsys, tmp_path):
    probes = Probes({"disk space": lambda: DiskFree(tmp_path / "none"), "GPU": _no_gpu})
    assert set(probes.missing) == {"GPU"}
    assert probes.missing["GPU"] == "no driver"
    assert capsys.readouterr().err == ""


def _no_gpu():
    raise NotHereError("no driver")


def test_without_proc_the_line_comes_from_psutil(monkeypatch, tmp_path):
    monkeypatch.setattr(system, "PROC", tmp_path / "none")
    sample = SystemSampler().sample()
    assert abs(sample["rss_bytes"] - psutil.Process().memory_info().rss) < 8e6
    assert 0 < sample["ram_percent"] <= 100


def test_psutil_raising_is_said_once_and_costs_nothing_else(
    monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr(system, "PROC", tmp_path / "none")
    monkeypatch.setattr(psutil, "virtual_memory", _no_gpu)
    probes = Probes({"memory": Memory, "disk space": lambda: DiskFree(tmp_path)})
    assert list(probes.read()) == ["disk_free_bytes"]
    assert list(probes.read()) == ["disk_free_bytes"]
    assert capsys.readouterr().err.count("the memory probe failed") == 1


def test_rates_of_looks_that_are_too_close_are_not_made_up():
    now = [0.0]
    rates = Rates(clock=lambda: now[0])
    assert rates.since({"read": 1e6}) == {}
    now[0] = 0.01
    assert rates.since({"read": 2e6}) == {}
    now[0] = 2.0
    assert rates.since({"read": 3e6}) == {"read": 1e6}
    now[0] = 3.0
    assert rates.since({"read": 5.0}) == {"read": 0.0}  # the counter began anew


def test_bytes_written_to_the_disk_show(tmp_path):
    now = [0.0]
    disk = Disk(clock=lambda: now[0])
    before = psutil.disk_io_counters()
    with (tmp_path / "block").open("wb") as file:
        file.write(os.urandom(8_000_000))
        file.flush()
        os.fsync(file.fileno())
    after = psutil.disk_io_counters()
    now[0] = 1.0
    if after is None or after.write_bytes - before.write_bytes < 8_000_000:
        pytest.skip("the folder for tests is on no disk that the kernel counts")
    written = disk.read()["disk_write_bytes_per_s"]
    assert written >= 8_000_000


@pytest.mark.parametrize(
    ("name", "is_disk"),
    [
        ("sda", True), ("sda1", False), ("nvme0n1", True), ("nvme0n1p2", False),
        ("vda", True), ("mmcblk0", True), ("mmcblk0p1", False), ("loop3", False),
        ("dm-0", False), ("zram0", False), ("xvda", True),
    ],
)  # fmt: skip
def test_whole_disks_are_told_from_parts_and_layers(name, is_disk):
    assert system_io._is_whole_disk(name.encode()) is is_disk


def test_traffic_within_the_machine_is_no_network(monkeypatch, tmp_path):
    (tmp_path / "net").mkdir()
    now = [0.0]
    monkeypatch.setattr(system, "PROC", tmp_path)
    _net_dev(tmp_path, lo=1, eth0=100, veth3=7)
    network = Network(clock=lambda: now[0])
    _net_dev(tmp_path, lo=9_000, eth0=300, veth3=9_000)
    now[0] = 2.0
    assert network.read() == {
        "network_received_bytes_per_s": 100.0,
        "network_sent_bytes_per_s": 200.0,
    }


def _net_dev(folder, **received):
    rows = [
        f"{name}: {n} 0 0 0 0 0 0 0 {2 * n} 0 0 0 0 0 0 0"
        for name, n in received.items()
    ]
    (folder / "net" / "dev").write_text("\n".join(["Inter-|", " face |", *rows]))


def test_children_count_once_they_are_there_and_when_they_are_gone():
    now = [0.0]
    children = Children(clock=lambda: now[0])
    known = {child.pid for child in psutil.Process().children()}
    if not known:
        assert children.read() == {}
    # A warm process of other tests may be a child of this one.
    before = Children(clock=lambda: now[0]).read().get("children_rss_bytes", 0)
    code = "x = bytearray(40_000_000); print(flush=True); input()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as child:
        child.stdout.readline()
        now[0] += 10
        assert children.read()["children_rss_bytes"] > before + 40_000_000
        child.communicate(b"\n")
    assert children.read()["children_rss_bytes"] < before + 40_000_000


def test_the_high_water_mark_stays_when_memory_is_given_back():
    block = bytearray(64_000_000)
    high = system.high_water_bytes()
    del block
    assert system.resident_bytes("self") < high
    assert system.high_water_bytes() > high - 1_000_000  # the kernel counts roughly


# -- GPUs: there is none where these tests run, so the driver is a stand-in ----------


class FakeNvml(ModuleType):
    """What `Nvidia` uses of pynvml, over two devices that can be told to die."""

    NVML_TEMPERATURE_GPU = 0

    class NVMLError(Exception):
        pass

    class NVMLError_NotSupported(NVMLError):
        pass

    def __init__(self) -> None:
        super().__init__("pynvml")
        self.is_dead = False

    def nvmlInit(self):
        pass

    def nvmlDeviceGetCount(self):
        return 2

    def nvmlDeviceGetHandleByIndex(self, index):
        return index

    def nvmlDeviceGetUUID(self, handle):
        return f"GPU-{handle}abc"

    def nvmlDeviceGetUtilizationRates(self, handle):
        if self.is_dead:
            raise self.NVMLError("GPU is lost")
        return SimpleNamespace(gpu=40 + handle)

    def nvmlDeviceGetMemoryInfo(self, handle):
        return SimpleNamespace(used=5_000_000_000)

    def nvmlDeviceGetPowerUsage(self, handle):
        raise self.NVMLError_NotSupported("no power meter")

    def nvmlDeviceGetTemperature(self, handle, kind):
        return 61

    def nvmlDeviceGetComputeRunningProcesses(self, handle):
        return [
            SimpleNamespace(pid=os.getpid(), usedGpuMemory=2_000_000_000),
            SimpleNamespace(pid=1, usedGpuMemory=3_000_000_000),
        ]


@pytest.fixture
def nvml(monkeypatch):
    fake = FakeNvml()
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return fake


def test_a_gpu_tells_what_it_measures_and_leaves_out_what_not(nvml):
    sample = Nvidia().read()
    assert sample["gpu0_util_percent"] == 40.0
    assert sample["gpu1_util_percent"] == 41.0
    assert sample["gpu0_memory_bytes"] == 5e9
    assert sample["gpu0_own_memory_bytes"] == 2e9
    assert sample["gpu0_temperature_c"] == 61.0
    assert "gpu0_power_watts" not in sample


@pytest.mark.parametrize(
    ("visible", "seen"),
    [("1", {"gpu1"}), ("GPU-0abc", {"gpu0"}), ("0,1", {"gpu0", "gpu1"})],
)
def test_only_the_gpus_of_this_process_are_asked(nvml, monkeypatch, visible, seen):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert {name.partition("_")[0] for name in Nvidia().read()} == seen


def test_a_process_that_hides_all_gpus_has_none(nvml, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(NotHereError, match="no GPU that this process may use"):
        Nvidia()


def test_a_driver_that_dies_mid_run_is_said_once(nvml, capsys):
    probes = Probes({"GPU": Nvidia, "memory": Memory})
    assert "gpu0_util_percent" in probes.read()
    nvml.is_dead = True
    assert "gpu0_util_percent" not in probes.read()
    assert "rss_bytes" in probes.read()
    assert capsys.readouterr().err.count("the GPU probe failed") == 1


def test_the_real_driver_library_says_why_there_is_no_gpu():
    probes = Probes({"GPU": Nvidia})
    if "GPU" not in probes:
        assert "NVIDIA driver" in probes.missing["GPU"]


def test_no_look_imports_torch_or_initialises_cuda():
    code = (
        "import sys; from nbtrack.capture.gpu_load import *; "
        "assert TorchMemory().read() == {}; assert torch_peak_bytes() is None; "
        "assert 'torch' not in sys.modules; print('fine')"
    )
    assert subprocess.check_output([sys.executable, "-c", code]).strip() == b"fine"


def test_torch_is_asked_only_after_the_users_code_initialised_cuda(monkeypatch):
    cuda = SimpleNamespace(
        is_initialized=lambda: False,
        device_count=lambda: 2,
        memory_allocated=lambda index: 100 * (index + 1),
        max_memory_allocated=lambda index: 1_000,
    )
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    assert TorchMemory().read() == {}
    cuda.is_initialized = lambda: True
    assert TorchMemory().read() == {
        "cuda0_allocated_bytes": 100.0,
        "cuda1_allocated_bytes": 200.0,
    }
    assert torch_peak_bytes() == 2_000.0

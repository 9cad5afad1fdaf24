"""The machine as facts: read from real files, from files of others, and from none."""

from __future__ import annotations

import json
import os
import re
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from nbtrack.capture.machine import gpu_facts, machine_facts


def facts_of(**options) -> dict:
    return {fact.name: fact for fact in machine_facts(**options)}


def written(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_this_machine_is_described():
    facts = facts_of()
    assert facts["cpu.logical"].value == os.cpu_count()
    assert 1 <= facts["cpu.usable"].value <= os.cpu_count()
    assert facts["ram.total_bytes"].value > 100_000_000
    assert facts["os.kernel"].value == f"{os.uname().sysname} {os.uname().release}"
    told = Path("/proc/cpuinfo").read_text()
    if "avx2" in told:
        assert "avx2" in facts["cpu.isa"].value
    for fact in facts.values():
        assert (fact.value is None) == (fact.missing is not None), fact


def test_no_name_of_a_person_or_a_host_is_in_it():
    text = json.dumps([(f.name, f.value, f.missing) for f in machine_facts()])
    assert json.dumps(socket.gethostname()) not in text


CPUINFO = """\
processor\t: 0
model name\t: Some CPU @ 2.00GHz
physical id\t: 0
core id\t\t: 0
flags\t\t: fpu sse4_2 avx avx2 fma avx512f hypervisor

processor\t: 1
physical id\t: 0
core id\t\t: 0

processor\t: 2
physical id\t: 0
core id\t\t: 1
"""


def test_files_of_another_machine_are_read(tmp_path):
    files = {
        "proc/cpuinfo": CPUINFO,
        "proc/meminfo": "MemTotal:       16000 kB\n",
        "etc/os-release": 'NAME="X"\nPRETTY_NAME="Some Linux 7"\n',
        "sys/fs/cgroup/cpu.max": "150000 100000\n",
        "sys/fs/cgroup/memory.max": "8000000\n",
    }
    facts = facts_of(root=written(tmp_path, files), environment={})
    told = {name: fact.value for name, fact in facts.items()}
    assert told["cpu.model"] == "Some CPU @ 2.00GHz"
    assert told["cpu.isa"] == ["sse4_2", "avx", "avx2", "fma", "avx512f"]
    assert told["cpu.physical"] == 2
    assert told["cpu.quota"] == 1.5
    assert told["cpu.usable"] <= 2
    assert told["ram.total_bytes"] == 16_384_000
    assert told["ram.limit_bytes"] == 8_000_000
    assert told["os.name"] == "Some Linux 7"


def test_an_arm_processor_is_described(tmp_path):
    info = "processor\t: 0\nFeatures\t: fp asimd sve\nCPU part\t: 0xd0c\n"
    facts = facts_of(root=written(tmp_path, {"proc/cpuinfo": info}), environment={})
    assert facts["cpu.model"].value == "ARM part 0xd0c"
    assert facts["cpu.isa"].value == ["asimd", "sve"]
    assert facts["cpu.physical"].missing


def test_what_cannot_be_read_is_missing_with_its_reason(tmp_path):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").mkdir()  # reading it raises IsADirectoryError
    files = {"sys/fs/cgroup/cpu.max": "gibberish", "sys/fs/cgroup/memory.max": "max"}
    facts = facts_of(root=written(tmp_path, files), environment={})
    assert "directory" in facts["cpu.model"].missing
    assert "No such file" in facts["ram.total_bytes"].missing
    assert "ram.limit_bytes" not in facts
    assert facts["cpu.usable"].value >= 1
    assert facts["container.kind"].missing == "no container was seen"


@pytest.mark.parametrize(
    ("files", "marks", "kind", "image"),
    [
        ({".dockerenv": ""}, {}, "docker", None),
        (
            {"run/.containerenv": 'engine="podman"\nimage="example/x:1"\n'},
            {},
            "podman",
            "example/x:1",
        ),
        ({"proc/1/cgroup": "0::/kubepods/burstable/x\n"}, {}, "kubernetes", None),
        (
            {},
            {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "JUPYTER_IMAGE": "hub/lab:2"},
            "kubernetes",
            "hub/lab:2",
        ),
        ({}, {"APPTAINER_CONTAINER": "/home/ada/a.sif"}, "apptainer", "a.sif"),
    ],
)
def test_containers_are_known_by_their_marks(tmp_path, files, marks, kind, image):
    facts = facts_of(root=written(tmp_path, files), environment=marks)
    assert facts["container.kind"].value == kind
    assert facts["container.image"].value == image
    if image is None:
        assert "does not tell" in facts["container.image"].missing
    assert "10.0.0.1" not in repr(facts)


class NVMLError(Exception):
    pass


class NVMLError_LibraryNotFound(NVMLError):
    pass


def stand_in(**changes):
    """A module like pynvml, of a machine with two GPUs."""
    made = SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlShutdown=lambda: None,
        nvmlDeviceGetCount=lambda: 2,
        nvmlSystemGetDriverVersion=lambda: b"555.42",
        nvmlSystemGetCudaDriverVersion=lambda: 12050,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetName=lambda device: f"Some GPU {device}",
        nvmlDeviceGetMemoryInfo=lambda device: SimpleNamespace(total=80 << 30),
        nvmlDeviceGetCudaComputeCapability=lambda device: (9, 0),
    )
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def raising(exc):
    def fail(*args):
        raise exc

    return fail


def test_gpus_are_described_by_the_driver():
    told = {fact.name: fact.value for fact in gpu_facts(stand_in())}
    assert told == {
        "gpu.count": 2,
        "gpu.driver": "555.42",
        "gpu.cuda_driver": "12.5",
        "gpu.0.name": "Some GPU 0",
        "gpu.0.memory_bytes": 80 << 30,
        "gpu.0.capability": "9.0",
        "gpu.1.name": "Some GPU 1",
        "gpu.1.memory_bytes": 80 << 30,
        "gpu.1.capability": "9.0",
    }


def test_no_driver_is_a_reason_and_not_an_error():
    missing = gpu_facts(stand_in(nvmlInit=raising(NVMLError_LibraryNotFound("no"))))
    assert {fact.missing for fact in missing} == {"no NVIDIA driver on this machine"}
    assert next(fact.name for fact in missing) == "gpu.count"
    assert all(fact.value is None for fact in missing)


def test_a_driver_that_fails_halfway_keeps_what_it_said():
    lost = raising(NVMLError("GPU is lost"))
    facts = gpu_facts(stand_in(nvmlDeviceGetHandleByIndex=lost))
    told = {fact.name: fact for fact in facts}
    assert told["gpu.count"].value == 2
    assert told["gpu.0.name"].missing == "the NVIDIA driver does not tell: GPU is lost"

    facts = gpu_facts(stand_in(nvmlDeviceGetMemoryInfo=raising(RuntimeError("odd"))))
    told = {fact.name: fact for fact in facts}
    assert told["gpu.1.memory_bytes"].missing == "odd"
    assert told["gpu.1.name"].value == "Some GPU 1"


def test_without_the_library_that_is_the_reason(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert {fact.missing for fact in gpu_facts()} == {"nvidia-ml-py is not installed"}


def test_the_kernels_flags_are_those_that_move_bits():
    facts = facts_of()
    if facts["cpu.isa"].value is not None:
        assert all(re.fullmatch(r"\w+", flag) for flag in facts["cpu.isa"].value)
        assert len(facts["cpu.isa"].value) <= 21

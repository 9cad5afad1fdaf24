"""The machine under a run: system, processor, memory, GPUs, the container around it.

Constant as long as the process lives, so it is read once, in the background. Every
fact stands alone: one that cannot be had is kept as missing, with its reason. No host
name, no user name, no address, no serial number.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from nbtrack.guard import tolerated
from nbtrack.records import Fact
from nbtrack.text import shorten

ROOT = Path("/")
# Those that change in which order, and how exactly, numbers are added and multiplied.
_ISA = (
    *("sse4_2", "avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512dq"),
    *("avx512vl", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16"),
    *("amx_int8", "asimd", "asimdhp", "neon", "bf16", "sve", "sve2"),
)
_HUGE = 1 << 60  # bytes; control groups write "no limit" as about 2**63
_GPU_FACTS = ("gpu.count", "gpu.driver", "gpu.cuda_driver", "gpu.0.name")
_IMAGE_VARIABLES = (
    *("JUPYTER_IMAGE_SPEC", "JUPYTER_IMAGE", "CONTAINER_IMAGE"),
    *("APPTAINER_CONTAINER", "SINGULARITY_CONTAINER"),
)


def machine_facts(
    *,
    root: Path = ROOT,
    environment: Mapping[str, str] | None = None,
    nvml: Any = None,  # a module like pynvml
) -> list[Fact]:
    """What is known of the machine.

    Parameters
    ----------
    root : path, optional
        Under which /proc, /sys, /etc and /run are read.
    environment : mapping, optional
        In which a container's marks are looked for; default: this process's.
    nvml : module, optional
        Default: `pynvml`.

    Examples
    --------
    >>> facts = {fact.name: fact for fact in machine_facts()}
    >>> facts["cpu.usable"].value >= 1
    True
    """
    marks = os.environ if environment is None else environment
    facts = [*_system(root), *_processor(root), *_memory(root)]
    facts += _container(root, marks)
    return facts + gpu_facts(nvml)


def gpu_facts(nvml: Any = None) -> list[Fact]:
    """The GPUs, by the driver's own library; torch is not asked to look for them."""
    facts: list[Fact] = []
    reasons: list[str] = []
    with tolerated(lambda exc: reasons.append(_why_no_gpu(exc))):
        library = nvml or importlib.import_module("pynvml")
        library.nvmlInit()
        for fact in _gpus(library):  # those before the one that fails are kept
            facts.append(fact)
        library.nvmlShutdown()
    known = {fact.name for fact in facts}
    missing = [name for name in _GPU_FACTS if name not in known]
    why = reasons[0] if reasons else "the driver shows no GPU"
    return facts + [Fact(name, missing=why) for name in missing]


def _why_no_gpu(exc: Exception) -> str:
    if isinstance(exc, ImportError):
        return "nvidia-ml-py is not installed"
    if type(exc).__name__ == "NVMLError_LibraryNotFound":
        return "no NVIDIA driver on this machine"
    return shorten(f"the NVIDIA driver does not tell: {exc}", 200)


def _gpus(nvml: Any) -> Iterator[Fact]:
    n = int(nvml.nvmlDeviceGetCount())
    yield Fact("gpu.count", n)
    yield _fact("gpu.driver", lambda: _text(nvml.nvmlSystemGetDriverVersion()))
    yield _fact("gpu.cuda_driver", lambda: _cuda_text(nvml))
    for index in range(n):
        device = nvml.nvmlDeviceGetHandleByIndex(index)
        room = f"gpu.{index}"
        yield _fact(f"{room}.name", partial(_device_name, nvml, device))
        yield _fact(f"{room}.memory_bytes", partial(_device_bytes, nvml, device))
        yield _fact(f"{room}.capability", partial(_capability, nvml, device))


def _device_name(nvml: Any, device: Any) -> str:
    return _text(nvml.nvmlDeviceGetName(device))


def _device_bytes(nvml: Any, device: Any) -> int:
    return int(nvml.nvmlDeviceGetMemoryInfo(device).total)


def _capability(nvml: Any, device: Any) -> str:
    major, minor = nvml.nvmlDeviceGetCudaComputeCapability(device)
    return f"{major}.{minor}"


def _cuda_text(nvml: Any) -> str:
    version = int(nvml.nvmlSystemGetCudaDriverVersion())
    return f"{version // 1000}.{version % 1000 // 10}"


def _text(value: Any) -> str:
    """Older versions of the library give bytes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _system(root: Path) -> Iterator[Fact]:
    told = os.uname() if hasattr(os, "uname") else None
    yield _fact("os.name", lambda: _os_name(root) or (told and told.sysname))
    yield _fact("os.kernel", lambda: told and f"{told.sysname} {told.release}")
    yield _fact("os.machine", lambda: told and told.machine)
    yield _fact("os.libc", _libc)


def _os_name(root: Path) -> str | None:
    try:
        text = (root / "etc/os-release").read_text("utf-8", "replace")
    except OSError:
        return None
    found = re.search(r'^PRETTY_NAME="?([^"\n]*)', text, re.MULTILINE)
    return found[1] if found else None


def _libc() -> str:
    try:
        known = os.confstr("CS_GNU_LIBC_VERSION")
    except (ValueError, AttributeError):
        known = None
    if known:
        return known
    import platform  # 6 ms, and only here

    return " ".join(platform.libc_ver()).strip() or "not glibc"


def _processor(root: Path) -> Iterator[Fact]:
    info = root / "proc/cpuinfo"
    yield _fact("cpu.model", lambda: _cpu_model(info.read_text("utf-8", "replace")))
    yield _fact("cpu.isa", lambda: _isa(info.read_text("utf-8", "replace")))
    yield _fact("cpu.physical", lambda: _n_cores(info.read_text("utf-8", "replace")))
    yield _fact("cpu.logical", os.cpu_count)
    yield _fact("cpu.usable", lambda: _usable(root))
    quota = _quota(root)
    if quota is not None:
        yield Fact("cpu.quota", quota)


def _cpu_model(info: str) -> str:
    for field in ("model name", "Model", "Processor", "cpu model"):
        found = re.search(rf"^{field}[ \t]*:[ \t]*(.+)$", info, re.MULTILINE)
        if found:
            return found[1].strip()
    part = re.search(r"^CPU part[ \t]*:[ \t]*(.+)$", info, re.MULTILINE)
    if part:
        return f"ARM part {part[1].strip()}"
    raise ValueError("the kernel does not name it")


def _isa(info: str) -> list[str]:
    found = re.search(r"^(?:flags|Features)[ \t]*:[ \t]*(.+)$", info, re.MULTILINE)
    if not found:
        raise ValueError("the kernel lists no flags")
    flags = frozenset(found[1].split())
    return [name for name in _ISA if name in flags]


def _n_cores(info: str) -> int:
    cores = set()
    for block in info.split("\n\n"):
        said = re.findall(r"^(physical id|core id)[ \t]*:[ \t]*(\d+)$", block, re.M)
        if len(said) == 2:
            cores.add(tuple(sorted(said)))
    if not cores:
        raise ValueError("the kernel does not tell cores and threads apart")
    return len(cores)


def _usable(root: Path) -> int:
    """The cores that this process may run on; a quota of time makes them fewer."""
    try:
        n = len(os.sched_getaffinity(0))
    except AttributeError:
        n = os.cpu_count() or 1
    quota = _quota(root)
    return n if quota is None else max(1, min(n, round(quota)))


def _quota(root: Path) -> float | None:
    """The cores' worth of time that the control group allows; None: no limit."""
    groups = root / "sys/fs/cgroup"
    with tolerated(lambda exc: None):
        if (groups / "cpu.max").exists():
            allowed, period = (groups / "cpu.max").read_text("ascii").split()
            return None if allowed == "max" else int(allowed) / int(period)
        old = groups / "cpu/cpu.cfs_quota_us"
        if old.exists() and int(old.read_text("ascii")) > 0:
            period = (groups / "cpu/cpu.cfs_period_us").read_text("ascii")
            return int(old.read_text("ascii")) / int(period)
    return None


def _memory(root: Path) -> Iterator[Fact]:
    yield _fact("ram.total_bytes", lambda: _ram(root))
    limits = (
        root / "sys/fs/cgroup/memory.max",
        root / "sys/fs/cgroup/memory/memory.limit_in_bytes",
    )
    for path in limits:
        with tolerated(lambda exc: None):  # there, but "max", or not to be read
            if path.exists() and int(path.read_text("ascii")) < _HUGE:
                yield Fact("ram.limit_bytes", int(path.read_text("ascii")))


def _ram(root: Path) -> int:
    text = (root / "proc/meminfo").read_text("ascii", "replace")
    found = re.search(r"^MemTotal:\s*(\d+) kB", text, re.MULTILINE)
    if not found:
        raise ValueError("the kernel does not tell")
    return int(found[1]) * 1024


def _container(root: Path, marks: Mapping[str, str]) -> list[Fact]:
    kind = _container_kind(root, marks)
    if kind is None:
        why = "no container was seen"
        return [Fact("container.kind", missing=why)]
    image = _image(root, marks)
    why_not = None if image else f"{kind} does not tell it inside the container"
    return [Fact("container.kind", kind), Fact("container.image", image, why_not)]


def _container_kind(root: Path, marks: Mapping[str, str]) -> str | None:
    if "APPTAINER_CONTAINER" in marks or "SINGULARITY_CONTAINER" in marks:
        return "apptainer"
    if "KUBERNETES_SERVICE_HOST" in marks:
        return "kubernetes"
    if (root / "run/.containerenv").exists():
        return "podman"
    if (root / ".dockerenv").exists():
        return "docker"
    groups = _read(root / "proc/1/cgroup") + _read(root / "proc/self/cgroup")
    found = re.search(r"kubepods|docker|libpod|containerd|lxc", groups)
    kinds = {"kubepods": "kubernetes", "libpod": "podman"}
    return kinds.get(found[0], found[0]) if found else None


def _image(root: Path, marks: Mapping[str, str]) -> str | None:
    told = re.search(r'^image="?([^"\n]+)', _read(root / "run/.containerenv"), re.M)
    if told:
        return told[1]
    named = next(filter(None, map(marks.get, _IMAGE_VARIABLES)), None)
    # A file of Apptainer's: its folder would name a person.
    return os.path.basename(named) if named and named[0] == "/" else named


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _fact(name: str, ask: Callable[[], Any]) -> Fact:
    """What `ask` says, or why it does not."""
    reasons: list[str] = []
    with tolerated(lambda exc: reasons.append(shorten(f"{exc}", 200))):
        value = ask()
        if value is not None:
            return Fact(name, value)
    why = reasons[0] if reasons and reasons[0] else f"{sys.platform} does not tell"
    return Fact(name, missing=why)

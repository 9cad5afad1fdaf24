"""How busy the GPUs are: from the driver by NVML, and from torch where it runs already.

Nothing here creates a CUDA context, imports torch or wakes a device: NVML only reads
the driver's counters, and torch is asked only when the user's code has initialised it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from nbtrack.capture.system import NotHereError

Nvml = Any  # the module pynvml, which has no types


class Nvidia:
    """The NVIDIA devices that this process may use, by the driver's own numbers.

    `gpu0_util_percent`, `gpu0_memory_bytes` (of everybody on it), `gpu0_power_watts`,
    `gpu0_temperature_c`, and `gpu0_own_memory_bytes` where the driver can tell which
    process is this one (in a container it often cannot).
    """

    def __init__(self) -> None:
        self._nvml = nvml = _started_nvml()
        handles = {
            index: nvml.nvmlDeviceGetHandleByIndex(index)
            for index in range(nvml.nvmlDeviceGetCount())
        }
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        self._handles = {
            index: handle
            for index, handle in handles.items()
            if is_visible(index, partial(nvml.nvmlDeviceGetUUID, handle), visible)
        }
        if not self._handles:
            raise NotHereError("the driver shows no GPU that this process may use")

    def read(self) -> dict[str, float]:
        """What each device does now; what one does not measure is left out."""
        found: dict[str, float] = {}
        for index, handle in self._handles.items():
            for name, ask in _ASKED.items():
                try:
                    value = ask(self._nvml, handle)
                except self._nvml.NVMLError_NotSupported:
                    continue
                if value is not None:
                    found[f"gpu{index}_{name}"] = float(value)
        return found


class TorchMemory:
    """`cuda0_allocated_bytes`: what this process's tensors hold, by torch's numbers."""

    def read(self) -> dict[str, float]:
        """Nothing until the user's own code has initialised CUDA."""
        cuda = initialised_cuda()
        if cuda is None:
            return {}
        return {
            f"cuda{index}_allocated_bytes": float(cuda.memory_allocated(index))
            for index in range(cuda.device_count())
        }


def torch_peak_bytes() -> float | None:
    """The most that tensors held on all devices since torch counts; None without."""
    cuda = initialised_cuda()
    if cuda is None:
        return None
    devices = range(cuda.device_count())
    return float(sum(cuda.max_memory_allocated(index) for index in devices))


def initialised_cuda() -> Any | None:
    """`torch.cuda`, if torch is imported and has a CUDA context of its own."""
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    is_initialised = getattr(cuda, "is_initialized", None)
    return cuda if is_initialised is not None and is_initialised() else None


def is_visible(index: int, uuid: Callable[[], Any], visible: str | None) -> bool:
    """Whether CUDA_VISIBLE_DEVICES leaves a device to this process.

    >>> is_visible(1, str, "0,1"), is_visible(1, str, "-1"), is_visible(1, str, None)
    (True, False, True)
    >>> is_visible(1, lambda: "GPU-ab12", "GPU-ab")
    True
    """
    if visible is None:
        return True
    chosen = [word.strip() for word in visible.split(",") if word.strip()]
    if str(index) in chosen:
        return True
    named = [word for word in chosen if not word.lstrip("-").isdigit()]
    return bool(named) and str(uuid()).startswith(tuple(named))


def _started_nvml() -> Nvml:
    try:
        import pynvml
    except ImportError as exc:
        raise NotHereError(f"pynvml does not import: {exc}") from exc
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as exc:
        raise NotHereError(f"no NVIDIA driver answers: {exc}") from exc
    return pynvml


def _own_memory(nvml: Nvml, handle: Any) -> float | None:
    own = [
        process.usedGpuMemory
        for process in nvml.nvmlDeviceGetComputeRunningProcesses(handle)
        if process.pid == os.getpid() and process.usedGpuMemory is not None
    ]
    return float(sum(own)) if own else None


_ASKED: dict[str, Callable[[Nvml, Any], float | None]] = {
    "util_percent": lambda nvml, h: nvml.nvmlDeviceGetUtilizationRates(h).gpu,
    "memory_bytes": lambda nvml, h: nvml.nvmlDeviceGetMemoryInfo(h).used,
    "power_watts": lambda nvml, h: nvml.nvmlDeviceGetPowerUsage(h) / 1000,
    "temperature_c": lambda nvml, h: nvml.nvmlDeviceGetTemperature(
        h, nvml.NVML_TEMPERATURE_GPU
    ),
    "own_memory_bytes": _own_memory,
}

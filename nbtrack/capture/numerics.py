"""What moves the bits of a result: threads, precision, flags, BLAS, a few variables.

Of libraries that the user has imported, nothing is imported for it. The settings are
those of the thread that asks (numbers of threads, `np.errstate` and decimal's context
are a thread's own), so the training's thread asks, in some 50 us; versions and BLAS are
asked for in the background. Of the environment only names of a short list are read.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import Any

from nbtrack.guard import tolerated
from nbtrack.records import Fact
from nbtrack.text import shorten

# RELIABILITY S8: nothing else of the environment is kept, not even a name.
VARIABLES = (
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
    *("NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "OMP_PROC_BIND"),
    *("OPENBLAS_CORETYPE", "MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS", "MKL_DYNAMIC"),
    *("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "KMP_AFFINITY"),
    *("CUBLAS_WORKSPACE_CONFIG", "CUDA_VISIBLE_DEVICES", "CUDA_LAUNCH_BLOCKING"),
    *("NVIDIA_TF32_OVERRIDE", "PYTORCH_CUDA_ALLOC_CONF", "TF_DETERMINISTIC_OPS"),
    *("XLA_FLAGS", "JAX_ENABLE_X64", "PYTHONHASHSEED", "TZ", "LANG", "LC_ALL"),
)
_TORCH_FLAGS: dict[str, Callable[[Any], Any]] = {  # Any: the module torch
    "threads": lambda torch: torch.get_num_threads(),
    "interop_threads": lambda torch: torch.get_num_interop_threads(),
    "dtype": lambda torch: str(torch.get_default_dtype()).removeprefix("torch."),
    "deterministic": lambda torch: torch.are_deterministic_algorithms_enabled(),
    "matmul_precision": lambda torch: torch.get_float32_matmul_precision(),
    "fp32_precision": lambda torch: getattr(torch.backends, "fp32_precision", None),
    "mkldnn": lambda torch: torch.backends.mkldnn.enabled,
    "cudnn.enabled": lambda torch: torch.backends.cudnn.enabled,
    "cudnn.benchmark": lambda torch: torch.backends.cudnn.benchmark,
    "cudnn.deterministic": lambda torch: torch.backends.cudnn.deterministic,
    "cudnn.tf32": lambda torch: torch._C._get_cudnn_allow_tf32(),
    "cublas.tf32": lambda torch: torch._C._get_cublas_allow_tf32(),
}
_TORCH_CONSTANTS: dict[str, Callable[[Any], Any]] = {
    "version": lambda torch: str(torch.__version__),
    "commit": lambda torch: torch.version.git_version,
    "cpu_capability": lambda torch: torch.backends.cpu.get_cpu_capability(),
    "mkl": lambda torch: torch.backends.mkl.is_available(),
    "openmp": lambda torch: torch.backends.openmp.is_available(),
    "cuda": lambda torch: torch.version.cuda,
    "hip": lambda torch: torch.version.hip,
    "cudnn.version": lambda torch: torch.backends.cudnn.version(),
}
_ABSENT = {  # of the others None is worth no word
    "cuda": "this build of PyTorch has no CUDA",
    "cudnn.version": "this build of PyTorch has no cuDNN",
}


def settings() -> list[Fact]:
    """The settings of now, in this thread; of what is imported by now.

    >>> isinstance(settings(), list)
    True
    """
    return [*_torch_flags(), *_numpy_settings(), *_python_settings()]


def constants() -> list[Fact]:
    """What stays as it is in a process: versions, BLAS, what the hash seed is."""
    loaded = tuple(name for name in ("torch", "numpy") if imported(name))
    return [*_constants_of(loaded), *_threadpools()]


@cache
def _constants_of(loaded: tuple[str, ...]) -> tuple[Fact, ...]:
    """Asked once for each set of libraries: NumPy's own report takes 10 ms."""
    return (*_torch_constants(), *_numpy_constants(), *hash_seed())


def imported(name: str) -> Any:  # Any: a module
    """A module whose import is over; None while another thread is at it.

    >>> imported("sys") is sys, imported("no_such_module")
    (True, None)
    """
    module = sys.modules.get(name)
    is_under_way = getattr(getattr(module, "__spec__", None), "_initializing", False)
    return None if is_under_way else module


def variables(environment: Mapping[str, str] | None = None) -> list[Fact]:
    """The variables of the list that are set.

    >>> [fact.name for fact in variables({"TZ": "UTC", "TEAM": "blue"})]
    ['env.TZ']
    """
    told = os.environ if environment is None else environment
    return [
        Fact(f"env.{name}", shorten(told[name], 200))
        for name in VARIABLES
        if name in told
    ]


def hash_seed(environ_file: str = "/proc/self/environ") -> list[Fact]:
    """The seed of `hash(str)`, which orders sets of texts; of a running Python.

    A variable that was set since then says nothing: the one it began with does.

    >>> hash_seed()[0].name
    'python.hash_seed'
    """
    name = "python.hash_seed"
    if not sys.flags.hash_randomization:
        return [Fact(name, 0)]
    try:
        with open(environ_file, "rb") as file:
            entries = file.read().split(b"\0")
    except OSError:
        return [Fact(name, missing="what Python began with cannot be read")]
    for entry in entries:
        seed = entry.removeprefix(b"PYTHONHASHSEED=")
        if seed != entry and seed.isdigit():
            return [Fact(name, int(seed))]
    return [Fact(name, missing="random: sets of texts have another order each time")]


def _torch_flags() -> Iterator[Fact]:
    torch = imported("torch")
    if hasattr(torch, "get_num_threads"):
        yield from _asked("numerics.torch", _TORCH_FLAGS, torch)


def _torch_constants() -> Iterator[Fact]:
    torch = imported("torch")
    if hasattr(torch, "version"):
        yield from _asked("numerics.torch", _TORCH_CONSTANTS, torch)


def _numpy_settings() -> Iterator[Fact]:
    numpy = imported("numpy")
    if hasattr(numpy, "geterr"):
        yield from _asked("numerics.numpy", {"errors": lambda np: np.geterr()}, numpy)


def _numpy_constants() -> Iterator[Fact]:
    numpy = imported("numpy")
    if not hasattr(numpy, "show_config"):
        return
    asked: dict[str, Callable[[Any], Any]] = {
        "version": lambda np: str(np.__version__),
        "blas": lambda np: _blas(np.show_config(mode="dicts")),
        "simd": lambda np: np.show_config(mode="dicts")["SIMD Extensions"]["found"],
    }
    yield from _asked("numerics.numpy", asked, numpy)


def _blas(config: Mapping[str, Any]) -> str:
    about = config["Build Dependencies"]["blas"]
    return f"{about['name']} {about.get('version', '')}".strip()


def _threadpools() -> Iterator[Fact]:
    """The libraries of threads that are loaded; where threadpoolctl is installed."""
    from importlib.util import find_spec

    if not any(name in sys.modules for name in ("numpy", "torch", "scipy")):
        return
    if "threadpoolctl" not in sys.modules and find_spec("threadpoolctl") is None:
        why = "threadpoolctl is not installed"
        yield Fact("numerics.threadpools", missing=why)
        return
    yield from _asked("numerics", {"threadpools": _pools}, None)


def _pools(_: Any) -> list[dict[str, Any]]:
    import threadpoolctl

    kept = ("internal_api", "version", "num_threads", "architecture", "threading_layer")
    found = []
    for pool in threadpoolctl.threadpool_info():
        said = {key: pool[key] for key in kept if pool.get(key) is not None}
        if said.get("internal_api") == "openmp":
            said.pop("num_threads", None)  # it is that of this very thread
        found.append(said)
    return found


def _python_settings() -> Iterator[Fact]:
    decimal = sys.modules.get("decimal")
    if decimal is not None:
        precision = decimal.getcontext().prec
        if precision != decimal.DefaultContext.prec:
            yield Fact("numerics.decimal.precision", precision)
    locale = sys.modules.get("locale")
    if locale is not None and hasattr(locale, "setlocale"):
        numeric = locale.setlocale(locale.LC_NUMERIC)
        if numeric not in ("C", "POSIX"):
            yield Fact("numerics.locale", numeric)


def _asked(
    room: str, questions: Mapping[str, Callable[[Any], Any]], of: Any
) -> Iterator[Fact]:
    """Each answer, or why there is none; a library of another version may lack one."""
    for name, ask in questions.items():
        reasons: list[str] = []
        with tolerated(partial(_tell, reasons)):
            value = _plain(ask(of))
            reasons += [] if value is not None else [_ABSENT.get(name, "")]
        if not reasons:
            yield Fact(f"{room}.{name}", value)
        elif reasons[0]:
            yield Fact(f"{room}.{name}", missing=reasons[0])


def _tell(reasons: list[str], exc: Exception) -> None:
    reasons.append(shorten(str(exc) or type(exc).__name__, 200))


def _plain(value: Any) -> Any:
    """JSON-able, whatever a library answers."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value)

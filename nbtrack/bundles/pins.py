"""The environment variables under which a bundle's script runs, here and anywhere.

Threads and instruction sets move the bits of a result (measured: two threads for one
change the weights of a CNN, AVX2 for AVX-512 those of any net). What the run had is
asked for again, as far as this machine can; the rest of the environment is the least
that programs need. `deviations` says what cannot be had.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from nbtrack.capture.numerics import VARIABLES

_ALWAYS = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LD_LIBRARY_PATH", "CUDA_HOME"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "MPLBACKEND"),
)
_OF_NETWORK = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
# PyTorch's word for what it computes with -> what asks for it, from weak to strong.
_CAPABILITIES = ("DEFAULT", "AVX2", "AVX512")
_FLAG_OF = {"AVX2": "avx2", "AVX512": "avx512f"}
_ASKS = {
    "DEFAULT": {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41"},
    "AVX2": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"},
}
RECORDED = frozenset({*_ALWAYS, *VARIABLES})  # what a script is given in any case
HASH_SEED = "0"  # where that of the run is not known: at least always the same


def environment_for(
    facts: Mapping[str, Any], *, network: bool = False, flags: tuple[str, ...] = ()
) -> dict[str, str]:
    """The variables for a script whose run had these facts.

    Parameters
    ----------
    facts
        Of numerics, processor and environment, by name (`numerics.torch.threads`).
    network
        Whether it may use one: then through the proxies of here.
    flags
        What this machine's processor can, as Linux calls it.

    >>> told = environment_for({"numerics.torch.threads": 3, "env.TZ": "UTC"})
    >>> told["OMP_NUM_THREADS"], told["TZ"], told["PYTHONHASHSEED"]
    ('3', 'UTC', '0')
    """
    names = (*_ALWAYS, *(_OF_NETWORK if network else ()))
    names = (*names, *(name.lower() for name in _OF_NETWORK if network))
    kept = {name: os.environ[name] for name in names if name in os.environ}
    kept["PYTHONHASHSEED"] = str(facts.get("python.hash_seed", HASH_SEED))
    kept |= _threads(facts) | _capability(facts, flags)
    told = {name: facts.get(f"env.{name}") for name in VARIABLES}
    return kept | {name: str(value) for name, value in told.items() if value}


def deviations(
    facts: Mapping[str, Any], *, flags: tuple[str, ...], n_cpus: int
) -> tuple[str, ...]:
    """What the run had and this machine cannot give, a sentence each.

    >>> deviations({"numerics.torch.threads": 8}, flags=(), n_cpus=2)
    ('the run used 8 threads, this machine has 2 processors',)
    """
    return tuple(_deviations(facts, flags, n_cpus))


def machine_flags() -> tuple[str, ...]:
    """What the processor of this machine can.

    >>> isinstance(machine_flags(), tuple)
    True
    """
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            lines = [line for line in file if line.startswith(("flags", "Features"))]
    except OSError:
        return ()
    return tuple(lines[0].partition(":")[2].split()) if lines else ()


def _deviations(
    facts: Mapping[str, Any], flags: tuple[str, ...], n_cpus: int
) -> Iterator[str]:
    threads = _n_threads(facts)
    if threads is not None and threads > n_cpus:
        yield f"the run used {threads} threads, this machine has {n_cpus} processors"
    wanted = str(facts.get("numerics.torch.cpu_capability", ""))
    if flags and _FLAG_OF.get(wanted, "") not in ("", *flags):
        yield f"the run computed with {wanted}, which this machine has not"


def _threads(facts: Mapping[str, Any]) -> dict[str, str]:
    threads = _n_threads(facts)
    told = {} if threads is None else {"OMP_NUM_THREADS": str(threads)}
    for pool in facts.get("numerics.threadpools") or ():
        if pool.get("internal_api") == "openblas" and pool.get("num_threads"):
            told["OPENBLAS_NUM_THREADS"] = str(pool["num_threads"])
    return told


def _n_threads(facts: Mapping[str, Any]) -> int | None:
    """What the run began with; a cell that asks for another number asks again."""
    for name in ("numerics.torch.threads.at_start", "numerics.torch.threads"):
        if isinstance(facts.get(name), int):
            return int(facts[name])
    usable = facts.get("cpu.usable")
    return usable if isinstance(usable, int) else None


def _capability(facts: Mapping[str, Any], flags: tuple[str, ...]) -> dict[str, str]:
    """A stronger processor is asked to do as the run's."""
    wanted = str(facts.get("numerics.torch.cpu_capability", ""))
    if wanted not in _ASKS:
        return {}
    stronger = _CAPABILITIES[_CAPABILITIES.index(wanted) + 1 :]
    can = any(_FLAG_OF[name] in flags for name in stronger)
    return dict(_ASKS[wanted]) if can else {}

"""Where a run took place: facts of the session that cost next to nothing to know.

No user name, no host name (many are a person's name), no command line, no environment
variables. Each fact stands alone: one that cannot be had is left out.
"""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path

from nbtrack.capture.git import git_commit
from nbtrack.guard import guard


def session_facts(folder: Path | None = None) -> dict[str, str | int]:
    """What is kept of the session with each run.

    Parameters
    ----------
    folder : Path, optional
        Whose git commit is meant; by default the working folder's.

    Examples
    --------
    >>> facts = session_facts()
    >>> facts["pid"] == os.getpid(), "python" in facts
    (True, True)
    """
    facts: dict[str, str | int] = {**_constant_facts(), "pid": os.getpid()}
    with guard("kernel id"):
        facts.update(_kernel_facts())
    with guard("git commit"):
        commit = git_commit(folder or Path.cwd())
        if commit is not None:
            facts["git_commit"] = commit
    return facts


@functools.cache
def _constant_facts() -> dict[str, str | int]:
    import nbtrack

    machine = os.uname()  # the module platform takes 6 ms to import

    facts: dict[str, str | int] = {
        "nbtrack": nbtrack.__version__,
        "python": ".".join(map(str, sys.version_info[:3])),
        "implementation": sys.implementation.name,
        "system": machine.sysname,
        "release": machine.release,
        "machine": machine.machine,
        "cpus": os.cpu_count() or 1,
    }
    with guard("boot id"):
        boot = Path("/proc/sys/kernel/random/boot_id")
        if boot.exists():
            facts["boot_id"] = boot.read_text(encoding="ascii").strip()
    return facts


def _kernel_facts() -> dict[str, str | int]:
    """The kernel's id, as the Jupyter server knows it; nothing outside a kernel."""
    application = sys.modules.get("ipykernel.kernelapp")
    if application is None or not application.IPKernelApp.initialized():
        return {}
    kernel = application.IPKernelApp.instance()
    stem = Path(kernel.connection_file or "").stem
    facts: dict[str, str | int] = {"ipykernel": sys.modules["ipykernel"].__version__}
    if stem.startswith("kernel-"):
        facts["kernel_id"] = stem.removeprefix("kernel-")
    return facts

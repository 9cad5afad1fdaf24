"""Where a run took place: facts of the session that cost next to nothing to know.

No user name, no host name (many are a person's name), no command line, no environment
variables. Each fact stands alone: one that cannot be had is left out.
"""

from __future__ import annotations

import functools
import os
import re
import sys
from pathlib import Path

from nbtrack.guard import guard

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")  # sha1, or sha256 repositories


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


def git_commit(folder: Path) -> str | None:
    """The commit checked out in the repository around `folder`, without running git.

    None outside a repository, in one without a commit, and where refs are kept in a
    format that only git reads.
    """
    for place in (folder, *folder.parents):
        dot_git = place / ".git"
        if dot_git.is_dir():
            return _head_commit(dot_git)
        if dot_git.is_file():  # a worktree or submodule points elsewhere
            target = dot_git.read_text(encoding="utf-8").removeprefix("gitdir:")
            return _head_commit(place / target.strip())
    return None


def _head_commit(git: Path) -> str | None:
    head = (git / "HEAD").read_text(encoding="utf-8").strip()
    if not head.startswith("ref:"):
        return _as_commit(head)
    return _ref_commit(_common_folder(git), head.removeprefix("ref:").strip())


def _common_folder(git: Path) -> Path:
    common = git / "commondir"
    if not common.is_file():
        return git
    return git / common.read_text(encoding="utf-8").strip()


def _ref_commit(git: Path, ref: str) -> str | None:
    loose = git / ref
    if loose.is_file():
        return _as_commit(loose.read_text(encoding="utf-8").strip())
    packed = git / "packed-refs"
    if packed.is_file():
        for line in packed.read_text(encoding="utf-8").splitlines():
            if line.endswith(f" {ref}"):
                return _as_commit(line.split()[0])
    return None


def _as_commit(text: str) -> str | None:
    return text if _COMMIT.fullmatch(text) else None

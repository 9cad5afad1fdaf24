"""A replay in a process of its own, which ends with all that it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from nbtrack.slices.job import Answer, Job
from nbtrack.slices.replay import PARENT
from nbtrack.text import shorten

_TOKEN = "NBTRACK_PROOF"  # in the environment of all that belongs to it  # noqa: S105
_POLL_S = 0.05


def ends_within(process: subprocess.Popen[bytes], timeout_s: float) -> bool:
    """Whether it ends by itself."""
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return False
    return True


def answered(
    command: Sequence[str],
    job: Job,
    *,
    root: Path,
    folder: Path,
    environment: Mapping[str, str],
    timeout_s: float,
    ends: Callable[[subprocess.Popen[bytes], float], bool] = ends_within,
) -> Answer | str:
    """The answer of a replay, or why there is none.

    Parameters
    ----------
    root
        A fresh folder: its name marks the process and what that starts.
    folder
        Where it runs.
    environment
        All of its variables but the marks.
    ends
        Waits for it, and says whether it ended in that many seconds; what it raises
        ends the process.
    """
    errors = root / "stderr.txt"
    marks = {_TOKEN: root.name, PARENT: str(os.getpid())}
    with errors.open("wb") as said:
        process = subprocess.Popen(
            command, cwd=folder, env={**environment, **marks},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said,
            start_new_session=True,
        )  # fmt: skip
        try:
            ended = ends(process, timeout_s)
        finally:
            _end_all(process, root.name)
    if not ended:
        return f"it was not done after {timeout_s:.0f} s"
    answer = Answer.read(Path(job.answer))
    return _how_it_died(process.returncode, errors) if answer is None else answer


def _end_all(process: subprocess.Popen[bytes], token: str) -> None:
    """Kill the process, its group, and what left the group but bears its mark."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    # A process that forks while we look is found the next time.
    while pids := _marked(f"{_TOKEN}={token}".encode()):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_POLL_S)


def _marked(mark: bytes) -> list[int]:
    """The living processes with this entry in their environment."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            environment = Path("/proc", name, "environ").read_bytes()
        except OSError:
            continue
        if mark in environment.split(b"\0"):
            found.append(int(name))
    return found


def _how_it_died(code: int, errors: Path) -> str:
    """Why a process left no answer, by what it wrote last."""
    if code < 0:
        return f"its process was killed by {signal.Signals(-code).name}"
    lines = errors.read_bytes()[-4_000:].decode("utf-8", "replace").splitlines()
    last = next((line for line in reversed(lines) if line.strip()), "it said nothing")
    return f"its process ended ({code}): {shorten(last.strip(), 200)}"

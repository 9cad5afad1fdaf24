"""Runs git so that it only looks: no hook, no lock, no prompt, no network, no waiting.

A repository may name programs of its own for diffs, pagers and file watching; none of
them is run. Filters (LFS, nbstripout) are: without them everything looks changed. What
git does not say in time it does not say: the answer is a reason, never an exception.
"""

from __future__ import annotations

import hashlib
import os
import selectors
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from nbtrack.capture.child_end import end_group
from nbtrack.text import shorten, visible

TIMEOUT_S = 5.0
KEEP_BYTES = 2_000_000  # of one answer; more is counted and hashed, not kept
_READ_BYTES = 1 << 16

# Other variables of git's stay: GIT_CEILING_DIRECTORIES, GIT_CONFIG_* and the like.
_DROPPED = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_NAMESPACE"),
    *("GIT_EXTERNAL_DIFF", "GIT_DIFF_OPTS", "GIT_TRACE", "GIT_LITERAL_PATHSPECS"),
    *("GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS"),
)
_SETTINGS = (
    *("core.fsmonitor=false", "core.quotePath=true", "color.ui=false"),
    # Otherwise `git diff` writes the index, GIT_OPTIONAL_LOCKS or not (git 2.39).
    "diff.autoRefreshIndex=false",
    *("diff.noprefix=false", "diff.mnemonicPrefix=false", "diff.relative=false"),
    "diff.suppressBlankEmpty=false",
)


@dataclass(frozen=True, slots=True)
class Said:
    """What one call of git answered."""

    out: bytes = b""  # empty where there is more than was to be kept
    n_bytes: int = 0
    digest: str = ""  # sha256 of all of it
    failure: str | None = None  # why there is no answer

    @property
    def is_cut(self) -> bool:
        """Whether there was more than was to be kept."""
        return self.n_bytes > len(self.out)


def ask_git(
    folder: Path,
    *arguments: str,
    keep_bytes: int = KEEP_BYTES,
    timeout_s: float = TIMEOUT_S,
) -> Said:
    """Ask git about a folder; never raises.

    >>> ask_git(Path("/"), "status").failure
    'no repository around this folder'
    """
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    command = ["git", *settings, "--no-pager", "-C", str(folder), *arguments]
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
            process_group=0,  # Ctrl-C in the kernel is not for it
        )
    except FileNotFoundError:
        return Said(failure="git is not installed")
    except (OSError, ValueError) as exc:
        return Said(failure=f"git cannot be run: {exc}")
    with process:
        try:
            return _answer(process, keep_bytes, time.monotonic() + timeout_s)
        finally:
            end_group(process)


def _answer(process: subprocess.Popen[bytes], keep_bytes: int, until: float) -> Said:
    assert process.stdout is not None
    assert process.stderr is not None
    out, errors = _Kept(keep_bytes), _Kept(4000)
    is_whole = _read({process.stdout: out, process.stderr: errors}, until)
    try:
        if is_whole:
            process.wait(max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        is_whole = False
    if not is_whole:
        return Said(failure="git took too long to answer")
    if process.returncode:
        return Said(failure=_reason(bytes(errors.body), process.returncode))
    body = b"" if out.n_bytes > keep_bytes else bytes(out.body)
    return Said(body, out.n_bytes, out.digest.hexdigest())


class _Kept:
    """What came through a pipe: all of it hashed, the beginning kept."""

    def __init__(self, keep_bytes: int) -> None:
        self.body = bytearray()
        self.n_bytes = 0
        self.digest = hashlib.sha256()
        self._keep_bytes = keep_bytes

    def take(self, piece: bytes) -> None:
        self.digest.update(piece)
        self.n_bytes += len(piece)
        self.body += piece[: self._keep_bytes - len(self.body)]


def _read(pipes: dict[IO[bytes], _Kept], until: float) -> bool:
    """Read the pipes to their ends; False when the time is up."""
    with selectors.DefaultSelector() as waiting:
        for pipe, kept in pipes.items():
            waiting.register(pipe, selectors.EVENT_READ, kept)
        while waiting.get_map():
            ready = waiting.select(until - time.monotonic())
            if not ready and time.monotonic() >= until:
                return False
            for key, _ in ready:
                piece = os.read(key.fd, _READ_BYTES)
                key.data.take(piece)
                if not piece:
                    waiting.unregister(key.fileobj)
    return True


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    return kept | {
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "none",  # a partial clone would fetch what it lacks
        "GIT_NO_LAZY_FETCH": "1",
        "LC_ALL": "C.UTF-8",  # its messages are read below
        "LANGUAGE": "C",
    }


def _reason(errors: bytes, code: int) -> str:
    text = errors.decode("utf-8", "replace").strip()
    if "not a git repository" in text:
        return "no repository around this folder"
    if "dubious ownership" in text or "unsafe repository" in text:
        return "the repository belongs to another user; see git's safe.directory"
    if "must be run in a work tree" in text:
        return "a repository without a work tree"
    if "ambiguous argument 'HEAD'" in text:
        return "there is no commit yet"
    lines = [line for line in text.splitlines() if not line.startswith("warning:")]
    first = lines[0] if lines else f"it ended with {code}"
    return f"git failed: {shorten(visible(first), 200)}"

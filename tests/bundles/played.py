"""Plays cells in a real shell of a forked process, then code that looks at it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slices.replays import shell_of_process

from nbtrack.tracking.background import background

TRIED = """
from nbtrack.bundles.checking import Checker
from nbtrack.bundles.content import facts_of
from nbtrack.slices.ladder import climb
from nbtrack.slices.prove import claim_of
from nbtrack.slices.slice import slice_of_run

def tried(**how):
    made = slice_of_run("last")
    claim = claim_of(made)
    checker = Checker(facts_of(claim.store, made.run.id), **how)
    return checker, climb(claim, timeout_s=60, budget_s=120, tries=checker)
"""


def play(given: Mapping[str, Any]) -> Any:
    """Files that were there before, cells, `then`; what that leaves as `answer`."""
    home = Path(given["home"])
    os.environ |= {
        "XDG_STATE_HOME": str(home / "state"), "XDG_CACHE_HOME": str(home / "cache"),
        "NBTRACK_OFFLINE": "1", **given["environment"],
    }  # fmt: skip
    background._inert = False  # this child of a fork stands for a kernel
    for name, content in given["files"].items():
        _older(Path(name), content)
    shell = shell_of_process()
    shell.run_line_magic("load_ext", "nbtrack")
    for cell in given["cells"]:
        shell.run_cell(cell, store_history=True)
    space: dict[str, Any] = {"shell": shell, "answer": None}
    exec(TRIED, space)
    exec(given["then"], space)
    return space["answer"]


def _older(path: Path, content: str | bytes) -> None:
    """A file that was there before the session."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    old = time.time() - 3600
    os.utime(path, (old, old))

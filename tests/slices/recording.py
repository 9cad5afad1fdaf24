"""Runs a session under nbtrack as a user would, slices its run, and times the hooks.

In a forked process of its own (`farm.py`). The judgement is not here: the script that
comes back is run elsewhere, by `replays.play_script`.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Mapping
from typing import Any

from slices.corpus import Session, parse
from slices.replays import play_script, shell_of_process, write_files

HOOKS = ("pre_execute", "pre_run_cell", "post_execute", "post_run_cell")


class HookClock:
    """How long the hooks of a cell take: calls of ours stand first and last."""

    def __init__(self, shell: Any) -> None:
        self._callbacks = shell.events.callbacks
        self._begun = 0.0
        self.spent = 0.0

    def stand_around(self) -> None:
        for event in HOOKS:
            hooks = self._callbacks[event]
            for own in (self._start, self._stop):
                if own in hooks:
                    hooks.remove(own)
            hooks.insert(0, self._start)
            hooks.append(self._stop)

    def _start(self, *_: Any) -> None:
        self._begun = time.perf_counter()

    def _stop(self, *_: Any) -> None:
        self.spent += time.perf_counter() - self._begun


# A little of what sessions do: imports, errors, a function, a file, a metric.
REHEARSAL = """
# %%
import numpy as np
open("lr.txt", "w").write("0.5")
# %%
never
# %%
def halved(x):
    return x * float(open("lr.txt").read())
# %%
for step in range(3):
    loss = halved(np.random.rand())
"""


def rehearse(_: Mapping[str, Any]) -> list[str]:
    """Record a session and play its script; the names of what that has imported."""
    before = set(sys.modules)
    value = record({"session": parse("rehearsal", REHEARSAL)})
    play_script({"source": value["source"], "files": value["files"]})
    return [name for name in sys.modules if name not in before]


def record(job: Mapping[str, Any]) -> dict[str, Any]:
    """The slice of the session's run, and the metrics as the store has them."""
    session: Session = job["session"]
    spent, raised = play(session)
    import nbtrack

    store = nbtrack.open()
    run = store.run("last")
    series = {}
    for name in run.metrics:
        curve = store.curve(run.id, name)
        steps = [int(step) for step in curve.steps]
        series[name] = dict(zip(steps, map(float, curve.values), strict=True))
    counts = {name: summary.n for name, summary in run.metrics.items()}
    answer = {
        "series": series,
        "counts": counts,
        "raised": raised,
        "hook_ms": [1000 * one for one in spent],
        "status": run.status,
    }
    answer |= _sliced(run.id, len(session.cells), prove=job.get("prove", False))
    return answer


def play(session: Session) -> tuple[list[float], list[int]]:
    """All steps in one shell with the extension, the last cell under `%%track`."""
    shell = shell_of_process()
    shell.run_line_magic("load_ext", "nbtrack")
    clock = HookClock(shell)
    sys.stdin = io.StringIO(session.stdin)
    spent, raised, position, last = [], [], 0, len(session.cells)
    for step in session.steps:
        if step.file is not None:
            write_files({step.file: step.text})
            continue
        position += 1
        text = f"%%track\n{step.text}" if position == last else step.text
        clock.spent = 0.0
        clock.stand_around()
        result = shell.run_cell(text, store_history=True, cell_id=step.id)
        spent.append(clock.spent)
        if not result.success:
            raised.append(position)
    return spent[:-1], raised


def _sliced(run: str, n_cells: int, *, prove: bool) -> dict[str, Any]:
    import nbtrack

    begun = time.perf_counter()
    piece = nbtrack.slice(run)
    took = time.perf_counter() - begun
    base = min(cell.seq for cell in piece.cells)
    answer = {
        "kept": [k.cell.seq - base + 1 for k in piece.kept],
        "reasons": {k.cell.seq - base + 1: list(k.reasons) for k in piece.kept},
        "restore": {k.cell.seq - base + 1: list(k.restore) for k in piece.kept},
        "dropped": {d.cell.seq - base + 1: d.reason for d in piece.dropped},
        "missing": dict(piece.missing),
        "slice_ms": 1000 * took,
    }
    try:
        answer |= {"source": piece.source, "files": dict(piece.script.files)}
    except ModuleNotFoundError:
        answer |= {"source": None, "files": {}}
    if prove:
        answer["proof"] = _proven(piece)
    return answer


def _proven(piece: Any) -> dict[str, Any]:
    """The proof of the slice, and the very script that it says gave the same."""
    from nbtrack.slices import ladder

    tried: list[Any] = []
    really = ladder.attempt

    def attempt(claim: Any, trial: Any, **how: Any) -> Any:
        tried.append(trial)
        return really(claim, trial, **how)

    ladder.attempt = attempt
    proof = piece.prove()
    script = tried[-1].script if tried else piece.script
    given = dict(tried[-1].snapshots) if tried else {}
    return {
        "outcome": proof.outcome,
        "rung": proof.rung,
        "reason": proof.reason,
        "duration_s": proof.duration_s,
        "n_cells": proof.n_cells,
        "source": script.source,
        "files": {**script.files, **given},
    }

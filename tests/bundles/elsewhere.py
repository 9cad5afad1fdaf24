"""One session, or one rerun, in a Python of its own: `python -m bundles.elsewhere JOB`.

A process as a kernel is one: its own hash seed and threads, nothing imported before,
its own folder, store, home of caches. It answers in JSON; what it printed is kept.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import traceback
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parent.parent
TIMEOUT_S = 400.0
SESSION_MAX_S = 60
_OURS = ("NBTRACK_", "OMP_", "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE", "PYTEST_")

Told = dict[str, Any]


def asked(
    what: str,
    folder: Path,
    given: Mapping[str, Any],
    *,
    python: str = sys.executable,
    surroundings: Mapping[str, str] | None = None,
) -> Told:
    """Do it in a new process that works in `folder/work`; its answer.

    `error` is in it where there is no other.
    """
    (folder / "work").mkdir(parents=True)
    job = folder / "job.json"
    job.write_text(json.dumps({"what": what, **given}))
    kept = {n: v for n, v in os.environ.items() if not n.startswith(_OURS)}
    environment = {
        **kept,
        "PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent}",
        "MPLBACKEND": "agg",
        "NBTRACK_STORE": str(folder / "store"),
        "NBTRACK_REGISTRY": "off",
        "XDG_STATE_HOME": str(folder / "state"),
        **(surroundings or {}),
    }
    with (folder / "said").open("wb") as said:
        try:
            ended = subprocess.run(
                [python, "-m", "bundles.elsewhere", str(job)],
                env=environment, cwd=folder / "work", stdin=subprocess.DEVNULL,
                stdout=said, stderr=said, timeout=TIMEOUT_S, check=False,
            ).returncode  # fmt: skip
        except subprocess.TimeoutExpired:
            return {"error": f"it was not done after {TIMEOUT_S:.0f} s"}
    answer = folder / "answer.json"
    if ended == -signal.SIGALRM:
        return {"raised": f"it was not done after {SESSION_MAX_S} s"}
    if not answer.exists():
        return {"error": f"it died with {ended}"}
    return dict(json.loads(answer.read_text()))


def main(path: Path) -> None:
    """Do the job in that file, answer beside it."""
    job = json.loads(path.read_text())
    try:
        answer = {"play": play, "rerun": rerun}[job["what"]](job)
    except BaseException:
        answer = {"error": traceback.format_exc()}
    (path.parent / "answer.json").write_text(json.dumps(answer))


def play(job: Mapping[str, Any]) -> Told:
    """Play the steps of a session in a shell with nbtrack, then export its run."""
    from slices.replays import shell_of_process, write_files

    shell = shell_of_process()
    shell.run_line_magic("load_ext", "nbtrack")
    began = time.perf_counter()
    signal.alarm(SESSION_MAX_S)  # a number that was changed may make a loop endless
    for number, step in enumerate(job["steps"], 1):
        if step["file"] is not None:
            write_files({step["file"]: step["text"]})
            time.sleep(0.05)  # what is newer than that is the next cell's
            continue
        done = shell.run_cell(step["text"], store_history=True, cell_id=step["id"])
        if not done.success and not step["raises"]:
            told = done.error_before_exec or done.error_in_exec
            return {"raised": f"step {number}: {told!r}"}
    signal.alarm(0)
    answer = {"session_s": time.perf_counter() - began, "raised": ""}
    return answer | exported(job)


def exported(job: Mapping[str, Any]) -> Told:
    """Export the last run; what the bundle says of itself, and the run's points."""
    import nbtrack

    run = nbtrack.open().run("last")
    if run.status != "finished" or not run.metrics:
        return {"raised": f"the run {run.status}, with {len(run.metrics)} metrics"}
    began = time.perf_counter()
    path = nbtrack.export("last", job["target"], offline=True)
    took = time.perf_counter() - began
    with zipfile.ZipFile(path) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        lines = archive.read("results/metrics.jsonl").decode().splitlines()
    timings = [m["metric"] for m in map(json.loads, lines) if m["timing"]]
    return {
        **manifest["slice"],
        "timings": timings,
        "export_s": took,
        "points": points_of(run.id),
    }


def rerun(job: Mapping[str, Any]) -> Told:
    """Rerun a bundle; its verdict, and the points of the rerun as its store has."""
    import nbtrack

    began = time.perf_counter()
    found = nbtrack.rerun(Path(job["bundle"]), trust=True, environment=job["where"])
    told = found.to_dict()
    return {
        "verdict": found.verdict,
        "reason": found.reason,
        "is_same": found.is_same,
        "divergence": told["divergence"],
        "causes": [[cause.kind, cause.sentence] for cause in found.causes],
        "metrics": told["metrics"],
        "remarks": list(found.remarks),
        "rerun_s": time.perf_counter() - began,
        "points": points_of(found.run) if found.run else {},
    }


def points_of(run_id: str) -> dict[str, list[Any]]:
    """How much each metric is thinned, and the points of it, to the bit."""
    import nbtrack

    store = nbtrack.open()
    found = {}
    for name, summary in store.run(run_id).metrics.items():
        curve = store.curve(run_id, name)
        values = [float(value).hex() for value in curve.values]
        found[name] = [
            summary.thinned,
            list(zip(map(int, curve.steps), values, strict=True)),
        ]
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]))

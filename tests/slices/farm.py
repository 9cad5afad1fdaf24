"""Runs jobs in processes forked from a warm one, each in a scratch folder of its own.

`python farm.py` is the warm process: it has imported what notebooks and a first session
import (six seconds), so that a session costs a tenth of a second. There is one for all
the calls of a process of tests; it reads pairs of paths, of jobs and of the answers
that it is to write, until its input ends. A job that hangs is killed; what a job
printed comes back with its answer.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib.util
import os
import pickle
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

JOBS_AT_ONCE = 2
DONE = b"done\n"
TESTS = Path(__file__).parent.parent


@dataclass
class Job:
    """A call of `function` (dotted) with `given` as its only argument."""

    key: Any
    function: str
    given: dict[str, Any]
    timeout_s: float = 30.0


@dataclass
class Answer:
    key: Any
    value: Any = None
    error: str | None = None
    said: str = ""


@dataclass
class _Child:
    job: Job
    pid: int
    folder: Path
    started: float = field(default_factory=time.monotonic)


def run_jobs(
    jobs: Sequence[Job], *, timeout_s: float = 900.0, python: str = sys.executable
) -> dict[Any, Answer]:
    """The answers of all jobs by key, from a warm process that is there to stay."""
    farm = _farm(python)
    try:
        answers = farm.answers(jobs, timeout_s)
    except BaseException:
        _farm.cache_clear()  # the next call has another one
        farm.close()
        raise
    return {one.key: one for one in answers}


class Farm:
    """The warm process, seen from the tests; it ends with them or when it is closed."""

    def __init__(self, python: str) -> None:
        surroundings = os.environ | {
            "PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent}",
            "PYTHONHASHSEED": "0",
            "OMP_NUM_THREADS": "1",
            "MPLBACKEND": "agg",
        }
        surroundings.pop("NBTRACK_OFF", None)
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 -- it lives as the process
        self._process = subprocess.Popen(
            [python, str(Path(__file__))],
            env=surroundings,
            cwd=tempfile.gettempdir(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
        )

    def answers(self, jobs: Sequence[Job], timeout_s: float) -> list[Answer]:
        told, heard = self._process.stdin, self._process.stdout
        assert told is not None
        assert heard is not None
        with tempfile.TemporaryDirectory(prefix="farm-") as folder:
            jobs_file, answers = Path(folder) / "jobs", Path(folder) / "answers"
            jobs_file.write_bytes(pickle.dumps(list(jobs)))
            told.write(f"{jobs_file}\n{answers}\n".encode())
            told.flush()
            ready, _, _ = select.select([heard], [], [], timeout_s)
            if not ready:
                raise TimeoutError(f"no answers within {timeout_s} s")
            if heard.readline() != DONE:
                self._said.seek(0)
                raise RuntimeError(self._said.read()[-4000:].decode(errors="replace"))
            return pickle.loads(answers.read_bytes())

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._said.close()


@functools.cache
def _farm(python: str) -> Farm:
    made = Farm(python)
    atexit.register(made.close)
    return made


def answer_all(jobs: Sequence[Job]) -> list[Answer]:
    """In this (warm) process: fork one child per job, a few at once."""
    waiting, running, answers = list(reversed(jobs)), [], []
    while waiting or running:
        while waiting and len(running) < JOBS_AT_ONCE:
            running.append(_fork(waiting.pop()))
        for child in list(running):
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            late = time.monotonic() - child.started > child.job.timeout_s
            if not pid and late:
                os.killpg(child.pid, signal.SIGKILL)
                os.waitpid(child.pid, 0)
            if pid or late:
                running.remove(child)
                why = "timeout" if late and not pid else f"died with {status}"
                answers.append(_answer_of(child, why))
        time.sleep(0.002)
    return answers


def _fork(job: Job) -> _Child:
    folder = Path(tempfile.mkdtemp(prefix="session-"))
    (folder / "work").mkdir()
    pid = os.fork()
    if pid:
        return _Child(job, pid, folder)
    try:
        os.setpgid(0, 0)
        with (folder / "said").open("wb") as said, open(os.devnull) as nothing:
            for stream, number in ((said, 1), (said, 2), (nothing, 0)):
                os.dup2(stream.fileno(), number)
        sys.stdin = os.fdopen(0)
        os.chdir(folder / "work")
        sys.path.insert(0, "")  # as a kernel has it
        os.environ["NBTRACK_STORE"] = str(folder / "store")
        value = _call(job)
        (folder / "value").write_bytes(pickle.dumps(value))
        sys.stdout.flush()
    except BaseException:
        import traceback

        (folder / "error").write_text(traceback.format_exc())
    finally:
        os._exit(0)


def _call(job: Job) -> Any:
    from slices.replays import fresh_randomness

    fresh_randomness()
    gc.enable()
    module, _, name = job.function.rpartition(".")
    return getattr(importlib.import_module(module), name)(job.given)


def _answer_of(child: _Child, why: str) -> Answer:
    folder, answer = child.folder, Answer(child.job.key)
    if (folder / "said").exists():
        answer.said = (folder / "said").read_text(errors="replace")
    if (folder / "error").exists():
        answer.error = (folder / "error").read_text()
    elif (folder / "value").exists():
        answer.value = pickle.loads((folder / "value").read_bytes())
    else:
        answer.error = why
    shutil.rmtree(folder, ignore_errors=True)
    return answer


def warm_up(names: Sequence[str] = ()) -> None:
    """Import what the sessions import, with nothing computed and no thread begun."""
    for name in names or WARM:
        if importlib.util.find_spec(name.partition(".")[0]) is not None:  # torch
            importlib.import_module(name)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    from slices.replays import shell_of_process

    shell_of_process()
    keep_out_of_collections()


def keep_out_of_collections() -> None:
    """A collection in a child would touch, and so copy, all pages of this process."""
    gc.collect()
    gc.freeze()
    gc.disable()


# Enough for most of the sessions, and forked four times as fast.
LIGHT = ("numpy", "IPython.core.completer", "sqlite3", "asyncio", "slices.replays")
HEAVY = ("torch", "sklearn", "pandas", "matplotlib", "joblib", "traitlets")
WARM = (
    *("numpy", "pandas", "torch", "torch.utils.data", "matplotlib.pyplot"),
    *("sklearn.linear_model", "sklearn.pipeline", "sklearn.preprocessing"),
    *("sklearn.tree", "sklearn.model_selection", "sklearn.datasets"),
    *("sklearn.metrics", "sklearn.cluster", "sklearn.neural_network"),
    *(
        "IPython.core.interactiveshell",
        "IPython.core.completer",
        "sqlite3",
        "asyncio",
        "multiprocessing",
    ),
    *("slices.replays", "slices.recording", "nbtrack.notebook.magics"),
)


def rehearse() -> None:
    """Import what a session and its script import too; found out in a child."""
    [answer] = answer_all([Job("rehearsal", "slices.recording.rehearse", {})])
    for name in answer.value or ():  # none where another tracker's Python is asked
        importlib.import_module(name)
    keep_out_of_collections()


def main() -> None:
    out = os.dup(1)
    os.dup2(2, 1)  # whatever is printed here is no answer
    warm_up()
    rehearse()
    for line in sys.stdin:
        jobs = pickle.loads(Path(line.rstrip("\n")).read_bytes())
        answers = Path(sys.stdin.readline().rstrip("\n"))
        answers.write_bytes(pickle.dumps(answer_all(jobs)))
        os.write(out, DONE)


if __name__ == "__main__":
    # Pickles name this module as it is imported, not as it is run.
    from slices import farm

    farm.main()

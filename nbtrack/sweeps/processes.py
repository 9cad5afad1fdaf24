"""Trials in processes on this machine: each with an interpreter of its own.

A worker is kept for many trials where the cell was shown to leave nothing behind, and
for one where it was not; then a spare one gets ready meanwhile. Workers write their
runs themselves. Whatever becomes of a worker, its trial comes back as `crashed`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from multiprocessing import Pipe
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbtrack.capture.dataflow.pseudo import OF_FILES
from nbtrack.errors import OptionError, SweepError
from nbtrack.guard import tolerated
from nbtrack.slices.command import command_of
from nbtrack.sweeps.executor import Began
from nbtrack.sweeps.job import Stage
from nbtrack.sweeps.trial import Outcome, Reports, Task
from nbtrack.sweeps.worker import PARENT, Wire
from nbtrack.text import shorten

if TYPE_CHECKING:
    from nbtrack.store import Store
    from nbtrack.sweeps.api import Asked

_NOT_PASSED_ON = ("PYTEST_", "COV_")
_END_S = 2.0  # a worker that was told to stop may take, before it is killed
_LAST_WORDS_S = 5.0  # and one that has only to keep what its runs printed


class WorkerPool:
    """An executor over local processes.

    Parameters
    ----------
    stage
        What stands before the swept cell.
    n
        How many trials at a time.
    fresh
        Whether each trial gets a process of its own.
    environment, folder
        Of the workers.
    aside
        Whether nobody wants what they record: then they need not end kindly.
    within
        The folder for what is thrown away; default: the system's.
    recorded
        Gets what a trial records, where its stage asks for an echo.
    """

    def __init__(
        self,
        stage: Stage,
        *,
        n: int,
        fresh: bool,
        environment: Mapping[str, str],
        folder: str,
        aside: bool = False,
        within: str | None = None,
        recorded: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        self.n_places = n
        self._aside = aside
        self._recorded = recorded
        self._stage = stage
        self._fresh = fresh
        self._root = Path(tempfile.mkdtemp(prefix="nbtrack-sweep-", dir=within))
        self._folder = folder
        self._environment = {
            name: value
            for name, value in environment.items()
            if not name.startswith(_NOT_PASSED_ON)
        } | {"NBTRACK_STORE": str(self._root / ".nbtrack"), PARENT: str(os.getpid())}
        self._workers: list[_Remote] = []
        self._listeners: dict[int, tuple[Reports, Began]] = {}
        self._leaving: list[_Remote] = []  # keep what their runs printed, and end
        self._wrote: list[str] = []
        self._more()

    def start(self, task: Task, *, report: Reports, began: Began) -> None:
        """Hand it to a worker; one that is still getting ready runs it then."""
        self._more()
        worker = next(w for w in self._workers if w.task is None)
        self._listeners[task.number] = (report, began)
        worker.give(task)
        if self._fresh:
            self._more()

    def wait(self, timeout_s: float) -> Outcome | None:
        """The next trial that has ended.

        Raises
        ------
        SweepError
            When a worker cannot run the cells before the swept one.
        """
        until = time.monotonic() + timeout_s
        while True:
            left = until - time.monotonic()
            by_pipe = {worker.wire.connection: worker for worker in self._workers}
            ready = wait_for(list(by_pipe), max(0.0, left)) if by_pipe else []
            if not ready:
                if not by_pipe and left > 0:
                    time.sleep(min(left, 0.05))
                return None
            for pipe in ready:
                outcome = self._hear(by_pipe[pipe])  # type: ignore[index]
                if outcome is not None:
                    return outcome

    def until_ready(self) -> None:
        """Wait until each worker has run what stands before the trials, or died."""
        for worker in self._workers:
            if not worker.was_ready:
                wait_for([worker.wire.connection])  # read by `wait`, as always

    def work_apart(self, wrote: Sequence[str]) -> list[str]:
        """From now on workers run in folders of their own, like the session's.

        Returns those of the files that lie outside of it, and are still shared.
        """
        self._wrote = [os.path.realpath(path) for path in wrote]
        for worker in self._workers:
            worker.go_to(self._own_folder())
        here = os.path.realpath(self._folder) + os.sep
        return [path for path in self._wrote if not path.startswith(here)]

    def _own_folder(self) -> str:
        from nbtrack.sweeps.overlay import overlaid

        own = Path(tempfile.mkdtemp(dir=self._root))
        overlaid(Path(os.path.realpath(self._folder)), own, self._wrote)
        return str(own)

    def stop(self, by: str) -> None:
        """Ask every trial to stop."""
        for worker in list(self._workers):
            if worker.task is not None:
                worker.say({"kind": "stop", "by": by})

    def hear_out(self) -> None:
        """Let workers end, and hear what they still record until they have."""
        for worker in self._workers:
            worker.leave()
        until = time.monotonic() + _LAST_WORDS_S
        while self._workers and time.monotonic() < until:
            self.wait(_LAST_WORDS_S / 20)

    def close(self) -> None:
        """End all workers, with what they started, and remove their folder."""
        for worker in self._workers:
            worker.leave()
        until = time.monotonic() + (0.0 if self._aside else _LAST_WORDS_S)
        for worker in [*self._workers, *self._leaving]:
            worker.end(until)
        self._workers.clear()
        self._leaving.clear()
        shutil.rmtree(self._root, ignore_errors=True)

    def pids(self) -> list[int]:
        """The processes that are there now."""
        return [worker.pid for worker in self._workers]

    # ---- inside

    def _more(self) -> None:
        """As many workers as trials at a time; with fresh ones, a spare besides."""
        n_busy = sum(worker.task is not None for worker in self._workers)
        n_wanted = n_busy + 1 if self._fresh else self.n_places
        while len(self._workers) < min(n_wanted, self.n_places + self._fresh):
            number = len(os.listdir(self._root))
            errors = self._root / f"errors-{number}-{time.monotonic_ns()}.txt"
            worker = _Remote(self._stage, self._environment, self._folder, errors)
            if self._wrote:
                worker.go_to(self._own_folder())
            self._workers.append(worker)

    def _hear(self, worker: _Remote) -> Outcome | None:
        told = worker.hear()
        if told is None:
            return self._died(worker)
        kind = told["kind"]
        if kind == "ready" and told["error"] is not None:
            raise SweepError(str(told["error"]))
        if kind == "report":
            report, _ = self._listeners[told["number"]]
            prune = report(told["number"], told["step"], told["value"])
            worker.say({"kind": "verdict", "prune": prune})
        elif kind == "began":
            _, began = self._listeners[told["number"]]
            began(told["number"], told["run"])
            worker.run = told["run"]
        elif kind == "recorded" and self._recorded is not None:
            self._recorded(told)
        elif kind == "done":
            return self._ended(worker, Outcome.from_json(told["outcome"]))
        return None

    def _ended(self, worker: _Remote, outcome: Outcome) -> Outcome:
        self._listeners.pop(outcome.number, None)
        worker.task = worker.run = None
        if not self._fresh:
            return outcome
        self._workers.remove(worker)
        self._leaving.append(worker)
        worker.leave()
        return without_memory(outcome)

    def _died(self, worker: _Remote) -> Outcome | None:
        self._workers.remove(worker)
        why = worker.how_it_died()
        worker.end(0.0)  # what it started goes with it
        if not worker.was_ready:
            raise SweepError(f"A worker does not start: {why}")
        if worker.task is None:
            return None
        self._listeners.pop(worker.task.number, None)
        return Outcome(worker.task.number, "crashed", worker.run, None, why)


class _Remote:
    """One worker as this process sees it."""

    def __init__(
        self,
        stage: Stage,
        environment: Mapping[str, str],
        folder: str,
        errors: Path,
    ) -> None:
        self.task: Task | None = None
        self.run: str | None = None
        self.was_ready = False
        self._errors = errors
        ours, theirs = Pipe()
        self.wire = Wire(ours)
        with theirs, errors.open("wb") as said:
            self._process = subprocess.Popen(
                command_of("nbtrack.sweeps.worker", str(theirs.fileno())),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                env=dict(environment),
                cwd=folder,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is the kernel's to hear
            )
        self.pid = self._process.pid
        self.say({"kind": "stage", "stage": stage.as_json()})

    def go_to(self, folder: str) -> None:
        """Let its next trials run in another folder."""
        self.say({"kind": "folder", "path": folder})

    def give(self, task: Task) -> None:
        """Let it run a trial."""
        self.task = task
        self.say({"kind": "trial", "task": task.as_json()})

    def say(self, message: dict[str, Any]) -> None:
        """Tell it something; where it is gone, its end is heard of soon."""
        with contextlib.suppress(OSError):
            self.wire.send(message)

    def hear(self) -> dict[str, Any] | None:
        """What it says; None when it is gone."""
        try:
            told = self.wire.receive()
        except (EOFError, OSError):
            return None
        self.was_ready |= told["kind"] == "ready"
        return told

    def leave(self) -> None:
        """Let it end: where it runs a trial, stop that first, so that its run ends."""
        if self.task is not None:
            self.say({"kind": "stop", "by": "the sweep ended"})
            self._await_the_end()
        self.say({"kind": "quit"})

    def end(self, until: float) -> None:
        """Wait for its end until then, and kill it with all that it started."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, until - time.monotonic()))
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self.wire.connection.close()

    def _await_the_end(self) -> None:
        until = time.monotonic() + _END_S
        while (left := until - time.monotonic()) > 0:
            if not self.wire.connection.poll(left):
                return
            told = self.hear()
            if told is None or told["kind"] == "done":
                return
            if told["kind"] == "report":
                self.say({"kind": "verdict", "prune": True})

    def how_it_died(self) -> str:
        """In a few words."""
        code = self._process.wait()
        if code < 0:
            return f"killed by {signal.Signals(-code).name}"
        lines = (
            self._errors.read_bytes()[-4_000:].decode("utf-8", "replace").split("\n")
        )
        last = next(
            (line for line in reversed(lines) if line.strip()), "it said nothing"
        )
        return f"it ended ({code}): {shorten(last.strip(), 200)}"


def without_memory(outcome: Outcome) -> Outcome:
    """The memory of a process is gone with it; what it left in files is not."""
    files = {n: why for n, why in outcome.leaks.items() if n.startswith(OF_FILES)}
    return replace(outcome, leaks=files)


def pool_for_function(
    function: Callable[..., Any],
    asked: Asked,
    store: Store,
    values_of: Callable[[Task], Mapping[str, Any]],
) -> WorkerPool:
    """Workers that call a function; raises as `stage_of_function` does."""
    return WorkerPool(
        stage_of_function(function, asked, store, values_of),
        n=asked.parallel,
        fresh=False,
        # What this process can import: a function of a module is sent by its name.
        environment={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        },
        folder=os.getcwd(),
    )


def stage_of_function(
    function: Callable[..., Any],
    asked: Asked,
    store: Store,
    values_of: Callable[[Task], Mapping[str, Any]],
) -> Stage:
    """What another process needs to call a function.

    Raises
    ------
    OptionError
        When it cannot be sent there; says what it holds on to.
    """
    import base64

    why: list[Exception] = []
    packed = b""
    with tolerated(why.append):
        import cloudpickle

        packed = cloudpickle.dumps((function, values_of))
    if why:
        way_out = "" if asked.cluster is not None else ", or use parallel=1"
        raise OptionError(
            f"{getattr(function, '__name__', 'The function')}() cannot be sent to "
            f"another process ({type(why[0]).__name__}: {shorten(str(why[0]), 160)}). "
            f"Make what it holds on to inside of it{way_out}."
        )
    return Stage(
        store=str(store.path),
        function=base64.b64encode(packed).decode(),
        about=dict(asked.about),
    )

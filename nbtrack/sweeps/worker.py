"""A process that runs trials: `python -m nbtrack.sweeps.worker FD`, with a pipe at FD.

It runs the cells that the swept one depends on, once, in a fresh interpreter, and then
trial after trial as it is told. What these cells record goes to a store that is thrown
away; a trial's run goes to the real one, through a writer of its own, so that a killed
worker loses nothing but the end of its trial. It dies with the process that started it.
"""

from __future__ import annotations

import base64
import json
import os
import queue
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from nbtrack.sweeps.boundary import Boundary
from nbtrack.sweeps.in_function import FunctionTrial
from nbtrack.sweeps.in_shell import TrialInShell
from nbtrack.sweeps.job import Stage
from nbtrack.sweeps.trial import Outcome, Task

PARENT = "NBTRACK_SWEEP_OF"  # in the environment: the process that waits for us
Trial = TrialInShell | FunctionTrial


class Wire:
    """JSON messages over a pipe; a lock, as trials and answers come from threads.

    >>> from multiprocessing import Pipe
    >>> one, other = Pipe()
    >>> Wire(one).send({"kind": "ready"})
    >>> Wire(other).receive()
    {'kind': 'ready'}
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._lock = threading.Lock()

    def send(self, message: dict[str, Any]) -> None:
        """Say something to the other side.

        Raises
        ------
        OSError
            When nobody is there.
        """
        packed = json.dumps(message).encode()
        with self._lock:
            self.connection.send_bytes(packed)

    def receive(self) -> dict[str, Any]:
        """The next message.

        Raises
        ------
        EOFError, OSError
            When nobody is there.
        """
        told: dict[str, Any] = json.loads(self.connection.recv_bytes())
        return told


class Worker:
    """The life of a worker, from its first message to its last."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._tasks: queue.Queue[dict[str, Any]] = queue.Queue()
        self._verdicts: queue.Queue[bool] = queue.Queue()
        self._running: Trial | None = None

    def run(self) -> None:
        """Set the stage, then run trials until told to quit."""
        stage = Stage.from_json(self._wire.receive()["stage"])
        threading.Thread(target=self._listen, daemon=True).start()
        make_trial, error = self._ready(stage)
        self._wire.send({"kind": "ready", "error": error})
        if make_trial is None:
            return
        os.environ["NBTRACK_STORE"] = stage.store
        while True:
            told = self._tasks.get()
            if told["kind"] == "quit":
                return
            if told["kind"] == "folder":
                os.chdir(told["path"])
                continue
            task = Task.from_json(told["task"])
            outcome = self._run(make_trial(task), task)
            self._wire.send({"kind": "done", "outcome": outcome.as_json()})

    def _ready(
        self, stage: Stage
    ) -> tuple[
        Callable[[Task], tuple[Trial, Callable[[], Outcome]]] | None, str | None
    ]:
        if stage.function:
            return self._of_function(stage), None
        from nbtrack.slices.replay import new_shell, run_segment

        shell = new_shell()
        for segment in stage.segments:
            error, _ = run_segment(shell, segment)
            if error is not None:
                return None, f"{segment.label}: {error}"

        def make(task: Task) -> tuple[Trial, Callable[[], Outcome]]:
            trial = TrialInShell(
                shell, task, report=self._report, began=self._began(task)
            )
            boundary = Boundary.of(stage.python, shell.user_ns)
            return trial, lambda: trial.run(boundary)

        return make, None

    def _of_function(
        self, stage: Stage
    ) -> Callable[[Task], tuple[Trial, Callable[[], Outcome]]]:
        import pickle

        # Of the process that started this one, and of the user's own making.
        packed = base64.b64decode(stage.function)
        function, values_of = pickle.loads(packed)  # noqa: S301

        def make(task: Task) -> tuple[Trial, Callable[[], Outcome]]:
            trial = FunctionTrial(function, values_of(task), task, stage.about)
            return trial, lambda: trial.run(self._report, self._began(task))

        return make

    def _run(self, made: tuple[Trial, Callable[[], Outcome]], task: Task) -> Outcome:
        self._running, run = made
        import_generators(task)
        outcome = run()
        self._running = None
        return outcome

    def _began(self, task: Task) -> Callable[[str], None]:
        return lambda run: self._wire.send(
            {"kind": "began", "number": task.number, "run": run}
        )

    def _report(self, number: int, step: int, value: float) -> bool:
        """Ask the other side; it answers within a millisecond or so."""
        self._wire.send(
            {"kind": "report", "number": number, "step": step, "value": value}
        )
        return self._verdicts.get()

    def _listen(self) -> None:
        """Everything that is said to us, in a thread of its own."""
        try:
            while True:
                self._hear(self._wire.receive())
        except (EOFError, OSError):
            os._exit(1)  # nobody waits for what we do

    def _hear(self, told: dict[str, Any]) -> None:
        if told["kind"] in ("trial", "folder", "quit"):
            self._tasks.put(told)
        elif told["kind"] == "verdict":
            self._verdicts.put(bool(told["prune"]))
        elif told["kind"] == "stop" and self._running is not None:
            self._running.stop(str(told["by"]))


def import_generators(task: Task) -> None:
    """Import the libraries whose generators are to be put back before a trial."""
    import importlib

    for name in {name.partition(".")[0] for name in task.states}:
        if name in ("numpy", "torch"):
            importlib.import_module(name)


def main(arguments: list[str]) -> None:
    """Run as a worker until the other side is gone."""
    from nbtrack.slices.isolate import die_with

    die_with(int(os.environ.pop(PARENT, os.getppid())))
    Worker(Wire(Connection(int(arguments[0])))).run()
    from nbtrack.tracking.session import process_session

    process_session().close()  # what is still being kept in the background
    os._exit(0)  # threads of the user's are not waited for


if __name__ == "__main__":
    main(sys.argv[1:])

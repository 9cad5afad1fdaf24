"""Runs one trial in a shell: of the notebook's kernel, or of a worker.

The cell runs as a tracked cell, in the namespace as it was: names are bound again as
they were before, generators put back, printed text goes to the run alone. What the cell
changed in place is told, so that nobody mistakes the next trial for an independent one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbtrack.capture.dataflow.pseudo import FILE, MODULE
from nbtrack.capture.dataflow.users_names import is_ipythons
from nbtrack.capture.file_sweep import stamp_of
from nbtrack.capture.opened_files import ReadLog
from nbtrack.capture.randomness import restore_states
from nbtrack.records import FlowRecord
from nbtrack.sweeps.boundary import Boundary
from nbtrack.sweeps.judge import Judge
from nbtrack.sweeps.results import outcome_of
from nbtrack.sweeps.studies import SWEEP, TRIAL
from nbtrack.sweeps.trial import Outcome, Reports, Task

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run


class TrialInShell:
    """One trial on its way; `stop` may be called from another thread."""

    def __init__(
        self,
        shell: Any,  # IPython's InteractiveShell, which has no types
        task: Task,
        *,
        report: Reports | None = None,
        began: Callable[[str], None] = lambda run: None,
    ) -> None:
        self._shell = shell
        self._task = task
        self._report = report
        self._began = began
        self._run: Run | None = None
        self._stop_by = ""

    def run(self, boundary: Boundary) -> Outcome:
        """Run it to its end; never raises for what the cell does."""
        started = time.monotonic()
        opened = ReadLog(hears_all=True)
        with self._names_put_back(), self._following_the_run(), listening(opened):
            failed = restore_states(self._task.states, self._shell.user_ns)
            result = self._run_cell()
        restore_states(self._task.states, self._shell.user_ns)
        flow = self._flow()
        leaks = {
            **boundary.changed(self._shell.user_ns),
            **changes_around(flow, opened),
        }
        for name, why in failed.items():
            leaks[name] = f"its generator cannot be put back ({why})"
        self._undo()
        return outcome_of(
            self._task,
            self._run,
            result.error_before_exec or result.error_in_exec,
            leaks=leaks,
            duration_s=time.monotonic() - started,
            wrote=written_by(flow, opened.started_ns),
        )

    def stop(self, by: str) -> None:
        """Ask it to stop, as the Stop button does."""
        self._stop_by = by
        if self._run is not None:
            self._run.request_stop(by)

    def _run_cell(self) -> Any:
        from IPython.utils.capture import capture_output

        line = " ".join(["%%nbtrack", *options_of(self._task)])
        with capture_output(), _without_tracebacks(self._shell):
            # A message of a page would set its parent, and be dropped with an error.
            self._shell.display_pub.set_parent = lambda parent: None
            return self._shell.run_cell(
                f"{line}\n{self._task.source}", store_history=False
            )

    @contextmanager
    def _names_put_back(self) -> Iterator[None]:
        """Afterwards names, folder and environment are what they were before."""
        namespace = self._shell.user_ns
        before, environment, folder = dict(namespace), dict(os.environ), os.getcwd()
        try:
            yield
        finally:
            os.chdir(folder)
            if os.environ != environment:
                os.environ.clear()
                os.environ.update(environment)
            for name in namespace.keys() - before.keys():
                if not is_ipythons(name):
                    del namespace[name]
            for name, value in before.items():
                if namespace.get(name, self) is not value:
                    namespace[name] = value

    @contextmanager
    def _following_the_run(self) -> Iterator[None]:
        """Take hold of the run as it begins."""
        from nbtrack.tracking.session import process_session

        session = process_session()
        before = session.on_start

        def started(run: Run) -> None:
            if before is not None:
                before(run)
            if self._run is None:
                self._take(run)

        session.on_start = started
        try:
            yield
        finally:
            session.on_start = before

    def _take(self, run: Run) -> None:
        self._run = run
        if self._report is not None and self._task.prunes:
            Judge(run, self._task, self._report).sit()
        self._began(run.id)
        if self._stop_by:
            run.request_stop(self._stop_by)

    def _flow(self) -> FlowRecord:
        from nbtrack.tracking.session import process_session

        log = process_session().executed
        flow = log.cells[-1].flow if log is not None and log.cells else None
        return flow or FlowRecord()

    def _undo(self) -> None:
        from nbtrack.tracking.session import process_session

        log = process_session().executed
        if log is not None:
            log.undone(self._shell.user_ns)


@contextmanager
def _without_tracebacks(shell: Any) -> Iterator[None]:
    """A kernel sends them past what captures output; they are kept with the run."""
    shell._showtraceback = lambda *_, **__: None
    try:
        yield
    finally:
        del shell._showtraceback


def options_of(task: Task) -> list[str]:
    """What stands behind `%%nbtrack` for a trial.

    >>> from nbtrack.sweeps.trial import Aim
    >>> options_of(Task("s", 0, Aim("loss", "min"), {"lr": 0.1}, "x"))
    ["'s #0'", '-t', "'sweep: s'", '-t', "'trial: 0'", '-m', 'loss:min', '-p', \
'lr=0.1', '--no-live']
    """
    given = [f"{name}={value!r}" for name, value in task.labels.items()]
    params = [part for text in given for part in ("-p", text)]
    tags = ["-t", f"'{SWEEP}: {task.sweep}'", "-t", f"'{TRIAL}: {task.number}'"]
    goal = ["-m", f"{task.aim.metric}:{task.aim.goal}"]
    name = f"'{task.run_name}'"
    return [name, *tags, *goal, *params, *task.options, "--no-live"]


def changes_around(flow: FlowRecord, opened: ReadLog) -> dict[str, str]:
    """What a cell leaves changed in libraries and files, and a next trial would meet.

    A file counts where the cell read it as it was before, and wrote it then.

    >>> flow = FlowRecord(writes={"@module:torch": "changed", "x": "set"})
    >>> changes_around(flow, ReadLog())
    {'@module:torch': 'the cell patches a library'}
    """
    found = {
        name: "the cell patches a library"
        for name in flow.writes
        if name.startswith(MODULE)
    }
    for path, stamp in opened.found():
        is_older = stamp is not None and stamp[2] < opened.started_ns
        if is_older and f"{FILE}{path}" in flow.writes and stamp_of(path) != stamp:
            found[f"{FILE}{path}"] = "the cell reads it, and writes it then"
    return found


def written_by(flow: FlowRecord, since_ns: int) -> tuple[str, ...]:
    """The files that a cell wrote, and that are there.

    >>> written_by(FlowRecord(writes={"@file:/nowhere/best.pt": "set"}), 0)
    ()
    """
    paths = (n.removeprefix(FILE) for n in flow.writes if n.startswith(FILE))
    stamps = ((path, stamp_of(Path(path))) for path in paths)
    return tuple(path for path, stamp in stamps if stamp and stamp[2] >= since_ns)


@contextmanager
def listening(opened: ReadLog) -> Iterator[None]:
    """Hear of the files that are opened within the block."""
    opened.start()
    try:
        yield
    finally:
        opened.stop()

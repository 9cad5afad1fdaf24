"""One tracked script: from before its first line to the line that sums it up.

A script is a session of one cell. Its run begins before its first statement and ends
with its last one, however that comes; a slip in the options stops it before it runs,
and whatever else goes wrong on our side is one line on stderr.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from nbtrack.errors import (
    NbtrackError,
)
from nbtrack.guard import guard
from nbtrack.text import visible
from nbtrack.tracked.options import TrackOptions, evaluate_params
from nbtrack.tracked.recording import Recording
from nbtrack.tracked.starting import run_or_line, started

if TYPE_CHECKING:
    from nbtrack.capture.session import SessionLog
    from nbtrack.records import RunRecord
    from nbtrack.scripts.source import Source
    from nbtrack.slices.grade import Grade
    from nbtrack.tracked.cell_log import CellLog
    from nbtrack.tracked.deferred import Prepared
    from nbtrack.tracked.parts import Part
    from nbtrack.tracking.run import Run

EXECUTION = 1  # of the one cell that a script is
LOG = "the log of cells"
SEEDS = "seeds of the script"


class TrackedScript:
    """The recording of the script of this process."""

    def __init__(self, options: TrackOptions, *, says_json: bool) -> None:
        self._options = options
        self._says_json = says_json
        self._pid = os.getpid()
        self._recording = Recording(parts_of_scripts())
        self._names: dict[str, Any] = {}
        self._log: SessionLog | None = None
        self._kept: CellLog | None = None
        self._run: Run | None = None
        self._line = ""  # what was captured, once that is known
        self._is_over = False

    @property
    def is_recorded(self) -> bool:
        """Whether there is a run."""
        return self._run is not None

    def begin(
        self,
        source: Source,
        prepared: Prepared,
        *,
        experiment: str,
        namespace: dict[str, Any],
    ) -> None:
        """Begin the run and every part of it.

        Raises
        ------
        OptionError
            For a `-p` that cannot be evaluated, or a run that cannot be resumed.
        """
        from nbtrack.tracked.parts import Tracking

        params = evaluate_params(self._options.params, {})
        self._names = namespace
        self._begin_log(source)
        self._seed(source)
        run = self._start_run(source, experiment)
        if run is None or self._log is None:
            return
        self._run = run
        # Registered before the script can: it is said behind all that it prints.
        atexit.register(self._last_words)
        on = Tracking(
            run=run,
            prepared=prepared,
            python=source.text,
            params=params,
            namespace=namespace,
            log=self._log,
        )
        self._recording.begin(on)

    def end(self, error: BaseException | None) -> None:
        """The script is done; Ctrl-C meanwhile makes the run a stopped one.

        Where threads of the script still work, so does the run, until they are done:
        Python would wait for them too.
        """
        if os.getpid() != self._pid:  # a child that was forked, and ended as we do
            return
        for _ in range(2):
            try:
                if error is None:
                    _wait_for_threads()
                self._end(error)
                return
            except KeyboardInterrupt as exc:
                error = exc

    def _begin_log(self, source: Source) -> None:
        with guard(LOG):
            from nbtrack.capture.dataflow.session_start import session_starts
            from nbtrack.capture.session import SessionLog
            from nbtrack.tracked.cell_log import CellLog
            from nbtrack.tracking.session import process_session

            self._log = log = SessionLog()
            self._kept = CellLog(log)
            session = process_session()
            session.executed, session.on_start = log, self._kept.run_started
            log.start, log.is_tracking = session_starts(), True
            log.looks_at_values = "slices" not in self._options.off
            log.begin(
                as_cell(source.text, self._options),
                None,
                EXECUTION,
                filename=source.path,
                python=source.text,
                namespace=self._names,
            )

    def _seed(self, source: Source) -> None:
        """Before the run begins: it takes the states that the script starts from."""
        from nbtrack.tracked.parts import Seeding
        from nbtrack.tracked.seeds import seed_everything

        if self._options.seed is None:
            return
        with guard(Seeding.feature):
            seed_everything(self._options.seed, python=source.text)
            if self._log is not None:
                self._log.take_states(self._names)

    def _start_run(self, source: Source, experiment: str) -> Run | None:
        start = partial(
            started,
            self._options,
            as_cell(source.text, self._options),
            experiment=experiment,
            execution=EXECUTION,
        )
        return run_or_line(start, say, what="script")

    def _end(self, error: BaseException | None) -> None:
        if self._is_over:
            return
        if self._run is not None:
            self._recording.end(self._run, error, self._names)
        self._is_over = True
        grade = self._end_log(error)
        with guard("the summary line"):
            self._line = self._said_of_it(grade)

    def _end_log(self, error: BaseException | None) -> Grade | None:
        if self._log is None or self._kept is None:
            return None
        with guard(LOG):
            ok = error is None or _is_fine(error)
            kind = None if ok else type(error).__name__
            self._log.end(ok, kind, EXECUTION, namespace=self._names)
            with guard(SEEDS):
                from nbtrack.scripts.seeded import note_seeded

                note_seeded(self._log.cells[0], self._names)
            self._kept.cell_ended()
        if self._run is None:
            return None
        from nbtrack.tracked.grading import FEATURE, Grading

        with guard(FEATURE):
            return Grading(self._run, self._log, 0, of_notebook=False).judge()
        return None

    def _said_of_it(self, grade: Grade | None) -> str:
        on = self._recording.on
        if on is None or not on.run.is_recorded:  # the first rank says it for all
            return ""
        from nbtrack.tracked.summary import alerts_part, line_of, unread_line

        try:
            on.record = on.run.store.run(on.run.id)  # `finish` has flushed
        except NbtrackError as exc:
            return f"nbtrack: {unread_line(on.run.name, exc)}"
        if self._says_json:
            return json.dumps(told_of(on.record, store=str(on.run.store.path)))
        return f"nbtrack: {line_of(on, grade)}{alerts_part(on.record)}"

    def _last_words(self) -> None:
        """What was captured, as the process ends."""
        if self._line and os.getpid() == self._pid:
            say(self._line)


def as_cell(text: str, options: TrackOptions) -> str:
    r"""The cell that does what the script does: its slice, its bundle run that.

    >>> as_cell("x = 1\n", TrackOptions(seed=7))
    '%%track --seed 7\nx = 1\n'
    """
    words = ["%%track"]
    words += [] if options.seed is None else ["--seed", str(options.seed)]
    words += ["--watch", *options.watch] if options.watch else []
    words += [] if options.zero_edit else ["--no-watch"]
    return f"{' '.join(words)}\n{text}"


def parts_of_scripts() -> list[Part]:
    """The parts in the order of their beginning; they end in the opposite one."""
    from nbtrack.scripts.arguments_part import ParsedArguments
    from nbtrack.scripts.frames_part import Frames
    from nbtrack.tracked.autolog_part import Autolog
    from nbtrack.tracked.data_part import FilesRead
    from nbtrack.tracked.parts import Files, Params, Seeding, Watching

    return [
        Seeding(),
        Params(),
        ParsedArguments(),
        Frames(),
        Files(),
        FilesRead(),
        Autolog(),
        Watching(),
    ]


def told_of(record: RunRecord, *, store: str) -> dict[str, Any]:
    """A run that is over, as JSON: what a program that started it wants to know."""
    from nbtrack.analysis.alerts import alert_line

    fields = ("id", "name", "experiment", "status", "duration_s", "grade", "error")
    return {
        **{field: getattr(record, field) for field in fields},
        "store": store,
        "params": {name: param.value for name, param in record.params.items()},
        "metrics": {name: metric.last for name, metric in record.metrics.items()},
        "n_checkpoints": len(record.checkpoints),
        "alerts": [alert_line(a.title, a.step) for a in record.alerts],
    }


def say(text: str) -> None:
    """One line on the process's own stderr: what the script prints stays its own."""
    stream = sys.__stderr__
    if stream is None:
        return
    with guard("the summary line"):
        line = visible(" ".join(text.split()))
        encoding = stream.encoding or "utf-8"
        plain = line.encode(encoding, "backslashreplace").decode(encoding)
        stream.write(f"{plain}\n")
        stream.flush()


def _wait_for_threads() -> None:
    """For those that Python waits for at its exit; idle ones of a pool are let go."""
    pool = sys.modules.get("concurrent.futures.thread")
    idle = set(getattr(pool, "_threads_queues", ()))
    left = [
        thread
        for thread in threading.enumerate()
        if not thread.daemon and thread is not threading.main_thread()
    ]
    for thread in left:
        if thread not in idle:
            thread.join()


def _is_fine(error: BaseException) -> bool:
    return isinstance(error, SystemExit) and error.code in (None, 0)

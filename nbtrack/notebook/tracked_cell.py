"""One tracked cell: from the call in its first line to the line that sums it up.

The run begins before the user's first statement and ends when IPython reports the end
of the cell, however it came. What goes wrong on our side is one line under the cell
and never an exception in it; only a slip in the options is the user's own, and stops
the cell before it runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbtrack.errors import (
    NbtrackError,
    OptionError,
)
from nbtrack.guard import guard
from nbtrack.notebook.cells import OpenCell, Outcome
from nbtrack.notebook.display import show_line
from nbtrack.notebook.figures_part import Figures
from nbtrack.notebook.options import parse_options
from nbtrack.notebook.panel_part import Panel
from nbtrack.tracked.autolog_part import Autolog
from nbtrack.tracked.data_part import Data, FilesRead
from nbtrack.tracked.deferred import Prepared
from nbtrack.tracked.options import evaluate_params
from nbtrack.tracked.parts import (
    WATCHING,
    Files,
    Params,
    Part,
    Seeding,
    Tracking,
    Watching,
)
from nbtrack.tracked.recording import Recording
from nbtrack.tracked.starting import run_or_line, started
from nbtrack.tracked.summary import line_of, unread_line

if TYPE_CHECKING:
    from nbtrack.capture.session import SessionLog
    from nbtrack.slices.grade import Grade
    from nbtrack.tracking.run import Run

_NOWHERE = object()  # no run was about to begin


class TrackedCell:
    """The recording of one cell; `begin` in its first line, `end` after its last.

    Both may be cut off by Ctrl-C at any instant: what was begun is ended all the same.
    """

    def __init__(self, cell: OpenCell, prepared: Prepared, log: SessionLog) -> None:
        self._cell = cell
        self._prepared = prepared
        self._log = log
        self._panel = Panel()
        # Ended in the opposite order; the params want to know what the watcher saw, so
        # it stands behind them here.
        parts: list[Part] = [
            Seeding(),
            Params(),
            Data(),
            Files(),
            FilesRead(),
            Autolog(),
            Figures(),
            self._panel,
            Watching(),
        ]
        self._recording = Recording(parts)
        self._started_from: Run | object | None = _NOWHERE

    @property
    def _on(self) -> Tracking | None:
        return self._recording.on

    def begin(self) -> None:
        """Begin the run and every part of it.

        Raises
        ------
        OptionError
            For a `-p` that cannot be evaluated, or a run that cannot be resumed.
        """
        options = self._prepared.options
        params = evaluate_params(options.params, self._cell.shell.user_ns)
        if options.seed is not None:
            self._seed(options.seed)
        run = self._start_run()
        if run is None:
            return
        on = Tracking(
            run=run,
            prepared=self._prepared,
            python=self._cell.python,
            params=params,
            namespace=self._cell.shell.user_ns,
            log=self._log,
        )
        self._recording.begin(on)

    def end(self, outcome: Outcome) -> None:
        """End what was begun; Ctrl-C meanwhile makes the run a stopped one."""
        for _ in range(2):
            try:
                self._end(outcome)
                return
            except KeyboardInterrupt as exc:
                outcome = Outcome(exc, outcome.execution)

    def show(self) -> None:
        """Leave the picture and the line under the cell; Ctrl-C does not keep them."""
        for _ in range(2):
            try:
                if self._on is not None:
                    self._show(self._on)
                return
            except KeyboardInterrupt:
                continue

    def _seed(self, seed: int) -> None:
        """Before the run begins: it takes the states that its cell starts from."""
        from nbtrack.tracked.seeds import seed_everything

        with guard(Seeding.feature):
            seed_everything(seed, python=self._cell.python)
            self._log.take_states(self._cell.shell.user_ns)

    def _start_run(self) -> Run | None:
        from nbtrack.tracking.session import process_session

        self._started_from = process_session().active
        return run_or_line(self._started, show_line, what="cell")

    def _started(self) -> Run:
        from nbtrack.notebook.notebook_name import notebook_path

        cell = self._cell
        notebook = notebook_path(cell.shell.user_ns)
        beside = notebook.parent if notebook and notebook.parent.is_dir() else None
        return started(
            self._prepared.options,
            cell.raw,
            experiment=notebook.stem if notebook else None,
            near=beside,
            notebook=str(notebook) if notebook else None,
            cell_id=cell.cell_id,
            execution=cell.execution,
        )

    def _end(self, outcome: Outcome) -> None:
        run = self._on.run if self._on else self._orphan()
        if run is None:
            with guard(WATCHING):
                self._prepared.discard()
            return
        self._recording.end(run, outcome.error, self._cell.shell.user_ns)

    def _orphan(self) -> Run | None:
        """A run that Ctrl-C cut off between its start and our knowing of it."""
        from nbtrack.tracking.session import process_session

        now = process_session().active
        unknown = self._started_from is _NOWHERE or now is self._started_from
        return None if unknown else now

    def _judge(self, on: Tracking) -> Grade | None:
        from nbtrack.tracked.grading import FEATURE, Grading

        seq = self._cell.seq
        with guard(FEATURE):
            return None if seq is None else Grading(on.run, self._log, seq).judge()
        return None

    def _show(self, on: Tracking) -> None:
        grade = self._judge(on)
        with guard("the summary line"):
            try:
                on.record = on.run.store.run(on.run.id)  # `finish` has flushed
            except NbtrackError as exc:
                show_line(unread_line(on.run.name, exc))
        with guard(self._panel.feature):
            self._panel.close(on)
        with guard("the summary line"):
            if on.record is not None:
                show_line(line_of(on, grade))


def begin_tracked(
    cell: OpenCell, prepared: Prepared | None, line: str, log: SessionLog
) -> None:
    """Begin the tracking of a cell that is running.

    Raises
    ------
    OptionError
        For a slip in the options.
    """
    if prepared is None:
        prepared = Prepared(parse_options(line))
    if prepared.broken:
        return
    tracked = TrackedCell(cell, prepared, log)
    cell.tracked.append(tracked)  # before it begins: Ctrl-C may come at any instant
    tracked.begin()


def _begin(line: str, token: int | None = None) -> None:
    """What the first line of a tracked cell calls; see `nbtrack.notebook.transform`.

    Where the extension is not loaded (a script that was made from `In[3]`) the code
    runs unrecorded.
    """
    from nbtrack.notebook.magics import extension_of_this_shell

    extension = extension_of_this_shell()
    if extension is None:
        guard.warn_once("no extension", "not recorded: first run %load_ext nbtrack")
        return
    slip: OptionError | None = None
    with guard("tracking"):
        try:
            extension.begin(line, token)
        except OptionError as exc:
            slip = exc
    if slip is not None:
        raise usage_error(slip)


def usage_error(exc: NbtrackError) -> Exception:
    """A mistake of the user as IPython shows it: one line and no traceback."""
    from IPython.core.error import UsageError

    error: Exception = UsageError(f"nbtrack: {exc}")
    return error

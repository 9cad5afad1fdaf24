"""What runs around every cell of a shell: the log of the session, the tracked cells.

`pre_run_cell` and `post_run_cell` also fire for cells that a cell runs, so what is open
is a stack per thread; a result closes the cell whose info it carries. A plain cell
costs a look at its text and a line in the log. Nothing here raises into a cell.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nbtrack.guard import guard
from nbtrack.notebook.rewrite import PEELED_MAGICS, CellRewriter
from nbtrack.notebook.transform import BEGIN, first_code_line, inner_magics_peeled

if TYPE_CHECKING:
    from nbtrack.capture.session import SessionLog
    from nbtrack.notebook.tracked_cell import TrackedCell
    from nbtrack.tracked.cell_log import CellLog

_MAY_TRACK = re.compile(r"%%(?:nb)?track\b|'nbtrack'\)\._begin\(")
_INNER = re.compile(r"get_ipython\(\)\.run_cell_magic\(")


@dataclass(slots=True)
class Outcome:
    """How a cell ended."""

    error: BaseException | None
    execution: int | None

    @classmethod
    def of(cls, result: Any) -> Outcome:
        """Read IPython's result; None stands for an awaited cell that was cancelled."""
        if result is None:
            return cls(KeyboardInterrupt("cancelled"), None)
        error = result.error_before_exec or result.error_in_exec
        return cls(error, result.execution_count)


@dataclass(frozen=True, slots=True)
class Typed:
    """Stands for IPython's ExecutionInfo where code calls a cell magic by itself."""

    raw_cell: str
    cell_id: str | None = None
    store_history: bool = False


@dataclass
class OpenCell:
    """A cell that is running."""

    shell: Any  # IPython's InteractiveShell, which has no types
    info: Any  # its ExecutionInfo
    execution: int | None
    seq: int | None = None  # its place in the log of cells
    tracked: list[TrackedCell] = field(default_factory=list)

    @property
    def raw(self) -> str:
        """The cell as it was typed."""
        return str(self.info.raw_cell)

    @property
    def cell_id(self) -> str | None:
        """The front end's id of the cell, if it has one."""
        return getattr(self.info, "cell_id", None)

    @cached_property
    def python(self) -> str:
        """The Python of the cell, at its own lines, without the magics around it."""
        done = getattr(self.info, "transformed_cell", None) or ""
        lines = done.splitlines(keepends=True)
        at = first_code_line(lines)
        is_plain = at < len(lines) and lines[at].startswith(BEGIN)
        if is_plain and not any(map(_INNER.match, lines[at + 1 :])):
            # IPython has transformed it already; 100 lines take it 4 ms.
            return "".join([*lines[:at], "\n", *lines[at + 1 :]])
        body, start = inner_magics_peeled(self.raw, PEELED_MAGICS.__contains__)
        return "\n" * start + str(self.shell.transform_cell(body))


class CellHooks:
    """The hooks of one shell; `install` and `remove` are harmless when done twice."""

    def __init__(
        self, shell: Any, *, rewriter: CellRewriter, log: SessionLog, kept: CellLog
    ) -> None:
        self._shell = shell
        self._rewriter = rewriter
        self._log = log
        self._kept = kept
        self._local = threading.local()

    def install(self) -> None:
        """Begin to look at the shell's cells."""
        self.remove()
        self._shell.events.register("pre_run_cell", self.pre_run_cell)
        self._shell.events.register("post_run_cell", self.post_run_cell)

    def remove(self) -> None:
        """Leave the shell as it was."""
        callbacks = self._shell.events.callbacks
        for name in ("pre_run_cell", "post_run_cell"):
            hook = getattr(self, name)
            if hook in callbacks[name]:
                self._shell.events.unregister(name, hook)
        self.set_rewriting(on=False)

    @property
    def open_cells(self) -> list[OpenCell]:
        """The cells that run in this thread, the innermost last."""
        cells: list[OpenCell] | None = getattr(self._local, "cells", None)
        if cells is None:
            cells = self._local.cells = []
        return cells

    def pre_run_cell(self, info: Any) -> None:
        """IPython calls this before a cell is compiled."""
        with guard("the log of cells"):
            cell = OpenCell(self._shell, info, self._execution(info))
            self.open_cells.append(cell)
            if _MAY_TRACK.search(cell.raw):
                self.set_rewriting(on=True)
                self._log.is_tracking = True
            self._log_begin(cell)

    def post_run_cell(self, result: Any) -> None:
        """IPython calls this after a cell, however it ended."""
        with guard("the end of tracked cells"):
            outcome = Outcome.of(result)
            info = None if result is None else result.info
            closed = self._closed_by(info) or self._begun_before(result)
            self._end(closed, outcome)
            for cell in closed:
                self._log_end(cell, outcome)
            self._show(closed)

    @contextmanager
    def running(self, typed: Typed) -> Iterator[str]:
        """Open a cell of its own for code that is run now; yields its Python."""
        cell = OpenCell(self._shell, typed, None)
        self.open_cells.append(cell)
        self.set_rewriting(on=True)
        error: BaseException | None = None
        try:
            yield str(self._shell.transform_cell(typed.raw_cell))
        except BaseException as exc:
            error = exc
            raise
        finally:
            closed = self._closed_by(typed)
            self._end(closed, Outcome(error, None))
            self._show(closed)

    def _end(self, cells: list[OpenCell], outcome: Outcome) -> None:
        for cell in cells:
            for tracked in reversed(cell.tracked):
                tracked.end(outcome)
        if not self.open_cells:
            self.set_rewriting(on=False)

    def _show(self, cells: list[OpenCell]) -> None:
        """What stays under the cell, now that it is in the log with all it read."""
        for cell in cells:
            for tracked in reversed(cell.tracked):
                tracked.show()

    def set_rewriting(self, *, on: bool) -> None:
        """Put the AST transformer among IPython's, or take it away.

        It costs every cell 45 us while it is there, so it is there for tracked ones.
        """
        transformers = self._shell.ast_transformers
        if on and self._rewriter not in transformers:
            transformers.append(self._rewriter)
        elif not on:
            if self._rewriter in transformers:
                transformers.remove(self._rewriter)
            self._rewriter.forget()

    def _closed_by(self, info: Any) -> list[OpenCell]:
        """The cell that ended, and any within it whose own end was never told."""
        cells = self.open_cells
        for at in range(len(cells) - 1, -1, -1):
            # A cell that IPython itself broke off comes back with a copy of its info.
            same = info is None or cells[at].info is info
            if same or _is_copy(cells[at].info, info):
                closed = cells[at:]
                del cells[at:]
                return closed[::-1]
        return []

    def _begun_before(self, result: Any) -> list[OpenCell]:
        """The cell that loaded the extension: it ends, but was never seen to begin."""
        if self.open_cells or getattr(result, "info", None) is None:
            return []
        cell = OpenCell(self._shell, result.info, result.execution_count)
        self._log_begin(cell)
        return [cell]

    def _execution(self, info: Any) -> int | None:
        """The number of the cell that is about to run; None where it gets none."""
        if not info.store_history:
            return None
        n: int = self._shell.execution_count
        # IPython 9 counts before this hook, 8 after the cell: In[] tells which.
        return n - 1 if n > len(self._shell.history_manager.input_hist_parsed) else n

    def _log_begin(self, cell: OpenCell) -> None:
        python = getattr(cell.info, "transformed_cell", None)
        if python is None:
            python = self._shell.transform_cell(cell.raw)
        compiler = self._shell.compile
        # The number IPython is at, not ours: it is part of the name in a terminal.
        number = (
            self._shell.execution_count if cell.execution is None else cell.execution
        )
        filename = compiler.get_code_name(cell.raw, python, number)
        self._log.begin(
            cell.raw,
            cell.cell_id,
            cell.execution,
            filename=filename,
            python=python,
            namespace=self._shell.user_ns,
        )
        cell.seq = len(self._log.cells) - 1

    def _log_end(self, cell: OpenCell, outcome: Outcome) -> None:
        error = None if outcome.error is None else type(outcome.error).__name__
        self._log.end(
            error is None, error, cell.execution, namespace=self._shell.user_ns
        )
        with guard("the log of cells"):
            self._kept.cell_ended()


def _is_copy(ours: Any, theirs: Any) -> bool:
    return bool(ours.raw_cell == theirs.raw_cell and ours.cell_id == theirs.cell_id)

"""The slice of a run or a variable: which executed cells made it, as a script.

`nbtrack.slice("base-3")` answers from the store, also when the kernel is long gone;
`nbtrack.slice("x")` from the session that runs here. Nothing is executed until the
slice is asked to prove itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from nbtrack.capture.dataflow.pseudo import MARK
from nbtrack.errors import OptionError, RunNotFoundError
from nbtrack.records import CellRecord, RunRecord
from nbtrack.slices.closure import (
    Closure,
    DroppedCell,
    KeptCell,
    Rung,
    close_over,
    label_of,
)
from nbtrack.text import did_you_mean, shorten, visible

if TYPE_CHECKING:
    from pathlib import Path

    from nbtrack.slices.grade import Grade
    from nbtrack.slices.prove import Proof
    from nbtrack.slices.script import Script
    from nbtrack.store import Store

RUN, VARIABLE = "run:", "var:"


@dataclass(frozen=True)
class Slice:
    """The cells that made one result; see `nbtrack.slice`."""

    target: str  # "run base-3" or "variable x"
    cells: tuple[CellRecord, ...]  # all executions of the session, in order
    kept: tuple[KeptCell, ...]
    dropped: tuple[DroppedCell, ...]
    missing: Mapping[str, str] = field(default_factory=dict)  # variable -> why unknown
    run: RunRecord | None = None
    variable: str | None = None
    rung: Rung = "slice"

    @cached_property
    def script(self) -> Script:
        """The kept cells as a script, and the files that belong beside it."""
        from nbtrack.slices.script import script_of

        return script_of(self.kept, title=self.target)

    @property
    def source(self) -> str:
        """The script: `python run.py` runs it, without nbtrack and without IPython."""
        return self.script.source

    @property
    def executions(self) -> tuple[int, ...]:
        """The numbers of the kept cells, as the notebook showed them."""
        return tuple(k.cell.execution for k in self.kept if k.cell.execution)

    @cached_property
    def grade(self) -> Grade:
        """How far the notebook, as it was saved last, explains the result: A to D."""
        from nbtrack.slices.grade import grade_of
        from nbtrack.slices.saved_notebook import read_saved

        closure = Closure(self.kept, self.dropped, self.missing)
        saved = read_saved(self._notebook)
        return grade_of(self.cells, closure, saved, target=self.target_seq)

    @property
    def _notebook(self) -> Path | str | None:
        from nbtrack.capture.own_file import told

        if self.run is not None:
            return self.run.notebook
        own = told()
        return own.path if own.is_interactive else None

    @property
    def target_seq(self) -> int | None:
        """The number of the tracked cell; None for a variable."""
        return self.kept[-1].cell.seq if self.run is not None and self.kept else None

    def at(self, rung: Rung) -> Slice:
        """The same result on another rung: with more cells, the surer the larger.

        >>> made = CellRecord(0, "a", 1, "x = 1", "", "", ok=True)
        >>> other = CellRecord(1, "b", 2, "y = 2", "", "", ok=True)
        >>> found = slice_of_variable([made, other], "x")
        >>> len(found.kept), len(found.at("history").kept)
        (1, 2)
        """
        return _closed(
            self.cells,
            self.target_seq,
            run=self.run,
            variable=self.variable,
            rung=rung,
        )

    def prove(
        self,
        *,
        timeout: float | None = None,
        shrink_s: float = 0.0,
        budget: float | None = None,
        allow_writes: bool = False,
    ) -> Proof:
        """Run the script in a fresh process, and say whether it gives the same.

        Parameters
        ----------
        timeout
            Seconds for one try. Default: three times what the cells took, and a minute.
        shrink_s
            Seconds in which cells may be left out one by one, as long as it proves.
        budget
            Seconds for all tries together. Default: enough for the session, twice.
        allow_writes
            Let the script write to absolute paths outside the notebook's folder, as its
            cells did. Default: such a script is not run.

        Returns
        -------
        Proof
            `outcome` "PROVEN" or "UNPROVEN", the `rung` that gave it, the `reason`.
        """
        from nbtrack.slices.prove import prove

        return prove(
            self,
            timeout=timeout,
            shrink_s=shrink_s,
            budget=budget,
            allow_writes=allow_writes,
        )

    def __repr__(self) -> str:
        n_all = len(self.kept) + len(self.dropped)
        lines = [
            f"<Slice of {visible(self.target)}: {len(self.kept)} of {n_all} cells>"
        ]
        for kept in self.kept:
            lines.append(f"  {label_of(kept.cell)} {_first_line(kept.cell)}")
            lines.append(f"      {visible(shorten('; '.join(kept.reasons), 200))}")
        for name, why in self.missing.items():
            lines.append(f"  unknown: {visible(name)}: {visible(why)}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from nbtrack.slices.slice_view import slice_html

        return slice_html(self)


def slice(what: str = "last") -> Slice:
    """Which executed cells made a run, or a variable: and as a script that runs alone.

    Parameters
    ----------
    what : str
        A run: its id, its name, the beginning of an id, or "last" (default); or a
        variable of this session. A run comes first where both are called so;
        `var:x` and `run:x` say which.

    Returns
    -------
    Slice
        `kept` and `dropped` cells with reasons, `missing`: what nobody saw being set,
        `source`: the script, `prove()`: does it give the same in a fresh process?

    Notes
    -----
    Before the first run of a session a cell is looked at for less than a millisecond:
    small values are compared, and a larger one counts as changed by every cell that
    reads it. From the first run on 16 MB and 20,000 objects are compared at each cell.
    Text of cells from before nbtrack was loaded is all that is known of them. What no
    cell shows (a GPU, a data base, another program) errs to keeping cells, or is
    `missing`; `prove()` says whether the slice holds.

    Raises
    ------
    RunNotFoundError
        Where neither a run nor a variable is called so, with a did-you-mean.
    OptionError
        For a run that was not recorded in a notebook, or whose cells were not kept.

    Examples
    --------
    >>> import nbtrack
    >>> from nbtrack.slices.slice import slice
    >>> with nbtrack.start("in a script"):
    ...     pass
    >>> slice("in a script")
    Traceback (most recent call last):
        ...
    nbtrack.errors.OptionError: Run 'in a script' has no cells: it was not recorded \
in a notebook, or with the log of cells switched off.
    """
    if what.startswith(VARIABLE):
        return slice_of_variable(live_cells(), what.removeprefix(VARIABLE))
    name = what.removeprefix(RUN)
    try:
        return slice_of_run(name)
    except RunNotFoundError as exc:
        if what.startswith(RUN):
            raise
        cells = live_cells(outline=True)
        if any(_sets(cell, name) for cell in cells):
            return slice_of_variable(live_cells(), name)
        near = did_you_mean(name, sorted({n for c in cells for n in _set_by(c)}))
        if "Did you mean" in str(exc) or not near:
            raise
        hint = near.replace("mean ", "mean the variable ", 1)
        raise RunNotFoundError(f"{exc}{hint}") from None


def slice_of_run(name: str) -> Slice:
    """The slice of a recorded run.

    >>> slice_of_run("no such run")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
        ...
    nbtrack.errors.RunNotFoundError: ...
    """
    from nbtrack.analysis.code_view import settled_store

    store = settled_store()
    record = store.run(name)
    target = _cell_of(live_cells(outline=True), record)
    cells = store.cells(record.id) if target is None else live_cells()
    if target is None:
        target = _cell_of(cells, record)
    if target is None:
        raise without_cells(record)
    return slice_of_cell(cells, target, record)


def slice_of_record(store: Store, record: RunRecord) -> Slice | None:
    """The slice of a run by what its store has of it alone; None: it has no cells.

    >>> import nbtrack
    >>> with nbtrack.start("in a script") as run:
    ...     pass
    >>> slice_of_record(run.store, run.record()) is None
    True
    """
    cells = store.cells(record.id)
    target = _cell_of(cells, record)
    return None if target is None else slice_of_cell(cells, target, record)


def slice_kept(store: Store, record: RunRecord) -> Slice:
    """The same, refused where the run has no cells.

    Raises
    ------
    OptionError
        Which says why it has none.
    """
    made = slice_of_record(store, record)
    if made is None:
        raise without_cells(record)
    return made


def without_cells(record: RunRecord) -> OptionError:
    """Why a run has no slice."""
    return OptionError(
        f"Run {shorten(repr(record.name), 60)} has no cells: it was not recorded "
        "in a notebook, or with the log of cells switched off."
    )


def slice_of_cell(cells: Sequence[CellRecord], target: int, record: RunRecord) -> Slice:
    """The slice of the run that the cell with the number `target` made.

    >>> run = RunRecord("1", "base", "e", "finished", "", None, None)
    >>> slice_of_cell([CellRecord(0, "a", 1, "loss = 1", "", "")], 0, run).target
    'run base'
    """
    return _closed(cells, target, run=record)


def slice_of_variable(cells: Sequence[CellRecord], name: str) -> Slice:
    """The slice of what a variable holds at the end of these cells.

    Raises
    ------
    RunNotFoundError
        When no cell has set it.

    >>> slice_of_variable([CellRecord(0, "a", 1, "rate = 1", "", "")], "rat")
    Traceback (most recent call last):
        ...
    nbtrack.errors.RunNotFoundError: No cell has set a variable 'rat'. Did you mean \
rate?
    """
    ended = tuple(cell for cell in cells if cell.ok is not None or not cell.started_at)
    if not any(_sets(cell, name) for cell in ended):
        known = sorted({n for cell in ended for n in _set_by(cell)})
        hint = did_you_mean(name, known)
        shown = shorten(repr(name), 60)
        raise RunNotFoundError(f"No cell has set a variable {shown}.{hint}")
    return _closed(ended, None, variable=name)


def live_cells(*, outline: bool = False) -> list[CellRecord]:
    """The cells of the session that runs in this process; none outside a notebook.

    With `outline` without the states of generators, which take a while to pack.

    >>> live_cells()
    []
    """
    from nbtrack.tracking.session import process_session

    log = process_session().executed
    cells = [] if log is None else list(log.cells)
    return [c.outline(n) if outline else c.record(n) for n, c in enumerate(cells)]


def _closed(
    cells: Sequence[CellRecord],
    target: int | None,
    *,
    run: RunRecord | None = None,
    variable: str | None = None,
    rung: Rung = "slice",
) -> Slice:
    wanted = () if variable is None else (variable,)
    closure = close_over(cells, target=target, wanted=wanted, rung=rung)
    return Slice(
        f"variable {variable}" if run is None else f"run {run.name}",
        tuple(cells),
        closure.kept,
        closure.dropped,
        closure.missing,
        run,
        variable,
        rung,
    )


def _cell_of(cells: Sequence[CellRecord], record: RunRecord) -> int | None:
    """The execution in which a run was recorded: the last one that had begun."""
    found = None
    for cell in cells:
        same = cell.execution == record.execution
        if record.execution is None:  # of a sweep's trial: its text is its own
            same = same and cell.source_digest == record.source_digest
        if same and cell.started_at and cell.started_at <= record.started_at:
            found = cell.seq
    return found


def _set_by(cell: CellRecord) -> set[str]:
    from nbtrack.slices.closure import flow_of

    return {name for name in flow_of(cell).writes if not name.startswith(MARK)}


def _sets(cell: CellRecord, name: str) -> bool:
    return name in _set_by(cell)


def _first_line(cell: CellRecord) -> str:
    lines = [line for line in (cell.source or "").splitlines() if line.strip()]
    return visible(shorten(lines[0] if lines else "", 70))

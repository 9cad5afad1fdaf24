"""The log of executed cells: one kernel session, every execution in its order.

Cells stay in the log when they are edited or deleted in the notebook, which is what
makes the origin of an inherited value and the slice of a run answerable. The log only
looks: it never runs, changes or keeps alive a value of the user's namespace.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import CodeType
from typing import TYPE_CHECKING, Any

from nbtrack.capture.dataflow.pseudo import GENERATOR, MARK
from nbtrack.capture.dataflow.session_start import SessionStart
from nbtrack.capture.dataflow.users_names import identities_of
from nbtrack.capture.randomness import States, capture_states, states_to_keep
from nbtrack.capture.reads import operations
from nbtrack.capture.reread import recompile
from nbtrack.capture.seeding import executed_texts, seeds
from nbtrack.guard import guard
from nbtrack.records import CellRecord, FlowRecord
from nbtrack.text import text_digest

if TYPE_CHECKING:
    from nbtrack.capture.dataflow.flow_watch import FlowWatch
    from nbtrack.capture.dataflow.recording import Begun

RNG = "states of random generators"
VALUES = "the look at values"

_COMPREHENSIONS = frozenset({"<listcomp>", "<genexpr>", "<dictcomp>", "<setcomp>"})
_STORES = frozenset({"STORE_NAME", "STORE_GLOBAL"})
_MAGIC_MARKS = ("%", "!", "?")


@dataclass(slots=True)
class ExecutedCell:
    """One execution of one cell, as it was typed."""

    source: str
    digest: str  # sha256 of the source
    cell_id: str | None
    execution: int | None
    started_at: str
    filename: str | None = None  # under which IPython compiled it
    duration_s: float | None = None  # None while it runs
    ok: bool | None = None
    error: str | None = None
    bound: frozenset[str] = field(default_factory=frozenset)  # names it set
    states: States = field(default_factory=dict)  # of the generators it drew from
    flow: FlowRecord | None = None  # what it read and changed

    @property
    def rng(self) -> dict[str, str]:
        """The states at its start of what it drew from, packed; some 0.2 ms each."""
        return {name: state.packed() for name, state in self.states.items()}

    def record(self, seq: int, *, rng: Mapping[str, str] | None = None) -> CellRecord:
        """The execution as a value, with all that is known of it.

        `rng` stands in the place of the packed states, where these are not wanted.

        >>> ExecutedCell("x = 1", "", None, 1, "").record(0).execution
        1
        """
        return CellRecord(
            seq=seq,
            cell_id=self.cell_id,
            execution=self.execution,
            source=self.source,
            source_digest=self.digest,
            started_at=self.started_at,
            duration_s=self.duration_s,
            ok=self.ok,
            error=self.error,
            rng=self.rng if rng is None else rng,
            flow=self.flow,
        )

    def outline(self, seq: int) -> CellRecord:
        """The same with the names of its generators in the place of their states.

        To pack a state takes 0.2 ms, and a session has hundreds of cells.

        >>> ExecutedCell("x = 1", "", None, 1, "").outline(0).rng
        {}
        """
        return self.record(seq, rng=dict.fromkeys(self.states, ""))

    @property
    def label(self) -> str | None:
        """The execution as the notebook shows it: `[3]`."""
        return None if self.execution is None else f"[{self.execution}]"


@dataclass(slots=True)
class _Open:
    """What is known of an execution only until it ends."""

    cell: ExecutedCell
    python: str
    started: float  # monotonic
    before: dict[str, int] | None  # name -> id of its value
    states: States = field(default_factory=dict)
    begun: Begun | None = None


class SessionLog:
    """Executed cells of this kernel; `begin` and `end` around each of them.

    >>> log = SessionLog()
    >>> log.begin("lr = 0.1", "a1", 3)
    >>> log.end(True, None, 3)
    >>> log.origin_of("lr"), log.cells[0].ok
    ('[3]', True)
    """

    def __init__(self) -> None:
        self.cells: list[ExecutedCell] = []
        self._open: list[_Open] = []
        self._origins: dict[str, str | None] = {}
        self._sources: dict[str, str] = {}
        self._looked = False
        self._states: States = {}  # as they were seen last
        self._flows: FlowWatch | None = None
        self._making = threading.Lock()
        self.start: SessionStart | None = None  # where somebody noted it
        self.is_tracking = False  # it has a run: look closer at values
        self.looks_at_values = True

    def begin(
        self,
        source: str,
        cell_id: str | None,
        execution: int | None,
        *,
        filename: str | None = None,
        python: str | None = None,
        namespace: Mapping[str, Any] | None = None,
    ) -> None:
        """Note that a cell starts.

        Parameters
        ----------
        source
            The cell as typed, magics and all.
        filename
            The name under which it is compiled, so that functions find their source.
        python
            The cell after IPython's transformation, where it differs from `source`.
        namespace
            The user's namespace; with it, names set through `global`, magics or `exec`
            are found as well, and a cell that raised binds what it really bound.

        >>> SessionLog().begin("x = 1", None, 1)
        """
        digest = text_digest(source)
        started_at = datetime.now(UTC).isoformat(timespec="microseconds")
        cell = ExecutedCell(
            source=source,
            digest=digest,
            cell_id=cell_id,
            execution=execution,
            started_at=started_at.replace("+00:00", "Z"),
            filename=filename,
        )
        self.cells.append(cell)
        python = source if python is None else python
        if filename is not None:
            self._sources[filename] = python
        before = None if namespace is None else identities_of(namespace)
        self._open.append(_Open(cell, python, time.monotonic(), before))
        if namespace is not None:
            self.take_states(namespace)
            self._begin_flow(self._open[-1], namespace)

    def get_ready(self) -> None:
        """Load what the look at values needs, which takes some 50 ms: not in a cell.

        >>> SessionLog().get_ready()
        """
        from nbtrack.capture.dataflow.known_values import warm_up

        self._flow_watch()
        warm_up()

    def _flow_watch(self) -> FlowWatch:
        """Made once: ahead by a thread, or else by the first cell."""
        from nbtrack.capture.dataflow.flow_watch import FlowWatch

        with self._making:
            if self._flows is None:
                self._flows = FlowWatch()
            return self._flows

    def take_states(self, namespace: Mapping[str, Any]) -> None:
        """Note what random generators start from in the innermost cell; once more.

        >>> SessionLog().take_states({})
        """
        if guard.is_off(RNG):
            return
        with guard(RNG):
            states = capture_states(namespace, known=self._states)
            self._states = states
            if self._open:
                self._open[-1].states = states
            if self._looked:
                seeds.look(states)
            else:
                self._looked = True
                seeds.begin_session(states, executed_texts(namespace))

    def end(
        self,
        ok: bool,
        error: str | None,
        execution: int | None,
        *,
        namespace: Mapping[str, Any] | None = None,
    ) -> None:
        """Note how the cell of that execution ended.

        Where no open cell has that number the innermost one ends and takes it; an end
        without a beginning is ignored.

        >>> SessionLog().end(True, None, 7)
        """
        opened = self._close(execution)
        if opened is None:
            return
        cell = opened.cell
        cell.duration_s = time.monotonic() - opened.started
        cell.ok, cell.error = ok, error
        if namespace is not None:
            self._end_states(opened, namespace)
            self._end_flow(opened, namespace)
        cell.bound = _bound_by(opened, namespace)
        for name in cell.bound:
            self._origins[name] = cell.label

    def _end_states(self, opened: _Open, namespace: Mapping[str, Any]) -> None:
        if guard.is_off(RNG):
            return
        with guard(RNG):
            after = capture_states(namespace, known=opened.states)
            opened.cell.states = states_to_keep(opened.states, after)
            seeds.look(after)
            self._states = after

    def _begin_flow(self, opened: _Open, namespace: Mapping[str, Any]) -> None:
        if not self.looks_at_values or guard.is_off(VALUES):
            return
        with guard(VALUES):
            flows = self._flow_watch()
            flows.is_tracking = self.is_tracking
            opened.begun = flows.begin(opened.python, namespace, opened.before)

    def _end_flow(self, opened: _Open, namespace: Mapping[str, Any]) -> None:
        cell = opened.cell
        if opened.begun is None or self._flows is None:
            return
        with guard(VALUES), self._flows.listening(opened.begun):
            outs = namespace.get("Out")
            shown = type(outs) is dict and cell.execution in outs
            cell.flow = self._flows.end(
                opened.begun,
                namespace,
                ok=bool(cell.ok),
                moved=cell.states,
                out=cell.execution if shown else None,
            )

    def undone(self, namespace: Mapping[str, Any]) -> None:
        """The names that the last cell set were bound again as they were before it.

        What it changed in place, and left around them (files), stands.

        >>> log = SessionLog()
        >>> log.begin("x = 1", None, 1)
        >>> log.end(True, None, 1)
        >>> log.undone({})
        >>> log.origin_of("x") is None
        True
        """
        cell = self.cells[-1]
        for name in cell.bound:
            before = (c.label for c in reversed(self.cells[:-1]) if name in c.bound)
            self._origins[name] = next(before, None)
        if cell.flow is not None:
            cell.flow = replace(
                cell.flow,
                writes={
                    name: how
                    for name, how in cell.flow.writes.items()
                    if how == "changed" or _stays(name)
                },
                may_write={},
                kills=tuple(name for name in cell.flow.kills if _stays(name)),
            )
        if self._flows is not None and not guard.is_off(VALUES):
            with guard(VALUES):
                self._flows.know_again(cell.bound, namespace)
        cell.bound = frozenset()

    def origin_of(self, name: str) -> str | None:
        """The last finished execution that set `name`, as `[3]`; None when unknown.

        >>> SessionLog().origin_of("lr") is None
        True
        """
        return self._origins.get(name)

    def source_of(self, filename: str) -> str | None:
        """The Python source that was compiled under `filename`.

        >>> log = SessionLog()
        >>> log.begin("def f(): ...", None, 1, filename="/tmp/cell_1.py")
        >>> log.source_of("/tmp/cell_1.py")
        'def f(): ...'
        """
        return self._sources.get(filename)

    def _close(self, execution: int | None) -> _Open | None:
        # A cell may run another one (%rerun, run_cell): the innermost match ends.
        for index in range(len(self._open) - 1, -1, -1):
            if self._open[index].cell.execution == execution:
                return self._open.pop(index)
        if not self._open:
            return None
        self._open[-1].cell.execution = execution
        return self._open.pop()


def _stays(name: str) -> bool:
    """Whether what a flow names so is there after its cell was undone."""
    return name.startswith(MARK) and not name.startswith(GENERATOR)


def names_bound(python: str) -> frozenset[str]:
    r"""Names that a cell sets at its top level, read off its bytecode.

    >>> sorted(names_bound("import os as o\nfor i in (k := 3, 4): pass"))
    ['i', 'k', 'o']
    """
    try:
        code = recompile(python)
    except (SyntaxError, ValueError):
        plain = _without_magics(python)
        return frozenset() if plain == python else names_bound(plain)
    return frozenset(_stored_by(code))


def _stored_by(code: CodeType) -> Iterator[str]:
    for op, value in operations(code):
        if op in _STORES:
            yield value
        elif op == "LOAD_CONST" and getattr(value, "co_name", "") in _COMPREHENSIONS:
            # A walrus in one binds outside it; Python 3.12 has most of them inlined.
            yield from _stored_by(value)


def _bound_by(opened: _Open, namespace: Mapping[str, Any] | None) -> frozenset[str]:
    """What the text says, and what the namespace shows; of a failed cell only that."""
    if namespace is None or opened.before is None:
        return names_bound(opened.python)
    changed = None if opened.begun is None else opened.begun.rebound
    if changed is None:
        was_at = opened.before.get
        changed = [n for n, value in dict(namespace).items() if was_at(n) != id(value)]
    seen = {name for name in changed if name[:1] != "_"}
    if opened.cell.ok:
        seen |= {name for name in _stores_of(opened) if name in namespace}
    return frozenset(seen)


def _stores_of(opened: _Open) -> Collection[str]:
    begun = opened.begun
    if begun is None or begun.reads.is_broken:
        return names_bound(opened.python)
    return begun.reads.stores  # read off already


def _without_magics(python: str) -> str:
    kept = (
        "" if line.lstrip().startswith(_MAGIC_MARKS) else line
        for line in python.splitlines()
    )
    return "\n".join(kept)

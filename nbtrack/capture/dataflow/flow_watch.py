"""What each executed cell of a session reads and changes, as a `FlowRecord`.

Values are looked at before and after the cell, within a fixed amount of work: little
while the session tracks nothing, more from its first run on. What does not fit is
opaque: a cell that reads it may have changed it. Nothing here runs code of the user's,
keeps a value alive or raises into a cell: the caller guards it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from nbtrack.capture.dataflow.cell_reads import CellReads, cell_reads
from nbtrack.capture.dataflow.files_touched import FileTrace, Touched, files_behind
from nbtrack.capture.dataflow.known_values import KnownValues
from nbtrack.capture.dataflow.libraries import library_of
from nbtrack.capture.dataflow.portraits import Budget
from nbtrack.capture.dataflow.pseudo import FILE, MARK, OUT, SUBCLASSES
from nbtrack.capture.dataflow.readers import reads_around
from nbtrack.capture.dataflow.recording import Begun, Recording
from nbtrack.capture.dataflow.seed_calls import seeded_first
from nbtrack.capture.dataflow.surroundings import changed_around, look_around
from nbtrack.capture.dataflow.users_names import (
    identities_of,
    is_ipythons,
    users_names,
)
from nbtrack.records import FlowRecord

# Work of one look, not time, so that a busy machine gives the same slices.
AT_REST = (800, 400_000)  # objects, bytes: some 0.3 ms
SWEEP_AT_REST = (200, 100_000)
SOME_NAMES = 40  # of a large namespace: to go through 500 takes a millisecond
TRACKING = (20_000, 16_000_000)  # some 10 ms

_ASKS = frozenset({"input", "getpass", "raw_input"})
_HANDLES = frozenset(
    {"observe", "on_click", "on_change", "on_submit", "call_later", "call_soon", "link"}
    | {"create_task", "ensure_future", "add_done_callback", "register", "Timer"}
    | {"add_reader", "interact", "interactive", "run_in_executor", "submit"}
)
_CLOCK = frozenset({"time", "perf_counter", "now", "today", "monotonic", "time_ns"})
_NETWORK = frozenset(
    {"requests", "urlopen", "urlretrieve", "httpx", "socket", "aiohttp"}
)


class FlowWatch:
    """Looks at the cells of one session; `begin` and `end` around each.

    >>> watch, names = FlowWatch(), {"x": [1], "y": 2}
    >>> begun = watch.begin("x.append(y)", names)
    >>> names["x"].append(2)
    >>> watch.end(begun, names, ok=True).writes
    {'x': 'changed'}
    """

    def __init__(self) -> None:
        self.is_tracking = False  # the session has a run: look closer
        self._values = KnownValues()
        self._files = FileTrace()
        self._files.look()
        self._around: dict[str, Any] = {}  # as the cell that runs found it
        self._written: set[str] = set()  # pseudo-variables that some cell changed
        self._outs: list[int] = []
        self._turn = 0
        self._background = False  # something goes on between the cells

    def begin(
        self,
        python: str,
        namespace: Mapping[str, Any],
        identities: Mapping[str, int] | None = None,
    ) -> Begun:
        """A cell is about to run.

        `identities` are those of the namespace, where the caller has them.
        """
        budget = self._budget()
        self._values.tick += 1 + self._values.tick % 2
        found = cell_reads(
            python, namespace, lambda name: self._codes(name, namespace, budget)
        )
        begun = Begun(python, found, identities or identities_of(namespace))
        if self.is_tracking or self._background:
            begun.between = self._changed_between(found, namespace, budget)
        self._values.look_at([*found.names, *found.stores], namespace, budget)
        if self.is_tracking:
            self._values.look_at(users_names(namespace), namespace, budget)
        begun.outs = dict(zip(("_", "__", "___"), self._outs[:-4:-1], strict=False))
        begun.seeded = seeded_first(python, namespace)
        begun.n_threads = _n_threads()
        begun.n_modules = len(sys.modules)
        own = namespace if type(namespace) is dict else {}
        self._around = look_around()
        begun.files = self._files.begin(own if self.is_tracking else None)
        return begun

    @contextmanager
    def listening(self, begun: Begun) -> Iterator[None]:
        """Whatever becomes of the body, nothing of the user's stays replaced after it.

        >>> watch = FlowWatch()
        >>> with watch.listening(watch.begin("x = 1", {})):
        ...     pass
        """
        try:
            yield
        finally:
            if begun.files is not None:
                self._files.stop(begun.files)

    def end(
        self,
        begun: Begun,
        namespace: Mapping[str, Any],
        *,
        ok: bool,
        moved: Iterable[str] = (),
        out: int | None = None,
    ) -> FlowRecord:
        """The cell has ended.

        Parameters
        ----------
        moved
            The generators that did not stay where they were.
        out
            Its execution number, where it left a value in `Out`.
        """
        assert begun.files is not None
        self._values.tick += 1
        files = self._files.end(begun.files, begun.python, begun.reads)
        record = Recording(begun, namespace, ok=ok)
        record.rebound()
        begun.rebound = record.rebound_names
        self._changed(record, namespace)
        record.generators(moved)
        self._changed_around(record, files, namespace)
        if out is not None:
            self._outs.append(out)
            record.write(f"{OUT}{out}", "set", kills=True)
        if record.begun.reads.derives:
            record.write(SUBCLASSES, "changed")
        if "__subclasses__" in record.begun.reads.attributes:
            record.reads.append(SUBCLASSES)
        self._note(record, files)
        self._written.update(n for n in record.writes if n.startswith(MARK))
        return record.flow(self._written)

    def know_again(self, names: Iterable[str], namespace: Mapping[str, Any]) -> None:
        """These were bound by somebody who says so: that is no change between cells."""
        self._values.forget_missing(namespace)
        there = [name for name in names if name in namespace]
        self._values.look_at(there, namespace, self._budget())

    # ---- variables

    def _budget(self) -> Budget:
        return Budget(*(TRACKING if self.is_tracking else AT_REST))

    def _codes(
        self, name: str, namespace: Mapping[str, Any], budget: Budget
    ) -> Iterable[Any]:
        """The code objects within a value that the cell reads."""
        self._values.look_at([name], namespace, budget)
        known = self._values.of(name, namespace.get(name))
        return known.codes if known is not None else ()

    def _changed_between(
        self, found: CellReads, namespace: Mapping[str, Any], budget: Budget
    ) -> dict[str, int]:
        """What is not as it was seen last -> how many cells ago that was.

        With 0 a thread or a handler changed it; else it may have been one of the cells,
        by a way that nobody saw.
        """
        known = [n for n in found.names if self._values.of(n, namespace.get(n))]
        ago = {name: self._values.cells_ago(name) for name in known}
        changes = self._values.changes(known, namespace, budget)
        return {name: ago[name] for name in changes.changed}

    def _changed(self, record: Recording, namespace: Mapping[str, Any]) -> None:
        """In place: what it read, what shares parts with that, and the rest."""
        budget = self._budget()
        read = [name for name in record.names_looked_at() if record.is_same(name)]
        before = self._values.parts_of(read, namespace)
        changes = self._values.changes(read, namespace, budget)
        record.take(changes)
        record.stored(changes)
        others = self._others(record, read, all_of_them=bool(changes))
        if changes:
            touched = [*changes.changed, *changes.unsure]
            parts = before | self._values.parts_of(touched, namespace)
            shared = self._values.sharing(parts, others, namespace, budget)
            record.take(shared, sure=bool(changes.changed))
            others = [name for name in others if name not in record.writes]
        if not self.is_tracking:
            budget = Budget(*SWEEP_AT_REST)
        record.take(self._values.sweep(others, namespace, budget))
        new = [name for name in record.rebound_names if not is_ipythons(name)]
        self._values.get_to_know([*new, *others], namespace, budget)
        self._values.forget_missing(namespace)

    def _others(
        self, record: Recording, read: list[str], *, all_of_them: bool
    ) -> list[str]:
        """Variables that the cell did not read; at rest some of them, in turn."""
        names = record.names
        if len(names) > SOME_NAMES and not (all_of_them or self.is_tracking):
            self._turn = (self._turn + SOME_NAMES) % len(names)
            names = (names + names)[self._turn : self._turn + SOME_NAMES]
        done = set(read)
        return [
            name
            for name in names
            if name not in done and record.is_same(name) and not is_ipythons(name)
        ]

    # ---- what stands around them

    def _changed_around(
        self, record: Recording, files: Touched, namespace: Mapping[str, Any]
    ) -> None:
        now = look_around()
        for name, how in changed_around(self._around, now).items():
            record.write(name, how, kills=how == "set")
        for name, how in files.writes.items():
            record.write(name, how, kills=name in files.kills)
        for path in files_behind(list(record.writes), namespace):
            record.write(FILE + path, "changed")
        record.patched_modules()
        record.reads += files.reads
        used = self._roots(record.begun.reads, namespace)
        if "matplotlib" in used:
            self._draws(record, namespace)
        record.reads += reads_around(record.begun, used, self._written, files)

    def _draws(self, record: Recording, namespace: Mapping[str, Any]) -> None:
        """`plt.plot` draws on the current figure, whatever name it has."""
        for name in record.same_names():
            kind = type(namespace.get(name))
            if library_of(kind) == "matplotlib":
                record.may_write(name, "it may be drawn on")

    def _roots(self, found: CellReads, namespace: Mapping[str, Any]) -> set[str]:
        """The libraries whose objects the cell handles."""
        roots = {name.partition(".")[0] for name in found.imports}
        for name in found.names:
            known = self._values.of(name, namespace.get(name))
            if known is not None:
                roots |= known.roots
        return roots

    def _note(self, record: Recording, files: Touched) -> None:
        found = record.begun.reads
        used = found.attributes | set(found.names)
        notes = record.notes
        if not used.isdisjoint(_ASKS):
            notes["input"] = "it asks for input"
        if _n_threads() > record.begun.n_threads:
            notes["threads"] = "it left a thread running"
        if not found.attributes.isdisjoint(_HANDLES):
            notes["handlers"] = "it may have left something that runs later"
        if not used.isdisjoint(_CLOCK):
            notes["time"] = "it asks for the time"
        if not (used | found.imports).isdisjoint(_NETWORK):
            notes["network"] = "it may ask the network"
        if files.ran_shell:
            notes["shell"] = "it started another program"
        if found.is_broken:
            notes["broken"] = "it does not compile"
        self._background |= bool(notes.keys() & {"threads", "handlers"})


def _n_threads() -> int:
    """Threads that are not ours: a run leaves those that write and sample running."""
    return sum(not one.name.startswith("nbtrack-") for one in threading.enumerate())

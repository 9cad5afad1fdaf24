"""What each executed cell of a session reads and changes, as a `FlowRecord`.

Values are looked at before and after the cell, within a fixed amount of work: little
while the session tracks nothing, more from its first run on. What does not fit is
opaque: a cell that reads it may have changed it. Nothing here runs code of the user's,
keeps a value alive or raises into a cell: the caller guards it.
"""

from __future__ import annotations

import builtins
import re
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from nbtrack.capture.dataflow.cell_reads import CellReads, cell_reads
from nbtrack.capture.dataflow.files_touched import (
    FILE,
    FileTrace,
    Touched,
    files_behind,
)
from nbtrack.capture.dataflow.known_values import Changes, KnownValues
from nbtrack.capture.dataflow.portraits import Budget
from nbtrack.capture.dataflow.readers import reads_around
from nbtrack.capture.dataflow.seed_calls import only_defines, seeded_first
from nbtrack.capture.dataflow.surroundings import changed_around, look_around
from nbtrack.capture.opened_files import ReadLog, is_users_file
from nbtrack.capture.randomness import VARIABLE
from nbtrack.records import FlowRecord

# Work of one look, not time, so that a busy machine gives the same slices.
AT_REST = (800, 400_000)  # objects, bytes: some 0.3 ms
SWEEP_AT_REST = (400, 100_000)
TRACKING = (20_000, 16_000_000)  # some 10 ms
MAX_NAMES = 300  # of one kind in one record, which has to fit into the journal
GENERATOR = "@rng:"
OUT = "@out:"
MODULE = "@module:"
EVERYTHING = "@everything"
SUBCLASSES = "@subclasses"  # which classes know, of those that derive from them

_HIDDEN = re.compile(r"_+|_i?\d+|_i+|_ih|_oh|_dh|_exit_code|__.*__")
_IPYTHONS = frozenset({"get_ipython", "open", "display", "In", "Out", "exit", "quit"})
_OUTS = re.compile(r"\b(?:Out|_oh)\b(?:\[(\d+)\])?")
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


@dataclass(slots=True)
class Begun:
    """What is known of a cell when it starts."""

    python: str
    reads: CellReads
    identities: Mapping[str, int]  # name -> id of its value
    between: dict[str, int] = field(default_factory=dict)
    outs: dict[str, int] = field(default_factory=dict)  # `_` -> execution
    files: ReadLog | None = None
    n_threads: int = 0
    seeded: frozenset[str] = frozenset()
    rebound: list[str] | None = None  # at its end: names that hold another object
    n_modules: int = 0


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
        self._around = look_around()
        self._written: set[str] = set()  # pseudo-variables that some cell changed
        self._outs: list[int] = []
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
        record = _Recording(begun, namespace, ok=ok)
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
        self._written.update(n for n in record.writes if n.startswith("@"))
        return record.flow(self._written)

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

    def _changed(self, record: _Recording, namespace: Mapping[str, Any]) -> None:
        """In place: what it read, what shares parts with that, and the rest."""
        budget = self._budget()
        read = [name for name in record.names_looked_at() if record.is_same(name)]
        before = self._values.parts_of(read, namespace)
        changes = self._values.changes(read, namespace, budget)
        record.take(changes)
        record.stored(namespace, changes)
        others = sorted(set(record.same_names()) - set(read))
        if changes:
            touched = [*changes.changed, *changes.unsure]
            parts = before | self._values.parts_of(touched, namespace)
            shared = self._values.sharing(parts, others, namespace, budget)
            record.take(shared, sure=bool(changes.changed))
            others = [name for name in others if name not in record.writes]
        if not self.is_tracking:
            budget = Budget(*SWEEP_AT_REST)
        record.take(self._values.sweep(others, namespace, budget))
        new = [name for name in record.rebound_names if not _is_ipythons(name)]
        self._values.get_to_know([*new, *others], namespace, budget)
        self._values.forget_missing(namespace)

    # ---- what stands around them

    def _changed_around(
        self, record: _Recording, files: Touched, namespace: Mapping[str, Any]
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

    def _draws(self, record: _Recording, namespace: Mapping[str, Any]) -> None:
        """`plt.plot` draws on the current figure, whatever name it has."""
        for name in record.same_names():
            kind = type(namespace.get(name))
            if _library_of(kind) == "matplotlib":
                record.may_write(name, "it may be drawn on")

    def _roots(self, found: CellReads, namespace: Mapping[str, Any]) -> set[str]:
        """The libraries whose objects the cell handles."""
        roots = {name.partition(".")[0] for name in found.imports}
        for name in found.names:
            known = self._values.of(name, namespace.get(name))
            if known is not None:
                roots |= known.roots
        return roots

    def _note(self, record: _Recording, files: Touched) -> None:
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


class _Recording:
    """The flow of one cell, as it is put together."""

    def __init__(self, begun: Begun, namespace: Mapping[str, Any], *, ok: bool) -> None:
        self.begun = begun
        self.ok = ok
        self.reads: list[str] = []
        self.writes: dict[str, str] = {}
        self.notes: dict[str, str] = {}
        self._namespace = namespace
        self._may: dict[str, str] = {}
        self._kills: set[str] = set()
        # One C call: another thread may add names meanwhile.
        self._now = dict(namespace)
        was_at = begun.identities.get
        self.rebound_names = [
            name for name, value in self._now.items() if was_at(name) != id(value)
        ]

    def write(self, name: str, how: str, *, kills: bool = False) -> None:
        """The cell changed this."""
        self.writes.setdefault(name, how)
        if kills:
            self._kills.add(name)

    def may_write(self, name: str, why: str) -> None:
        """The cell may have changed this."""
        self._may.setdefault(name, why)

    def is_same(self, name: str) -> bool:
        """Whether it holds the same object as before."""
        before = self.begun.identities.get(name)
        return name in self._now and before == id(self._now[name])

    def same_names(self) -> list[str]:
        """The variables that do."""
        new = set(self.rebound_names)
        return [name for name in users_names(self._now) if name not in new]

    def names_looked_at(self) -> list[str]:
        """What is compared with before: all that it read, or may have set again."""
        found = self.begun.reads
        return list(dict.fromkeys([*found.names, *sorted(found.stores)]))

    def take(self, changes: Changes, *, sure: bool = True) -> None:
        """What became of values in place."""
        for name in changes.changed:
            if sure:
                self.write(name, "changed")
            else:
                self.may_write(name, "it shares a part with what may have changed")
        for name, why in changes.unsure.items():
            self.may_write(name, why)

    def stored(self, namespace: Mapping[str, Any], changes: Changes) -> None:
        """Names that hold the same object after they were set.

        Or another one that got its place in memory: then it looks different. What was
        only maybe set, and looks the same, was not.
        """
        found = self.begun.reads
        for name in found.stores if self.ok else ():
            if not self.is_same(name) or self._is_module(name):
                continue
            if name in found.kills:
                self.write(name, "set", kills=True)
            elif name in changes.changed or name in changes.unsure:
                self.write(name, "set")

    def rebound(self) -> None:
        """Names that were set, and names that are gone."""
        for name in self.rebound_names:
            if not _is_ipythons(name):
                self.write(name, "set", kills=self._kills_surely(name))
        for name in self.begun.identities.keys() - self._now.keys():
            if not _is_ipythons(name):
                self.write(name, "deleted", kills=True)

    def _kills_surely(self, name: str) -> bool:
        found = self.begun.reads
        if name not in found.names:
            return not found.everything
        # Loaded only behind a store that may not have run: it did, as it is new.
        return self.ok and name in found.soft

    def _is_module(self, name: str) -> bool:
        return type(self._namespace.get(name)) is ModuleType

    def generators(self, moved: Iterable[str]) -> None:
        """What the cell drew from, and what it seeded."""
        moved = list(moved)
        by_the_way = bool(moved) and only_defines(self.begun.python)
        by_the_way = by_the_way and not any(map(_is_local, self.begun.reads.imports))
        for name in dict.fromkeys([*moved, *self.begun.seeded]):
            pseudo = GENERATOR + name
            seeded = name in self.begun.seeded
            if not seeded and not by_the_way:
                self.reads.append(pseudo)
            if not name.startswith(VARIABLE):  # its variable tells of that
                self.write(pseudo, "set" if seeded else "changed", kills=seeded)

    def patched_modules(self) -> None:
        """`torch.nn.Linear.forward = ...` changes a library for all that comes."""
        for path in self.begun.reads.patched:
            root = _library_of(_at(path, self._namespace))
            if root is not None:
                self.write(MODULE + root, "changed")

    def flow(self, written: set[str]) -> FlowRecord:
        """All of it."""
        reads = [*self._read_names(), *dict.fromkeys(self.reads)]
        reads += self._outs_read(written)
        if self.begun.reads.everything:
            reads.append(EVERYTHING)
        return FlowRecord(
            reads=tuple(dict.fromkeys(reads))[:MAX_NAMES],
            writes=dict(list(self.writes.items())[:MAX_NAMES]),
            may_write=dict(list(self._may.items())[:MAX_NAMES]),
            kills=tuple(sorted(self._kills))[:MAX_NAMES],
            between=self.begun.between,
            notes=self.notes,
        )

    def _read_names(self) -> Iterator[str]:
        found = self.begun.reads
        for name in found.names:
            settled = self.ok and name in found.soft and name in self._kills
            given = name not in self.begun.identities and hasattr(builtins, name)
            if not settled and not given and not _is_ipythons(name):
                yield name

    def _outs_read(self, written: set[str]) -> Iterator[str]:
        for name in self.begun.reads.names:
            if name in self.begun.outs:
                yield f"{OUT}{self.begun.outs[name]}"
            elif re.fullmatch(r"_\d+", name):
                yield OUT + name[1:]
            elif name in ("Out", "_oh"):
                numbers = {m[1] for m in _OUTS.finditer(self.begun.python)}
                known = sorted(n for n in written if n.startswith(OUT))
                yield from known if None in numbers else [OUT + n for n in numbers]


def _is_local(module: str) -> bool:
    """Whether it is a module of the user's, which may do anything when imported."""
    path = getattr(sys.modules.get(module), "__file__", None)
    return isinstance(path, str) and is_users_file(path)


def _at(path: str, namespace: Mapping[str, Any]) -> Any:
    """What stands at `a.b.c`, as far as modules and classes keep it themselves."""
    first, *rest = path.split(".")
    value = namespace.get(first)
    for name in rest:
        if _library_of(value) is None or not name.isidentifier():
            return None  # an object that a library gave: it is looked at itself
        # A part that a library makes up when it is asked for counts as the library.
        value = vars(value).get(name, value)
    return value


def _library_of(value: Any) -> str | None:  # Any: whatever stands in the namespace
    """The top module that a module or a class of a library belongs to."""
    if type(value) is ModuleType:
        name = value.__name__
    elif issubclass(type(value), type):
        name = type.__dict__["__module__"].__get__(value)
    else:
        return None
    root = str(name).partition(".")[0]
    return None if root == "__main__" else root


def users_names(namespace: Mapping[str, Any]) -> list[str]:
    """The variables of the user, without those that IPython keeps beside them.

    >>> users_names({"x": 1, "_": 2, "_i3": "", "In": [], "_cache": {}})
    ['x', '_cache']
    """
    # dict() of the namespace is one C call: another thread may add names meanwhile.
    names = list(dict(namespace))
    return [name for name in names if not _is_ipythons(name)]


def _is_ipythons(name: str) -> bool:
    if name[:1] != "_":
        return name in _IPYTHONS
    return _HIDDEN.fullmatch(name) is not None


def identities_of(namespace: Mapping[str, Any]) -> dict[str, int]:
    """Name -> the id of its value.

    >>> identities_of({"x": None}) == {"x": id(None)}
    True
    """
    # dict() of the namespace is one C call: another thread may add names meanwhile.
    copy = dict(namespace)
    return dict(zip(copy, map(id, copy.values()), strict=True))


def _n_threads() -> int:
    """Threads that are not ours: a run leaves those that write and sample running."""
    return sum(not one.name.startswith("nbtrack-") for one in threading.enumerate())

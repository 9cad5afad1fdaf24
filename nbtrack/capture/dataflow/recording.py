"""The flow of one cell as it is put together: from its start to its `FlowRecord`.

What the text of the cell says and what was seen to change decide together: a name is
surely set where the text says so or where it holds another object, and read where the
cell loads it before.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from nbtrack.capture.dataflow.cell_reads import CellReads
from nbtrack.capture.dataflow.known_values import Changes
from nbtrack.capture.dataflow.libraries import is_local, library_of, library_part
from nbtrack.capture.dataflow.pseudo import EVERYTHING, GENERATOR, MODULE, OUT
from nbtrack.capture.dataflow.seed_calls import only_defines
from nbtrack.capture.dataflow.users_names import is_ipythons, users_names
from nbtrack.capture.opened_files import ReadLog
from nbtrack.capture.randomness import VARIABLE
from nbtrack.records import FlowRecord

MAX_NAMES = 300  # of one kind in one record, which has to fit into the journal

_OUTS = re.compile(r"\b(?:Out|_oh)\b(?:\[(\d+)\])?")


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


class Recording:
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

    @property
    def names(self) -> list[str]:
        """All names after the cell, IPython's too."""
        return list(self._now)

    def same_names(self) -> list[str]:
        """The variables that hold the same object."""
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

    def stored(self, changes: Changes) -> None:
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
            if not is_ipythons(name):
                self.write(name, "set", kills=self._kills_surely(name))
        for name in self.begun.identities.keys() - self._now.keys():
            if not is_ipythons(name):
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
        by_the_way = by_the_way and not any(map(is_local, self.begun.reads.imports))
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
            root = library_of(library_part(path, self._namespace))
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
            if not settled and not given and not is_ipythons(name):
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

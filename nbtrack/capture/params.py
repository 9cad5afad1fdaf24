"""The params of a tracked cell: options, literals, inherited values, objects, calls.

`CellCapture` joins what the text says (`cell`), what the namespace holds (`reads`,
`values`) and what known objects tell about themselves (`objects`), the first of these
winning. Every value is copied and cleared of secrets when it is taken; what could not
be kept is a line in `notices`. Nothing of the user's is imported or changed.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol

from nbtrack.capture.accumulators import (
    is_counter,
    is_data,
    is_history,
    is_null,
    is_tracked_name,
)
from nbtrack.capture.calls import call_literals
from nbtrack.capture.cell import CellFacts, read_body, read_cell
from nbtrack.capture.config_calls import builds_config
from nbtrack.capture.evaluate import Known
from nbtrack.capture.inherited import is_inheritable, is_record, snapshot_of
from nbtrack.capture.loops import NAMELESS, is_range, varying_arguments
from nbtrack.capture.magics import without_magics
from nbtrack.capture.objects import describe, is_describable, own_settings
from nbtrack.capture.reads import Reads, names_read
from nbtrack.capture.reread import recompile, reparse
from nbtrack.capture.values import Leaf, encode, flatten_one, path_of
from nbtrack.guard import tolerated
from nbtrack.records import Origin, Param
from nbtrack.redact import redact_param

MAX_NOTICES = 20  # one line each; a config full of callbacks should not flood the cell
_OF_IPYTHON = frozenset({"In", "Out", "exit", "quit", "get_ipython"})


class Origins(Protocol):
    """What is asked of the log of executed cells."""

    def origin_of(self, name: str) -> str | None:
        """The execution that set a name, as `[3]`."""

    def source_of(self, filename: str) -> str | None:
        """The source that was compiled under a file name."""


class CellCapture:
    """Looks at a cell before and after it runs, and says what its params are.

    Parameters
    ----------
    source
        The cell as plain Python, after IPython's transformation.
    namespace
        The user's namespace: read, never written.
    session_log
        Tells in which cell an inherited name was set.
    options
        The values of `-p`, parsed; a dotted name stands for a nested value.

    >>> from nbtrack.capture.session import SessionLog
    >>> capture = CellCapture("y = f(lr)", {"lr": 0.1}, SessionLog(), options={"n": 3})
    >>> [(param.name, param.value, param.origin) for param in capture.at_start()]
    [('n', 3, 'option'), ('lr', 0.1, 'inherited')]
    """

    def __init__(
        self,
        source: str,
        namespace: Mapping[str, Any],
        session_log: Origins,
        *,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.notices: list[str] = []
        self.object_names: set[str] = set()  # of described objects, read or made
        self._namespace = namespace
        self._log = session_log
        self._options = dict(options or {})
        self._tree = _parsed(source)
        self._facts: CellFacts | None = None
        self._reads = Reads()
        self._params: dict[str, Param] = {}
        self._parsed: list[object] = []  # namespaces of command lines

    def at_start(self) -> list[Param]:
        """The params known before the cell runs."""
        self._take_options()
        if self._tree is not None:
            self._facts = read_cell(self._tree, self._namespace)
            self._reads = self._read_names(self._tree)
            self._take_literals(self._facts)
            self._take_inherited(self._facts)
            self._take_calls(self._facts)
            self._take_objects(self._reads.names, self._namespace)
            self._take_own_objects()
        return list(self._params.values())

    @property
    def names_read(self) -> list[str]:
        """The names that the cell reads, in the order of first reading."""
        return self._reads.names

    def at_end(
        self,
        namespace: Mapping[str, Any] | None = None,
        loops: Iterable[tuple[str, int | None, int]] = (),
        *,
        watched: Collection[str] = (),
    ) -> list[Param]:
        """The params that only the finished cell could tell, new ones alone.

        Parameters
        ----------
        loops
            `(variable, declared, iterations)` of every loop that the watcher counted.
        watched
            Names that are metrics of this run.
        """
        before = dict(self._params)
        facts = self._facts
        if facts is not None:
            namespace = self._namespace if namespace is None else namespace
            self._take_decided(facts, namespace)
            self._take_computed(facts, namespace, watched)
            self._take_built(facts, namespace)
            self._take_objects(_made_names(facts), namespace)
            self._take_iterations(loops)
        return self._new_since(before)

    def of_command_line(self, parsed: object) -> list[Param]:
        """The params that a parsed command line tells, new ones alone.

        Its values are stronger than what is written out under the same name.

        >>> from argparse import Namespace
        >>> from nbtrack.capture.session import SessionLog
        >>> capture = CellCapture("", {}, SessionLog())
        >>> capture.of_command_line(Namespace(lr=0.1, run=print))
        [Param(name='lr', value=0.1, origin='option', cell=None)]
        """
        before = dict(self._params)
        self._parsed.append(parsed)
        for name, value in list(vars(parsed).items()):
            if name.startswith("_") or callable(value):
                continue
            for origin in ("literal", "call", "inherited"):
                self._drop(name, origin)
            self._take(name, value, "option")
        return self._new_since(before)

    def of_function(
        self, body: list[ast.stmt], names: Mapping[str, Any]
    ) -> list[Param]:
        """The params that a running function tells, new ones alone.

        Parameters
        ----------
        body
            Its statements.
        names
            Its variables, as they are now.
        """
        before = dict(self._params)
        facts = read_body(body, Known(outer=self._namespace))
        self._take_literals(facts)
        self._take_decided(facts, names)
        self._take_computed(facts, names, ())
        self._take_built(facts, names)
        self._take_objects(names, names)
        return self._new_since(before)

    def _new_since(self, before: Mapping[str, Param]) -> list[Param]:
        return [p for name, p in self._params.items() if before.get(name) != p]

    # ---- at the start

    def _take_options(self) -> None:
        for name, value in self._options.items():
            self._take(name, value, "option")

    def _read_names(self, tree: ast.Module) -> Reads:
        soft = self._facts.soft if self._facts is not None else ()
        return names_read(recompile(tree), self._namespace, soft=soft)

    def _take_literals(self, facts: CellFacts) -> None:
        for name, value in facts.literals.items():
            if not name.startswith("_"):
                self._take(name, value, "literal")
        for name, bound in facts.bounds.items():
            self._take(name, bound, "literal")

    def _take_inherited(self, facts: CellFacts) -> None:
        for name in self._reads.names:
            value = self._namespace.get(name, self)
            if value is self or name.startswith("_") or name in _OF_IPYTHON:
                continue
            if not is_inheritable(value) or is_data(name, value):
                continue
            if isinstance(value, type) and _is_made_with(name, value, facts):
                continue  # the call tells what was in force
            if not (self._is_series(name, value, facts) or is_history(name, value)):
                self._take(name, snapshot_of(value), "inherited", self._cell_of(name))

    def _is_series(self, name: str, value: object, facts: CellFacts) -> bool:
        """What the cell counts, appends to or keeps the best in is no input of it."""
        found = facts.found
        if name in self._reads.rebound or is_counter(name, found):
            return True
        changed = found.changes_in_loop(name) or name in found.mutated
        return changed and (is_null(value) or is_tracked_name(name))

    def _take_calls(self, facts: CellFacts) -> None:
        told = call_literals(facts, self._namespace, self._log.source_of)
        for call in told:
            name = call.name
            held = self._params.get(name)
            with self._telling(name):
                if held is not None and held.value != encode(call.value):
                    name = f"{call.function}.{name}"
                self._take(name, call.value, "call")

    def _take_own_objects(self) -> None:
        """A `trainer` made in an earlier cell: the settings that it was made with."""
        home = self._namespace.get("__name__", "__main__")
        for name in self._reads.names:
            value = self._namespace.get(name)
            kind = type(value)
            if kind.__module__ != home or not hasattr(value, "__dict__"):
                continue
            if isinstance(value, type) or is_describable(value) or name[:1] == "_":
                continue
            with self._telling(name):
                if not is_inheritable(value):
                    for part, told in own_settings(value, name):
                        self._put(part, told, "object", self._cell_of(name))

    # ---- at the end

    def _take_decided(self, facts: CellFacts, namespace: Mapping[str, Any]) -> None:
        """Literals of branches: the one that the cell went through."""
        for name, choices in facts.maybe.items():
            value = namespace.get(name, self)
            if facts.found.changes_in_loop(name) or value is self:
                continue
            if any(
                type(value) is type(choice) and value == choice for choice in choices
            ):
                self._drop(name, "inherited")
                self._take(name, value, "literal")

    def _take_computed(
        self, facts: CellFacts, namespace: Mapping[str, Any], watched: Collection[str]
    ) -> None:
        for name in facts.computed:
            value = namespace.get(name, self)
            if value is self or name in watched or name.startswith("_"):
                continue
            if is_inheritable(value):
                self._drop(name, "inherited")
                self._take(name, snapshot_of(value), "literal")

    def _take_built(self, facts: CellFacts, namespace: Mapping[str, Any]) -> None:
        """Config objects that the cell built: the parts that its text did not tell."""
        for name in facts.partial:
            if is_record(namespace.get(name)):
                self._take(name, namespace[name], "literal")
        for name, value in facts.made.items():
            built = namespace.get(name)
            if facts.found.changes_in_loop(name) or name.startswith("_"):
                continue
            if any(built is parsed for parsed in self._parsed):
                continue  # told already, by the names of its options
            if is_record(built) and builds_config(value, built):
                self._take(name, built, "literal")

    def _take_iterations(self, loops: Iterable[tuple[str, int | None, int]]) -> None:
        for variable, declared, iterations in loops:
            name = variable if variable.strip("_") else NAMELESS
            if not self._is_counted(variable):
                continue
            bound = self._params.get(name)
            declared = declared if bound is None else _count(bound.value, declared)
            # An inner loop reports all its rounds: a whole multiple is a full run.
            done = declared is None or (iterations > 0 and iterations % declared == 0)
            if not done:
                self._take(f"{name}.done", iterations, "literal")

    def _is_counted(self, variable: str) -> bool:
        """A loop over a range or over settings; leaving a loader early is no news."""
        stores = self._facts.found.stores.get(variable, []) if self._facts else []
        ranges = [s.value for s in stores if s.kind == "for" and s.value is not None]
        return variable in self._params or not stores or any(map(is_range, ranges))

    # ---- both

    def _take_objects(self, names: Iterable[str], namespace: Mapping[str, Any]) -> None:
        for name in names:
            value = namespace.get(name)
            if value is None or name.startswith("_"):
                continue
            with self._telling(name):
                if is_describable(value):
                    self.object_names.add(name)
                    cell = self._cell_of(name) if name in self._reads.names else None
                    leaves = describe(value, tell=self._notice, name=name)
                    for part, told in self._lasting(name, leaves):
                        self._put(part, told, "object", cell)

    def _lasting(self, name: str, leaves: list[Leaf]) -> list[Leaf]:
        """Of an object that a loop makes anew, only what each round has in common."""
        varying: frozenset[str] | None = frozenset()
        if self._facts is not None and self._facts.found.stored_in_loop(name):
            varying = varying_arguments(name, self._facts.found)
        sized = any(part == f"{name}.parameters" for part, _ in leaves)
        if varying is None or (varying and sized):
            return [leaf for leaf in leaves if leaf[0] == name]
        return [leaf for leaf in leaves if varying.isdisjoint(path_of(leaf[0])[1:])]

    def _take(
        self, name: str, value: object, origin: Origin, cell: str | None = None
    ) -> None:
        with self._telling(name):
            for part, told in flatten_one(name, value, tell=self._notice):
                self._put(part, told, origin, cell)

    def _put(self, name: str, value: object, origin: Origin, cell: str | None) -> None:
        """Keep one leaf, unless a stronger origin has told that name already."""
        if name in self._params or any(
            name.startswith(option + ".") for option in self._options
        ):
            return
        kept, n_hidden = redact_param(name, value)
        if n_hidden:
            self._notice(f"{name} redacted")
        self._params[name] = Param(name, kept, origin, cell)

    def _drop(self, name: str, origin: Origin) -> None:
        held = self._params.get(name)
        if held is not None and held.origin == origin:
            del self._params[name]

    def _cell_of(self, name: str) -> str | None:
        return self._log.origin_of(name)

    def _notice(self, text: str) -> None:
        if text not in self.notices and len(self.notices) < MAX_NOTICES:
            self.notices.append(text)

    def _telling(self, name: str) -> Any:  # Any: a context manager of guard
        return tolerated(
            lambda exc: self._notice(
                f"{name} not recorded ({type(exc).__name__}: {exc})"[:200]
            )
        )


def _parsed(source: str) -> ast.Module | None:
    try:
        return without_magics(reparse(source), source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # the cell itself will say so


def _is_made_with(name: str, kind: type, facts: CellFacts) -> bool:
    """`cfg = Config(lr=0.1)`: the defaults of the class are not read as settings."""
    return "__init__" in vars(kind) and any(
        isinstance(call.func, ast.Name) and call.func.id == name
        for call, _ in facts.found.calls
    )


def _made_names(facts: CellFacts) -> list[str]:
    """Names that the cell's own level bound to the result of an expression."""
    return [
        name
        for name, stores in facts.found.stores.items()
        if all(store.kind in ("assign", "with") for store in stores)
    ]


def _count(bound: object, declared: int | None) -> int | None:
    if isinstance(bound, list):
        return len(bound)
    return bound if type(bound) is int else declared

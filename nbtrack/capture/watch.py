"""Zero-edit watching: the metrics that a cell computes, recorded without being asked.

A `Watcher` puts light calls behind assignments and appends of metric-like names, in the
loops of a cell and in the notebook's functions that it calls. It changes nothing that
the user can see, never raises into the cell but to stop it, and takes everything back
at the end.
"""

from __future__ import annotations

import ast
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import Any

from nbtrack.capture.watch_calls import MADE, NAME, WatchCalls, installed_calls
from nbtrack.capture.watch_functions import (
    CodeSwaps,
    FunctionSearch,
    Notebook,
    Place,
    Sources,
    code_index,
    compiled_functions,
)
from nbtrack.capture.watch_names import says_evaluation
from nbtrack.capture.watch_reader import read_scope
from nbtrack.capture.watch_recorder import MetricSink
from nbtrack.capture.watch_rewrite import Edits, add_made, copied
from nbtrack.capture.watch_scopes import Scope
from nbtrack.capture.watch_sites import (
    consumed_by,
    drop_consumed,
    mark_calls,
    place_sites,
    reach_all,
    targets_of,
)
from nbtrack.capture.watch_weave import Weaver
from nbtrack.guard import guard

__all__ = ["MetricSink", "WatchReport", "Watcher"]


@dataclass(frozen=True, slots=True)
class WatchReport:
    """What was watched: series names, loops, thinning, and what was left out."""

    watched: list[str] = field(default_factory=list)
    loops: list[tuple[str, int | None, int]] = field(default_factory=list)
    thinned: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


class Watcher:
    """Watches one run of one cell: `instrument`, run the result, `finish`.

    Parameters
    ----------
    sink
        Where points go, usually the live run.
    watch
        Names to watch wherever the cell assigns them, whatever they are.
    zero_edit
        Watch metric-like names too.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> class Show:
    ...     stop, logged_names = SimpleNamespace(requested=False), ()
    ...     def declare(self, name, *, axis_of=None):
    ...         return name
    ...     def point(self, series, step, value, at):
    ...         print(series, step, value)
    ...     axis_point = point
    >>> watcher, namespace = Watcher(Show()), {}
    >>> cell = ast.parse("for _ in range(2): loss = 0.5 + len('a')")
    >>> exec(compile(watcher.instrument(cell, namespace), "<cell>", "exec"), namespace)
    loss 0 1.5
    loss 1 1.5
    >>> watcher.finish().watched
    ['loss']
    """

    def __init__(
        self, sink: MetricSink, *, watch: Sequence[str] = (), zero_edit: bool = True
    ) -> None:
        self._sink = sink
        self._asked = frozenset(watch)
        self._zero_edit = zero_edit
        self._namespace: dict[str, Any] = {}
        self._calls: WatchCalls | None = None
        self._weaver: Weaver | None = None
        self._scopes: list[Scope] = []  # the cell, and the functions that it reaches
        self._banned: set[str] = set()
        self._clean: ast.Module | None = None
        self._made: list[weakref.ref[FunctionType]] = []
        self._swaps = CodeSwaps()
        self._search: FunctionSearch | None = None

    # -- before the cell -------------------------------------------------------------

    def instrument(self, tree: ast.Module, namespace: dict[str, Any]) -> ast.Module:
        """The cell with watch calls; the tree itself when anything goes wrong.

        Line numbers, display of the last expression, docstrings and futures stay.
        """
        if not (self._zero_edit or self._asked):
            return tree
        self._namespace, self._clean = namespace, tree
        with guard("watching"):
            watched = copied(tree)
            self._instrument(watched)
            return watched
        return tree

    def _instrument(self, tree: ast.Module) -> None:
        self._calls = installed_calls(self._namespace)
        cell = read_scope(tree, asked=self._asked)
        self._weaver = Weaver(self._sink, self._calls, waits=cell.logs)
        self._banned = compiled_functions(tree)
        targets = targets_of(f for f in cell.all_functions() if self._may_watch(f))
        reached = reach_all([cell], targets)
        self._scopes = [cell, *reached]
        self._mark_calls_of_notebook()
        edits = Edits()
        changed = [
            scope
            for scope in self._placed([cell, *reached])
            if self._weaver.weave(scope, edits)
        ]
        for function in cell.all_functions():
            # A function that makes a changed one must be put back as well.
            if any(s in changed for s in (function, *function.all_functions())):
                self._add_made(function)
        edits.apply()

    def _may_watch(self, function: Scope) -> bool:
        names = {function.name, function.class_name, "forward"}
        return function.name != "forward" and not self._banned & names

    def _mark_calls_of_notebook(self) -> None:
        """Loops that call functions of earlier cells tell them their counters."""
        notebook = Notebook(self._namespace, self._banned)
        for scope in self._scopes:
            for reference in scope.references:
                is_call = bool(reference.loops) and not reference.is_attribute
                if is_call and notebook.functions_of(reference.name):
                    mark_calls(reference.loops)

    def _placed(self, scopes: list[Scope]) -> list[Scope]:
        """Scopes with their sites, the ones that get plain names first."""
        for scope in scopes:
            place_sites(scope)
            if not self._zero_edit:
                scope.sites = [site for site in scope.sites if site.asked]
        consumed = consumed_by(self._scopes)
        for scope in scopes:
            drop_consumed(scope, consumed)
        return sorted(scopes, key=_is_evaluation)

    def _add_made(self, function: Scope) -> None:
        assert self._calls is not None
        assert self._weaver is not None
        assert not isinstance(function.node, ast.Module)
        name = self._calls.add(MADE, self._note_made)
        self._weaver.names.append(name)
        add_made(function.node, name)

    def _note_made(self, function: FunctionType) -> FunctionType:
        self._made.append(weakref.ref(function))
        return function

    # -- functions of earlier cells --------------------------------------------------

    def instrument_functions(
        self, tree: ast.Module, namespace: dict[str, Any], sources: Sources
    ) -> None:
        """Lend watched code to the notebook's functions that the cell calls.

        `sources` gives the Python source that was compiled under a filename; call it
        after `instrument`, with the same cell.
        """
        if self._weaver is None:
            return
        del tree  # it was read by `instrument`
        with guard("watching functions"):
            notebook = Notebook(namespace, self._banned)
            search = FunctionSearch(notebook, sources, asked=self._asked)
            search.run(self._scopes)
            self._instrument_functions(search)

    def _instrument_functions(self, search: FunctionSearch) -> None:
        assert self._weaver is not None
        self._search = search
        reached = reach_all(self._scopes, search.targets)
        known = {id(scope) for scope in self._scopes}
        found = [s for s in reached if id(s) not in known and search.is_found(s)]
        self._scopes += found
        if any(scope.logs for scope in found):
            self._weaver.wait()
        edits, changed = Edits(), []
        for scope in self._placed(found):
            if self._weaver.weave(scope, edits):
                changed.append(scope)
        for inner in search.inner_of(changed):
            self._add_made(inner)
        edits.apply()
        search.lend(changed, self._swaps)

    # -- after the cell --------------------------------------------------------------

    def finish(self) -> WatchReport:
        """Give every function its own code back, write what was held, and report.

        Safe to call after an exception, and twice.
        """
        if self._weaver is None:
            return WatchReport()
        with guard("watching"):
            self._swaps.give_back()
        with guard("watching"):
            self._restore_made()
        with guard("watching"):
            self._finish_recorders()
        return self._report()

    def _finish_recorders(self) -> None:
        assert self._weaver is not None
        assert self._calls is not None
        self._calls.remove(self._weaver.names)
        self._namespace.pop(NAME, None)
        for recorder in self._weaver.all_recorders():
            with guard("watching"):
                recorder.finish()
        self._weaver.queue.finish()

    def _restore_made(self) -> None:
        """Functions that the cell made get the code they would have had."""
        functions = [f for made in self._made if (f := made()) is not None]
        self._made = []
        indexes: dict[tuple[str, int], dict[Place, CodeType]] = {}
        for function in functions:
            code = function.__code__
            key = code.co_filename, code.co_flags
            if key not in indexes and self._clean is not None:
                earlier = self._search and self._search.source_of(code.co_filename)
                indexes[key] = code_index(earlier or self._clean, code)
            own = indexes[key].get((code.co_qualname, code.co_firstlineno))
            if own is not None and own.co_freevars == code.co_freevars:
                function.__code__ = own

    @property
    def totals(self) -> dict[str, int]:
        """The lengths known so far of the cell's loops, by the name of the counter."""
        loops = self._weaver.loops if self._weaver is not None else []
        return {loop.name: loop.declared for loop in loops if loop.declared}

    def _report(self) -> WatchReport:
        assert self._weaver is not None
        recorders = self._weaver.all_recorders()
        return WatchReport(
            watched=[r.name for r in recorders if r.was_declared],
            loops=[
                (loop.name, loop.declared, loop.iterations)
                for loop in self._weaver.loops
                if loop.has_begun
            ],
            thinned={r.name: r.largest_k for r in recorders if r.largest_k > 1},
            skipped={
                r.name: r.reason for r in recorders if r.reason and not r.was_declared
            },
        )


def _is_evaluation(scope: Scope) -> tuple[bool, bool]:
    """The cell, then what trains, then what evaluates: plain names in this order."""
    return not scope.is_cell, says_evaluation(scope.name)

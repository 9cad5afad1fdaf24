"""Gives every watched place its series and its call, and counts rounds of loops."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any, TypeGuard

from nbtrack.capture.watch_calls import AFTER, END, ITERABLE, ROUND, VALUE, WatchCalls
from nbtrack.capture.watch_device import DeviceQueue
from nbtrack.capture.watch_names import entry_name, says_metric
from nbtrack.capture.watch_recorder import Counters, MetricSink, Recorder
from nbtrack.capture.watch_rewrite import (
    Edits,
    add_end,
    add_round,
    add_site,
    wrap_iterable,
    wrap_value,
)
from nbtrack.capture.watch_scopes import Loop, Note, Scope, last_name
from nbtrack.capture.watch_sites import axes_of, key_of
from nbtrack.guard import guard

Key = tuple[int, int, str, int]


class LoopCount:
    """The declared length of a loop, and the rounds it really began.

    >>> loop = LoopCount("epoch", None)
    >>> for epoch in loop.over(range(10)):
    ...     if epoch == 3:
    ...         break
    >>> loop.declared, loop.iterations
    (10, 4)
    """

    def __init__(self, name: str, declared: int | None) -> None:
        self.name = name
        self.declared = declared
        self._rounds = 0
        self._iterator: Any = None  # a range's, which knows how much is left

    def over(self, iterable: Any, *_: Any) -> Any:
        """The iterable itself, or the iterator of a range: counted at no cost."""
        if type(iterable) is not range:
            return iterable
        self._iterator, self.declared = iter(iterable), len(iterable)
        return self._iterator

    def round(self) -> None:
        """One more round begins."""
        self._rounds += 1

    @property
    def has_begun(self) -> bool:
        """Whether the loop was reached at all, in this process."""
        return self._iterator is not None or self._rounds > 0

    @property
    def iterations(self) -> int:
        """Rounds begun until now."""
        if self._iterator is None or self.declared is None:
            return self._rounds
        return self.declared - int(self._iterator.__length_hint__())


class Weaver:
    """Makes recorders and calls for scopes; one name is one series in the run."""

    def __init__(self, sink: MetricSink, calls: WatchCalls, *, waits: bool) -> None:
        self.recorders: dict[Key, Recorder] = {}
        self.entries: list[Recorder] = []  # of dicts of values, made when first seen
        self.loops: list[LoopCount] = []
        self.names: list[str] = []  # of the calls, to make them inert at the end
        self.queue = DeviceQueue()
        self._sink = sink
        self._calls = calls
        self._waits = waits
        self._counters = Counters()
        self._taken: set[str] = set()
        self._keep_alive: list[Scope] = []  # keys hold ids of nodes

    def weave(self, scope: Scope, edits: Edits) -> bool:
        """Plan the calls of one scope; whether there are any."""
        self._keep_alive.append(scope)
        by_loop: dict[int, list[Recorder]] = {}
        for site in scope.sites:
            recorder = self._add_site(site, scope, edits)
            for loop in site.loops:
                by_loop.setdefault(id(loop), []).append(recorder)
        changed = bool(scope.sites)
        for loop in scope.loops:
            changed |= self._add_loop(loop, by_loop.get(id(loop), []), scope, edits)
        return changed

    def wait(self) -> None:
        """Hold first points back: one of the functions logs by hand."""
        self._waits = True
        for recorder in self.recorders.values():
            recorder.waits = True

    def all_recorders(self) -> list[Recorder]:
        """Those of sites, and those of the entries of dicts."""
        return [*self.recorders.values(), *self.entries]

    # -- sites -----------------------------------------------------------------------

    def _add_site(self, site: Note, scope: Scope, edits: Edits) -> Recorder:
        axes = _axes(site, scope)
        recorder = self._recorder(site, scope, axes)
        statement = site.statement
        if scope.is_cell and not (site.loops or site.slot) and _is_plain(statement):
            wrap_value(statement, self._hit(VALUE, recorder))
            return recorder
        kind = AFTER if site.slot is None else VALUE
        add_site(edits, site, self._hit(kind, recorder), axes)
        return recorder

    def _hit(self, kind: str, recorder: Recorder) -> str:
        def give_up(exc: Exception) -> None:
            recorder.turn_off(f"{type(exc).__name__}: {exc}")
            guard.failed(f"watching {recorder.name}", exc)

        shield = guard.shield if kind == AFTER else guard.shield_passing
        return self._add(kind, shield(recorder.hit, give_up))

    def _add(self, kind: str, call: Callable[..., Any]) -> str:
        name = self._calls.add(kind, call)
        self.names.append(name)
        return name

    def _recorder(self, site: Note, scope: Scope, axes: tuple[str, ...]) -> Recorder:
        key = key_of(site, scope)
        if key not in self.recorders:
            late = self._late_name(site, scope) if site.is_result else None
            name = site.name if late else self._free_name(_names_for(site, scope))

            def entry(entry_key: str) -> Recorder:
                free = self._free_name(_numbered(entry_name(site.raw, entry_key)))
                all_axes = tuple(dict.fromkeys((*axes, *scope.outer)))
                self.entries.append(self._new_recorder(free, all_axes, ()))
                return self.entries[-1]

            made = self._new_recorder(name, axes, scope.outer, entry)
            made.late_name, made.is_guess = late, site.is_guess
            self.recorders[key] = made
        return self.recorders[key]

    def _late_name(self, site: Note, scope: Scope) -> Callable[[], str]:
        """Names a result when it comes: a curve of that name has it before."""
        return lambda: self._free_name(_names_for(site, scope))

    def _new_recorder(
        self,
        name: str,
        axes: tuple[str, ...],
        outer: tuple[str, ...],
        entry: Callable[[str], Recorder] | None = None,
    ) -> Recorder:
        return Recorder(
            name,
            self._sink,
            axes=axes,
            outer=outer,
            counters=self._counters,
            queue=self.queue,
            waits=self._waits,
            entry=entry,
        )

    def _free_name(self, candidates: Iterator[str]) -> str:
        name = next(name for name in candidates if name not in self._taken)
        self._taken.add(name)
        return name

    # -- loops -----------------------------------------------------------------------

    def _add_loop(
        self, loop: Loop, inside: list[Recorder], scope: Scope, edits: Edits
    ) -> bool:
        node = loop.node
        assert not isinstance(node, ast.expr)
        is_range = isinstance(node, ast.For) and _is_call(node.iter, "range")
        counted = loop.is_outermost and (is_range or bool(inside) or loop.calls)
        counter = (
            loop.counter if loop.calls and loop.counter not in scope.unsafe else None
        )
        if not counted and not counter and not inside:
            return False
        rounds = LoopCount(_shown(loop), _declared(node))
        if counted:
            self.loops.append(rounds)
        if counted and is_range and isinstance(node, ast.For):
            wrap_iterable(node, self._add(ITERABLE, rounds.over))
        if counter or (counted and not is_range):
            self._add_round(loop, rounds, counter, edits)
        if inside:
            add_end(edits, loop.block, loop.index, self._add(END, _flusher(inside)))
        return True

    def _add_round(
        self, loop: Loop, rounds: LoopCount, counter: str | None, edits: Edits
    ) -> None:
        assert not isinstance(loop.node, ast.expr)
        counters = self._counters.values
        if counter is None:
            call = self._add(ROUND, rounds.round)
            add_round(edits, loop.node, call, None)
            return
        name = counter

        def begun(value: Any) -> None:
            rounds.round()
            counters[name] = value

        # A `while` sets its counter inside, and may not have it in the first round.
        add_round(edits, loop.node, self._add(ROUND, begun), counter)


def _names_for(site: Note, scope: Scope) -> Iterator[str]:
    """The plain name, else one that says where the value comes from."""
    yield site.name
    if site.slot is not None and site.source and says_metric(site.source):
        yield site.source
    yield site.raw.strip("_")
    labels = [loop.label for loop in site.loops[::-1] if loop.label]
    for label in (*labels[:1], scope.name):
        if label:
            yield f"{label}.{site.name}"
    yield from _numbered(site.name)


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}_{number}" for number in count(2))


def _axes(site: Note, scope: Scope) -> tuple[str, ...]:
    """The counters of a site; those of all its sites where a name was asked for."""
    axes = axes_of(site, scope)
    if not site.asked:
        return axes
    others = [axes_of(s, scope) for s in scope.sites if s.asked and s.name == site.name]
    return tuple(axis for axis in axes if all(axis in other for other in others))


def _flusher(recorders: Sequence[Recorder]) -> Callable[[], None]:
    unique = list(dict.fromkeys(recorders))

    def flush() -> None:
        with guard("watching the end of a loop"):
            for recorder in unique:
                if recorder.k > 1:
                    recorder.flush()

    return flush


def _is_plain(statement: ast.stmt) -> TypeGuard[ast.Assign | ast.AnnAssign]:
    return isinstance(statement, ast.Assign | ast.AnnAssign) and not isinstance(
        _first_target(statement), ast.Tuple | ast.List
    )


def _first_target(statement: ast.Assign | ast.AnnAssign) -> ast.expr:
    return (
        statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
    )


def _is_call(node: ast.expr, name: str) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == name
    )


def _shown(loop: Loop) -> str:
    if loop.counter:
        return loop.counter
    if isinstance(loop.node, ast.For | ast.AsyncFor):
        return last_name(loop.node.target) or loop.label or "for"
    return "while"


def _declared(node: ast.stmt) -> int | None:
    """The length of `tqdm(range(10))` and `[0.1, 1.0]`, as far as it is written out."""
    if not isinstance(node, ast.For | ast.AsyncFor):
        return None
    if isinstance(node.iter, ast.List | ast.Tuple):
        return len(node.iter.elts)
    for inner in ast.walk(node.iter):
        if isinstance(inner, ast.Call) and last_name(inner.func) in ("range", "trange"):
            bounds = [a.value for a in inner.args if isinstance(a, ast.Constant)]
            whole = [b for b in bounds if type(b) is int]
            if whole and len(whole) == len(inner.args) <= 3 and whole[2:] != [0]:
                return len(range(*whole))
    return None

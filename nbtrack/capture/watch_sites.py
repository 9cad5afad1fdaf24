"""Decides which assignments and appends of a scope are watched, and under which key.

What a careful person would have noted: the value at the end of its making (after
`loss = loss + penalty`, after the loop that adds it up), once (`losses.append(loss)`
beside `loss = ...` is one series), never a sum on its way (`running_loss += ...`).
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator

from nbtrack.capture.watch_names import is_accumulator_name, says_rate
from nbtrack.capture.watch_scopes import Loop, Note, Path, Scope, slot_value

_CONVERSIONS = frozenset({"float", "int", "bool", "complex", "str", "round", "abs"})
_SELF_REFERRING = frozenset({"refine", "divide", "accumulate"})


def place_sites(scope: Scope) -> None:
    """Fill `scope.sites` and `scope.consumed`; needs `scope.in_loop` to be known."""
    scope.sites = []
    by_name: dict[str, list[Note]] = {}
    for note in scope.notes:
        by_name.setdefault(note.raw, []).append(note)
    for notes in by_name.values():
        bound = [note for note in notes if note.slot is None]
        chosen = _asked(bound, scope) if _is_asked(bound) else _chosen(bound, scope)
        scope.sites += chosen
        scope.sites += [
            note
            for note in notes
            if note.slot is not None
            and _counts(note, scope)
            and not _is_piece(note, scope)
        ]
    scope.sites.sort(key=lambda note: scope.notes.index(note))
    scope.consumed = [name for site in scope.sites for name in _called(_value(site))]
    _drop_doubles(scope)
    _number(scope.sites)


def key_of(note: Note, scope: Scope) -> tuple[int, int, str, int]:
    """Sites with the same key are one series: branches of one `if`, not two phases."""
    loop = id(note.loops[-1].node) if note.loops and not note.asked else 0
    return id(scope.node), loop, note.name, note.ordinal


def axes_of(note: Note, scope: Scope) -> tuple[str, ...]:
    """The counters around a site, outer first, each name once."""
    counters = [loop.counter for loop in note.loops if loop.counter]
    return tuple(dict.fromkeys(c for c in counters if c not in scope.unsafe))


def _counts(note: Note, scope: Scope) -> bool:
    note.is_result = not (scope.in_loop or note.loops or note.asked)
    return not note.is_result or _is_end_result(note, scope)


def _is_end_result(note: Note, scope: Scope) -> bool:
    """`test_acc = evaluate(model)`, `print("accuracy:", hits / n)` behind the loops."""
    if note.is_told:
        return True
    if not scope.is_cell or note.is_guess or says_rate(note.raw):
        return False
    if note.style == "divide":
        return True  # `test_loss /= len(loader)`: summed up in the loop before
    if note.style not in ("fresh", "value") and not _is_own_call(_value(note)):
        return False
    in_loops = any(other.raw == note.raw and other.loops for other in scope.notes)
    made = (ast.Call, ast.BinOp)
    computed = any(isinstance(node, made) for node in ast.walk(_value(note)))
    return computed and not in_loops


def _is_own_call(value: ast.AST) -> bool:
    """`evaluate("test")`: made by a function, though written out like `float(0)`."""
    if not (isinstance(value, ast.Call) and isinstance(value.func, ast.Name)):
        return False
    return value.func.id.islower() and value.func.id not in _CONVERSIONS


def _is_piece(note: Note, scope: Scope) -> bool:
    """`policy_losses.append(...)` of one step, which its loss is then made of."""
    return not note.asked and note.raw in scope.hints.pieces


def _is_asked(notes: list[Note]) -> bool:
    return any(note.asked for note in notes)


def _asked(notes: list[Note], scope: Scope) -> list[Note]:
    """`--watch NAME`: every assignment, but no reset of a sum to a written number."""
    summed = notes[0].raw in scope.accumulated
    return [n for n in notes if not (summed and n.style == "constant")]


# -- from the notes of one name to its sites ------------------------------------------


def _chosen(notes: list[Note], scope: Scope) -> list[Note]:
    sites: list[Note] = []
    taken: set[int] = set()
    heads = [n for n in notes if n.style in ("fresh", "constant") and _counts(n, scope)]
    heads = [head for head in heads if not _is_first_value(head, heads)]
    for head in heads:
        tails = _tails(head, notes, heads)
        taken.update(id(tail) for tail in tails)
        if _place_head(head, tails, scope):
            sites.append(head)
    for note in notes:
        orphan = note.style in ("refine", "divide") and id(note) not in taken
        if orphan and _counts(note, scope):
            sites.append(note)
    return sites


def _is_first_value(head: Note, heads: list[Note]) -> bool:
    """`reward = 0.0` before the loop that sets it."""
    n = len(head.loops)
    return head.style == "constant" and any(
        other.style == "fresh"
        and len(other.loops) > n
        and other.loops[:n] == head.loops
        for other in heads
    )


def _tails(head: Note, notes: list[Note], heads: list[Note]) -> list[Note]:
    """The later statements of the same block that go on making the value of `head`."""
    block, start = head.path[-1]
    starts = [_index_in(block, other.path) for other in heads]
    end = min((index for index in starts if index > start), default=1 << 30)
    return [
        note
        for note in notes
        if note.style in _SELF_REFERRING
        and start < _index_in(block, note.path) < end
        and (note.loops == head.loops or note.style == "accumulate")
    ]


def _index_in(block: int, path: Path) -> int:
    return next((index for inner, index in path if inner == block), -1)


def _place_head(head: Note, tails: list[Note], scope: Scope) -> bool:
    """Whether `head` is a site; its call goes behind the last of `tails`."""
    if not tails or head.raw in scope.unsafe:
        return not (head.style == "constant" and head.raw in scope.accumulated)
    last = max(tails, key=lambda tail: _index_in(head.path[-1][0], tail.path))
    summed = any(t.style == "accumulate" and t.loops != head.loops for t in tails)
    if summed and is_accumulator_name(head.raw) and last.loops != head.loops:
        return False
    head.after = _index_in(head.path[-1][0], last.path)
    return True


# -- one series, one site ------------------------------------------------------------


def _drop_doubles(scope: Scope) -> None:
    """`losses.append(loss.item())` beside `loss = ...`: the same value, kept once."""
    dropped: set[int] = set()
    values = [site for site in scope.sites if site.slot is not None]
    for index, value in enumerate(values):
        if value.is_told:
            dropped.update(_told_twice(value, scope))
        if value.source is None or value.asked:
            continue
        if any(_same_value(value, earlier) for earlier in values[:index]):
            dropped.add(id(value))
            continue
        for named in _named_sources(value, scope):
            keeps_name = _replaces(value, named) and not _is_passing(value, scope)
            if keeps_name or named.raw == value.name:
                dropped.add(id(named if keeps_name else value))
            elif _replaces(value, named):
                dropped.add(id(value))
    scope.sites = [site for site in scope.sites if id(site) not in dropped]


def _told_twice(told: Note, scope: Scope) -> Iterator[int]:
    """`print(train_loss / n)`: the mean where it is told each time, else the sum."""
    for site in scope.sites:
        if site.slot is None and site.raw == told.raw:
            yield id(site if _replaces(told, site) else told)
        elif site.slot is not None and not site.is_told and site.name == told.name:
            yield id(told)


def _same_value(one: Note, other: Note) -> bool:
    return (one.name, one.source, one.loops) == (other.name, other.source, other.loops)


def _named_sources(value: Note, scope: Scope) -> Iterator[Note]:
    for site in scope.sites:
        if site.slot is None and site.raw == value.source:
            yield site


def _is_passing(value: Note, scope: Scope) -> bool:
    """Whether a list is begun anew for each epoch, or its name is that of another."""
    if value.raw in scope.hints.emptied or value.is_guess:
        return True
    others = (s for s in scope.sites if s is not value and s.raw != value.source)
    return any(other.name == value.name for other in others)


def _replaces(value: Note, named: Note) -> bool:
    """The append is as good as the assignment: same block, behind it, each time."""
    return (
        not named.asked
        and value.block is named.block
        and value.path[-1][1] > named.after
        and value.loops == named.loops
    )


def _number(sites: list[Note]) -> None:
    """A second value of the same name in the same loop body is another series."""
    for index, site in enumerate(sites):
        if site.asked:
            continue
        before = [
            other.ordinal
            for other in sites[:index]
            if other.name == site.name
            and other.loops[-1:] == site.loops[-1:]
            and _comes_after(other.path, site.path)
        ]
        site.ordinal = 1 + max(before, default=0)


def _comes_after(first: Path, second: Path) -> bool:
    """Whether both can run in one pass; False for the branches of one statement."""
    for (block, index), (other_block, other_index) in zip(first, second, strict=False):
        if block != other_block:
            return False
        if index != other_index:
            return True
    return True


def _value(site: Note) -> ast.AST:
    if site.slot is not None:
        return slot_value(*site.slot)
    return getattr(site.statement, "value", None) or ast.Pass()


def _called(value: ast.AST) -> Iterator[str]:
    """The functions called for a watched value, methods with a dot before them."""
    for node in ast.walk(value):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id
            elif isinstance(node.func, ast.Attribute):
                yield f".{node.func.attr}"


# -- which functions are reached, and from within which loops -------------------------


def spread(scope: Scope, targets: dict[str, list[Scope]]) -> Iterator[Scope]:
    """Mark what `scope` refers to as reached; yields the functions that changed.

    `targets` has plain functions under their name and methods under `.name`.
    """
    for reference in scope.references:
        name = f".{reference.name}" if reference.is_attribute else reference.name
        for function in targets.get(name, ()):
            if function is scope:
                continue
            mark_calls(reference.loops)
            if _reach(function, scope, reference.loops):
                yield function


def _reach(function: Scope, caller: Scope, loops: tuple[Loop, ...]) -> bool:
    counters = [loop.counter for loop in loops if loop.counter]
    outer = tuple(dict.fromkeys((*function.outer, *caller.outer, *counters)))
    before = (function.reached, function.in_loop, function.outer)
    function.reached = True
    function.in_loop = function.in_loop or caller.in_loop or bool(loops)
    function.outer = outer
    return before != (function.reached, function.in_loop, function.outer)


def mark_calls(loops: Iterable[Loop]) -> None:
    """Note that the body of each loop calls something that is watched."""
    for loop in loops:
        loop.calls = True


def targets_of(functions: Iterable[Scope]) -> dict[str, list[Scope]]:
    """The names under which functions are called: `f`, `.method`, `Class` for init."""
    targets: dict[str, list[Scope]] = {}
    for function in functions:
        if function.class_name is None:
            targets.setdefault(function.name, []).append(function)
            continue
        targets.setdefault(f".{function.name}", []).append(function)
        if function.name in ("__init__", "__call__", "__iter__", "__enter__"):
            targets.setdefault(function.class_name, []).append(function)
    return targets


def reach_all(start: list[Scope], targets: dict[str, list[Scope]]) -> list[Scope]:
    """Every function that the scopes of `start` call, directly or through others."""
    waiting, found = list(start), {}
    while waiting:
        for function in spread(waiting.pop(), targets):
            found[id(function)] = function
            waiting.append(function)
    return list(found.values())


def consumed_by(scopes: Iterable[Scope]) -> set[str]:
    """The functions whose result is watched wherever a loop calls them."""
    watched: Counter[str] = Counter()
    called: Counter[str] = Counter()
    for scope in scopes:
        watched.update(scope.consumed)
        called.update(
            f".{reference.name}" if reference.is_attribute else reference.name
            for reference in scope.references
            if reference.loops or scope.in_loop
        )
    return {name for name, n in watched.items() if n >= called[name]}


def drop_consumed(function: Scope, consumed: set[str]) -> None:
    """Leave out what is returned straight to a place that is watched itself."""
    name = function.name if function.class_name is None else f".{function.name}"
    if name in consumed:
        function.sites = [
            site
            for site in function.sites
            if site.loops
            or site.asked
            or function.returned.isdisjoint((_source(site), site.kept_in))
        ]


def _source(site: Note) -> str | None:
    return site.raw if site.slot is None else site.source

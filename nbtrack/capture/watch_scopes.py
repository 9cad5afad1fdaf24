"""What the AST of a cell or function says about loops, values and the names it calls.

A `Scope` is read once, without running anything. It notes every assignment and append
of a metric-like name (`Note`), where it stands, the loops around it, and every name
that the scope refers to. `watch_sites` then decides which notes are watched.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

Function = ast.FunctionDef | ast.AsyncFunctionDef
ForLoop = ast.For | ast.AsyncFor
Loops = tuple["Loop", ...]
Path = tuple[tuple[int, int], ...]  # (id of a statement list, index in it), outer first
# How an assignment gets its value: from nothing of before (fresh), from numbers written
# out (constant), from its own old value (refine), as a sum on its way (accumulate).
Style = Literal["fresh", "constant", "refine", "divide", "accumulate", "value"]

_COUNTED = frozenset({"range", "trange", "tnrange", "epochs", "arange", "count"})
_PASS_THROUGH = frozenset(
    {"tqdm", "reversed", "list", "tuple", "track", "tqdm_notebook"}
)
_COUNTER_WORDS_TEXT = """
    epoch ep epochs e i j k it iter iteration step t fold episode batch_idx round
    gen generation trial seed n_epoch epoch_idx idx b batch_i step_idx
"""
_COUNTER_WORDS = frozenset(_COUNTER_WORDS_TEXT.split())


# Where an expression hangs: in a field of a node, or in a list of expressions.
Slot = tuple[ast.AST | list[ast.expr], str | int]


@dataclass(slots=True, eq=False)
class Loop:
    """A loop around a note; `counter` is a name that holds a number in its body."""

    node: ForLoop | ast.While | ast.expr  # a comprehension has no name of its own
    counter: str | None = None
    label: str | None = None  # what is looped over: `val_loader`
    calls: bool = False  # whether its body refers to a function that is watched
    block: list[ast.stmt] = field(default_factory=list)  # where the loop stands
    index: int = 0
    is_outermost: bool = False


@dataclass(slots=True, eq=False)
class Note:
    """One place where a value of a metric-like name comes into being."""

    name: str  # of the series
    raw: str  # as the code has it
    style: Style
    path: Path
    loops: Loops
    statement: ast.stmt
    block: list[ast.stmt]
    read: ast.expr | None = None  # evaluated after the statement, unless a slot is set
    slot: Slot | None = None  # wrapped in place
    source: str | None = None  # whose value it is: `loss` of `loss.item()`
    asked: bool = False
    kept_in: str | None = None  # the record that it is an entry of
    is_told: bool = False  # printed or logged, under no name of its own
    is_guess: bool = False  # the name does not say metric, what is done with it does
    after: int = 0  # index in `block` behind which the call goes
    ordinal: int = 1
    is_result: bool = False  # of no loop: one value, named after all curves


@dataclass(slots=True, eq=False)
class Reference:
    """A name or attribute that is read, and the loops around that place."""

    name: str
    is_attribute: bool
    loops: Loops


@dataclass(frozen=True, slots=True)
class Hints:
    """Names of one scope, by what is done with them."""

    losses: frozenset[str] = frozenset()  # their gradient is taken
    pieces: frozenset[str] = frozenset()  # lists that such a loss is made of
    plotted: frozenset[str] = frozenset()
    emptied: frozenset[str] = frozenset()  # lists begun anew in a loop
    handed: frozenset[str] = frozenset()  # read for what is returned


@dataclass(slots=True, eq=False)
class Scope:
    """A cell or a function, read once."""

    node: ast.Module | Function
    name: str = ""
    qualname: str = ""
    class_name: str | None = None
    notes: list[Note] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)  # statements, in source order
    functions: list[Scope] = field(default_factory=list)
    classes: set[str] = field(default_factory=set)
    hints: Hints = field(default_factory=Hints)
    divided: set[str] = field(default_factory=set)  # `correct /= n`
    accumulated: set[str] = field(default_factory=set)
    returned: set[str] = field(default_factory=set)
    unsafe: set[str] = field(default_factory=set)  # may be unbound: `del i`
    sites: list[Note] = field(default_factory=list)
    consumed: list[str] = field(default_factory=list)  # calls whose result is watched
    logs: bool = False  # whether it seems to log metrics by hand
    in_loop: bool = False
    reached: bool = False
    outer: tuple[str, ...] = ()  # counters of the loops that the calls of it stand in

    @property
    def is_cell(self) -> bool:
        """Whether this is the cell itself."""
        return isinstance(self.node, ast.Module)

    def all_functions(self) -> Iterator[Scope]:
        """The functions in it, and those in them."""
        for function in self.functions:
            yield function
            yield from function.all_functions()


def slot_value(holder: ast.AST | list[ast.expr], key: str | int) -> ast.expr:
    """The expression that hangs there."""
    return holder[int(key)] if isinstance(holder, list) else _field(holder, str(key))


def _field(node: ast.AST, name: str) -> ast.expr:
    value: ast.expr = getattr(node, name)
    return value


def bare_name(node: ast.expr | None) -> str | None:
    """The name whose value, converted at most, an expression is.

    >>> bare_name(ast.parse("float(loss.detach().cpu())", mode="eval").body)
    'loss'
    """
    while node is not None:
        if isinstance(node, ast.Name):
            return node.id
        node = converted(node)
    return None


_CONVERSIONS_TEXT = """
    item detach cpu numpy data clone tolist float double mean value
"""
_CONVERSIONS = frozenset(_CONVERSIONS_TEXT.split())
_CONVERTING = frozenset({"float", "int", "round", "float32", "float64", "asarray"})


def converted(node: ast.expr) -> ast.expr | None:
    """What `x.item()`, `float(x)` or `x.data` is a number of; None for others."""
    if isinstance(node, ast.Attribute) and node.attr in _CONVERSIONS:
        return node.value
    if not isinstance(node, ast.Call):
        return None
    function = node.func
    if last_name(function) in _CONVERTING and node.args:
        return node.args[0]
    if isinstance(function, ast.Attribute) and function.attr in _CONVERSIONS:
        return None if node.args else function.value  # `np.mean(losses)` is no `np`
    return None


def last_name(node: ast.expr) -> str | None:
    """The last word of a dotted expression: `tqdm` of `tqdm.auto.tqdm`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def loop_of(node: ForLoop | ast.While) -> Loop:
    """The counter and label of a loop, as far as the text shows them.

    >>> cell = ast.parse("for i, (x, y) in enumerate(val_loader): pass")
    >>> loop = loop_of(cell.body[0])
    >>> loop.counter, loop.label
    ('i', 'val_loader')
    """
    if isinstance(node, ast.While):
        return Loop(node)
    target, source = node.target, _unwrapped(node.iter)
    if _calls(source, "enumerate") and isinstance(target, ast.Tuple):
        return Loop(node, _id(target.elts[0]), _label(source))
    if _calls(source, "zip") and isinstance(target, ast.Tuple):
        return Loop(node, _counter_of_zip(target, source), _label(source))
    return Loop(node, _plain_counter(target, source), _label(source))


def while_counters(node: ast.While, before: Sequence[ast.stmt]) -> str | None:
    """A name that the body counts up and that surely has a value before the loop."""
    set_before = {
        target.id
        for statement in before
        if isinstance(statement, ast.Assign)
        and isinstance(statement.value, ast.Constant)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    counted = (
        statement.target.id
        for statement in node.body
        if isinstance(statement, ast.AugAssign)
        and isinstance(statement.op, ast.Add)
        and isinstance(statement.target, ast.Name)
        and isinstance(statement.value, ast.Constant)
    )
    return next((name for name in counted if name in set_before), None)


def _unwrapped(node: ast.expr) -> ast.expr:
    """What a progress bar or a copy goes over."""
    while isinstance(node, ast.Call) and node.args:
        if last_name(node.func) not in _PASS_THROUGH:
            break
        node = node.args[0]
    return node


def _calls(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Call) and last_name(node.func) == name


def _id(node: ast.expr) -> str | None:
    return node.id if isinstance(node, ast.Name) else None


def _counter_of_zip(target: ast.Tuple, source: ast.expr) -> str | None:
    assert isinstance(source, ast.Call)
    for element, argument in zip(target.elts, source.args, strict=False):
        if _is_counted(argument):
            return _id(element)
    return None


def _plain_counter(target: ast.expr, source: ast.expr) -> str | None:
    if isinstance(target, ast.Tuple) and target.elts:
        first = _id(target.elts[0]) or ""  # `for step, loss in training(10)`
        return first if first.lower() in _COUNTER_WORDS else None
    name = _id(target)
    if name is None or not name.strip("_"):
        return None
    return name if _is_counted(source) or name.lower() in _COUNTER_WORDS else None


def _is_counted(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        return last_name(node.func) in _COUNTED
    return isinstance(node, ast.List | ast.Tuple) and all(
        isinstance(e, ast.Constant) and type(e.value) in (int, float) for e in node.elts
    )


def _label(node: ast.expr) -> str | None:
    node = _unwrapped(node)
    if isinstance(node, ast.Call):
        if last_name(node.func) in _COUNTED:
            return None  # `range(n_epochs)` is over numbers, not over what they count
        labels = (_label(argument) for argument in node.args)
        return next((label for label in labels if label), None)
    return last_name(node)

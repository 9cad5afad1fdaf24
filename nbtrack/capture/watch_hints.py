"""What the rest of a scope says about a name: its gradient is taken, it is plotted.

A name need not say metric: `l.backward()` tells a loss, `plt.plot(durations)` a curve,
`theta_history` a series. And a list that only feeds one loss is no curve of its own.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from nbtrack.capture.watch_names import entry_name, says_metric
from nbtrack.capture.watch_scopes import Hints, Loops, bare_name, last_name
from nbtrack.capture.watch_style import names_in

_PLOTS = frozenset({"plot", "semilogy", "semilogx", "loglog", "lineplot"})
# What is put into one of these is a curve, whatever its key says.
HISTORIES = frozenset({"history", "hist", "log", "logs", "trace", "track", "progress"})
_BACKWARD_OF = frozenset({"accelerator", "fabric", "engine", "model_engine", "self"})
_SERIES_OF = re.compile(r"(?i)^(.+?)_(?:history|hist|trace|curve)$")
_PER_EPISODE = re.compile(r"(?i)^(?:ep|epoch|episode)_(?:durations|lengths|steps)$")
_INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def hints_of(scope: ast.AST) -> Hints:
    r"""The hints of a cell or function, those of inner functions left out.

    >>> hints_of(ast.parse("l = f(x)\nl.mean().backward()\nplt.plot(ys)")).losses
    frozenset({'l'})
    """
    nodes = list(_own_nodes(scope))
    losses = {name for node in nodes if (name := _differentiated(node))}
    return Hints(
        frozenset(losses),
        frozenset(name for node in nodes for name in _read_for(node, losses)),
        frozenset(name for node in nodes if (name := _plotted(node))),
        frozenset(name for node in nodes for name in _emptied(node)),
        frozenset(
            name
            for node in nodes
            if isinstance(node, ast.Return) and node.value
            for name in names_in(node.value)
        ),
    )


def container_name(node: ast.expr, hints: Hints, loops: Loops) -> str | None:
    """The name under which a list, entry or attribute keeps its values."""
    if isinstance(node, ast.Subscript):
        key = node.slice
        if isinstance(key, ast.Constant):
            text = key.value if isinstance(key.value, str) else None
            return _full_key(text, node.value) if text else None
        counters = {loop.counter for loop in loops}
        is_slot = isinstance(key, ast.Name) and key.id in counters
        return container_name(node.value, hints, ()) if is_slot else None
    name = last_name(node)
    if name is None or says_metric(name):
        return name
    is_series = _SERIES_OF.match(name) or _PER_EPISODE.match(name)
    return name if is_series or name in hints.plotted else None


def is_guessed(node: ast.expr) -> bool:
    """Whether the last word of a container does not itself say metric."""
    name = _text_key(node) or last_name(node)
    return not (name and says_metric(name))


def bare_series(name: str) -> str:
    """The series that a list is of, where its name says that it is one.

    >>> bare_series("theta_history"), bare_series("durations")
    ('theta', 'durations')
    """
    found = _SERIES_OF.match(name)
    return found.group(1) if found else name


def _full_key(key: str, holder: ast.expr) -> str | None:
    """`history["train"]["loss"]` and `losses["train"]` are `train_loss`."""
    if says_metric(key):
        above = _text_key(holder)
        return f"{above}_{key}" if above and above.isidentifier() else key
    base = last_name(holder)
    if base and base.lower() in HISTORIES:
        return key
    return entry_name(base, key) if base and is_quantity(base) else None


def is_quantity(name: str) -> bool:
    """Whether what a dict of this name holds is a metric, whatever the key says.

    >>> is_quantity("losses"), is_quantity("metrics")
    (True, False)
    """
    return says_metric(name) and "metric" not in name.lower()


def _text_key(node: ast.expr) -> str | None:
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return node.slice.value if isinstance(node.slice.value, str) else None
    return None


def _own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(scope):
        if not isinstance(child, _INNER):
            yield child
            yield from _own_nodes(child)


def _differentiated(node: ast.AST) -> str | None:
    """`l` of `l.mean().backward()` and `accelerator.backward(l)`."""
    if not isinstance(node, ast.Call) or last_name(node.func) != "backward":
        return None
    if not isinstance(node.func, ast.Attribute):
        return None
    if node.args:
        known = last_name(node.func.value) in _BACKWARD_OF
        return bare_name(node.args[0]) if known else None
    return _root(node.func.value)


def _root(node: ast.expr) -> str | None:
    """The name that `scaler.scale(loss)` or `l.mean()` is about."""
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Call):
            node = node.args[0] if node.args else node.func
        elif isinstance(node, ast.Attribute):
            node = node.value
        else:
            return None
    return node.id


def _read_for(node: ast.AST, losses: set[str]) -> Iterator[str]:
    if isinstance(node, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id in losses for target in node.targets
    ):
        yield from names_in(node.value)


def _plotted(node: ast.AST) -> str | None:
    """`ys` of `plt.plot(xs, np.sqrt(ys), "r-")`."""
    if not isinstance(node, ast.Call) or last_name(node.func) not in _PLOTS:
        return None
    shown = [a for a in node.args if not isinstance(a, ast.Constant)]
    if not shown:
        return None
    value = shown[-1]
    if isinstance(value, ast.Call) and len(value.args) == 1:
        value = value.args[0]
    return bare_name(value)


def _emptied(node: ast.AST) -> Iterator[str]:
    if not isinstance(node, ast.For | ast.AsyncFor | ast.While):
        return
    for inner in (n for statement in node.body for n in ast.walk(statement)):
        if isinstance(inner, ast.Assign):
            for target in inner.targets:
                yield from _names_emptied(target, inner.value)


def _names_emptied(target: ast.expr, value: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, other in zip(target.elts, value.elts, strict=False):
            yield from _names_emptied(one, other)
    elif isinstance(target, ast.Name) and is_empty_list(value):
        yield target.id


def is_empty_list(node: ast.expr) -> bool:
    """`[]` or `list()`."""
    if isinstance(node, ast.Call):
        return last_name(node.func) == "list" and not node.args
    return isinstance(node, ast.List) and not node.elts

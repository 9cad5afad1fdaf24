"""How an assignment gets its value, read off its expression alone."""

from __future__ import annotations

import ast

from nbtrack.capture.watch_scopes import Style, bare_name, last_name

_MATHS = frozenset({"math", "np", "numpy", "torch", "jnp", "tf", "cmath", "F"})


def style_of(name: str, node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> Style:
    """Whether `name` gets a new value, a written one, or one made of its old.

    >>> [style_of("x", ast.parse(t).body[0]) for t in ("x = f()", "x += 1", "x = 0")]
    ['fresh', 'accumulate', 'constant']
    """
    if isinstance(node, ast.AugAssign):
        if isinstance(node.op, ast.Add | ast.Sub):
            return "accumulate"
        return "divide" if isinstance(node.op, ast.Div) else "refine"
    assert node.value is not None
    return style_of_value(name, node.value)


def style_of_value(name: str, value: ast.expr) -> Style:
    """The style of `name = value`."""
    if any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(value)):
        return _own_style(name, value)
    return "constant" if _is_constant(value) else "fresh"


def pairs_of(
    target: ast.expr, value: ast.expr | None
) -> list[tuple[ast.expr, ast.expr | None]]:
    """Each target with its own value, None where one call gives several.

    >>> [v is None for _, v in pairs_of(*_sides("loss, n = 0.0, 0"))]
    [False, False]
    >>> [v is None for _, v in pairs_of(*_sides("loss, (n, m) = f()"))]
    [True, True, True]
    """
    if not isinstance(target, ast.Tuple | ast.List):
        return [(target, value)]
    values: list[ast.expr] | list[None] = [None] * len(target.elts)
    if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(values):
        values = value.elts
    found = zip(target.elts, values, strict=True)
    return [pair for one, other in found for pair in pairs_of(one, other)]


def _sides(text: str) -> tuple[ast.expr, ast.expr]:
    statement = ast.parse(text).body[0]
    assert isinstance(statement, ast.Assign)
    return statement.targets[0], statement.value


def _own_style(name: str, value: ast.expr) -> Style:
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add | ast.Sub):
        sides = (value.left, value.right)
        if any(isinstance(side, ast.Name) and side.id == name for side in sides):
            return "accumulate"
    operators = [n.op for n in ast.walk(value) if isinstance(n, ast.BinOp)]
    return "divide" if any(isinstance(o, ast.Div) for o in operators) else "refine"


def _is_constant(node: ast.expr) -> bool:
    """A number written out, also as `float("inf")`, `torch.zeros(1)`, `Value(0.0)`."""
    if isinstance(node, ast.UnaryOp):
        return _is_constant(node.operand)
    if isinstance(node, ast.Call):
        return bool(node.args) and all(_is_constant(a) for a in node.args)
    if isinstance(node, ast.List | ast.Tuple):
        return all(_is_constant(e) for e in node.elts)
    return isinstance(node, ast.Constant)


def logs_by_hand(node: ast.AST) -> bool:
    """`run.log(...)` or a callback of ours, but not `torch.log(...)`."""
    if not isinstance(node, ast.Call):
        return False
    name = last_name(node.func) or ""
    holder = node.func.value if isinstance(node.func, ast.Attribute) else None
    if isinstance(holder, ast.Name) and holder.id in _MATHS:
        return False
    return name in ("log", "log_metrics", "log_metric") or name.endswith("Callback")


def names_in(node: ast.AST) -> set[str]:
    """Every plain name below a node."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def names_returned(value: ast.expr | None) -> set[str]:
    """The names whose values a `return` hands out, alone or in a tuple or dict."""
    if value is None:
        return set()
    parts = value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
    if isinstance(value, ast.Dict):
        parts = value.values
    return {name for part in parts if (name := bare_name(part))}

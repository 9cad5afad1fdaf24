"""Classes of settings, read off their text: dataclasses, named tuples, bare attributes.

A class with methods of its own is no class of settings, unless a decorator or base
makes it one. The class is not made and no default factory is called.
"""

from __future__ import annotations

import ast
from typing import Any

from nbtrack.capture.evaluate import NO_DEFAULT, Known, dotted, known_or

_RECORD_BASES = frozenset({"NamedTuple", "typing.NamedTuple", "BaseModel", "object"})


def fields_of(node: ast.ClassDef, known: Known) -> dict[str, Any] | None:
    r"""The fields of a class of settings with their defaults; None for other classes.

    >>> fields_of(ast.parse("class C:\n lr = 0.1\n n: int = 3").body[0], Known())
    {'lr': 0.1, 'n': 3}
    """
    if any((dotted(base) or "") not in _RECORD_BASES for base in node.bases):
        return None
    fields: dict[str, Any] = {}
    inner = Known(values=dict(known.values), records=known.records, outer=known.outer)
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(
            statement.target, ast.Name
        ):
            name, value = statement.target.id, _field_value(statement.value)
        elif isinstance(statement, ast.Assign) and isinstance(
            statement.targets[0], ast.Name
        ):
            name, value = statement.targets[0].id, statement.value
        elif isinstance(statement, ast.FunctionDef) and not node.decorator_list:
            return None
        else:
            continue
        fields[name] = NO_DEFAULT if value is None else known_or(value, inner)
        if fields[name] is not NO_DEFAULT:
            inner.values[name] = fields[name]
    return fields or None


def _field_value(value: ast.expr | None) -> ast.expr | None:
    """The default inside `field(default=...)` or `field(default_factory=...)`."""
    if not isinstance(value, ast.Call) or (dotted(value.func) or "")[-5:] != "field":
        return value
    for keyword in value.keywords:
        if keyword.arg == "default":
            return keyword.value
        if keyword.arg == "default_factory" and isinstance(keyword.value, ast.Lambda):
            return keyword.value.body
        if keyword.arg == "default_factory" and isinstance(keyword.value, ast.Name):
            return ast.Call(func=keyword.value, args=[], keywords=[])
    return None

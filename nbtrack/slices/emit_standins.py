"""The parts of `standins` that a script uses, as text to put into it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Collection, Iterator, Mapping
from functools import cache


def standins_of(names: Collection[str], values: Mapping[str, str] | None = None) -> str:
    """The definitions of those names and of what they use, as they are ordered there.

    Parameters
    ----------
    names
        As in `nbtrack.slices.standins`; others are passed over.
    values
        Expressions for its module variables, in place of those there.

    >>> print(standins_of(["_nb_texts"], {"_nb_texts": "['x']"}))
    _nb_texts = ['x']
    """
    values = values or {}
    wanted = _with_what_they_use(names)
    return "\n\n".join(
        f"{name} = {values[name]}" if name in values else text
        for name, text, _ in _definitions()
        if name in wanted
    )


def _with_what_they_use(names: Collection[str]) -> set[str]:
    uses: dict[str, set[str]] = {}
    for name, _, used in _definitions():
        uses.setdefault(name, set()).update(used)
    found: set[str] = set()
    open_names = list(names)
    while open_names:
        name = open_names.pop()
        if name in uses and name not in found:
            found.add(name)
            open_names.extend(uses[name])
    return found


@cache
def _definitions() -> tuple[tuple[str, str, frozenset[str]], ...]:
    """Each definition's name, its text without annotations, and the names in it."""
    from nbtrack.slices import standins

    tree = _Bare().visit(ast.parse(inspect.getsource(standins)))
    return tuple(_named(tree.body))


def _named(body: list[ast.stmt]) -> Iterator[tuple[str, str, frozenset[str]]]:
    for node in body:
        name = _name_of(node)
        if name is not None:
            used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            yield name, ast.unparse(node), frozenset(used - {name})


def _name_of(node: ast.stmt) -> str | None:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name
    if not isinstance(node, ast.Assign):
        return None
    target = node.targets[0]
    if isinstance(target, ast.Attribute):
        target = target.value
    return target.id if isinstance(target, ast.Name) and target.id[0] == "_" else None


class _Bare(ast.NodeTransformer):
    """Takes the annotations away: their names are not known in a script."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is None:
            return node
        return ast.copy_location(ast.Assign([node.target], node.value), node)

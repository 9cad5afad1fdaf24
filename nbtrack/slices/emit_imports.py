"""Imports that go to the top of the script, where that surely changes nothing."""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Sequence
from typing import Protocol

from nbtrack.slices.closure import KeptCell
from nbtrack.slices.emission import Emission
from nbtrack.slices.emit_cell import parsed
from nbtrack.slices.emit_names import bound_anywhere, mentioned
from nbtrack.slices.emit_text import Places

# Code that could tell when a name came, or what an import gives.
_LOOKS_AROUND = frozenset(
    {"globals", "locals", "vars", "dir", "exec", "eval", "modules", "meta_path"}
    | {"importlib", "__import__", "path_hooks", "user_ns", "reload"}
)


class HasText(Protocol):
    """A cell on its way into the script."""

    kept: KeptCell
    text: str
    tracked: bool
    is_async: bool


def futures_taken(parts: Sequence[HasText], emission: Emission) -> list[str]:
    """Take `from __future__ import ...` out of the cells: it is legal on top alone."""
    names: dict[str, None] = {}
    for at, part in enumerate(parts):
        tree = parsed(part.text)
        for node in reversed(tree.body if tree else []):
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                rest = _cut(part.text, node)
                if rest is None:
                    continue
                names.update((a.name, None) for a in node.names if not a.asname)
                part.text = rest
                if at and "annotations" in names:
                    emission.cell = part.kept.cell
                    emission.note(
                        f"from __future__ import annotations of {emission.label} "
                        "holds for all cells here"
                    )
    return [f"from __future__ import {', '.join(names)}"] if names else []


def _cut(text: str, node: ast.stmt) -> str | None:
    """The text without a statement that has its lines for itself; None if not so."""
    places = Places(text)
    start, end = places.of(node)
    behind = places.after(end)
    if places.before(start) or (behind.strip() and not behind.strip().startswith("#")):
        return None
    return text[:start] + text[end + len(behind) + 1 :]


def hoisted(parts: Sequence[HasText], emission: Emission) -> list[str]:
    """Take the imports to the top that may stand there, and return their lines.

    An import of the standard library may pass anything but its own name; another one
    only what surely does nothing but bind names. In doubt it stays where it is.
    """
    if emission.words & _LOOKS_AROUND:
        return []
    trees = [parsed(part.text) for part in parts]
    seen: set[str] = set()  # names that are mentioned before
    all_inert, taken = True, []
    for part, tree in zip(parts, trees, strict=True):
        all_inert &= not part.kept.restore
        cuts: list[ast.stmt] = []
        for node in tree.body if tree else []:
            movable = isinstance(node, ast.Import | ast.ImportFrom)
            if movable and _may_move(node, part, seen, all_inert):
                others = [t for t in trees if t is not None]
                alone = _cut(part.text, node) is not None
                if alone and _bound_by_it_alone(node, others):
                    cuts += [] if _is_local(node, emission) else [node]
            all_inert &= node in cuts or _is_inert(node)
            seen |= mentioned(node)
        taken += _taken(part, cuts)
    return taken


def _may_move(node: ast.stmt, part: HasText, seen: set[str], all_inert: bool) -> bool:
    if part.tracked or part.is_async or part.kept.cell.ok is False:
        return False
    if isinstance(node, ast.ImportFrom) and (node.level or node.module == "__future__"):
        return False
    names = bound_anywhere(node)
    if "*" in names or names & seen or any(hasattr(builtins, n) for n in names):
        return False
    known = all(root in sys.stdlib_module_names for root in _roots(node))
    return known or all_inert


def _bound_by_it_alone(node: ast.stmt, trees: Sequence[ast.Module]) -> bool:
    """Whether nothing but the very same import binds its names anywhere."""
    names, same = bound_anywhere(node), ast.dump(node)
    return not any(
        names & bound_anywhere(other)
        for tree in trees
        for other in tree.body
        if ast.dump(other) != same
    )


def _roots(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.ImportFrom):
        return {(node.module or "").partition(".")[0]}
    assert isinstance(node, ast.Import)
    return {alias.name.partition(".")[0] for alias in node.names}


def _is_local(node: ast.stmt, emission: Emission) -> bool:
    """Whether a file of that name is read or written by the cells."""
    ends = tuple(end for r in _roots(node) for end in (f"/{r}.py", f"/{r}/__init__.py"))
    for cell in emission.cells:
        flow = cell.flow
        known = [*flow.reads, *flow.writes, *flow.may_write] if flow else []
        if any(name.endswith(ends) for name in known):
            return True
    texts = [cell.source or "" for cell in emission.cells]
    return any(f"{root}.py" in text for root in _roots(node) for text in texts)


def _is_inert(node: ast.stmt) -> bool:
    """Whether a statement surely does nothing but bind names to what it says."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return all(root in sys.stdlib_module_names for root in _roots(node))
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        defaults = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
        plain = all(isinstance(default, ast.Constant) for default in defaults)
        return plain and not node.decorator_list and not _has_annotations(node)
    if isinstance(node, ast.Assign):
        names = all(isinstance(target, ast.Name) for target in node.targets)
        return names and isinstance(node.value, ast.Constant)
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _has_annotations(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    arguments = (n for n in ast.walk(node.args) if isinstance(n, ast.arg))
    return bool(node.returns) or any(a.annotation for a in arguments)


def _taken(part: HasText, cuts: Sequence[ast.stmt]) -> list[str]:
    """Cut the imports out of the cell, from below; those that stand alone in a line."""
    lines: list[str] = []
    for node in reversed(cuts):
        rest = _cut(part.text, node)
        if rest is not None:
            start, end = Places(part.text).of(node)
            behind = Places(part.text).after(end)
            lines.insert(0, part.text[start:end] + behind.rstrip())
            part.text = rest
    return lines

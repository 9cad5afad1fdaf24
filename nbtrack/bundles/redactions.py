"""Secrets are taken out of a bundle's code, which asks the environment for them.

`api_key = "[redacted]"` becomes `api_key = os.environ['API_KEY']`. The name is that of
the variable, the argument or the key the literal stands under. No secret is looked up
here; `values_now` asks the session for what a check of the bundle needs.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from nbtrack.capture.reread import reparse
from nbtrack.redact import REDACTED, redact_source
from nbtrack.slices.closure import KeptCell
from nbtrack.slices.emit_text import Edit, Places, edited
from nbtrack.sweeps.sites import readable

_NOT_A_WORD = re.compile(r"\W+")
_NAMELESS = "SECRET"


@dataclass(slots=True)
class Needs:
    """What the script of a bundle takes from the environment."""

    names: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)  # name -> the cells' own
    given: dict[str, str] = field(default_factory=dict)  # what the session began with
    n_redacted: int = 0
    n_left: int = 0  # secrets for which no name can be put in

    def values_now(self) -> dict[str, str]:
        """Their values: of this environment, of the session's, of its variables.

        >>> Needs(["A_NEED_NOBODY_HAS"]).values_now()
        {}
        """
        here = vars(sys.modules["__main__"])
        found = {name: here.get(of) for name, of in self.variables.items()}
        told = {name: value for name, value in found.items() if isinstance(value, str)}
        here_too = {n: os.environ[n] for n in self.names if n in os.environ}
        return told | here_too | self.given

    def read(self, names: Iterable[str], had: Mapping[str, str]) -> None:
        """Code reads these variables; those that the session had are needed."""
        for name in names:
            if name in had and name not in self.names:
                self.names.append(name)
                self.given[name] = had[name]


def with_needs(kept: Sequence[KeptCell]) -> tuple[tuple[KeptCell, ...], Needs]:
    """The cells with `os.environ['NAME']` in place of the secrets in them.

    The cells of a session that goes on still have theirs: they are redacted here.

    >>> from nbtrack.records import CellRecord
    >>> cell = CellRecord(0, None, 1, "api_key = '[redacted]'", "", "")
    >>> cells, needs = with_needs([KeptCell(cell, ())])
    >>> cells[0].cell.source, needs.names
    ("api_key = os.environ['API_KEY']", ['API_KEY'])
    """
    needs = Needs()
    changed = []
    for each in kept:
        if each.cell.source is not None:
            source = without_secrets(each.cell.source, needs)
            each = replace(each, cell=replace(each.cell, source=source))
        changed.append(each)
    return tuple(changed), needs


def without_secrets(source: str, needs: Needs, *, os_name: str = "os") -> str:
    """Code that asks for its secrets; `needs` gets their names.

    Parameters
    ----------
    os_name
        How the code can call the module `os`.
    """
    source, n_found = redact_source(source)
    needs.n_redacted += n_found
    return _with_names(source, needs, os_name) if REDACTED in source else source


def _with_names(source: str, needs: Needs, os_name: str) -> str:
    try:
        view = readable(source)
        tree = reparse(view)
    except (SyntaxError, ValueError):
        needs.n_left += source.count(REDACTED)
        return source
    places, edits, n_done = Places(view), list[Edit](), 0
    for node, value, told in _literals(tree, "", in_text=False):
        name = _free_name(told, needs)
        before, _, after = value.partition(REDACTED)
        code = f"{os_name}.environ[{name!r}]"
        if before or after:
            code = f"({before!r} + {code} + {after!r})"
        elif told.isidentifier():
            needs.variables[name] = told
        edits.append(Edit(*places.of(node), code))
        n_done += value.count(REDACTED)
    needs.n_left += source.count(REDACTED) - n_done
    return edited(source, edits)


def _literals(
    node: ast.AST, name: str, *, in_text: bool
) -> Iterator[tuple[ast.Constant, str, str]]:
    """The redacted strings, each with the name it stands under; none in an f-string."""
    if isinstance(node, ast.Constant):
        value = node.value
        if isinstance(value, str) and value.count(REDACTED) == 1 and not in_text:
            yield node, value, name
        return
    in_text = in_text or isinstance(node, ast.JoinedStr)
    for child, own in _named_children(node, name):
        yield from _literals(child, own, in_text=in_text)


def _named_children(node: ast.AST, name: str) -> Iterator[tuple[ast.AST, str]]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring, or a text that nobody uses
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            yield value, _said(key) or name
        return
    if isinstance(node, ast.Assign):
        name = _said(node.targets[0]) or name
    elif isinstance(node, ast.AnnAssign):
        name = _said(node.target) or name
    elif isinstance(node, ast.keyword):
        name = node.arg or name
    for child in ast.iter_child_nodes(node):
        yield child, name


def _said(node: ast.AST | None) -> str:
    """The word that a target or a key says: `x`, `a.x`, `a["x"]`, `"x"`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        return _said(node.slice)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return ""


def _free_name(told: str, needs: Needs) -> str:
    plain = _NOT_A_WORD.sub("_", told).strip("_").upper() or _NAMELESS
    name, number = plain, 1
    while name in needs.names and needs.variables.get(name) != told:
        number += 1
        name = f"{plain}_{number}"
    if name not in needs.names:
        needs.names.append(name)
    return name

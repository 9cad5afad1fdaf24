"""The calls of IPython's shell in a cell, and which part writes each of them out."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from nbtrack.slices.emission import Emission
from nbtrack.slices.emit_cell_magics import cell_magic
from nbtrack.slices.emit_line_magics import line_magic
from nbtrack.slices.emit_shell import lines_of, ran

Kind = Literal["line", "cell", "system", "lines"]
_KINDS: dict[str, tuple[Kind, int]] = {
    "run_line_magic": ("line", 2),
    "run_cell_magic": ("cell", 3),
    "system": ("system", 1),
    "system_raw": ("system", 1),
    "getoutput": ("lines", 1),
    "magic": ("line", 1),
    "line_magic": ("line", 1),
}


@dataclass(frozen=True, slots=True)
class MagicCall:
    """`%name line`, with the body below where it is a cell's; or a command."""

    node: ast.expr
    kind: Kind
    name: str
    line: str
    body: str = ""


def call_of(node: ast.AST) -> MagicCall | None:
    """What a call of the shell asks for; None for any other node.

    >>> call_of(ast.parse("get_ipython().system('ls')").body[0].value).line
    'ls'
    """
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    owner, known = node.func.value, _KINDS.get(node.func.attr)
    is_shell = (
        isinstance(owner, ast.Call)
        and isinstance(owner.func, ast.Name)
        and owner.func.id == "get_ipython"
    )
    texts = [
        argument.value
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]
    if not is_shell or known is None or len(texts) < len(node.args):
        return None
    kind, n_texts = known
    if kind in {"system", "lines"}:
        return MagicCall(node, kind, "!", texts[0]) if len(texts) == 1 else None
    if n_texts == 1 and len(texts) == 1:
        name, _, line = texts[0].lstrip().removeprefix("%").partition(" ")
        return MagicCall(node, "line", name, line.strip())
    if len(texts) != n_texts:
        return None
    return MagicCall(node, kind, texts[0], texts[1], texts[2] if n_texts == 3 else "")


def code_for(
    call: MagicCall,
    emission: Emission,
    inner: Callable[[str], str],
    *,
    as_statement: bool,
) -> str:
    """The code in place of a call.

    Parameters
    ----------
    call
        The call.
    emission
        The script that is being made.
    inner
        Makes Python of a text that a magic runs.
    as_statement
        Whether lines may stand there; else it has to be an expression.
    """
    if call.kind == "system":
        return ran(call.line, emission)
    if call.kind == "lines":
        return lines_of(call.line, emission, as_statement=as_statement)
    if call.kind == "line":
        return line_magic(
            call.name, call.line, emission, inner, as_statement=as_statement
        )
    return cell_magic(call.name, call.line, call.body, emission, inner)

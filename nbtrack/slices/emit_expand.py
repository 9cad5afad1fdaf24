"""`{x}` and `$x` in the line of a magic: as an expression that gives the same text.

IPython fills them in when the line runs, and leaves the whole line alone where it
cannot; so does this, as far as that is known before.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Collection, Iterator
from string import Formatter

from nbtrack.slices.emission import Emission

_DOLLAR = re.compile(r"(.*?)\$(\$?[\w\.]+)(?=([^']*'[^']*')*[^']*$)", re.DOTALL)


def expanded(text: str, known: Collection[str]) -> str:
    """The expression for a line.

    Parameters
    ----------
    text
        The line as typed.
    known
        The names that may be bound when it runs.

    >>> expanded("rm {name}.csv $HOME", {"name"})
    "'rm {name}.csv $HOME'"
    >>> expanded("rm {name}.csv", {"name"})
    "f'rm {name}.csv'"
    """
    try:
        parts = list(_parts(text))
        fields = [_parsed(part) for part in parts if isinstance(part, tuple)]
    except (ValueError, SyntaxError):
        return repr(text)
    if not fields:
        plain = "".join(part for part in parts if isinstance(part, str))
        return repr(plain)
    if not all(_is_known(field, known) for field in fields):
        return repr(text)
    return _as_fstring(parts)


def filled(text: str, emission: Emission) -> str:
    """The same, for a script: what may fail when it runs leaves the line alone.

    >>> filled("$x.csv", Emission([], bound=frozenset({"x"})))
    "_nb_filled(lambda: f'{x.csv}', '$x.csv')"
    """
    code = expanded(text, emission.bound)
    tree = ast.parse(code, mode="eval").body
    plain = (ast.JoinedStr, ast.FormattedValue, ast.Constant, ast.Name, ast.Load)
    if all(isinstance(node, plain) for node in ast.walk(tree)):
        return code
    emission.need("_nb_filled")
    return f"_nb_filled(lambda: {code}, {text!r})"


def _parts(text: str) -> Iterator[str | tuple[str, str, str | None]]:
    """Literal texts, and fields as (expression, format, conversion)."""
    for literal, name, form, conversion in Formatter().parse(text):
        at = 0
        for found in _DOLLAR.finditer(literal):
            before, field = found.group(1, 2)
            yield before
            if field.startswith("$"):
                yield field
            else:
                yield (field, "", None)
            at = found.end()
        yield literal[at:]
        if name is not None:
            yield (name, form or "", conversion)


def _parsed(part: tuple[str, str, str | None]) -> ast.expr:
    if "{" in part[1]:
        raise ValueError("a format within a format")
    return ast.parse(part[0].strip(), mode="eval").body


def _is_known(field: ast.expr, known: Collection[str]) -> bool:
    names = {node.id for node in ast.walk(field) if isinstance(node, ast.Name)}
    own = {
        node.id
        for node in ast.walk(field)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return all(n in known or n in own or hasattr(builtins, n) for n in names)


def _as_fstring(parts: list[str | tuple[str, str, str | None]]) -> str:
    values: list[ast.expr] = []
    for part in parts:
        if isinstance(part, str):
            values.append(ast.Constant(part))
            continue
        form = ast.JoinedStr([ast.Constant(part[1])]) if part[1] else None
        code = ord(part[2]) if part[2] else -1
        values.append(ast.FormattedValue(_parsed(part), code, form))
    joined = ast.JoinedStr(values)
    try:
        return ast.unparse(ast.fix_missing_locations(joined))
    except ValueError:  # before Python 3.12: a backslash in an expression
        pieces = [
            repr(p) if isinstance(p, str) else _formatted(p) for p in parts if p != ""
        ]
        return "(" + " + ".join(pieces) + ")"


def _formatted(part: tuple[str, str, str | None]) -> str:
    as_text = {"r": "repr", "s": "str", "a": "ascii"}.get(part[2] or "")
    value = f"{as_text}({part[0]})" if as_text else f"({part[0]})"
    return f"format({value}, {part[1]!r})"

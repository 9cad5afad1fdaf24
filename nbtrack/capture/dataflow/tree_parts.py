"""Small questions to a syntax tree and to code objects."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator


def codes_in(code: types.CodeType) -> Iterator[types.CodeType]:
    r"""The code objects of what is defined in this one, at any depth.

    >>> outer = compile("def f():\n def g(): pass", "<cell>", "exec")
    >>> [code.co_name for code in codes_in(outer)]
    ['f', 'g']
    """
    for value in code.co_consts:
        if isinstance(value, types.CodeType):
            yield value
            yield from codes_in(value)


def arguments_of(arguments: ast.arguments) -> list[ast.arg]:
    """All parameters of a function, `*args` and `**kwargs` too.

    >>> made = ast.parse("lambda a, /, b, *c, d, **e: 0", mode="eval").body
    >>> [argument.arg for argument in arguments_of(made.args)]
    ['a', 'b', 'd', 'c', 'e']
    """
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return named + [a for a in (arguments.vararg, arguments.kwarg) if a is not None]


def names_in(target: ast.expr) -> set[str]:
    """The names in an expression.

    >>> sorted(names_in(ast.parse("(a, b)", mode="eval").body))
    ['a', 'b']
    """
    return {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}


def takes_all(case: ast.match_case) -> bool:
    """`case _:` and `case rest:`."""
    pattern = case.pattern
    return (
        case.guard is None and isinstance(pattern, ast.MatchAs) and not pattern.pattern
    )


def leaves(body: list[ast.stmt]) -> bool:
    """Whether a block surely raises: what comes after it never sees its end."""
    return bool(body) and isinstance(body[-1], ast.Raise)

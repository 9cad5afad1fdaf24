"""When an axis of a space is there: `if opt == "sgd" and layers > 1`.

Names are those of the space that stand before it, everything else is a constant;
only comparing, `and`, `or`, `not` and `in` are known, so evaluating one runs nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any

from nbtrack.errors import OptionError
from nbtrack.text import did_you_mean, shorten, visible

_ALLOWED = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub,
    ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn,
    ast.Is, ast.IsNot, ast.Name, ast.Load, ast.Constant, ast.List, ast.Tuple,
    ast.Attribute,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition, and the names that it asks for."""

    text: str
    names: tuple[str, ...]
    _code: CodeType

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether it does with these values; not where one of its names is not there.

        >>> parse_condition("opt == 'sgd'", ["opt"]).holds({"opt": "adam"})
        False
        """
        if any(name not in values for name in self.names):
            return False
        told = {_plain(name): values[name] for name in self.names}
        try:
            return bool(eval(self._code, {"__builtins__": {}}, told))  # noqa: S307
        except TypeError:  # 'adam' < 3
            return False


def parse_condition(text: str, known: Sequence[str]) -> Condition:
    """Read a condition over the names of `known`.

    Raises
    ------
    OptionError
        For an unknown name, or anything but a comparison.

    >>> parse_condition("layer > 1", ["layers"])
    Traceback (most recent call last):
        ...
    nbtrack.errors.OptionError: The condition 'layer > 1' asks for 'layer', which does \
not stand before it. Did you mean layers?
    """
    shown = repr(shorten(visible(text), 80))
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError) as exc:
        raise OptionError(f"The condition {shown} cannot be read: {exc}.") from exc
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED):
            what = type(node).__name__
            raise OptionError(f"The condition {shown} may only compare; it has {what}.")
    tree = ast.fix_missing_locations(_Flat().visit(tree))
    found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    by_plain = {_plain(name): name for name in known}
    for name in sorted(found - by_plain.keys()):
        hint = did_you_mean(name, known)
        raise OptionError(
            f"The condition {shown} asks for {name!r}, which does not stand before "
            f"it.{hint}"
        )
    names = tuple(sorted(by_plain[name] for name in found))
    return Condition(text, names, compile(tree, "<condition>", "eval"))


class _Flat(ast.NodeTransformer):
    """`config.opt` is one name."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return ast.copy_location(ast.Name(_plain(ast.unparse(node)), ast.Load()), node)


def _plain(name: str) -> str:
    return name.replace(".", "__")

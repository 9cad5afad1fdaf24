"""The value of a pure expression, worked out from the syntax without running the cell.

Literals, arithmetic, comparisons, conditional expressions, f-strings, a few builtins
and the constructors of config-like objects. Everything else raises `NotKnownError`: a
call of the user's code is never made, and no result is larger than a few pages of text.
"""

from __future__ import annotations

import ast
import dataclasses
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

MAX_SIZE = 10_000  # items or characters of a computed value
MAX_EXPONENT = 1000
Evaluated = Any  # a plain Python value: number, text, list, dict ...

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
    ast.Invert: operator.invert,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
_PURE: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        abs,
        bool,
        dict,
        float,
        int,
        len,
        list,
        max,
        min,
        round,
        set,
        sorted,
        str,
        range,
    )
} | {"sum": sum, "tuple": tuple}
PURE_BUILTINS = frozenset(_PURE) | {"pow", "range", "type", "divmod"}
_CONSTANTS = {
    "math.inf": math.inf,
    "math.nan": math.nan,
    "math.pi": math.pi,
    "math.e": math.e,
    "np.inf": math.inf,
    "np.nan": math.nan,
    "np.pi": math.pi,
    "numpy.inf": math.inf,
    "torch.inf": math.inf,
    "float.inf": math.inf,
}
_RECORDS = frozenset(
    {"SimpleNamespace", "Namespace", "EasyDict", "AttrDict", "DotMap", "Box", "edict"}
    | {"ConfigDict", "Munch", "Bunch", "DictConfig", "OmegaConf.create", "dict"}
)
_TEXTS = frozenset({"Path", "pathlib.Path", "PurePath", "torch.device", "device"})
_TORCH_DTYPES = frozenset(
    f"torch.{name}"
    for name in ("float", "double", "half", "float16", "float32", "float64", "bfloat16")
)
_SIMPLE = (int, float, str, bool, type(None), list, tuple, dict, set)
NO_DEFAULT = object()


class NotKnownError(Exception):
    """The expression needs something that only running the cell can tell."""


@dataclasses.dataclass(slots=True)
class Known:
    """What is known while a cell is read: values by name, and record classes.

    `values` are the names already set to known values; `records` maps a class name to
    the fields of a dataclass or named tuple with the defaults known.
    """

    values: dict[str, Any] = dataclasses.field(default_factory=dict)
    records: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    hidden: set[str] = dataclasses.field(default_factory=set)  # names no longer known
    outer: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    n_left_out: int = 0  # entries of dicts and records that could not be told

    def get(self, name: str) -> Any:  # Any: a value of the user's cell
        """The value of a name, or `NotKnownError`.

        >>> Known(values={"lr": 0.1}).get("lr")
        0.1
        """
        if name in self.values:
            return self.values[name]
        value = NO_DEFAULT if name in self.hidden else self.outer.get(name, NO_DEFAULT)
        if type(value) in (int, float, str, bool, type(None)):
            return value
        raise NotKnownError(name)

    def is_builtin(self, name: str) -> bool:
        """Whether the name still means the builtin of that name.

        >>> Known(values={"max": 3}).is_builtin("max")
        False
        """
        taken = name in self.values or name in self.hidden or name in self.outer
        return name in _PURE and not taken


def evaluate(node: ast.expr, known: Known) -> Evaluated:
    """The value of `node`; raises `NotKnownError` where it cannot be told.

    >>> evaluate(ast.parse("2 * n", mode="eval").body, Known(values={"n": 64}))
    128
    """
    method = _BY_NODE.get(type(node))
    if method is None:
        raise NotKnownError(type(node).__name__)
    return method(node, known)


def known_or(node: ast.expr, known: Known, default: object = NO_DEFAULT) -> Evaluated:
    """The value of `node`, or `default` where it cannot be told.

    >>> known_or(ast.parse("f(x)", mode="eval").body, Known(), None) is None
    True
    """
    try:
        return evaluate(node, known)
    except (NotKnownError, ArithmeticError, TypeError, ValueError, LookupError):
        return default
    except RecursionError:  # an expression nested a thousand deep
        return default


def dotted(node: ast.expr) -> str | None:
    """`torch.optim.Adam` of an attribute chain on a name; None for other shapes.

    >>> dotted(ast.parse("torch.optim.Adam", mode="eval").body)
    'torch.optim.Adam'
    """
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([node.id, *reversed(parts)])


def _constant(node: ast.Constant, known: Known) -> Evaluated:
    if isinstance(node.value, bytes | complex) or node.value is ...:
        raise NotKnownError(repr(node.value))
    return node.value


def _name(node: ast.Name, known: Known) -> Evaluated:
    return known.get(node.id)


def _attribute(node: ast.Attribute, known: Known) -> Evaluated:
    name = dotted(node) or ""
    if name in _CONSTANTS:
        return _CONSTANTS[name]
    if name in _TORCH_DTYPES:
        return name
    base, *parts = name.split(".")
    value = known.values.get(base, NO_DEFAULT)
    for part in parts:  # `cfg.lr` of a record that this cell built
        if not isinstance(value, dict) or part not in value:
            raise NotKnownError(name)
        value = value[part]
    return value


def _unary(node: ast.UnaryOp, known: Known) -> Evaluated:
    return _UNARY[type(node.op)](evaluate(node.operand, known))


def _binary(node: ast.BinOp, known: Known) -> Evaluated:
    operation = _BINARY.get(type(node.op))
    if operation is None:
        raise NotKnownError(type(node.op).__name__)
    left, right = evaluate(node.left, known), evaluate(node.right, known)
    _refuse_large(node.op, left, right)
    return _bounded(operation(left, right))


def _refuse_large(op: ast.operator, left: Evaluated, right: Evaluated) -> None:
    """`2 ** 10 ** 9` and `"a" * 10 ** 9` are not worked out here."""
    sized = next((v for v in (left, right) if isinstance(v, str | list | tuple)), None)
    if isinstance(op, ast.Pow | ast.LShift) and not (
        isinstance(right, int | float) and abs(right) <= MAX_EXPONENT
    ):
        raise NotKnownError("a large power")
    if isinstance(op, ast.Pow | ast.Mult | ast.LShift) and any(
        isinstance(v, int) and v.bit_length() > 4 * MAX_EXPONENT for v in (left, right)
    ):
        raise NotKnownError("a large number")
    if isinstance(op, ast.Mod) and isinstance(left, str):
        raise NotKnownError("text formatting")
    if isinstance(op, ast.Mult) and sized is not None:
        times = right if sized is left else left
        if not isinstance(times, int) or len(sized) * times > MAX_SIZE:
            raise NotKnownError("a large sequence")


def _bounded(value: Evaluated) -> Evaluated:
    if isinstance(value, str | list | tuple | dict | set) and len(value) > MAX_SIZE:
        raise NotKnownError("a large value")
    if isinstance(value, complex):
        raise NotKnownError("a complex number")
    return value


def _bool(node: ast.BoolOp, known: Known) -> Evaluated:
    stop_at = isinstance(node.op, ast.Or)
    value: Any = None
    for part in node.values:
        value = evaluate(part, known)
        if bool(value) is stop_at:
            break
    return value


def _compare(node: ast.Compare, known: Known) -> Evaluated:
    left = evaluate(node.left, known)
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        right = evaluate(comparator, known)
        if not _COMPARE[type(op)](left, right):
            return False
        left = right
    return True


def _if(node: ast.IfExp, known: Known) -> Evaluated:
    return evaluate(node.body if evaluate(node.test, known) else node.orelse, known)


def _items(nodes: list[ast.expr], known: Known) -> list[Any]:
    items: list[Any] = []
    for node in nodes:
        if isinstance(node, ast.Starred):
            items.extend(evaluate(node.value, known))
        else:
            items.append(evaluate(node, known))
    return items


def _list(node: ast.List, known: Known) -> Evaluated:
    return _items(node.elts, known)


def _tuple(node: ast.Tuple, known: Known) -> Evaluated:
    return tuple(_items(node.elts, known))


def _set(node: ast.Set, known: Known) -> Evaluated:
    return set(_items(node.elts, known))


def _dict(node: ast.Dict, known: Known) -> Evaluated:
    """A value that is not known is left out: the rest is still worth keeping."""
    built: dict[Any, Any] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            built.update(evaluate(value, known))
            continue
        found = known_or(value, known)
        if found is NO_DEFAULT:
            known.n_left_out += 1
        else:
            built[evaluate(key, known)] = found
    if node.keys and not built:
        raise NotKnownError("dict")
    return built


def _subscript(node: ast.Subscript, known: Known) -> Evaluated:
    return evaluate(node.value, known)[evaluate(node.slice, known)]


def _text(node: ast.JoinedStr, known: Known) -> Evaluated:
    parts: list[str] = []
    for value in node.values:
        if isinstance(value, ast.FormattedValue):
            parts.append(_formatted(value, known))
        else:
            parts.append(str(evaluate(value, known)))
    return _bounded("".join(parts))


def _formatted(node: ast.FormattedValue, known: Known) -> str:
    value = evaluate(node.value, known)
    spec = "" if node.format_spec is None else str(evaluate(node.format_spec, known))
    if len(spec) > 12 or not isinstance(value, _SIMPLE):
        raise NotKnownError("format")
    if node.conversion == ord("r"):
        value = repr(value)
    return format(value, spec)


def _call(node: ast.Call, known: Known) -> Evaluated:
    name = dotted(node.func)
    if name is None:
        raise NotKnownError("call")
    if name in known.records:
        return _record(node, known.records[name], known)
    last = name.rpartition(".")[2]
    if last in _RECORDS or name in _RECORDS:
        return _keywords(node, known, _base(node, known))
    if name in _TEXTS and len(node.args) == 1 and not node.keywords:
        return str(evaluate(node.args[0], known))
    if not known.is_builtin(name):
        raise NotKnownError(name)
    arguments = _items(node.args, known)
    if any(isinstance(a, range) and len(a) > MAX_SIZE for a in arguments):
        raise NotKnownError("a large range")
    if name in ("list", "tuple", "set", "sorted", "sum", "str"):
        arguments = [_bounded(argument) for argument in arguments]
    named = {k.arg: evaluate(k.value, known) for k in node.keywords if k.arg}
    return _bounded(_PURE[name](*arguments, **named))


def _base(node: ast.Call, known: Known) -> dict[Any, Any]:
    """What `dict(base, lr=.1)` or `EasyDict({...})` starts from."""
    if not node.args:
        return {}
    first = evaluate(node.args[0], known)
    return dict(first)


def _keywords(node: ast.Call, known: Known, built: dict[Any, Any]) -> Evaluated:
    for keyword in node.keywords:
        if keyword.arg is None:
            built.update(evaluate(keyword.value, known))
            continue
        found = known_or(keyword.value, known)
        if found is NO_DEFAULT:
            known.n_left_out += 1
        else:
            built[keyword.arg] = found
    if not built and (node.keywords or node.args):
        raise NotKnownError("call")
    return built


def _record(node: ast.Call, fields: dict[str, Any], known: Known) -> Evaluated:
    """A dataclass built from literals: its fields, the defaults in force included."""
    built = {name: value for name, value in fields.items() if value is not NO_DEFAULT}
    for name, argument in zip(fields, node.args, strict=False):
        built[name] = evaluate(argument, known)
    return _keywords(node, known, built)


_BY_NODE: dict[type[ast.AST], Callable[[Any, Known], Evaluated]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.UnaryOp: _unary,
    ast.BinOp: _binary,
    ast.BoolOp: _bool,
    ast.Compare: _compare,
    ast.IfExp: _if,
    ast.List: _list,
    ast.Tuple: _tuple,
    ast.Set: _set,
    ast.Dict: _dict,
    ast.Subscript: _subscript,
    ast.JoinedStr: _text,
    ast.Call: _call,
}

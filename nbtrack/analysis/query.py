"""The small language of `%runs`: a Python expression over the names of a run.

    loss < .3 and (params.opt == "adam" or "base" in tags)

A bare name is a metric's best value, else a param; `metrics.x` is the last value,
`best.x`, `min.x`, `max.x` and `best_step.x` what they say, `params.x` a param. Further:
`tags`, `group`, `status`, `name`, `id`, `experiment`, `notes`, `started_at`,
`duration_s`. A comparison with a value that a run does not have is neither true nor
false, as in SQL: such runs are left out, and nothing is raised; `opt is None` asks for
them. The text is parsed, never evaluated: what is not in the white list below is an
error with its place.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbtrack.errors import QueryError
from nbtrack.text import did_you_mean, shorten, visible

if TYPE_CHECKING:
    from nbtrack.store import Table

EXAMPLE = 'loss < 0.3 and "base" in tags'
LENGTH_MAX = 2_000  # characters; longer is no question that a person asks
FIELDS = (
    "checkpoint_bytes",
    "duration_s",
    "ended_at",
    "error",
    "execution",
    "experiment",
    "grade",
    "group",
    "id",
    "model_bytes",
    "name",
    "notebook",
    "notes",
    "parent",
    "peak_rss_bytes",
    "peak_vram_bytes",
    "reason",
    "started_at",
    "status",
    "tags",
)
_OF_METRIC = {
    "metrics": "last",
    "last": "last",
    "best": "best",
    "best_step": "best_step",
    "min": "min",
    "max": "max",
}
_SPACES = (*_OF_METRIC, "params")
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: lambda a, b: _product(a, b),
    ast.Div: operator.truediv,
}


class _Missing:
    """What a run does not have: every comparison with it is neither true nor false."""


MISSING = _Missing()
Row = Mapping[str, Any]  # Any: params are what the user had
Value = Callable[[Row], Any]


@dataclass(frozen=True, slots=True)
class Query:
    """A compiled query; `matches` never raises."""

    text: str
    names: frozenset[str]  # dotted and bare names that are asked for
    _value: Value

    def matches(self, row: Row) -> bool:
        """Whether a run answers, that has these values under the names asked for.

        Examples
        --------
        >>> parse_query("duration_s < 3").matches({"duration_s": 2.0})
        True
        >>> parse_query("loss < 3").matches({"loss": MISSING})
        False
        """
        return _truth(self._value(row)) is True


def parse_query(text: str) -> Query:
    """Compile a query.

    Raises
    ------
    QueryError
        With the place of what cannot be understood and, where one is near, a hint.

    Examples
    --------
    >>> sorted(parse_query('loss < .3 and params.opt == "adam"').names)
    ['loss', 'params.opt']
    """
    if len(text) > LENGTH_MAX:
        raise QueryError(f"The query is longer than {LENGTH_MAX} characters.")
    try:
        tree = ast.parse(text.strip() or "True", mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as exc:
        raise QueryError(_syntax(text, exc)) from None
    compiler = _Compiler(text)
    value = compiler.compiled(tree.body)
    return Query(text, frozenset(compiler.names), value)


def column(table: Table, name: str) -> list[Any]:
    """The values behind a name of the query language, `MISSING` where there is none.

    Examples
    --------
    >>> from nbtrack.store import Table
    >>> runs = Table({"id": ["1", "2"]}, {}, {"opt.lr": {"2": 0.1}}, {})
    >>> column(runs, "opt.lr")[1], column(runs, "opt.lr")[0] is MISSING
    (0.1, True)
    """
    space, _, rest = name.partition(".")
    if name == "tags":
        return [_askable(table.tags.get(run, {})) for run in table.ids]
    if name in FIELDS or name in table.fields:
        return [MISSING if value is None else value for value in table.fields[name]]
    if rest and space == "tags":
        return [table.tags.get(run, {}).get(rest, MISSING) for run in table.ids]
    if rest and space == "params":
        return _params(table, rest)
    if rest and space in _OF_METRIC:
        return table.metric(rest, _OF_METRIC[space], MISSING)
    best, param = table.metric(name, "best", MISSING), _params(table, name)
    return [p if b is MISSING else b for b, p in zip(best, param, strict=True)]


def bare(name: str) -> str:
    """What must be there for a name to mean something: `loss` for `best.loss`.

    Examples
    --------
    >>> bare("best.loss"), bare("opt.lr")
    ('loss', 'opt.lr')
    """
    space, _, rest = name.partition(".")
    if rest and space == "tags":
        return space
    return rest if rest and space in _SPACES else name


def check_names(query: Query, known: Collection[str]) -> None:
    """Refuse a name that no run has while one like it is there: a slip.

    Raises
    ------
    QueryError
        With its place and a did-you-mean.
    """
    for name in sorted(query.names):
        plain = bare(name)
        hint = "" if plain in known else did_you_mean(plain, known)
        if hint:
            shown, at = shorten(visible(plain), 60), query.text.find(plain) + 1
            raise QueryError(f"In the query at character {at}: no {shown!r}.{hint}")


class _Compiler:
    """Turns the syntax tree into nested functions of a row."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.names: set[str] = set()

    def compiled(self, node: ast.expr) -> Value:
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise self._error(node, f"{type(node).__name__} is not part of a query")
        value: Value = method(node)
        return value

    def _boolop(self, node: ast.BoolOp) -> Value:
        parts = [self.compiled(part) for part in node.values]
        decides = isinstance(node.op, ast.Or)  # the value that settles it

        def joined(row: Row) -> Any:
            found = [_truth(part(row)) for part in parts]
            return decides if decides in found else _first_missing(found, not decides)

        return joined

    def _unaryop(self, node: ast.UnaryOp) -> Value:
        inner = self.compiled(node.operand)
        if isinstance(node.op, ast.Not):
            return lambda row: _applied(operator.not_, inner(row))
        if isinstance(node.op, ast.USub):
            return lambda row: _applied(operator.neg, inner(row))
        raise self._error(node, "this operator is not part of a query")

    def _binop(self, node: ast.BinOp) -> Value:
        apply = _ARITHMETIC.get(type(node.op))
        if apply is None:
            hint = _bit_hint(node.op)
            raise self._error(node, f"this operator is not part of a query{hint}")
        left, right = self.compiled(node.left), self.compiled(node.right)
        return lambda row: _applied(apply, left(row), right(row))

    def _compare(self, node: ast.Compare) -> Value:
        values = [self.compiled(part) for part in (node.left, *node.comparators)]
        tests = [_TESTS[type(op)] for op in node.ops]

        def compare(row: Row) -> Any:
            found = [value(row) for value in values]
            pairs = zip(tests, found, found[1:], strict=False)
            results = [_truth(test(a, b)) for test, a, b in pairs]
            return False if False in results else _first_missing(results, True)

        return compare

    def _constant(self, node: ast.Constant) -> Value:
        if not isinstance(node.value, int | float | str | None):
            raise self._error(node, f"{node.value!r} is not part of a query")
        return lambda row: node.value

    def _tuple(self, node: ast.Tuple | ast.List | ast.Set) -> Value:
        parts = [self.compiled(part) for part in node.elts]
        return lambda row: [part(row) for part in parts]

    _list = _set = _tuple

    def _name(self, node: ast.Name) -> Value:
        if node.id in _SPACES:
            raise self._error(node, f"{node.id} wants a name after it: {node.id}.lr")
        return self._looked_up(node.id)

    def _attribute(self, node: ast.Attribute) -> Value:
        return self._looked_up(self._dotted(node))

    def _subscript(self, node: ast.Subscript) -> Value:
        # params["train/batch size"]: names that are no Python names.
        base = node.value.id if isinstance(node.value, ast.Name) else ""
        key = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if base == "tags" and isinstance(key, str):
            return self._looked_up(f"tags.{key}")
        if base not in _SPACES or not isinstance(key, str):
            raise self._error(node, 'write params["name"] or metrics["name"]')
        return self._looked_up(f"{base}.{key}")

    def _call(self, node: ast.Call) -> Value:
        raise self._error(node, "calls are not part of a query")

    def _looked_up(self, name: str) -> Value:
        self.names.add(name)
        return lambda row: row.get(name, MISSING)

    def _dotted(self, node: ast.expr) -> str:
        if isinstance(node, ast.Attribute):
            return f"{self._dotted(node.value)}.{node.attr}"
        if isinstance(node, ast.Name):
            return node.id
        raise self._error(node, "only names stand before a dot")

    def _error(self, node: ast.expr, what: str) -> QueryError:
        part = ast.get_source_segment(self._text.strip(), node) or ""
        shown = shorten(visible(part), 60)
        at = node.col_offset + 1
        return QueryError(f"In the query at character {at}, {shown!r}: {what}.")


def _askable(tags: Mapping[str, str | None]) -> list[str]:
    """Plain tags, keys, and `key: value` as it is written: all can be asked for."""
    pairs = [f"{key}: {value}" for key, value in tags.items() if value is not None]
    return [*tags, *pairs]


def _params(table: Table, name: str) -> list[Any]:
    found = table.params.get(name, {})
    return [found.get(run, MISSING) for run in table.ids]


def _product(left: Any, right: Any) -> Any:
    """Of numbers alone: a text a billion times would take the memory for itself."""
    if isinstance(left, int | float) and isinstance(right, int | float):
        return left * right
    raise TypeError


def _applied(apply: Callable[..., Any], *values: Any) -> Any:
    """The result, or MISSING where a value is missing or the types do not fit."""
    if any(value is MISSING for value in values):
        return MISSING
    try:
        return apply(*values)
    except (TypeError, ArithmeticError):
        return MISSING


def _truth(value: Any) -> Any:
    return value if value is MISSING else bool(value)


def _first_missing(found: list[Any], otherwise: bool) -> Any:
    return MISSING if MISSING in found else otherwise


def _is_same(left: Any, right: Any) -> bool:
    """`is` and `is not`: the one way to ask for what is missing."""
    return (None if left is MISSING else left) == (None if right is MISSING else right)


def _test(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda left, right: _applied(compare, left, right)


_TESTS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    **{kind: _test(compare) for kind, compare in _COMPARE.items()},
    ast.Is: _is_same,
    ast.IsNot: lambda left, right: not _is_same(left, right),
}


def _bit_hint(op: ast.operator) -> str:
    words = {ast.BitAnd: "and", ast.BitOr: "or"}
    word = words.get(type(op))
    return f": write {word}" if word else ""


def _syntax(text: str, exc: BaseException) -> str:
    shown = shorten(visible(text.strip()), 80)
    hint = f" Write it like {EXAMPLE}."
    if "=" in text and not any(sign in text for sign in ("==", "<=", ">=", "!=")):
        hint = " Write == to compare."
    return f"The query {shown!r} cannot be read{_why_unread(text.strip(), exc)}.{hint}"


def _why_unread(text: str, exc: BaseException) -> str:
    if not isinstance(exc, SyntaxError):
        return ": it is nested too deeply"
    if not 0 < (exc.offset or 0) <= len(text):  # so Python says where the text ends
        return ": something is missing at its end"
    # "Perhaps you forgot a comma?" is no advice for a query.
    return f" at character {exc.offset}: {exc.msg.partition('. ')[0]}"

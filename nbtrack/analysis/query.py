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
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nbtrack.errors import QueryError
from nbtrack.records import MetricSummary, RunRecord
from nbtrack.text import did_you_mean, shorten, visible

LENGTH_MAX = 2_000  # characters; longer is no question that a person asks
FIELDS = (
    "duration_s",
    "ended_at",
    "error",
    "execution",
    "experiment",
    "group",
    "id",
    "name",
    "notebook",
    "notes",
    "parent",
    "reason",
    "started_at",
    "status",
    "tags",
)
_OF_METRIC: dict[str, Callable[[MetricSummary], Any]] = {
    "metrics": operator.attrgetter("last"),
    "last": operator.attrgetter("last"),
    "best": operator.attrgetter("best"),
    "best_step": operator.attrgetter("best_step"),
    "min": operator.attrgetter("min"),
    "max": operator.attrgetter("max"),
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
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class _Missing:
    """What a run does not have: every comparison with it is neither true nor false."""


MISSING = _Missing()
Value = Callable[[RunRecord], Any]  # Any: params are what the user had


@dataclass(frozen=True, slots=True)
class Query:
    """A compiled query; `matches` never raises."""

    text: str
    names: frozenset[str]  # dotted and bare names that are asked for
    _value: Value

    def matches(self, record: RunRecord) -> bool:
        """Whether the run answers to the query.

        Examples
        --------
        >>> base = RunRecord("1", "base", "x", "finished", "", None, 2.0)
        >>> parse_query("duration_s < 3 and status == 'finished'").matches(base)
        True
        >>> parse_query("loss < 3").matches(base)
        False
        """
        return _truth(self._value(record)) is True


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


def value_of(record: RunRecord, name: str) -> Any:
    """The value behind a name of the query language; `MISSING` where there is none.

    Examples
    --------
    >>> from nbtrack.records import Param
    >>> lr = Param("opt.lr", 0.1, "literal")
    >>> params = {"opt.lr": lr}
    >>> base = RunRecord("1", "base", "x", "finished", "", None, 2, params=params)
    >>> value_of(base, "opt.lr"), value_of(base, "duration_s")
    (0.1, 2)
    """
    space, _, rest = name.partition(".")
    if name in FIELDS:
        return _field(record, name)
    if rest and space == "params":
        return _param(record, rest)
    if rest and space in _OF_METRIC:
        return _metric(record, rest, _OF_METRIC[space])
    found = _metric(record, name, _OF_METRIC["best"])
    return _param(record, name) if found is MISSING else found


def check_names(query: Query, records: Iterable[RunRecord]) -> None:
    """Refuse a name that no run has while one like it is there: a slip.

    Raises
    ------
    QueryError
        With its place and a did-you-mean.
    """
    known: set[str] = set(FIELDS)
    for record in records:
        known |= record.metrics.keys() | record.params.keys()
    for name in sorted(query.names):
        space, _, rest = name.partition(".")
        bare = rest if rest and space in _SPACES else name
        hint = "" if bare in known else did_you_mean(bare, known)
        if hint:
            shown, at = shorten(visible(bare), 60), query.text.find(bare) + 1
            raise QueryError(f"In the query at character {at}: no {shown!r}.{hint}")


class _Compiler:
    """Turns the syntax tree into nested functions of a record."""

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

        def joined(record: RunRecord) -> Any:
            found = [_truth(part(record)) for part in parts]
            return decides if decides in found else _first_missing(found, not decides)

        return joined

    def _unaryop(self, node: ast.UnaryOp) -> Value:
        inner = self.compiled(node.operand)
        if isinstance(node.op, ast.Not):
            return lambda record: _applied(operator.not_, inner(record))
        if isinstance(node.op, ast.USub):
            return lambda record: _applied(operator.neg, inner(record))
        raise self._error(node, "this operator is not part of a query")

    def _binop(self, node: ast.BinOp) -> Value:
        apply = _ARITHMETIC.get(type(node.op))
        if apply is None:
            hint = _bit_hint(node.op)
            raise self._error(node, f"this operator is not part of a query{hint}")
        left, right = self.compiled(node.left), self.compiled(node.right)
        return lambda record: _applied(apply, left(record), right(record))

    def _compare(self, node: ast.Compare) -> Value:
        values = [self.compiled(part) for part in (node.left, *node.comparators)]
        tests = [_TESTS[type(op)] for op in node.ops]

        def compare(record: RunRecord) -> Any:
            found = [value(record) for value in values]
            pairs = zip(tests, found, found[1:], strict=False)
            results = [_truth(test(a, b)) for test, a, b in pairs]
            return False if False in results else _first_missing(results, True)

        return compare

    def _constant(self, node: ast.Constant) -> Value:
        if not isinstance(node.value, int | float | str | None):
            raise self._error(node, f"{node.value!r} is not part of a query")
        return lambda record: node.value

    def _tuple(self, node: ast.Tuple | ast.List | ast.Set) -> Value:
        parts = [self.compiled(part) for part in node.elts]
        return lambda record: [part(record) for part in parts]

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
            return lambda record: record.tags.get(key, MISSING)
        if base not in _SPACES or not isinstance(key, str):
            raise self._error(node, 'write params["name"] or metrics["name"]')
        return self._looked_up(f"{base}.{key}")

    def _call(self, node: ast.Call) -> Value:
        raise self._error(node, "calls are not part of a query")

    def _looked_up(self, name: str) -> Value:
        self.names.add(name)
        return lambda record: value_of(record, name)

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


def _field(record: RunRecord, name: str) -> Any:
    if name == "tags":
        return _tags(record.tags)
    value = getattr(record, name)
    return MISSING if value is None else value


def _tags(tags: Mapping[str, str | None]) -> list[str]:
    """Plain tags, keys, and `key: value` as it is written: all can be asked for."""
    pairs = [f"{key}: {value}" for key, value in tags.items() if value is not None]
    return [*tags, *pairs]


def _metric(record: RunRecord, name: str, read: Callable[[MetricSummary], Any]) -> Any:
    found = record.metrics.get(name)
    return MISSING if found is None else read(found)


def _param(record: RunRecord, name: str) -> Any:
    found = record.params.get(name)
    return MISSING if found is None else found.value


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
    at = f" at character {exc.offset}" if isinstance(exc, SyntaxError) else ""
    why = f"{exc.msg}" if isinstance(exc, SyntaxError) else "it is nested too deeply"
    single = " Write == to compare." if "=" in text and "==" not in text else ""
    return f"The query {shown!r} cannot be read{at}: {why}.{single}"

"""The space of a sweep: which values each name may take, and when.

One small language for the magic's line and for Python: `log(1e-4, 1e-1)`,
`uniform(0, 1)`, `int(1, 8)`, `step(0, 0.5, 0.1)`, `[32, 64]`, each with an
optional `if opt == "sgd"` behind it. Parsing runs nothing; what stands in a list is
kept as the text that was typed, so that any expression can be a choice.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from nbtrack.errors import OptionError
from nbtrack.sweeps.condition import Condition, parse_condition
from nbtrack.text import did_you_mean, shorten, visible

Kind = Literal["float", "int", "choice"]
Label = None | bool | int | float | str  # what Optuna and the params of a run keep

KINDS = ("log", "uniform", "int", "step", "choice")
_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_IF = re.compile(r"\sif\s")
GRID_MAX = 100_000  # points of a grid; more are a slip in the space


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a list: as it is kept, written into a cell, passed to a function."""

    label: Label
    code: str
    value: Any  # Any: the user's own, for a function


@dataclass(frozen=True, slots=True)
class Axis:
    """One name of a space.

    >>> axis = parse_axis("lr", "log(1e-4, 1e-1)")
    >>> axis.kind, axis.low, axis.high, axis.log
    ('float', 0.0001, 0.1, True)
    """

    name: str
    kind: Kind
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    step: float | None = None
    choices: tuple[Choice, ...] = ()
    n: int | None = None  # points of it in a grid
    when: Condition | None = None
    text: str = ""  # as it was typed

    def choice_of(self, label: Label) -> Choice:
        """What stands behind a label; for a number, the number."""
        for choice in self.choices:
            if type(choice.label) is type(label) and choice.label == label:
                return choice
        return Choice(label, repr(label), label)

    def grid(self) -> list[Label]:
        """Its values in a grid, in order.

        Raises
        ------
        OptionError
            Where it has no steps.

        >>> parse_axis("n", "int(1, 3)").grid()
        [1, 2, 3]
        >>> [round(v, 5) for v in parse_axis("lr", "log(1e-3, 1e-1, n=3)").grid()]
        [0.001, 0.01, 0.1]
        """
        if self.kind == "choice":
            return [choice.label for choice in self.choices]
        if self.n is not None:
            return self._spread(self.n)
        if self.step is None or (self.kind == "int" and self.log):
            raise OptionError(
                f"A grid needs steps, and {self.name}={self.text} has none: write a "
                f"list, or say how many with n=5 in it."
            )
        count = math.floor((self.high - self.low) / self.step + 1e-9) + 1
        if count > GRID_MAX:
            raise OptionError(f"{self.name}={self.text} has {count:,} steps.")
        return [self._number(self.low + i * self.step) for i in range(count)]

    def _spread(self, n: int) -> list[Label]:
        if n == 1:
            return [self._number(self.low)]
        parts = [i / (n - 1) for i in range(n)]
        if self.log:
            ends = math.log(self.low), math.log(self.high)
            found = [math.exp(ends[0] + p * (ends[1] - ends[0])) for p in parts]
            found[0], found[-1] = self.low, self.high
        else:
            found = [self.low + p * (self.high - self.low) for p in parts]
        return list(dict.fromkeys(self._number(value) for value in found))

    def _number(self, value: float) -> Label:
        return round(value) if self.kind == "int" else float(f"{value:.12g}")


@dataclass(frozen=True, slots=True)
class Space:
    """All axes of a sweep, in the order in which they were given."""

    axes: tuple[Axis, ...] = field(default=())

    @property
    def names(self) -> tuple[str, ...]:
        """What is swept."""
        return tuple(axis.name for axis in self.axes)

    def active(self, labels: Mapping[str, Label]) -> dict[str, Label]:
        """Those values whose condition holds.

        >>> space = parse_space({"opt": ["sgd", "adam"], "m": "[.9] if opt == 'sgd'"})
        >>> space.active({"opt": "adam", "m": 0.9})
        {'opt': 'adam'}
        """
        kept: dict[str, Label] = {}
        for axis in self.axes:
            if axis.name in labels and (axis.when is None or axis.when.holds(kept)):
                kept[axis.name] = labels[axis.name]
        return kept

    def grid(self) -> list[dict[str, Label]]:
        """Every combination once; the last name changes first.

        Raises
        ------
        OptionError
            Where an axis has no steps, or there are more than 100,000 points.

        >>> len(parse_space({"a": [1, 2], "b": "int(1, 3)"}).grid())
        6
        """
        points: list[dict[str, Label]] = [{}]
        for axis in self.axes:
            values = axis.grid()
            if len(points) * len(values) > GRID_MAX:
                raise OptionError(f"The grid has more than {GRID_MAX:,} points.")
            points = [
                point | {axis.name: value}
                for point in points
                for value in (values if _is_there(axis, point) else [None])
            ]
        return [self.active(point) for point in points]


def parse_space(
    space: Mapping[str, Any], namespace: Mapping[str, Any] | None = None
) -> Space:
    """Read a space.

    Parameters
    ----------
    space : mapping
        Of a name (`lr`, or dotted: `config.lr`) to its values: a text in the language
        above, a list, or a distribution of Optuna.
    namespace : mapping, optional
        Where names in a text are looked up: `sizes`, `log(low, high)`.

    Raises
    ------
    OptionError
        For what is no range or list, an empty or inverted one, an unknown name in a
        condition.

    Examples
    --------
    >>> parse_space({"lr": "log(1e-4, 1e-1)", "bs": [32, 64]}).names
    ('lr', 'bs')
    """
    if not space:
        raise OptionError("The space is empty: write lr=log(1e-4, 1e-1) bs=[32, 64].")
    axes: list[Axis] = []
    for name, values in space.items():
        known = [axis.name for axis in axes]
        axes.append(_axis(name, values, namespace or {}, known))
    return Space(tuple(axes))


def parse_axis(
    name: str,
    text: str,
    namespace: Mapping[str, Any] | None = None,
    known: Sequence[str] = (),
) -> Axis:
    """Read the values of one name; see `parse_space`.

    >>> [choice.code for choice in parse_axis("act", "[nn.ReLU, nn.Tanh]").choices]
    ['nn.ReLU', 'nn.Tanh']
    """
    values, condition = _split(name, text)
    node = _expression(values)
    when = None if condition is None else parse_condition(condition, known)
    namespace = {} if namespace is None else namespace
    if _called(node) in KINDS:
        assert isinstance(node, ast.Call)
        return _with(_from_call(name, node, namespace, text), when, text)
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        choices = tuple(_typed_choice(item, namespace) for item in node.elts)
        return _with(_choices(name, choices, text), when, text)
    found = _evaluated(name, node, namespace)
    return _with(_from_value(name, found, text), when, text)


def _axis(
    name: str, values: Any, namespace: Mapping[str, Any], known: list[str]
) -> Axis:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise OptionError(f"{shorten(repr(name), 60)} is no name of a value.")
    if isinstance(values, str):
        return parse_axis(name, values, namespace, known)
    return _from_value(name, values, shorten(repr(values), 80))


def _with(axis: Axis, when: Condition | None, text: str) -> Axis:
    return replace(axis, when=when, text=" ".join(text.split()))


def _split(name: str, text: str) -> tuple[str, str | None]:
    """The values, and the condition behind the first `if` that ends an expression."""
    for found in _IF.finditer(text):
        values = text[: found.start()].strip()
        if _parses(values):
            return values, text[found.end() :].strip()
    if not _parses(text.strip()):
        raise _no_values(name, text)
    return text.strip(), None


def _parses(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except (SyntaxError, ValueError):
        return False
    return True


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _from_call(
    name: str, call: ast.Call, namespace: Mapping[str, Any], text: str
) -> Axis:
    assert isinstance(call.func, ast.Name)
    kind, flags = call.func.id, set()
    numbers: list[Any] = []
    for node in call.args:
        # `int(16, 512, log)`: the word, not the function.
        if isinstance(node, ast.Name) and node.id == "log" and kind == "int":
            flags.add("log")
        else:
            numbers.append(_evaluated(name, node, namespace))
    named = {k.arg: _evaluated(name, k.value, namespace) for k in call.keywords}
    if named.pop("log", False):
        flags.add("log")
    if kind == "choice":
        values = numbers[0] if len(numbers) == 1 and _is_list(numbers[0]) else numbers
        return _from_value(name, list(values), text)
    return _range(name, kind, numbers, named, is_log="log" in flags, text=text)


def _range(
    name: str,
    kind: str,
    numbers: list[Any],
    named: dict[str | None, Any],
    *,
    is_log: bool,
    text: str,
) -> Axis:
    step, n = named.pop("step", None), named.pop("n", None)
    if len(numbers) == 3:
        step, n = (numbers[2], n) if kind in ("step", "int") else (step, numbers[2])
    ends = numbers[:2]
    if named or not 2 <= len(numbers) <= 3 or not all(map(_is_number, ends)):
        raise _no_values(name, text)
    whole = kind == "int" or (kind == "step" and _all_whole([*ends, step]))
    if kind == "step" and step is None:
        raise OptionError(f"{name}={text} has no step: write step(0, 1, 0.25).")
    if whole and not _all_whole(ends):
        raise OptionError(f"{name}={text}: the ends of int(...) are whole numbers.")
    is_log = is_log or kind == "log"
    _check_range(name, ends, step, n, is_log=is_log, text=text)
    return Axis(
        name,
        "int" if whole else "float",
        low=ends[0] if whole else float(ends[0]),
        high=ends[1] if whole else float(ends[1]),
        log=is_log,
        step=(1 if step is None else step) if whole else step,
        n=n,
        text=text,
    )


def _check_range(
    name: str, ends: list[Any], step: Any, n: Any, *, is_log: bool, text: str
) -> None:
    low, high = ends
    said = f"{name}={shorten(visible(text), 60)}"
    if not (math.isfinite(low) and math.isfinite(high)):
        raise OptionError(f"{said}: the ends of a range are finite numbers.")
    if low > high:
        raise OptionError(f"{said} is inverted: {low!r} is above {high!r}.")
    if low == high:
        raise OptionError(f"{said} is empty: both ends are {low!r}. Leave it out.")
    if is_log and low <= 0:
        raise OptionError(
            f"{said}: a logarithmic range begins above 0, not at {low!r}."
        )
    if step is not None and not (_is_number(step) and 0 < step <= high - low):
        raise OptionError(f"{said}: the step is {step!r}, not within 0 and the range.")
    if is_log and step not in (None, 1):
        raise OptionError(
            f"{said}: a logarithmic range has no step; n=5 says how many."
        )
    if n is not None and not (isinstance(n, int) and 1 <= n <= GRID_MAX):
        raise OptionError(f"{said}: n is {n!r}, not how many points a grid has of it.")


def _from_value(name: str, values: Any, text: str) -> Axis:
    """Of a list, a range, an array, or a distribution of Optuna."""
    if type(values).__module__.startswith("optuna.distributions"):
        return _from_optuna(name, values, text)
    if not _is_list(values):
        raise _no_values(name, text)
    return _choices(name, tuple(_choice(value) for value in values), text)


def _from_optuna(name: str, values: Any, text: str) -> Axis:
    if hasattr(values, "choices"):
        return _from_value(name, list(values.choices), text)
    kind: Kind = "int" if type(values).__name__.startswith("Int") else "float"
    return Axis(name, kind, values.low, values.high, values.log, values.step, text=text)


def _choices(name: str, choices: tuple[Choice, ...], text: str) -> Axis:
    if not choices:
        raise OptionError(f"{name}={text} is empty: a list of values is needed.")
    seen: dict[Label, Choice] = {}
    for choice in choices:
        known = seen.setdefault(choice.label, choice)
        if type(known.label) is not type(choice.label):  # 1, True and 1.0 are equal
            seen.setdefault(choice.code, replace(choice, label=choice.code))
    return Axis(name, "choice", choices=tuple(seen.values()), text=text)


def _typed_choice(node: ast.expr, namespace: Mapping[str, Any]) -> Choice:
    """An element as typed; a bare word that is no variable is a text."""
    if isinstance(node, ast.Name) and node.id not in namespace:
        import builtins

        if not hasattr(builtins, node.id):
            return Choice(node.id, repr(node.id), node.id)
    code = ast.unparse(node)
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return Choice(code, code, code)
    return Choice(_label(value, code), code, value)


def _choice(value: Any) -> Choice:
    item = getattr(value, "item", None)  # a number of NumPy
    if item is not None and type(value).__module__ == "numpy":
        value = item()
    code = repr(value)
    named = getattr(value, "__name__", None)
    return Choice(_label(value, named or code), code, value)


def _label(value: Any, text: str) -> Label:
    plain = value is None or type(value) in (bool, int, float, str)
    return value if plain else shorten(text, 200)


def _evaluated(name: str, node: ast.expr, namespace: Mapping[str, Any]) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        pass
    code = compile(ast.Expression(node), "<space>", "eval")
    try:
        # The user typed this into their own kernel, as with `-p`.
        return eval(code, dict(namespace))  # noqa: S307
    except (ArithmeticError, LookupError, NameError, TypeError, ValueError) as exc:
        shown = shorten(visible(ast.unparse(node)), 60)
        hint = did_you_mean(_called(node) or shown, KINDS)
        raise OptionError(
            f"{name}={shown}: {type(exc).__name__}: {exc}.{hint}"
        ) from exc


def _called(node: ast.expr) -> str | None:
    """The name of the function, where it is a plain call."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id
    return None


def _is_there(axis: Axis, point: Mapping[str, Label]) -> bool:
    return axis.when is None or axis.when.holds(point)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _all_whole(values: list[Any]) -> bool:
    return all(isinstance(v, int) and not isinstance(v, bool) for v in values)


def _is_list(values: Any) -> bool:
    return isinstance(values, list | tuple | set | frozenset | range) or (
        type(values).__module__ in ("numpy", "pandas") and hasattr(values, "tolist")
    )


def _no_values(name: str, text: str) -> OptionError:
    shown = shorten(visible(f"{name}={text}"), 80)
    return OptionError(
        f"{shown} says no values: write {name}=log(1e-4, 1e-1), uniform(0, 1), "
        "int(1, 8), step(0, 1, 0.25) or a list like [32, 64]."
    )

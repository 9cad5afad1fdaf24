"""The user's values made JSON-able at once: typed, nested, dotted, and back again.

A value is copied the moment it is seen, so that later changes do not reach the record.
Nested values become dotted names (`opt.lr`); a key that holds a dot, a quote or looks
like a number is quoted (`opt.'a.b'`), an int key stands bare (`weight.0`), so the way
back keeps types. JSON has no NaN, Infinity or endless ints: they travel as
`{"$float": "nan"}` and `{"$int": "..."}`. What cannot be kept is told in one notice.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import math
import pathlib
import re
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

MAX_VALUES = 500  # of one name; a config of a large model has about 300
MAX_DEPTH = 8
MAX_TEXT = 10_000  # characters of one string: a long prompt, not a corpus
MAX_INT_BITS = 4096  # below the digits at which Python refuses to print an int

_BARE_KEY = re.compile(r"[^.'\\$\x00-\x1f\x7f](?:[^.'\\\x00-\x1f\x7f])*\Z")
_LOOKS_TYPED = re.compile(r"-?\d+\Z|(?:True|False|None)\Z")
_SEGMENT = re.compile(r"('(?:[^'\\]|\\.)*'|[^.']*)(?:\.|\Z)", re.DOTALL)
_ESCAPED = re.compile(r"\\(x[0-9a-f]{2}|.)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NAMED_KEYS: dict[str, bool | None] = {"True": True, "False": False, "None": None}
_TEXT_TYPES = (pathlib.PurePath, datetime.date, datetime.time)
_ARGPARSE = ("argparse", "Namespace")
_SEQUENCES = (list, tuple, set, frozenset)

Leaf = tuple[str, Any]
Tell = Callable[[str], None]


class NotRecordedError(Exception):
    """A value with no JSON-able form; the message is its kind, in a word or two."""


# ---- flat names


def key_text(key: object) -> str:
    r"""The segment of a dotted name that stands for one key.

    >>> key_text("lr"), key_text("a.b"), key_text(0), key_text("0")
    ('lr', "'a.b'", '0', "'0'")
    """
    if key is None or isinstance(key, bool | int):
        return str(key.value if isinstance(key, enum.Enum) else key)
    text = _clean(str(key.name if isinstance(key, enum.Enum) else key))
    if _BARE_KEY.match(text) and not _LOOKS_TYPED.match(text):
        return text
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    return "'" + _CONTROL.sub(lambda m: f"\\x{ord(m[0]):02x}", quoted) + "'"


def path_of(name: str) -> tuple[Any, ...]:
    """Split a dotted name into its keys, typed as they were.

    >>> path_of("weight.0"), path_of("opt.'a.b'")
    (('weight', 0), ('opt', 'a.b'))
    """
    keys, at = [], 0
    while at <= len(name):
        found = _SEGMENT.match(name, at)
        if found is None:  # a stray quote: the name is one key, as it stands
            return (name,)
        keys.append(_key(found[1]))
        if found.end() == len(name) and not found[0].endswith("."):
            break
        at = found.end()
    return tuple(keys)


def flatten(values: Mapping[Any, Any], *, tell: Tell | None = None) -> dict[str, Any]:
    """Dotted names to JSON-able leaves; `tell` gets a line for what was left out.

    >>> flatten({"opt": {"lr": 1e-3, "b": (0.9, 0.99)}})
    {'opt.lr': 0.001, 'opt.b': [0.9, 0.99]}
    """
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat.update(flatten_one(key_text(key), value, tell=tell))
    return flat


def flatten_one(name: str, value: object, *, tell: Tell | None = None) -> list[Leaf]:
    """The leaves of one named value, at most `MAX_VALUES` of them.

    >>> flatten_one("seed", 3)
    [('seed', 3)]
    """
    tell = tell or _tell_nobody
    kept: list[Leaf] = []
    n_seen = 0
    for leaf in _leaves(name, value, tell, ()):
        n_seen += 1
        if n_seen <= MAX_VALUES:
            kept.append(leaf)
    if n_seen > MAX_VALUES:
        tell(f"{name}: {MAX_VALUES} of {n_seen} values kept")
    return kept


def unflatten(params: Mapping[str, Any]) -> dict[Any, Any]:
    """Nested dict of the values behind dotted names, types as they were logged.

    A described object has a value and parts (`optimizer`, `optimizer.lr`): its own
    value stands under the key `""`. Tuples come back as lists.

    >>> unflatten({"opt.lr": 0.001, "opt.b": [0.9], "limit": {"$float": "inf"}})
    {'opt': {'lr': 0.001, 'b': [0.9]}, 'limit': inf}
    """
    root = _Node()
    for name, value in params.items():
        node = root
        for key in path_of(name):
            node = node.parts.setdefault(key, _Node())
        node.value = decode(value)
    built = root.built()
    return built if isinstance(built, dict) else {}


class _Node:
    __slots__ = ("parts", "value")

    def __init__(self) -> None:
        self.parts: dict[Any, _Node] = {}
        self.value: Any = _NOTHING

    def built(self) -> Any:  # Any: whatever the user logged
        if not self.parts:
            return {} if self.value is _NOTHING else self.value
        own = {} if self.value is _NOTHING else {"": self.value}
        return own | {key: part.built() for key, part in self.parts.items()}


# ---- JSON-able leaves


def encode(value: object, tell: Tell | None = None, *, name: str = "value") -> Any:
    """One JSON-able leaf; raises `NotRecordedError` where there is none.

    >>> encode((1, float("inf")))
    [1, {'$float': 'inf'}]
    """
    return _encoded(value, name, tell or _tell_nobody, ())


def decode(leaf: object) -> Any:
    """The value behind a leaf of `encode`.

    >>> decode([1, {"$float": "inf"}])
    [1, inf]
    """
    if isinstance(leaf, list):
        return [decode(item) for item in leaf]
    if not isinstance(leaf, dict):
        return leaf
    if len(leaf) == 1:
        ((key, text),) = leaf.items()
        if key == "$float":
            return float(text)
        if key == "$int":
            return int(text)
    return {_key(key): decode(value) for key, value in leaf.items()}


def as_mapping(value: object) -> Mapping[Any, Any] | None:
    """The named parts of a config-like value; None for everything else.

    >>> as_mapping(types.SimpleNamespace(lr=0.1))
    {'lr': 0.1}
    """
    if isinstance(value, Mapping):
        return value
    if isinstance(value, type):
        return None
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
        return {name: getattr(value, name) for name in names if hasattr(value, name)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return dict(value._asdict())
    if isinstance(value, types.SimpleNamespace) or _is_plain_record(value):
        return dict(vars(value))
    return None


def _is_plain_record(value: object) -> bool:
    """argparse, attrs and pydantic objects, told by their class without an import."""
    kind = type(value)
    return hasattr(value, "__dict__") and (
        any((b.__module__, b.__name__) == _ARGPARSE for b in kind.__mro__)
        or hasattr(kind, "__attrs_attrs__")
        or hasattr(kind, "__pydantic_fields__")
    )


def _leaves(
    name: str, value: object, tell: Tell, above: tuple[int, ...]
) -> Iterator[Leaf]:
    parts = as_mapping(value)
    if parts is None:
        try:
            yield name, _encoded(value, name, tell, above)
        except NotRecordedError as why:
            tell(f"{name} not recorded ({why})")
    elif len(above) >= MAX_DEPTH or id(value) in above:
        tell(f"{name} not recorded (nested too deep)")
    elif not parts:
        yield name, {}
    else:
        for key, part in parts.items():
            yield from _leaves(
                f"{name}.{key_text(key)}", part, tell, (*above, id(value))
            )


def _encoded(value: object, name: str, tell: Tell, above: tuple[int, ...]) -> Any:
    if value is None or value is True or value is False:
        return value
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, str):
        return _cut(_clean(str(value)), name, tell)
    if isinstance(value, int):
        return _whole(int(value))
    if isinstance(value, float):
        number = float(value)
        return number if math.isfinite(number) else {"$float": repr(number)}
    if isinstance(value, _TEXT_TYPES):
        return str(value)
    if isinstance(value, range):
        return repr(value)
    return _nested(value, name, tell, above)


def _nested(value: object, name: str, tell: Tell, above: tuple[int, ...]) -> Any:
    parts = as_mapping(value)
    if parts is None and not isinstance(value, _SEQUENCES):
        return _foreign(value)
    if len(above) >= MAX_DEPTH or id(value) in above:
        raise NotRecordedError("nested too deep")
    inside = (*above, id(value))
    if parts is not None:
        return {
            key_text(key): _encoded(part, f"{name}.{key_text(key)}", tell, inside)
            for key, part in parts.items()
        }
    items = _ordered(value)
    if len(items) > MAX_VALUES:
        tell(f"{name}: {MAX_VALUES} of {len(items)} values kept")
    return [_encoded(item, name, tell, inside) for item in items[:MAX_VALUES]]


def _ordered(value: Any) -> list[Any]:  # Any: one of _SEQUENCES
    if isinstance(value, set | frozenset):
        return sorted(value, key=lambda item: (type(item).__name__, repr(item)))
    return list(value)


def _foreign(value: object) -> Any:
    """Numpy and torch scalars, devices and dtypes, told without importing either."""
    kind = type(value)
    home = kind.__module__.partition(".")[0]
    if home in ("decimal", "fractions"):  # by name: importing both takes 8 ms
        return str(value)
    if home in ("numpy", "torch", "jax", "jaxlib") and kind.__name__ in (
        "device",
        "dtype",
    ):
        return str(value)
    if home == "numpy" and kind.__name__.endswith("DType"):
        return str(value)
    if is_scalar_array(value):
        return _item(value)
    if isinstance(value, type):
        return value.__name__
    raise NotRecordedError(kind_of(value))


def is_scalar_array(value: object) -> bool:
    """Whether `value` is a numpy scalar or an array or tensor with no axes.

    >>> is_scalar_array(3.0)
    False
    """
    kind = type(value)
    if not (hasattr(kind, "item") and hasattr(kind, "dtype")):
        return False
    return tuple(getattr(value, "shape", (0,))) == ()


def kind_of(value: object) -> str:
    """What a value is, for a notice: `function`, `module`, `Foo`.

    >>> kind_of(len), kind_of(object())
    ('function', 'object')
    """
    if isinstance(value, types.FunctionType | types.BuiltinFunctionType):
        return "function"
    if isinstance(value, types.MethodType):
        return "method"
    return type(value).__name__


def _item(value: Any) -> Any:  # Any: a numpy or torch scalar
    plain = value.item()
    if isinstance(plain, bool | int | float | str | datetime.date | None):
        return _encoded(plain, "value", _tell_nobody, ())
    raise NotRecordedError(kind_of(value))


def _whole(number: int) -> Any:
    if -(2**63) <= number < 2**63:
        return number
    if number.bit_length() > MAX_INT_BITS:
        raise NotRecordedError(f"an int of {number.bit_length()} bits")
    return {"$int": str(number)}


def _cut(text: str, name: str, tell: Tell) -> str:
    if len(text) <= MAX_TEXT:
        return text
    tell(f"{name}: {MAX_TEXT} of {len(text)} characters kept")
    return text[:MAX_TEXT]


def _clean(text: str) -> str:
    """Lone surrogates cannot be stored as UTF-8: they are kept as escapes."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _key(segment: str) -> Any:
    if segment.startswith("'") and segment.endswith("'") and len(segment) > 1:
        return _ESCAPED.sub(_unescaped, segment[1:-1])
    if segment in _NAMED_KEYS:
        return _NAMED_KEYS[segment]
    return int(segment) if _LOOKS_TYPED.match(segment) else segment


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    return chr(int(code[1:], 16)) if len(code) == 3 else code


def _tell_nobody(text: str) -> None:
    """For callers who do not ask what was left out."""


_NOTHING = object()

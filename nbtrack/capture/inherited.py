"""Which values of earlier cells are params when a cell reads them, and their copies.

Numbers, texts, small lists, dicts and config objects are settings; arrays, frames,
tables that translate words to numbers, results of autograd and live objects are not.
"""

from __future__ import annotations

import datetime
import enum
import pathlib
import types
from collections.abc import Mapping
from typing import Any

from nbtrack.capture.values import as_mapping, is_scalar_array

MAX_ITEMS = 64  # of a list, nested ones counted; a longer one is data
MAX_TABLE = 16  # entries of a dict keyed by other things than names
_PLAIN = (
    range,
    bool,
    int,
    float,
    str,
    type(None),
    enum.Enum,
    pathlib.PurePath,
    datetime.date,
)


def is_inheritable(value: object) -> bool:
    """Whether a value set elsewhere reads like a setting.

    >>> is_inheritable(0.1), is_inheritable([64, 64]), is_inheritable(print)
    (True, True, False)
    """
    if isinstance(value, _PLAIN):
        return True
    if isinstance(value, type):
        return _settings_of_class(value) is not None
    if isinstance(value, list | tuple | set | frozenset) and not hasattr(
        value, "_asdict"
    ):
        return 0 < _n_items(value) <= MAX_ITEMS
    parts = as_mapping(value)
    if parts is not None:
        return bool(parts) and not _is_table(parts) and not _holds_data(parts)
    return _is_foreign_scalar(value) or _settings_of(value) is not None


def snapshot_of(value: object) -> object:
    """The value, or the settings that a plain class or its instance stands for.

    >>> snapshot_of(type("Config", (), {"lr": 0.1, "__module__": "__main__"}))
    {'lr': 0.1}
    """
    if isinstance(value, type):
        return _settings_of_class(value) or {}
    if isinstance(value, _PLAIN) or as_mapping(value) is not None:
        return value
    return _settings_of(value) or value


def is_simple(value: object) -> bool:
    """Numbers, texts and None: what a param can be without a closer look.

    >>> is_simple(3), is_simple([3])
    (True, False)
    """
    return value is None or isinstance(value, int | float | str)


def is_record(value: object) -> bool:
    """Dicts and config objects, whose parts are params.

    >>> is_record({"lr": 0.1}), is_record([1])
    (True, False)
    """
    return as_mapping(value) is not None


def _n_items(value: object) -> int:
    """How many plain values a list holds; far too many when one is not plain."""
    if isinstance(value, list | tuple | set | frozenset):
        if len(value) > MAX_ITEMS:
            return MAX_ITEMS + 1
        return sum(_n_items(item) for item in value)
    plain = isinstance(value, _PLAIN) or _is_foreign_scalar(value)
    if plain or (isinstance(value, dict) and len(value) <= MAX_TABLE):
        return 1
    return MAX_ITEMS + 1


def _is_table(parts: Mapping[Any, Any]) -> bool:
    """`stoi`, `itos`, `id2label`: a translation, not settings."""
    if len(parts) <= MAX_TABLE:
        return False
    if not all(isinstance(key, str) and key.isidentifier() for key in parts):
        return True
    return all(type(part) is int for part in parts.values())


def _holds_data(parts: Mapping[Any, Any]) -> bool:
    """`{"loss": [...], "x": array}`: histories and arrays by name are no settings."""
    return all(not _may_be_setting(part) for part in parts.values())


def _may_be_setting(part: object) -> bool:
    if isinstance(part, list | tuple | set):
        return _n_items(part) <= MAX_ITEMS and len(part) > 0
    return (
        isinstance(part, (*_PLAIN, type))
        or as_mapping(part) is not None
        or (_is_foreign_scalar(part))
    )


def _is_foreign_scalar(value: object) -> bool:
    kind = type(value)
    home = kind.__module__.partition(".")[0]
    if home == "torch" and kind.__name__ in ("device", "dtype"):
        return True
    if not is_scalar_array(value):
        return False
    return getattr(value, "grad_fn", None) is None  # a loss still in its graph


def _settings_of_class(kind: type) -> dict[str, Any] | None:
    """Attributes of a class of the notebook that holds nothing else."""
    if kind.__module__ != "__main__" or issubclass(kind, enum.Enum):
        return None
    found: dict[str, Any] = {}
    for base in reversed(kind.__mro__[:-1]):
        for name, value in vars(base).items():
            if name.startswith("_"):
                continue
            if isinstance(
                value, types.FunctionType | property | staticmethod | classmethod
            ):
                return None
            if is_inheritable(value):
                found[name] = value
    return found or None


def _settings_of(value: object) -> dict[str, Any] | None:
    """What an instance of a plain settings class holds, its own values first."""
    inherited = _settings_of_class(type(value))
    if inherited is None or type(value).__init__ is not object.__init__:
        return None
    return inherited | dict(vars(value))

"""What no cell can change in place, and what is not looked into on purpose.

The first is a constant by its value or by its identity. The second is the surroundings
of a notebook: loggers, the shell, this package; they count as constants too.
"""

from __future__ import annotations

import builtins
import collections
import datetime
import decimal
import fractions
import logging
import operator
import pathlib
import re
import struct
import types
import uuid
import zoneinfo
from typing import Any

from nbtrack.capture.classes import is_a, module_of
from nbtrack.capture.dataflow.portrait_walk import Handler, Walk

_date_state: Any = datetime.date.__reduce__
_time_state: Any = datetime.time.__reduce__
_stamp_state: Any = datetime.datetime.__reduce__


def constant(walk: Walk, value: Any) -> None:
    """It is what it is: only another object is another value."""
    walk.frozen.add(id(value))
    walk.tokens.append(("id", id(value)))


def nothing(walk: Walk, value: Any) -> None:
    """What cannot change and has no value of interest."""
    walk.frozen.add(id(value))
    walk.tokens.append(("inert", type(value).__name__))


def _text(walk: Walk, value: Any) -> None:
    walk.frozen.add(id(value))
    walk.roots.add(type(value).__module__.partition(".")[0])
    walk.tokens.append((type(value).__name__, str(value)))


def _decimal(walk: Walk, value: Any) -> None:
    walk.frozen.add(id(value))
    walk.roots.add("decimal")
    walk.tokens.append(("Decimal", decimal.Decimal.__str__(value)))


def _delta(walk: Walk, value: Any) -> None:
    walk.frozen.add(id(value))
    walk.roots.add("datetime")
    walk.tokens.append(("timedelta", value.days, value.seconds, value.microseconds))


def _moment(walk: Walk, value: Any) -> None:
    """Date, time or both by the bytes of their pickle, and the time zone."""
    walk.frozen.add(id(value))
    walk.roots.add("datetime")
    if is_a(value, datetime.datetime):
        state = _stamp_state(value)
    elif is_a(value, datetime.time):
        state = _time_state(value)
    else:
        state = _date_state(value)
    walk.tokens.append((type(value).__name__, state[1][0]))
    walk.stack.extend(state[1][1:])


def _pattern(walk: Walk, value: re.Pattern[Any]) -> None:
    walk.frozen.add(id(value))
    walk.roots.add("re")
    walk.tokens.append(("re", value.pattern, value.flags))


def _logger(walk: Walk, value: logging.Logger) -> None:
    """What a cell sets on it; not the tree of loggers, which holds all of a process."""
    kept = object.__getattribute__(value, "__dict__")
    walk.tokens.append(("logger", id(value), kept.get("level"), kept.get("disabled")))
    handlers = kept.get("handlers")
    for handler in list(handlers) if type(handlers) is list else ():
        walk.tokens.append(id(handler))
        if module_of(type(handler)) == walk.name:  # its `emit` is code of the notebook
            walk.stack.append(handler)


def _range(walk: Walk, value: range) -> None:
    walk.frozen.add(id(value))
    for end in (value.start, value.stop, value.step):
        walk.tokens.append(int.__int__(end))


def _slice(walk: Walk, value: slice) -> None:
    walk.frozen.add(id(value))
    walk.stack.extend((value.start, value.stop, value.step))


_TOLD_BY_TEXT: tuple[type, ...] = (
    pathlib.PosixPath,
    pathlib.WindowsPath,
    pathlib.PurePosixPath,
    pathlib.PureWindowsPath,
    fractions.Fraction,
    uuid.UUID,
    zoneinfo.ZoneInfo,
    datetime.timezone,
)
# A subclass has a `__str__` of its own.
EXACT_ONLY = frozenset(map(id, _TOLD_BY_TEXT))

_CONSTANT: tuple[type, ...] = (
    object,
    logging.Handler,
    operator.attrgetter,
    operator.itemgetter,
    operator.methodcaller,
    re.Match,
    struct.Struct,
    types.CodeType,
    types.GenericAlias,
    types.UnionType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
    types.MethodDescriptorType,
    types.ClassMethodDescriptorType,
    types.WrapperDescriptorType,
    type(NotImplemented),
    collections._tuplegetter,  # type: ignore[attr-defined]
)

INERT: dict[type, Handler] = {
    **dict.fromkeys(_CONSTANT, constant),
    **dict.fromkeys(_TOLD_BY_TEXT, _text),
    decimal.Decimal: _decimal,
    datetime.timedelta: _delta,
    datetime.date: _moment,
    datetime.time: _moment,
    datetime.datetime: _moment,
    logging.Logger: _logger,
    re.Pattern: _pattern,
    builtins.range: _range,
    slice: _slice,
}


def handler_of_root(root: str, name: str) -> Handler | None:
    """How all classes of some libraries are taken, by the top-level module.

    >>> handler_of_root("matplotlib", "Figure") is None
    False
    """
    if root in ("ipykernel", "nbtrack", "typing") or root.startswith("_cython_"):
        return constant
    if root == "IPython":
        return constant if "Shell" in name else None
    why = _OPAQUE.get(root) or _OPAQUE.get(f"{root}.{name}")
    return None if why is None else _opaque(why)


_OPAQUE = {
    "matplotlib": "a figure",
    "mpl_toolkits": "a figure",
    "asyncio": "a task or an event loop",
    "_asyncio": "a task or an event loop",
    "traitlets": "a widget",
    "ipywidgets": "a widget",
    "ctypes": "an object of C",
    "_ctypes": "an object of C",
    "socket.socket": "a socket",
    "_socket.socket": "a socket",
    "sqlite3.Connection": "a database connection",
    "sqlite3.Cursor": "a database connection",
}


def _opaque(why: str) -> Handler:
    def hide(walk: Walk, value: Any) -> None:
        walk.hide(why)

    return hide

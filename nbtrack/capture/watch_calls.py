"""The hidden object `__nbtrack_watch__` that watched code calls.

It stands in the user's namespace, so that functions can be pickled with it, and in
builtins, so that `%reset` does no harm. A call that belongs to no running watcher
(after the run, in a forked or remote worker) does nothing and returns what it got.
"""

from __future__ import annotations

import builtins
import os
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

NAME = "__nbtrack_watch__"
# The first letter of a call's name says what it returns when nobody listens.
AFTER, END, ROUND = "a", "e", "l"  # nothing: they stand as statements
VALUE, ITERABLE, MADE = "v", "r", "d"  # their argument: they stand around expressions

Call = Callable[..., Any]


class WatchCalls:
    """Names of calls to what they do; unknown ones are inert.

    >>> calls = WatchCalls()
    >>> calls.v3("kept"), calls.a3("dropped")
    ('kept', None)
    """

    def __init__(self) -> None:
        self.__dict__["_numbers"] = count()

    def __getattr__(self, name: str) -> Call:
        if name.startswith("_"):
            raise AttributeError(name)
        return _passed_on if name[0] in (VALUE, ITERABLE, MADE) else _nothing

    def __reduce__(self) -> tuple[Callable[[], WatchCalls], tuple[()]]:
        return inert_calls, ()

    def __repr__(self) -> str:
        return "<nbtrack's watch calls>"

    def add(self, kind: str, call: Call) -> str:
        """Give `call` a name that was never used in this process."""
        name = self.new_name(kind)
        self.__dict__[name] = call
        return name

    def new_name(self, kind: str) -> str:
        """A name that `set` may fill later."""
        return f"{kind}{next(self.__dict__['_numbers'])}"

    def set(self, name: str, call: Call) -> None:
        """Let the call of that name do something."""
        self.__dict__[name] = call

    def remove(self, names: Iterable[str]) -> None:
        """Make these inert again."""
        for name in names:
            self.__dict__.pop(name, None)

    def remove_all(self) -> None:
        """In a forked child nothing is recorded: the run belongs to the parent."""
        self.remove([name for name in self.__dict__ if not name.startswith("_")])


def inert_calls() -> WatchCalls:
    """What a pickled `__nbtrack_watch__` becomes elsewhere."""
    return WatchCalls()


def installed_calls(namespace: dict[str, Any]) -> WatchCalls:
    """The process's one `WatchCalls`, reachable from code of that namespace."""
    calls = getattr(builtins, NAME, None)
    if not isinstance(calls, WatchCalls):
        calls = WatchCalls()
        setattr(builtins, NAME, calls)
        os.register_at_fork(after_in_child=calls.remove_all)
    namespace[NAME] = calls
    return calls


def _passed_on(value: Any = None, *_: Any) -> Any:
    return value


def _nothing(*_: Any) -> None:
    return None

"""The border to the user's code: the one place with `except Exception`.

A hook of ours never raises into the user's cell. The first failure of a kind prints
one line of warning, later ones are only counted; a caller that wants the feature off
for the rest of the session asks `is_off`.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nbtrack.interrupts import interrupt_behind
from nbtrack.text import shorten

logger = logging.getLogger("nbtrack")


class Guard:
    """Swallows, warns once per kind, counts; one per process session.

    >>> guard = Guard(warn=print)
    >>> with guard("panel"):
    ...     raise ValueError("no widget manager")
    nbtrack: panel failed and was left out: ValueError: no widget manager
    >>> guard.failures["panel"], guard.is_off("panel")
    (1, True)
    """

    def __init__(self, warn: object = None) -> None:
        self._warn = warn if callable(warn) else logger.warning
        self._lock = threading.Lock()
        self.failures: Counter[str] = Counter()

    @contextmanager
    def __call__(
        self,
        feature: str,
        *,
        letting: tuple[type[Exception], ...] = (),
    ) -> Iterator[None]:
        """Run the body; an `Exception` in it is warned of and counted, never raised.

        `letting` names the caller's own mistakes, which do go through; so does Ctrl-C,
        also where a library's clean-up failed of it and says something else.
        """
        handled = sys.exc_info()[1]
        try:
            yield
        except Exception as exc:
            if isinstance(exc, letting):
                raise
            interrupt = interrupt_behind(exc, handled)
            if interrupt is not None:
                raise interrupt from None
            self.failed(feature, exc)

    def shield(
        self, call: Callable[[Any, Any], object], give_up: Callable[[Exception], None]
    ) -> Callable[..., None]:
        """`call` for a hot loop, where a context manager costs too much.

        >>> Guard().shield(lambda value, axes: 1 / value, print)(0)
        division by zero
        """

        def shielded(value: Any, axes: Any = ()) -> None:
            try:
                call(value, axes)
            except Exception as exc:  # noqa: BLE001 - the same border, without its cost
                give_up(exc)

        return shielded

    def shield_passing(
        self, call: Callable[[Any, Any], object], give_up: Callable[[Exception], None]
    ) -> Callable[..., Any]:
        """The same around an expression: its value goes through untouched.

        >>> Guard().shield_passing(lambda value, axes: 1 / value, print)(0)
        division by zero
        0
        """

        def shielded(value: Any, axes: Any = ()) -> Any:
            try:
                call(value, axes)
            except Exception as exc:  # noqa: BLE001 - the same border, without its cost
                give_up(exc)
            return value

        return shielded

    def failed(self, feature: str, exc: BaseException) -> None:
        """Count a failure of `feature`; the first one is shown as one line."""
        with self._lock:
            self.failures[feature] += 1
            first = self.failures[feature] == 1
        logger.debug("%s failed", feature, exc_info=exc)
        if first:
            what = shorten(f"{type(exc).__name__}: {exc}", 200)
            self._warn(f"nbtrack: {feature} failed and was left out: {what}")

    def warn_once(self, kind: str, message: str) -> None:
        """Show `message` the first time `kind` happens, count it every time."""
        with self._lock:
            self.failures[kind] += 1
            first = self.failures[kind] == 1
        if first:
            self._warn(f"nbtrack: {shorten(message, 300)}")

    def is_off(self, feature: str) -> bool:
        """Whether `feature` has failed before in this session."""
        return self.failures[feature] > 0


@contextmanager
def tolerated(tell: Callable[[Exception], None]) -> Iterator[None]:
    """Run the body on a value of the user's: what it raises is told, never passed on.

    >>> with tolerated(print):
    ...     len(3)
    object of type 'int' has no len()
    """
    try:
        yield
    except Exception as exc:  # noqa: BLE001 - an object of theirs may raise anything
        tell(exc)


def _print_warning(message: str) -> None:
    """Show one line where the user looks: beside the cell, or on stderr."""
    print(message, file=sys.stderr)


guard = Guard(warn=_print_warning)

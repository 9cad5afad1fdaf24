"""What the functions of a script hold while it trains: model, optimizer, settings.

Most scripts do all in `main()`, whose variables are gone when it returns. So they are
looked at once, when a metric has its first value: in the functions of the script that
are running then, outermost first.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

from nbtrack.guard import guard

if TYPE_CHECKING:
    from nbtrack.tracked.parts import Tracking

FEATURE = "params of functions"
_SNAPSHOTS = sys.version_info < (3, 13)  # `f_locals` keeps its values alive there


class Frames:
    """The variables of the script's running functions."""

    feature = FEATURE
    setting = "params"

    def __init__(self) -> None:
        self._on: Tracking | None = None
        self._seen: set[CodeType] = set()

    def begin(self, on: Tracking) -> None:
        """Wait for the first value of a metric, of each of them."""
        self._on = on
        on.prepared.sink.on_declared = self._look

    def end(self, on: Tracking) -> None:
        """Look no more."""
        self._on = None

    def _look(self) -> None:
        if self._on is None or guard.is_off(FEATURE):
            return
        with guard(FEATURE):
            frames = list(functions_running(self._on.namespace))
            for frame in reversed(frames):
                if frame.f_code not in self._seen:
                    self._seen.add(frame.f_code)
                    self._take(frame, self._on)

    def _take(self, frame: FrameType, on: Tracking) -> None:
        body = body_of(frame.f_code, on.prepared.tree)
        if body is None or on.capture is None:
            return
        on.run.log_params(on.capture.of_function(body, variables_of(frame)))


def functions_running(namespace: dict[str, Any]) -> Iterator[FrameType]:
    """The frames of a script's own functions in this thread, innermost first."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        # A class body's `f_locals` is the class to be; a module's are its names.
        is_function = bool(frame.f_code.co_flags & inspect.CO_OPTIMIZED)
        if is_function and frame.f_globals is namespace:
            yield frame
        frame = frame.f_back


def variables_of(frame: FrameType) -> dict[str, Any]:
    """A function's variables; nothing of them is kept alive.

    >>> def main():
    ...     lr = 0.1
    ...     return variables_of(sys._getframe())
    >>> main()
    {'lr': 0.1}
    """
    if sys.gettrace() is not None:
        return {}  # a debugger writes back what it finds there
    found = frame.f_locals
    names = dict(found)
    if _SNAPSHOTS:
        found.clear()
    return names


def body_of(code: CodeType, tree: Any) -> list[ast.stmt] | None:
    """The statements of a function in the tree of its script."""
    for node in ast.walk(tree) if isinstance(tree, ast.AST) else ():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            if (node.name, first) == (code.co_name, code.co_firstlineno):
                return node.body
    return None

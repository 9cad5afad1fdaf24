"""Tracebacks as Python prints them for a script that nobody runs for it."""

from __future__ import annotations

import os
import sys
from types import CodeType, TracebackType

_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_START = "<string>"  # what `-c` calls its code


def without_our_frames(error: BaseException) -> None:
    """Let the traceback begin where the user's code does; harmless when done twice.

    >>> try:
    ...     1 / 0
    ... except ZeroDivisionError as exc:
    ...     before = exc.__traceback__
    ...     without_our_frames(exc)
    ...     exc.__traceback__ is before
    True
    """
    trace = error.__traceback__
    while trace is not None and _is_ours(trace.tb_frame.f_code):
        trace = trace.tb_next
    error.__traceback__ = trace


def hide_our_frames_at_exit() -> None:
    """An exception leaves this process: whoever prints it sees the user's frames alone.

    It is still Python that prints it, and ends: by a status, or by the signal.
    """
    hook = sys.excepthook

    def without_ours(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        sys.excepthook = hook
        without_our_frames(error)
        hook(kind, error, error.__traceback__)

    sys.excepthook = without_ours


def _is_ours(code: CodeType) -> bool:
    is_start = code.co_filename == _START and code.co_name == "<module>"
    return is_start or code.co_filename.startswith(_HERE)

"""Tracebacks as Python prints them for a script that nobody runs for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from types import TracebackType

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_CAPTURE = os.path.join(_PACKAGE, "capture") + os.sep  # twins, taps, watch calls
_START = "<string>"  # what `-c` calls its code


def without_our_frames(error: BaseException) -> None:
    """Let tracebacks show the user's frames alone; harmless when done twice.

    What called the script goes, and what stands between it and its libraries. A frame
    of nbtrack's that the script called by itself stays.

    >>> try:
    ...     1 / 0
    ... except ZeroDivisionError as exc:
    ...     before = exc.__traceback__
    ...     without_our_frames(exc)
    ...     exc.__traceback__ is before
    True
    """
    for each in _with_its_causes(error):
        each.__traceback__ = _users_part(each.__traceback__, at_top=each is error)


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


def _with_its_causes(error: BaseException) -> Iterator[BaseException]:
    waiting, seen = [error], set[int]()
    while waiting:
        found = waiting.pop()
        if id(found) not in seen:
            seen.add(id(found))
            yield found
            waiting += [e for e in (found.__cause__, found.__context__) if e]


def _users_part(trace: TracebackType | None, *, at_top: bool) -> TracebackType | None:
    kept: list[TracebackType] = []
    is_ours = at_top  # what the frame before was
    for each in _chain(trace):
        file = each.tb_frame.f_code.co_filename
        of_package = file.startswith(_PACKAGE) or (is_ours and file == _START)
        is_ours = of_package and (is_ours or file.startswith(_CAPTURE))
        if not is_ours:
            kept.append(each)
    return _joined(kept)


def _chain(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next


def _joined(kept: list[TracebackType]) -> TracebackType | None:
    """The frames as one traceback; those that stand so already stay what they are."""
    following: TracebackType | None = None
    for each in reversed(kept):
        if each.tb_next is not following:
            each = TracebackType(
                following, each.tb_frame, each.tb_lasti, each.tb_lineno
            )
        following = each
    return following

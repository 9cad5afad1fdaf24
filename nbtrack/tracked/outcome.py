"""How the end of tracked code reads as a status, with the traceback worth keeping."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from nbtrack.records import Status
from nbtrack.tracking.outcome import outcome_of

# Awaiting cells are cancelled by Ctrl-C; `finally` blocks may turn that into these.
_CANCELLED = ("CancelledError", "BdbQuit")


def status_and_trace(
    error: BaseException | None, namespace: Mapping[str, Any]
) -> tuple[Status, str | None]:
    """The status of a run whose code ended so, and the traceback from that code on.

    Examples
    --------
    >>> status_and_trace(None, {}), status_and_trace(KeyboardInterrupt(), {})
    (('finished', None), ('stopped', None))
    """
    if error is None:
        return "finished", None
    if type(error).__name__ in _CANCELLED:
        return "stopped", None
    status, _ = outcome_of(error)
    return status, (trace_of(error, namespace) if status == "failed" else None)


def trace_of(error: BaseException, namespace: Mapping[str, Any]) -> str:
    """The traceback text without the frames of who ran the code."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals is not namespace:
        trace = trace.tb_next
    shown: TracebackType | None = trace or error.__traceback__
    return "".join(traceback.format_exception(type(error), error, shown))

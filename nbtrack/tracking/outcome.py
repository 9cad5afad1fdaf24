"""How an exception that left the user's code reads as the status of a run."""

from __future__ import annotations

from nbtrack.records import Status


def outcome_of(exc: BaseException) -> tuple[Status, str | None]:
    """Status and traceback text of a run that ended by `exc`.

    Examples
    --------
    >>> outcome_of(KeyboardInterrupt())
    ('stopped', None)
    >>> outcome_of(ValueError("no"))[0]
    'failed'
    """
    # Lightning leaves the process after Ctrl-C: the exit has its context.
    if isinstance(exc, KeyboardInterrupt) or _is_exit_by_interrupt(exc):
        return "stopped", None
    if isinstance(exc, SystemExit) and exc.code in (None, 0):
        return "finished", None
    if isinstance(exc, GeneratorExit):
        return "stopped", None
    import traceback  # only failures need it

    return "failed", "".join(traceback.format_exception(exc))


def _is_exit_by_interrupt(exc: BaseException) -> bool:
    interrupted = isinstance(exc.__context__, KeyboardInterrupt)
    return isinstance(exc, SystemExit) and interrupted

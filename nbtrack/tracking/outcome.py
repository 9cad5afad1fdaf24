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
    if isinstance(exc, KeyboardInterrupt):
        return "stopped", None
    if isinstance(exc, SystemExit) and exc.code in (None, 0):
        return "finished", None
    if isinstance(exc, GeneratorExit):
        return "stopped", None
    import traceback  # only failures need it

    return "failed", "".join(traceback.format_exception(exc))

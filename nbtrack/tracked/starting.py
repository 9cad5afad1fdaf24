"""The run of tracked code: begun as its options ask, or one line that says why not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbtrack.errors import (
    NbtrackError,
    OptionError,
    ResumeError,
    RunNotFoundError,
    StoreError,
)
from nbtrack.guard import guard
from nbtrack.text import text_digest

if TYPE_CHECKING:
    from nbtrack.tracked.options import TrackOptions
    from nbtrack.tracking.run import Run


def run_or_line(
    start: Callable[[], Run], say: Callable[[str], None], *, what: str
) -> Run | None:
    """The run that `start` begins; None, and one line, where none can be recorded.

    Raises
    ------
    OptionError
        For a slip of the user's, and for a run that `--resume` names in vain.
    """
    with guard("tracking", letting=(OptionError,)):
        try:
            return start()
        except (ResumeError, RunNotFoundError) as exc:
            # What `--resume` names: hours of training must not go by unrecorded.
            raise OptionError(f"--resume: {exc}") from exc
        except (NbtrackError, OSError) as exc:
            say(f"nbtrack: this {what} is not recorded: {exc}")
    return None


def started(
    options: TrackOptions,
    source: str,
    *,
    experiment: str | None,
    near: Path | None = None,
    **about: Any,  # as of `Session.begin`: notebook, cell_id, execution
) -> Run:
    """Begin the run that the options ask for, with the code that it is of.

    Raises
    ------
    NbtrackError
        Where the store can only be read, or what `--resume` names is not there.
    """
    from nbtrack.tracking.session import process_session
    from nbtrack.tracking.settings import switched_off

    session = process_session()
    store = session.store_for(near)
    if store.why_read_only is not None:
        raise StoreError(store.why_read_only)
    off = switched_off(store.path, options.off)
    return session.start(
        options.name,
        experiment=options.experiment or experiment,
        tags=options.tags,
        group=options.group,
        notes=options.notes,
        near=near,
        off=options.off,
        keep=options.keep,
        budget=options.budget,
        alerts=options.alerts,
        resume=options.resume,
        **about,
        **source_facts(source, kept="source" not in off),
    )


def source_facts(text: str, *, kept: bool) -> dict[str, Any]:
    """The code's text without secrets, under the digest of what was typed.

    >>> source_facts("x = 1", kept=True)["source"], source_facts("x", kept=False)
    ('x = 1', {})
    """
    from nbtrack.redact import redact_source

    if not kept:
        return {}
    digest = text_digest(text)
    return {"source": redact_source(text)[0], "source_digest": digest}

"""Which store and run a call is about that names none, and who makes it."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbtrack.store import Store
    from nbtrack.tracking.run import Run

FLUSH_S = 5.0  # for what this process logged a moment ago


def settled(store: Store | None) -> Store:
    """The store, with what this process logged so far."""
    if store is None:
        from nbtrack.tracking.session import process_session

        session = process_session()
        current = session.current
        is_kept = current is not None and current.is_recorded
        store = current.store if current and is_kept else session.store_for()
    if store.why_read_only is None:
        store.journal.flush(FLUSH_S)
    return store


@contextmanager
def store_given(
    store: Store | Path | str | None, *, create: bool = False
) -> Iterator[Store]:
    """The store that a call names: opened for it from a path, else as `settled`."""
    if not isinstance(store, str | Path):
        yield settled(store)
        return
    from nbtrack.store import Store

    with Store.open(store, create=create) as opened:
        yield opened


def run_in(store: Store) -> Run | None:
    """The run of this process that is being recorded in that store, if there is one."""
    from nbtrack.tracking.session import process_session

    run = process_session().current
    is_there = run is not None and run.is_recorded and run.store.path == store.path
    return run if is_there else None


def who() -> str:
    """Who changes something, as the event log has it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without an entry in the system's list
        return ""

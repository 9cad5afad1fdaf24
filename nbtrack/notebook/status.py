"""What `%track_status` says."""

from __future__ import annotations

from collections.abc import Iterator

from nbtrack.guard import guard


def status_lines() -> Iterator[str]:
    """The store, the current run, what was dropped, what failed and is off.

    Examples
    --------
    >>> next(status_lines()).startswith("store ")
    True
    """
    from nbtrack.tracking.session import process_session

    session = process_session()
    store = session.store_for()
    read_only = f" (read-only: {store.why_read_only})" if store.read_only else ""
    yield f"store {store.path}{read_only}"
    run = session.current
    yield f"recording {run.name} ({run.id})" if run else "no run is being recorded"
    dropped = session.n_dropped + store.journal.dropped + (run.n_dropped if run else 0)
    if dropped:
        yield f"{dropped} value{'s were' if dropped > 1 else ' was'} dropped"
    for feature, n in sorted(guard.failures.items()):
        yield f"{feature}: failed {n} time{'s' * (n > 1)}"

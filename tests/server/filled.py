"""Stores with runs in them, beside notebooks that the server may know of."""

from __future__ import annotations

from nbtrack.store import Store

SOME_ID = "0" * 13


def started(folder, *, run=SOME_ID, name="found", kernel="k1"):
    """A store beside a notebook, with one running run; open until it is closed."""
    folder.mkdir(parents=True, exist_ok=True)
    store = Store.open(folder / ".nbtrack")
    store.journal.emit(
        {
            "kind": "run_started",
            "run": run,
            "name": name,
            "experiment": "e",
            "started_at": "2026-01-01T00:00:00.000000Z",
            "session": {"kernel_id": kernel},
        }
    )
    assert store.journal.flush()
    return store

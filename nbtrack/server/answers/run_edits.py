"""Changing what a run is called and how it is described."""

from __future__ import annotations

from typing import Any

from nbtrack.analysis.edits import Changes, change
from nbtrack.server.desk import Desk
from nbtrack.server.rows import run_row
from nbtrack.store.registry import store_id


def edit(desk: Desk, run_id: str, changes: Changes) -> dict[str, Any]:
    """Make all of the changes or none; the run as a row, as it stands then.

    Raises
    ------
    OptionError
        For a change that cannot be meant.
    RunNotFoundError, StoreError
        When there is no such run, or its store cannot be written.
    """
    store = desk.stores.of_run(run_id)
    run = change(store, run_id, changes)
    return run_row(run, store=store_id(store.path), root=desk.stores.root)

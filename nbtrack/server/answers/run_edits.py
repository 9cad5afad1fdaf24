"""Changing what a run is called and how it is described."""

from __future__ import annotations

from typing import Any

from nbtrack.analysis.edits import Changes, change
from nbtrack.server.answers.run_rows import row_of
from nbtrack.server.desk import Desk


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
    return row_of(desk, store, run)

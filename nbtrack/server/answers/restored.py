"""The cells that a run's result depends on, as `%restore` puts them back."""

from __future__ import annotations

from typing import Any

from nbtrack.server.desk import Desk
from nbtrack.slices.restored_cells import not_kept, restored_cells
from nbtrack.slices.slice import slice_kept
from nbtrack.text import visible

UNKNOWN_MAX = 5  # variables that nobody saw being set


def cells(desk: Desk, run_id: str) -> dict[str, Any]:
    """The texts in the order in which they ran, and what is missing in them.

    Raises
    ------
    OptionError
        Where the run has no cells.
    """
    store = desk.stores.of_run(run_id)
    run = store.run(run_id)
    made = slice_kept(store, run)
    lost = not_kept(made.kept)
    said = [f"without {', '.join(lost)}: the text was not kept"] if lost else []
    unknown = list(made.missing.items())
    said += [f"unknown: {name}: {why}" for name, why in unknown[:UNKNOWN_MAX]]
    if len(unknown) > UNKNOWN_MAX:
        said.append(f"{len(unknown) - UNKNOWN_MAX} more unknown")
    return {
        "cells": restored_cells(made.kept, made.target),
        "not_kept": lost,
        "note": visible("; ".join(said)),
    }

"""The slice of a run, by what its store has of it alone."""

from __future__ import annotations

from nbtrack.errors import OptionError
from nbtrack.records import RunRecord
from nbtrack.slices.slice import Slice, slice_of_record
from nbtrack.store import Store
from nbtrack.text import shorten, visible


def slice_of_run(store: Store, run: RunRecord) -> Slice:
    """Which cells made it; no kernel is asked.

    Raises
    ------
    OptionError
        Where the run has no cells.
    """
    made = slice_of_record(store, run)
    if made is None:
        raise OptionError(
            f"Run {visible(shorten(run.name, 60))} has no cells: it was not recorded "
            "in a notebook, or with the log of cells switched off."
        )
    return made

"""`%panel`: the picture of a run, wherever it was or is recorded."""

from __future__ import annotations

from nbtrack.analysis.runs_table import store_here
from nbtrack.errors import OptionError
from nbtrack.notebook.arguments import split_line, unquoted
from nbtrack.notebook.panels import live as panels


def show_panel(line: str) -> None:
    """Show the panel of a run by id, name, beginning of an id, or "last".

    Live while the run goes on, else as it ended.

    Raises
    ------
    OptionError, RunNotFoundError
        When the line names more than one, or one that is not there.
    """
    words = split_line(line)
    if len(words) > 1:
        raise OptionError(f"Write %panel RUN, with one run instead of {len(words)}.")
    store = store_here()
    panels.show_panel(store, store.run(unquoted(words[0]) if words else "last").id)

"""`%panel`: the picture of a run, wherever it is recorded; the panel of a sweep."""

from __future__ import annotations

from typing import Any

from nbtrack.analysis.runs_table import store_here
from nbtrack.errors import OptionError
from nbtrack.notebook.arguments import split_line, unquoted
from nbtrack.notebook.panels import live as panels


def show_panel(line: str) -> Any:
    """Show the panel of a run by id, name, beginning of an id, or "last".

    Live while the run goes on, else as it ended. "sweep" is the panel of the last
    sweep, or the form for a sweep of the last tracked cell; `run:sweep` is a run.

    Raises
    ------
    OptionError, RunNotFoundError
        When the line names more than one, or one that is not there.
    """
    words = split_line(line)
    if words == ["sweep"]:
        from nbtrack.notebook.sweep_panel import sweep_panel

        return sweep_panel()
    if len(words) > 1:
        raise OptionError(f"Write %panel RUN, with one run instead of {len(words)}.")
    store = store_here()
    named = unquoted(words[0]).removeprefix("run:") if words else "last"
    panels.show_panel(store, store.run(named).id)
    return None

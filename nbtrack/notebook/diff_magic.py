"""`%diff`: why two runs differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbtrack.errors import OptionError
from nbtrack.notebook.arguments import Option, parse_arguments, unquoted
from nbtrack.slices.diff import diff
from nbtrack.text import shorten, visible

if TYPE_CHECKING:
    from nbtrack.analysis.diff.run_diff import RunDiff

OPTIONS = (Option("other", "one", ("--other",)),)


def diff_magic(line: str) -> RunDiff:
    """Show why two runs differ; see `%diff?`.

    Raises
    ------
    OptionError
        For a slip in the line.
    RunNotFoundError
        When no run, or more than one, answers.
    """
    found = parse_arguments(line, OPTIONS)
    words = [unquoted(word) for word in found.words]
    if not 1 <= len(words) <= 2:
        shown = shorten(visible(" ".join(words)), 60)
        had = f", not {shown!r}" if words else ""
        raise OptionError(f"%diff takes two runs{had}. Write %diff A B.")
    return diff(*words, other=found.one("other"))

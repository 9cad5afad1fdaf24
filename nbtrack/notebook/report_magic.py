"""`%report`: a selection of runs as a file, and a link to it below the cell."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nbtrack.analysis.report.asked import Asked
from nbtrack.errors import OptionError
from nbtrack.notebook.arguments import Option
from nbtrack.notebook.compare_magic import OPTIONS as COMPARED
from nbtrack.notebook.compare_magic import state_of_line
from nbtrack.notebook.file_links import link_to, place_of
from nbtrack.slices.report import Made, make
from nbtrack.text import counted, escape, visible
from nbtrack.tracking.settled import settled

# Of the first two runs are chosen once, not again; a report is of one store.
_NOT_HERE = ("top", "by", "stores")
OPTIONS = (
    *(option for option in COMPARED if option.name not in _NOT_HERE),
    Option("output", "one", ("-o", "--output")),
    Option("title", "one", ("--title",)),
    Option("diff", "words", ("--diff",)),
    Option("cards", "flag", ("--cards",)),
    Option("format", "one", ("--format",)),
)


@dataclass(frozen=True)
class ReportLink:
    """A report that was written, shown as a link to it."""

    made: Made

    @property
    def path(self) -> Path:
        """Of the file, absolute."""
        return self.made.path

    def __fspath__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        return visible(f"{place_of(self.path)}: {self._what()}")

    def _repr_html_(self) -> str:
        link = link_to(self.path, "target='_blank' rel='noopener'")
        return f"{link}: {escape(self._what())}"

    def _what(self) -> str:
        made = self.made
        words = [counted(made.n_runs, "run")]
        words += ["refreshed with its own selection"] if made.is_refreshed else []
        words += [f"{made.n_gone} that are gone left out"] if made.n_gone else []
        return " · ".join([*words, made.line])


def report_magic(line: str) -> ReportLink:
    """Write a report; see `%report?`.

    Raises
    ------
    NbtrackError
        For a slip in the line, or what `nbtrack.report` refuses.
    """
    store = settled(None)
    state, found = state_of_line(store, line, OPTIONS)
    pair = found.many("diff")
    if found.has("diff") and len(pair) != 2:
        raise OptionError("--diff takes two runs: --diff A B.")
    asked = Asked(
        state,
        found.one("title") or "",
        (pair[0], pair[1]) if pair else None,
        found.has("cards"),
    )
    made = make(
        asked, path=found.one("output"), format=found.one("format"), store=store
    )
    return ReportLink(made)

"""`%show` and `nbtrack.show`: a run's page in the notebook, static HTML and text.

All of it is text of runs and goes through `escape`; pictures are PNG files of the
store. It needs no script and no kernel once it stands there.
"""

from __future__ import annotations

import base64
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbtrack.analysis.run_page import Known, Section, about, headline, sections_of
from nbtrack.errors import OptionError, StoreError
from nbtrack.text import escape, shorten, visible

if TYPE_CHECKING:
    from nbtrack.records import RunRecord
    from nbtrack.store import Store
    from nbtrack.tracking.run import Run

SETTLE_S = 5.0  # what was seen of a run that ended a moment ago is still on its way
ROWS_SHOWN = 40
TEXT_SHOWN = 20_000  # characters of each text; the page stays under 100 KB a section
PICTURES_SHOWN = 6
PICTURE_MAX_BYTES = 150_000
_OPEN = (
    "About", "Why it ended", "Alerts", "Metrics", "Params", "Code", "Data", "Artifacts",
)  # fmt: skip
_CELL = "padding:1px 14px 1px 0;text-align:left;vertical-align:top;border:0"
_PRE = "max-height:24em;overflow:auto;font-size:85%;margin:2px 0 6px 0"


@dataclass(frozen=True)
class RunPage:
    """One run with everything that is known of it; `known` holds the records."""

    known: Known
    store: Store

    def __repr__(self) -> str:
        lines = [visible(headline(self.known.record))]
        for section in self._sections():
            lines += ["", section.title, *plain_section(section)]
            lines += [f"  {visible(title)} ({len(text.splitlines())} lines)"
                      for title, text in section.texts]  # fmt: skip
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = f"<div><b>{escape(headline(self.known.record))}</b></div>"
        sections = "".join(map(section_html, self._sections()))
        return f"<div>{head}{sections}{self._pictures()}</div>"

    def _sections(self) -> list[Section]:
        return [about(self.known), *sections_of(self.known)]

    def _pictures(self) -> str:
        images = [m for m in self.known.media if m.mime == "image/png" and m.digest]
        return "".join(
            self._picture(m.digest or "", f"{m.name} @ step {m.step}")
            for m in images[-PICTURES_SHOWN:]
            if (m.size_bytes or 0) <= PICTURE_MAX_BYTES
        )

    def _picture(self, digest: str, title: str) -> str:
        try:
            body = self.store.file_path(digest).read_bytes()
        except (OSError, StoreError):  # pruned or lost: the row above still names it
            return ""
        data = base64.b64encode(body).decode("ascii")
        return (
            f'<img title="{escape(title)}" alt="{escape(title)}" '
            f'style="max-height:180px;margin:4px" src="data:image/png;base64,{data}">'
        )


def show(run: Run | RunRecord | str = "last") -> RunPage:
    """The page of a run: its code, data, environment, randomness and what it printed.

    Parameters
    ----------
    run : Run, RunRecord or str
        The run, or its id, name or "last".

    Returns
    -------
    RunPage
        Shown by the notebook; `.known` has the records behind it.

    Raises
    ------
    RunNotFoundError
        When no run, or more than one, answers.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base", params={"lr": 0.1}):
    ...     nbtrack.log(loss=0.5)
    >>> page = nbtrack.show("base")
    >>> page.known.record.params["lr"].value
    0.1
    """
    from nbtrack.analysis.runs_table import store_here
    from nbtrack.tracking.background import background

    background.settle(SETTLE_S)
    store = store_here() if isinstance(run, str) else getattr(run, "store", None)
    store = store or store_here()
    store.journal.flush(SETTLE_S)
    record = store.run(run if isinstance(run, str) else run.id)
    return RunPage(Known.of(store, record.id), store)


def show_magic(line: str) -> RunPage:
    """What `%show` does with its line.

    Raises
    ------
    OptionError
        For more than one run.
    """
    words = line.split()
    if len(words) > 1:
        raise OptionError(f"%show takes one run, not {shorten(visible(line), 60)!r}.")
    return show(words[0] if words else "last")


def plain_section(section: Section) -> list[str]:
    """The rows of a section as lines of text."""
    shown = section.rows[:ROWS_SHOWN]
    rows = ["  " + "  ".join(visible(c) for c in row if c) for row in shown]
    return [*rows, *_more(section)]


def _more(section: Section) -> list[str]:
    rest = len(section.rows) - ROWS_SHOWN
    return [f"  … and {rest} more"] if rest > 0 else []


def section_html(section: Section, opened: Collection[str] = _OPEN) -> str:
    """A section that folds; open at first if its title is among `opened`."""
    rows = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{escape(c)}</td>' for c in row) + "</tr>"
        for row in section.rows[:ROWS_SHOWN]
    )
    more = "".join(f"<div>{escape(text)}</div>" for text in _more(section))
    texts = "".join(
        f"<details><summary>{escape(title)}</summary>"
        f'<pre style="{_PRE}">{_escaped_lines(text)}</pre></details>'
        for title, text in section.texts
    )
    is_open = " open" if section.title in opened else ""
    return (
        f"<details{is_open}><summary><b>{escape(section.title)}</b></summary>"
        f"<table>{rows}</table>{more}{texts}</details>"
    )


def _escaped_lines(text: str) -> str:
    # `escape` shows control characters as escapes, line breaks too: line by line.
    return "\n".join(escape(line) for line in _bounded(text).split("\n"))


def _bounded(text: str) -> str:
    if len(text) <= TEXT_SHOWN:
        return text
    half = TEXT_SHOWN // 2
    cut = len(text) - TEXT_SHOWN
    return f"{text[:half]}\n… {cut} characters left out here …\n{text[-half:]}"

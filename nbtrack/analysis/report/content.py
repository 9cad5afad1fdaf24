"""What a report says, as frozen values that know nothing of HTML or Markdown.

Every text in here is of runs, as it is: a writer escapes all of it, whatever block it
stands in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from nbtrack.analysis.diff.run_diff import RunDiff
    from nbtrack.analysis.report.asked import Asked

Tone = Literal["", "best", "worst", "good", "bad"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A text of a table; behind it a smaller one, such as the way to a baseline."""

    text: str
    tone: Tone = ""
    note: str = ""
    note_tone: Tone = ""
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading within a page."""

    text: str


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; the first column names the row."""

    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    n_left_out: int = 0  # rows that it does not show


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart as SVG that is safe as it stands, and what it shows."""

    caption: str
    svg: str


@dataclass(frozen=True, slots=True)
class Pictures:
    """Charts that stand beside one another."""

    each: Sequence[Picture]


@dataclass(frozen=True, slots=True)
class Pre:
    """A text that is kept letter by letter."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Paper:
    """The table of a paper, as text that can be taken over."""

    markdown: str
    latex: str


@dataclass(frozen=True, slots=True)
class Card:
    """A model card: Markdown in which all text of runs is escaped."""

    title: str
    markdown: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Why two runs differ."""

    found: RunDiff


Block = Note | Heading | Grid | Pictures | Pre | Paper | Card | Difference


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the report with a name in the navigation."""

    key: str  # letters: the anchor
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Report:
    """All of it, and what was asked for, so that it can be made again."""

    title: str
    made_at: str  # UTC
    version: str  # of nbtrack
    asked: Asked
    n_runs: int
    pages: Sequence[Page]


def row_of(name: str, *values: str) -> list[Cell]:
    """A row of plain texts.

    >>> row_of("runs", "3")[1].text
    '3'
    """
    return [Cell(name), *map(Cell, values)]

"""What is gathered while the cells of a slice become a script.

One `Emission` lives as long as one script is made: which stand-ins it needs, which
files belong beside it, and what was left out. It knows the kept cells as a whole, as
some of them can only be written down in sight of the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from nbtrack.capture.dataflow.pseudo import ALL_FILES, OF_FILES
from nbtrack.records import CellRecord, FlowRecord
from nbtrack.slices.emit_text import in_comment

_WORD = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Frame:
    """What a bundle puts around a script."""

    above: str = ""  # comments, before everything else
    start: str = ""  # statements, before the imports of the cells


NO_FRAME = Frame()


@dataclass(slots=True)
class Emission:
    """The script that is being made."""

    cells: Sequence[CellRecord]
    cell: CellRecord | None = None  # the one that is being written down
    needs: set[str] = field(default_factory=set)  # names in `standins`
    files: dict[str, str] = field(default_factory=dict)  # beside it: path -> text
    run_files: dict[str, str] = field(default_factory=dict)  # %run's path -> the file
    notes: list[str] = field(default_factory=list)
    magic_line: str | None = None  # `%%track base` of the cell, as a comment
    bound: frozenset[str] = frozenset()  # names that some kept cell binds
    words: frozenset[str] = frozenset()  # words in the kept cells
    reads_files: bool = True  # whether a file that a cell runs may be looked at

    def __post_init__(self) -> None:
        self.words = words_of(cell.source or "" for cell in self.cells)

    def need(self, *names: str) -> None:
        """The script uses these stand-ins."""
        self.needs.update(names)

    def left_out(self, what: str, why: str = "was left out") -> str:
        """Note it, and give the comment for its place.

        Where the cell is known to have stopped there, the script stops there as well.
        """
        shown = in_comment(what)
        if self._stopped_at(what):
            return f"raise RuntimeError({shown!r})"
        self.note(f"{shown} of {self.label} {why}")
        return f"# left out: {shown}"

    def _stopped_at(self, what: str) -> bool:
        """Whether it was this magic that made the cell fail."""
        said = (self.cell.error or "") if self.cell else ""
        name, _, line = what.partition(" ")
        if said.startswith("UsageError"):
            return f"`{name}`" in said or f"`%{name}`" in said
        missing = said.startswith("ModuleNotFoundError") and f"'{line.strip()}'" in said
        return missing and name == "%load_ext"

    def note(self, text: str) -> None:
        """Something that people should know of this script."""
        if text not in self.notes:
            self.notes.append(text)

    @property
    def label(self) -> str:
        """The cell as the notebook shows it."""
        if self.cell is None:
            return "a cell"
        number = self.cell.execution
        return f"cell {self.cell.seq + 1}" if number is None else f"[{number}]"

    @property
    def flow(self) -> FlowRecord | None:
        """What the cell is known to have read and changed."""
        return self.cell.flow if self.cell else None

    def wrote_files(self) -> bool | None:
        """Whether the cell changed files; None where nobody looked."""
        if self.flow is None:
            return None
        changed = [*self.flow.writes, *self.flow.may_write]
        return any(name.startswith(OF_FILES) or name == ALL_FILES for name in changed)


def words_of(texts: Iterable[str]) -> frozenset[str]:
    """All words that could be names.

    >>> sorted(words_of(["x = f(1)"]))
    ['f', 'x']
    """
    return frozenset(word for text in texts for word in _WORD.findall(text))

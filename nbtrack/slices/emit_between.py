"""What happens between two cells of a notebook, and has to in the script as well."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from nbtrack.capture.dataflow.pseudo import FIGURES
from nbtrack.records import CellRecord
from nbtrack.slices.emission import Emission

WAIT_MAX_S = 60.0  # for what runs in the background; people think for longer
_INLINE = frozenset({"inline", "agg", ""})
_DRAWS = ("plt", "pyplot", "pylab", "seaborn", "sns", ".plot", ".hist")


class HasCell(Protocol):
    """A cell on its way into the script."""

    @property
    def cell(self) -> CellRecord:
        """The execution."""


def before_cell(
    parts: Sequence[HasCell], at: int, emission: Emission, *, has_loop: bool
) -> list[str]:
    """Time for the background, where it changed something before this cell.

    >>> before_cell([], 0, Emission([]), has_loop=False)
    []
    """
    if at == 0:
        return []
    before, cell = parts[at - 1].cell, parts[at].cell
    earlier = [part.cell for part in parts[:at]]
    if not (cell.flow and cell.flow.between):
        return []
    seconds = min(_between(before, cell), WAIT_MAX_S)
    lines = []
    if has_loop:
        lines.append(f"_nb_loop.turn({seconds:.3f})")
    if any(c.flow and "threads" in c.flow.notes for c in earlier):
        emission.need("_nb_wait_for_threads")
        lines.append(f"_nb_wait_for_threads({seconds:.3f})")
    return lines


def _between(before: CellRecord, cell: CellRecord) -> float:
    """The seconds from one cell's end to the next one's beginning; 0 if unknown."""
    try:
        started = datetime.fromisoformat(cell.started_at)
        ended = datetime.fromisoformat(before.started_at)
        return max(0.0, (started - ended).total_seconds() - (before.duration_s or 0))
    except (ValueError, TypeError):
        return 0.0


def after_cell(text: str, emission: Emission) -> list[str]:
    """The figures of a cell are closed at its end, as the inline backend does.

    >>> emission = Emission([CellRecord(0, None, 1, "import matplotlib", "", "")])
    >>> after_cell("plt.plot(x)", emission)
    ['_nb_close_figures()']
    """
    if not any(word in text for word in _DRAWS) or _stay_open(emission):
        return []
    emission.need("_nb_close_figures")
    return ["_nb_close_figures()"]


def _stay_open(emission: Emission) -> bool:
    """Whether figures outlive their cells here."""
    for cell in emission.cells:
        if cell.flow is not None and FIGURES in cell.flow.writes:
            return True
        for line in (cell.source or "").split("\n"):
            name, _, backend = line.strip().partition(" ")
            if name == "%matplotlib" and backend.strip() not in _INLINE:
                return True
    return False

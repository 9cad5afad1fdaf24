"""What an export did: how many runs and points, and which files are new."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nbtrack.text import counted, visible


@dataclass(frozen=True, slots=True, repr=False)
class ExportReport:
    """What was written, and what was there already.

    Examples
    --------
    >>> print(ExportReport("json", Path("out"), n_runs=2, n_points=10, n_written=3))
    json in out: 2 runs, 10 points; 3 files written
    """

    format: str
    path: Path
    n_runs: int = 0
    n_points: int = 0
    n_written: int = 0  # files that are new or changed
    n_unchanged: int = 0  # files that were there as they are
    notices: tuple[str, ...] = ()  # what could not be written, a sentence each

    def __str__(self) -> str:
        return "\n".join([self._counts(), *map(visible, self.notices)])

    def __repr__(self) -> str:
        return str(self)

    def _counts(self) -> str:
        runs, points = counted(self.n_runs, "run"), counted(self.n_points, "point")
        files = counted(self.n_written, "file")
        there = f", {self.n_unchanged:,} there" if self.n_unchanged else ""
        return (
            f"{self.format} in {visible(str(self.path))}: {runs}, {points}; "
            f"{files} written{there}"
        )

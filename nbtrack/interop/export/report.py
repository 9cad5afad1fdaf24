"""What an export did: how many runs and points, and which files are new."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nbtrack.text import visible


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
        runs = f"{self.n_runs:,} run{'s'[: self.n_runs != 1]}"
        points = f"{self.n_points:,} point{'s'[: self.n_points != 1]}"
        files = f"{self.n_written:,} file{'s'[: self.n_written != 1]} written"
        there = f", {self.n_unchanged:,} there" if self.n_unchanged else ""
        return (
            f"{self.format} in {visible(str(self.path))}: {runs}, {points}; "
            f"{files}{there}"
        )

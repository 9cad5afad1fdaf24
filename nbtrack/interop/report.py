"""What an import did: which runs came, which were there, which did not and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nbtrack.text import visible


@dataclass(frozen=True, slots=True, repr=False)
class ImportReport:
    """What came into a store from another tool.

    Examples
    --------
    >>> print(ImportReport("mlflow", new=("06av",), n_points=15, n_there=2))
    from mlflow: 1 run new (15 points), 2 already there
    """

    tool: str
    new: tuple[str, ...] = ()  # ids of runs here
    updated: tuple[str, ...] = ()  # that had gone on there
    n_there: int = 0  # that were here already
    skipped: Mapping[str, str] = field(default_factory=dict)  # why, by the id there
    n_params: int = 0
    n_points: int = 0
    n_files: int = 0
    notices: tuple[str, ...] = ()  # what of a run did not come, a sentence each

    def __str__(self) -> str:
        left = [f"run {run} skipped: {why}" for run, why in self.skipped.items()]
        return "\n".join([self._counts(), *map(visible, (*left, *self.notices))])

    def __repr__(self) -> str:
        return str(self)

    def _counts(self) -> str:
        counted = [
            (len(self.new), "new"), (len(self.updated), "updated"),
            (len(self.skipped), "skipped"),
        ]  # fmt: skip
        parts = [f"{_runs(n)} {what}" for n, what in counted if n]
        brought = [
            (self.n_params, "param"), (self.n_points, "point"), (self.n_files, "file")
        ]  # fmt: skip
        came = [f"{n:,} {what}{'s'[: n != 1]}" for n, what in brought if n]
        if parts and came:
            parts[0] += f" ({', '.join(came)})"
        parts += [f"{self.n_there} already there"] if self.n_there else []
        return f"from {self.tool}: {', '.join(parts) or 'no runs'}"


def _runs(n: int) -> str:
    return f"{n} run{'s'[: n != 1]}"

"""What a push did: which runs were sent, were there already, were not and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nbtrack.interop.report import moved_text
from nbtrack.text import visible


@dataclass(frozen=True, slots=True, repr=False)
class PushReport:
    """What went to an MLflow server.

    Examples
    --------
    >>> print(PushReport("http://mlflow:5000", new=("06av",), n_points=15, n_there=2))
    to http://mlflow:5000: 1 run new (15 points), 2 already there
    """

    url: str  # as people may see it
    new: tuple[str, ...] = ()  # ids of runs here
    updated: tuple[str, ...] = ()  # that had gone on since, or were cut off
    n_there: int = 0  # of which nothing was new
    skipped: Mapping[str, str] = field(default_factory=dict)  # why, by id here
    models: tuple[str, ...] = ()  # versions that were registered: "fraud@1.0.0"
    n_params: int = 0
    n_points: int = 0
    n_files: int = 0
    n_bytes: int = 0  # of files
    notices: tuple[str, ...] = ()  # what of a run is not there as it is here

    def __str__(self) -> str:
        models = [f"registered {ref}" for ref in self.models]
        left = [f"run {run} skipped: {why}" for run, why in self.skipped.items()]
        return "\n".join(
            [self._counts(), *map(visible, (*models, *left, *self.notices))]
        )

    def __repr__(self) -> str:
        return str(self)

    def _counts(self) -> str:
        runs = {"new": self.new, "updated": self.updated, "skipped": self.skipped}
        parts = {"param": self.n_params, "point": self.n_points, "file": self.n_files}
        told = moved_text(runs, parts, n_there=self.n_there, n_bytes=self.n_bytes)
        return f"to {self.url}: {told}"

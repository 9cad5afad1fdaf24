"""What a push did: which runs were sent, were there already, were not and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nbtrack.text import shown_bytes, visible


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
        counted = [
            (len(self.new), "new"), (len(self.updated), "updated"),
            (len(self.skipped), "skipped"),
        ]  # fmt: skip
        parts = [f"{n} run{'s'[: n != 1]} {what}" for n, what in counted if n]
        brought = [
            (self.n_params, "param"), (self.n_points, "point"), (self.n_files, "file")
        ]  # fmt: skip
        went = [f"{n:,} {what}{'s'[: n != 1]}" for n, what in brought if n]
        went += [shown_bytes(self.n_bytes)] if self.n_bytes else []
        if parts and went:
            parts[0] += f" ({', '.join(went)})"
        parts += [f"{self.n_there} already there"] if self.n_there else []
        return f"to {self.url}: {', '.join(parts) or 'no runs'}"

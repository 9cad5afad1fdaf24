"""What an import did: which runs came, which were there, which did not and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sized
from dataclasses import dataclass, field

from nbtrack.text import counted, shown_bytes, visible

Progress = Callable[[int, int], None]  # runs done, runs in all


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
        runs = {"new": self.new, "updated": self.updated, "skipped": self.skipped}
        parts = {"param": self.n_params, "point": self.n_points, "file": self.n_files}
        return f"from {self.tool}: {moved_text(runs, parts, n_there=self.n_there)}"


def moved_text(
    runs: Mapping[str, Sized],
    parts: Mapping[str, int],
    *,
    n_there: int,
    n_bytes: int = 0,
) -> str:
    """What an import and a push say alike: runs, and in brackets what they brought.

    >>> moved_text({"new": ("06av",), "updated": ()}, {"point": 15}, n_there=2)
    '1 run new (15 points), 2 already there'
    """
    said = [f"{counted(len(ids), 'run')} {what}" for what, ids in runs.items() if ids]
    brought = [counted(n, what) for what, n in parts.items() if n]
    brought += [shown_bytes(n_bytes)] if n_bytes else []
    if said and brought:
        said[0] += f" ({', '.join(brought)})"
    said += [f"{n_there} already there"] if n_there else []
    return ", ".join(said) or "no runs"

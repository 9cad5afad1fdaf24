"""What a merge did: which runs and versions came, which did not, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nbtrack.text import shown_bytes, visible


@dataclass(frozen=True, slots=True, repr=False)
class MergeReport:
    """What came into a store from another.

    Examples
    --------
    >>> print(MergeReport("there/.nbtrack", new=("06av",), n_there=2))
    from there/.nbtrack: 1 run new, 2 already there
    """

    other: str
    new: tuple[str, ...] = ()  # ids of runs
    updated: tuple[str, ...] = ()  # that had gone on there
    n_there: int = 0  # runs that were here already, and no newer there
    skipped: Mapping[str, str] = field(
        default_factory=dict
    )  # why, by the id of the run
    versions: tuple[str, ...] = ()  # of artifacts, as they are called here
    renumbered: Mapping[str, str] = field(default_factory=dict)  # `mlp:v0`: `mlp:v2`
    models: tuple[str, ...] = ()
    n_edits: int = 0  # of metrics and experiments, which can be undone here too
    n_files: int = 0
    n_bytes: int = 0
    notices: tuple[str, ...] = ()  # what did not come, a sentence each

    def __str__(self) -> str:
        return "\n".join([self._counts(), *self._lines()])

    def __repr__(self) -> str:
        return str(self)

    def _counts(self) -> str:
        counted = [
            (self.new, "run{} new"), (self.updated, "run{} updated"),
            (self.skipped, "run{} skipped"),
            (self.versions, "version{} of artifacts"), (self.models, "model{}"),
        ]  # fmt: skip
        parts = [
            f"{len(found)} {text.format('s'[: len(found) != 1])}"
            for found, text in counted
            if found
        ]
        parts += [f"{self.n_there} already there"] if self.n_there else []
        if self.n_files:
            parts.append(f"{shown_bytes(self.n_bytes)} of files")
        return f"from {visible(self.other)}: {', '.join(parts) or 'nothing to take'}"

    def _lines(self) -> list[str]:
        moved = [
            f"{visible(there)} of the other store is {visible(here)} here"
            for there, here in self.renumbered.items()
        ]
        left = [f"run {run}: {why}" for run, why in self.skipped.items()]
        return [*moved, *map(visible, left), *map(visible, self.notices)]

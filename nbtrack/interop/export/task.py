"""What is to be exported, and what became of it so far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from nbtrack.interop.export.documents import Document
from nbtrack.records import RunRecord
from nbtrack.store import Store


@dataclass(slots=True)
class ExportTask:
    """The runs of one export."""

    store: Store
    ids: Sequence[str]
    files: bool = True  # also the bytes of artifacts and rich values
    n_points: int = 0
    notices: list[str] = field(default_factory=list)

    def records(self) -> Iterator[RunRecord]:
        """The runs with their source, one at a time."""
        for id_ in self.ids:
            yield self.store.run(id_)

    def count(self, document: Document) -> None:
        """Count the points of a run."""
        self.n_points += sum(metric["n"] for metric in document["metrics"])

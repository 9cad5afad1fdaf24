"""Where a comparison reads: one store, or several of them as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from nbtrack.records import RunRecord
    from nbtrack.store import Table
    from nbtrack.store.curves import Curve


class Source(Protocol):
    """What `Store` and `SeveralStores` both answer; see there."""

    def version(self) -> object:
        """Another one than before where somebody has written."""

    def table(self) -> Table:
        """The runs that are not in the trash, newest first."""

    def run(self, id_or_name: str, /) -> RunRecord:
        """One run; RunNotFoundError where it is not there."""

    def curve(self, run_id: str, metric: str, /) -> Curve:
        """The points of one metric; MetricNotFoundError where a run lacks it."""

    def count_points(self, run_id: str, metric: str, /) -> int:
        """How many there are."""

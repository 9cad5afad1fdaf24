"""Reads of one value or one column: what a panel asks for many times a second."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from nbtrack.records import AlertRecord, MetricSummary
from nbtrack.store.alert_reads import now_to_tell
from nbtrack.store.alert_rows import newest_alerts
from nbtrack.store.queries import read_summaries


class RunHead(NamedTuple):
    """What sorts and filters a run in a list; the status as it is written down."""

    id: str
    started_at: str
    status: str
    session: str | None
    kernel_id: str | None
    cell_id: str | None
    parent: str | None
    is_trashed: bool


class ReadsLittle:
    """The part of `Store` that answers small questions."""

    path: Path
    _reading: Callable[[], AbstractContextManager[sqlite3.Connection]]

    def run_names(self) -> list[str]:
        """What the runs that are not in the trash are called.

        >>> import tempfile
        >>> from nbtrack.store import Store
        >>> with Store.open(tempfile.mkdtemp()) as store:
        ...     store.run_names()
        []
        """
        with self._reading() as reader:
            rows = reader.execute("select name from runs where trashed_at is null")
            return [name for (name,) in rows]

    def version(self) -> tuple[int, int]:
        """Another one than before where somebody has written; nothing else is read.

        >>> import tempfile
        >>> from nbtrack.store import Store
        >>> with Store.open(tempfile.mkdtemp()) as store:
        ...     store.version() == store.version()
        True
        """
        with self._reading() as reader:
            found = reader.execute("pragma data_version").fetchone()
            return id(reader), int(found[0])

    def axes_of(self, run_id: str) -> list[tuple[str, str]]:
        """The loop counters of the metrics of a run: metric and axis."""
        with self._reading() as reader:
            rows = reader.execute(
                "select axis_of, name from metrics where run = ? and deleted_at is null"
                " and axis_of is not null order by id",
                (run_id,),
            )
            return [(metric, axis) for metric, axis in rows]

    def count_points(self, run_id: str, metric: str) -> int:
        """How many points of a metric are in the store; 0 where a run lacks it."""
        with self._reading() as reader:
            found = reader.execute(
                "select n from metrics where run = ? and name = ?"
                " and axis_of is null and deleted_at is null",
                (run_id, metric),
            ).fetchone()
        return int(found[0]) if found else 0

    def has_run(self, run_id: str) -> bool:
        """Whether there is a run of this id, in the trash or not."""
        with self._reading() as reader:
            found = reader.execute("select 1 from runs where id = ?", (run_id,))
            return found.fetchone() is not None

    def run_heads(self) -> list[RunHead]:
        """All runs, newest first, those in the trash too; five thousand take 10 ms.

        >>> import tempfile
        >>> from nbtrack.store import Store
        >>> with Store.open(tempfile.mkdtemp()) as store:
        ...     store.run_heads()
        []
        """
        with self._reading() as reader:
            sessions = reader.execute(
                "select id, json_extract(facts, '$.kernel_id') from sessions"
            ).fetchall()
            rows = reader.execute(
                "select id, started_at, status, session, cell_id, parent,"
                " trashed_at is not null from runs order by started_at desc, id desc"
            ).fetchall()
        kernels = dict(sessions)
        return [
            RunHead(id_, at, status, session, kernels.get(session), *rest)
            for id_, at, status, session, *rest in rows
        ]

    def summaries(
        self, runs: Collection[str], names: Collection[str] | None = None
    ) -> dict[str, dict[str, MetricSummary]]:
        """The metrics of some runs, all or those of some names, by run and name."""
        few = None if names is None else json.dumps([*names])
        with self._reading() as reader:
            return read_summaries(reader, json.dumps([*runs]), few)

    def newest_alerts(
        self, limit: int, *, running: Collection[str] = ()
    ) -> list[tuple[AlertRecord, str]]:
        """The newest alerts of runs that are not in the trash, each with a run's name.

        Of those that are `running`, by their ids, also what nobody has written down.

        >>> import tempfile
        >>> from nbtrack.store import Store
        >>> with Store.open(tempfile.mkdtemp()) as store:
        ...     store.newest_alerts(10)
        []
        """
        with self._reading() as reader:
            found = newest_alerts(reader, limit)
            new = now_to_tell(reader, self.path / "journal", running)
        found += new
        return sorted(found, key=lambda one: one[0].at, reverse=True)[:limit]

    def names_used(self) -> set[str]:
        """What the params and metrics of its runs are called."""
        with self._reading() as reader:
            rows = reader.execute(
                "select name from params union select name from metrics"
                " where axis_of is null and deleted_at is null"
            )
            return {name for (name,) in rows}

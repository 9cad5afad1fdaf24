"""Reads of one value or one column: what a panel asks for many times a second."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager


class ReadsLittle:
    """The part of `Store` that answers small questions."""

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

    def count_points(self, run_id: str, metric: str) -> int:
        """How many points of a metric are in the store; 0 where a run lacks it."""
        with self._reading() as reader:
            found = reader.execute(
                "select n from metrics where run = ? and name = ?"
                " and axis_of is null and deleted_at is null",
                (run_id, metric),
            ).fetchone()
        return int(found[0]) if found else 0

"""Commands to running runs: rows that the writer sees after its next commit."""

from __future__ import annotations

import time
from typing import Protocol

from nbtrack.errors import StoreError
from nbtrack.guard import guard
from nbtrack.store.database import Database
from nbtrack.store.journal import CommandCall
from nbtrack.store.values import iso

_COMMANDS = ("stop", "checkpoint")


def send(database: Database, run_id: str, command: str, *, by: str) -> None:
    """Leave a command for a run, inside the caller's transaction."""
    if command not in _COMMANDS:
        raise StoreError(f"Command {command!r} is not one of {_COMMANDS}.")
    database.connection.execute(
        "insert into controls(run, command, by, at) values (?, ?, ?, ?)",
        (run_id, command, by, iso(time.time())),
    )


class HasCallbacks(Protocol):
    """A journal, or what stands for one of another machine."""

    callbacks: dict[str, CommandCall]  # by the run's id


class Controls:
    """Looks for commands to the runs of one journal and calls their callbacks."""

    def __init__(self, database: Database, journal: HasCallbacks) -> None:
        self._database = database
        self._journal = journal
        self._delivered: set[int] = set()

    def poll(self) -> None:
        """Deliver what is waiting, each command once."""
        for run_id, callback in list(self._journal.callbacks.items()):
            rows = self._database.connection.execute(
                "select id, command, by from controls"
                " where run = ? and seen_at is null order by id",
                (run_id,),
            ).fetchall()
            for row_id, command, by in rows:
                if row_id not in self._delivered:
                    self._delivered.add(row_id)
                    with guard("a command to a run"):
                        callback(command, by)
            self._mark_seen([row_id for row_id, _, _ in rows])

    def _mark_seen(self, row_ids: list[int]) -> None:
        if row_ids:
            with self._database.write(wait_s=0.5):
                for row_id in row_ids:
                    self._database.connection.execute(
                        "update controls set seen_at = ? where id = ?",
                        (iso(time.time()), row_id),
                    )

"""What to do with a run of another store: it is new, it went on there, or neither.

A run went on there where sessions recorded it that are not known here, or where the
same sessions left more there. Where both stores know sessions that the other does not,
it went on in both: then nothing is done, since no order of their points would be true.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Literal

from nbtrack.store.queries import is_running

Choice = Literal["new", "updated", "there"]
_SESSIONS = """
  select session from {0}.lives where run = :run
  union select session from {0}.runs where id = :run and session is not null
"""
# Whatever is only ever added to a run; a metric that is hidden counts.
_SIZE = """
  select (select coalesce(sum(n), 0) from {0}.metrics where run = :run)
    + (select count(*) from {0}.params where run = :run)
    + (select count(*) from {0}.facts where run = :run)
    + (select count(*) from {0}.texts where run = :run)
    + (select count(*) from {0}.inputs where run = :run)
    + (select count(*) from {0}.media where run = :run)
    + (select count(*) from {0}.notices where run = :run)
    + (select count(*) from {0}.artifact_uses where run = :run)
"""
_EDITED = """
  select 1 from (
      select iif(json_valid(what), what, '{{}}') as what from {0}.edits
      where undone_at is null) as edits,
    json_each(edits.what, '$.runs') as changed
  where changed.value = :run
    and edits.what ->> '$.kind' in ('rename_metric', 'delete_metric')
"""
_UNFINISHED = ("running", "crashed")


def choice_for(
    connection: sqlite3.Connection, run: str, journal: Path, *, n_failed: int = 0
) -> tuple[Choice, str | None]:
    """What is to be done with a run there, and why nothing can be, if so.

    Parameters
    ----------
    n_failed
        How many of its uses and rich values cannot come, since their files are damaged.
    """
    status_here, status_there = (_status(connection, db, run) for db in _BOTH)
    if status_here is None:
        return "new", None
    here, there = (_sessions(connection, db, run) for db in _BOTH)
    if here - there and there - here:
        return "there", "it went on in both stores: it stays as it is here"
    if here - there:
        return "there", None
    goes_on = there > here or _is_more(connection, run, n_failed)
    ended = status_here in _UNFINISHED and status_there not in _UNFINISHED
    if not goes_on and not ended:
        return "there", None
    if is_running(connection, journal, run):
        return "there", "it is running here"
    if any(_asked(connection, _EDITED, db, run) for db in _BOTH):
        return "there", (
            "it went on there, and its metrics were renamed or deleted in one of the "
            "stores: undo that edit and merge again"
        )
    return "updated", None


_BOTH = ("main", "other")


def _asked(
    connection: sqlite3.Connection, query: str, db: str, run: str
) -> list[tuple[object, ...]]:
    return connection.execute(query.format(db), {"run": run}).fetchall()


def _status(connection: sqlite3.Connection, db: str, run: str) -> object:
    found = _asked(connection, "select status from {0}.runs where id = :run", db, run)
    return found[0][0] if found else None


def _sessions(connection: sqlite3.Connection, db: str, run: str) -> set[object]:
    return {session for (session,) in _asked(connection, _SESSIONS, db, run)}


def _is_more(connection: sqlite3.Connection, run: str, n_failed: int) -> bool:
    [(here,)], [(there,)] = (_asked(connection, _SIZE, db, run) for db in _BOTH)
    return int(str(there)) - n_failed > int(str(here))

"""What a reader finds out by itself of runs that are running: stalled, or gone."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection
from pathlib import Path

from nbtrack.records import AlertRecord, RunRecord
from nbtrack.store.alert_rows import unwritten
from nbtrack.store.queries import Alive, is_running


def now_to_tell(
    connection: sqlite3.Connection, journal: Path, runs: Collection[str]
) -> list[tuple[AlertRecord, str]]:
    """What these runs, if they are running, cannot say themselves, with their names."""
    alive = Alive(journal)
    rows = connection.execute(
        "select id, name, session from runs where status = 'running'"
        " and trashed_at is null and id in (select value from json_each(?))",
        (json.dumps([*runs]),),
    ).fetchall()
    return [
        (alert, name)
        for run, name, session in rows
        for alert in unwritten(
            connection, run, is_alive=alive(session), now_s=time.time()
        )
    ]


def is_as_told(connection: sqlite3.Connection, journal: Path, run: RunRecord) -> bool:
    """Whether a run whose tables have not changed is as it was: alive, not stalled."""
    if run.status != "running":
        return True
    if not is_running(connection, journal, run.id):
        return False
    new = unwritten(connection, run.id, is_alive=True, now_s=time.time())
    told = {alert.key for alert in run.alerts}
    return all(alert.key in told for alert in new)

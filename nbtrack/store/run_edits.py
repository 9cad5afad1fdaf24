"""Changes whole runs at once: their experiment, or into the trash; and back.

Each function runs inside the caller's transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from nbtrack.errors import OptionError, StoreError
from nbtrack.text import did_you_mean, shorten

What = Mapping[str, Any]


def rename_experiment(
    connection: sqlite3.Connection, old: str, new: str
) -> dict[str, Any]:
    """All runs of an experiment, the trash included, go to another."""
    rows = connection.execute(
        "select id from runs where experiment = ? order by started_at, id", (old,)
    ).fetchall()
    if not rows:
        known = connection.execute("select distinct experiment from runs").fetchall()
        hint = did_you_mean(old, [row[0] for row in known])
        raise OptionError(f"No run is of the experiment {shorten(repr(old))}.{hint}")
    runs = [row[0] for row in rows]
    _set_experiment(connection, new, runs)
    return {"kind": "rename_experiment", "old": old, "new": new, "runs": runs}


def undo_experiment(connection: sqlite3.Connection, what: What) -> None:
    """Runs go back to their experiment; refused where they went on to a third."""
    elsewhere = connection.execute(
        "select distinct experiment from runs where experiment != ?"
        " and id in (select value from json_each(?))",
        (what["new"], json.dumps(what["runs"])),
    ).fetchall()
    if elsewhere:
        raise StoreError(
            f"The runs were given to {shorten(repr(elsewhere[0][0]))} since: undo that "
            "edit first. Nothing was changed."
        )
    _set_experiment(connection, what["old"], what["runs"])


def trash(
    connection: sqlite3.Connection, runs: Sequence[str], query: str, at: str
) -> dict[str, Any]:
    """Put those runs aside that are not in the trash yet."""
    rows = connection.execute(
        "update runs set trashed_at = ? where trashed_at is null"
        " and id in (select value from json_each(?)) returning id",
        (at, json.dumps(list(runs))),
    ).fetchall()
    return {"kind": "trash", "query": query, "runs": sorted(row[0] for row in rows)}


def undo_trash(connection: sqlite3.Connection, what: What, at: str) -> None:
    """Take back those that are in the trash since then; others are left alone."""
    connection.execute(
        "update runs set trashed_at = null where trashed_at = ?"
        " and id in (select value from json_each(?))",
        (at, json.dumps(what["runs"])),
    )


def _set_experiment(
    connection: sqlite3.Connection, experiment: str, runs: Sequence[str]
) -> None:
    connection.execute(
        "update runs set experiment = ? where id in (select value from json_each(?))",
        (experiment, json.dumps(runs)),
    )

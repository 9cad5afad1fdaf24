"""Renames and deletes metrics of runs that are over, and takes both back.

A metric's row keeps its id, and with it points and summary, whatever it is called;
its axes and the numbers beside checkpoints follow the name. Each function runs inside
the caller's transaction and either does all of it or raises and does nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nbtrack.errors import MetricNotFoundError, StoreError
from nbtrack.metric_names import goal_of
from nbtrack.store.liveness import is_alive
from nbtrack.store.values import as_json
from nbtrack.text import did_you_mean, shorten, visible

What = Mapping[str, Any]
_N_NAMED = 5  # runs named in an error


class _Row(NamedTuple):
    """A metric, or an axis of it, and its run."""

    id: int
    run: str
    goal: str | None
    is_axis: bool


def rename(
    connection: sqlite3.Connection,
    journal: Path,
    old: str,
    new: str,
    runs: Sequence[str],
) -> dict[str, Any]:
    """Rename a metric of those of the runs that have it; what undoing needs."""
    rows = _found(connection, old, runs)
    _refuse_running(connection, journal, {row.run for row in rows})
    _refuse_taken(connection, new, {row.run for row in rows}, "rename or delete that")
    metrics = [row.id for row in rows if not row.is_axis]
    axes = [row.id for row in rows if row.is_axis]
    judged = [row.id for row in rows if not row.is_axis and row.goal is None]
    _set_names(connection, new, metrics, axes)
    _set_goal(connection, goal_of(new), judged)
    ids = _runs_of(rows)
    return {
        "kind": "rename_metric", "old": old, "new": new, "runs": ids,
        "metrics": metrics, "axes": axes, "judged": judged,
        "checkpoints": _rename_beside_checkpoints(connection, old, new, ids),
    }  # fmt: skip


def delete(
    connection: sqlite3.Connection,
    journal: Path,
    name: str,
    runs: Sequence[str],
    at: str,
) -> dict[str, Any]:
    """Hide a metric of those of the runs that have it; what undoing needs."""
    rows = _found(connection, name, runs)
    _refuse_running(connection, journal, {row.run for row in rows})
    metrics = [row.id for row in rows]
    _set_deleted(connection, at, metrics)
    ids = _runs_of(rows)
    return {
        "kind": "delete_metric", "name": name, "runs": ids, "metrics": metrics,
        "checkpoints": _take_from_checkpoints(connection, name, ids),
    }  # fmt: skip


def undo_rename(
    connection: sqlite3.Connection, journal: Path, what: What, edit_id: int
) -> None:
    """Give the metrics of an edit their old name and goal back."""
    old, new, metrics = what["old"], what["new"], what["metrics"]
    _refuse_running(connection, journal, set(what["runs"]))
    _refuse_changed_since(connection, new, metrics, edit_id)
    alive = _not_deleted(connection, metrics)
    _refuse_taken(connection, old, alive, "rename that first, then undo")
    _set_names(connection, old, metrics, what["axes"])
    _set_goal(connection, None, what["judged"])
    _rename_in(connection, [row[0] for row in what["checkpoints"]], new, old)


def undo_delete(
    connection: sqlite3.Connection, journal: Path, what: What, at: str
) -> None:
    """Show the metrics of an edit again."""
    _refuse_running(connection, journal, set(what["runs"]))
    rows = connection.execute(
        "select run, name from metrics where axis_of is null and deleted_at = ?"
        " and id in (select value from json_each(?))",
        (at, json.dumps(what["metrics"])),
    ).fetchall()
    # Not always the name of the edit: a rename before it may have been undone since.
    names = dict(rows)
    for name in dict.fromkeys(names.values()):
        of_name = [run for run in names if names[run] == name]
        _refuse_taken(connection, name, of_name, "rename that first, then undo")
    _set_deleted(connection, None, what["metrics"])
    for id_, place, value in what["checkpoints"]:
        _put_back(connection, id_, place, value, names)


def _found(
    connection: sqlite3.Connection, name: str, runs: Sequence[str]
) -> list[_Row]:
    """The rows of a metric and its axes; MetricNotFoundError where no run has it."""
    rows = connection.execute(
        """
        select id, run, goal, axis_of is not null from metrics
        where run in (select value from json_each(:runs)) and deleted_at is null
          and (name = :name and axis_of is null or axis_of = :name)
          and exists (
            select 1 from metrics as own where own.run = metrics.run
              and own.name = :name and own.axis_of is null and own.n > 0
              and own.deleted_at is null)
        order by id
        """,
        {"runs": json.dumps(list(runs)), "name": name},
    ).fetchall()
    if not rows:
        raise MetricNotFoundError(_unknown(connection, name, runs))
    return [_Row(id_, run, goal, bool(axis)) for id_, run, goal, axis in rows]


def _unknown(connection: sqlite3.Connection, name: str, runs: Sequence[str]) -> str:
    rows = connection.execute(
        "select distinct name from metrics where axis_of is null and deleted_at is null"
        " and n > 0 and name not glob 'system/*'"
        " and run in (select value from json_each(?))",
        (json.dumps(list(runs)),),
    ).fetchall()
    known = sorted(row[0] for row in rows)
    hint = did_you_mean(name, known) or (
        f" There are {shorten(', '.join(known), 120)}." if known else ""
    )
    which = "the run has" if len(runs) == 1 else f"none of the {len(runs)} runs has"
    return f"No metric {shorten(repr(name))}: {which} it.{hint}"


def _refuse_running(
    connection: sqlite3.Connection, journal: Path, runs: Iterable[str]
) -> None:
    rows = connection.execute(
        "select name, id, session from runs where status = 'running' and session"
        " is not null and id in (select value from json_each(?))",
        (json.dumps(sorted(runs)),),
    ).fetchall()
    going = [f"{name} ({id_})" for name, id_, own in rows if is_alive(journal / own)]
    if going:
        raise StoreError(
            f"Still running: {_listed(going)}. It would go on under the old name: "
            "stop it first, or leave it out. Nothing was changed."
        )


def _refuse_taken(
    connection: sqlite3.Connection, name: str, runs: Iterable[str], way_out: str
) -> None:
    """Refuse where one of the runs has a metric of this name."""
    rows = connection.execute(
        """
        select distinct runs.name, runs.id from metrics join runs on runs.id = run
        where run in (select value from json_each(:runs)) and deleted_at is null
          and (metrics.name = :name and axis_of is null or axis_of = :name)
        order by runs.id
        """,
        {"runs": json.dumps(sorted(runs)), "name": name},
    ).fetchall()
    if rows:
        listed = _listed([f"{run} ({id_})" for run, id_ in rows])
        raise StoreError(
            f"A metric {shorten(repr(name))} is there already in {listed}: {way_out}. "
            "Nothing was changed."
        )


def _refuse_changed_since(
    connection: sqlite3.Connection, name: str, metrics: Sequence[int], edit_id: int
) -> None:
    """Refuse where the metrics of an edit are called something else by now."""
    ids = json.dumps(metrics)
    rows = connection.execute(
        "select distinct name from metrics where name != ?"
        " and id in (select value from json_each(?))",
        (name, ids),
    ).fetchall()
    if not rows:
        return
    later = connection.execute(
        """
        select max(edits.id) from edits, json_each(edits.what, '$.metrics') as changed
        where edits.id > ? and undone_at is null
          and changed.value in (select value from json_each(?))
        """,
        (edit_id, ids),
    ).fetchone()[0]
    raise StoreError(
        f"Since edit {edit_id}, {shorten(repr(name))} was renamed to "
        f"{shorten(repr(rows[0][0]))}: undo edit {later} first. Nothing was changed."
    )


def _not_deleted(connection: sqlite3.Connection, metrics: Sequence[int]) -> set[str]:
    rows = connection.execute(
        "select run from metrics where deleted_at is null"
        " and id in (select value from json_each(?))",
        (json.dumps(metrics),),
    ).fetchall()
    return {row[0] for row in rows}


def _set_names(
    connection: sqlite3.Connection,
    name: str,
    metrics: Sequence[int],
    axes: Sequence[int],
) -> None:
    connection.execute(
        "update metrics set name = ? where id in (select value from json_each(?))",
        (name, json.dumps(metrics)),
    )
    connection.execute(
        "update metrics set axis_of = ? where id in (select value from json_each(?))",
        (name, json.dumps(axes)),
    )


def _set_goal(
    connection: sqlite3.Connection, goal: str | None, metrics: Sequence[int]
) -> None:
    connection.execute(
        "update metrics set goal = ? where id in (select value from json_each(?))",
        (goal, json.dumps(metrics)),
    )


def _set_deleted(
    connection: sqlite3.Connection, at: str | None, metrics: Sequence[int]
) -> None:
    connection.execute(
        "update metrics set deleted_at = ?"
        " where id in (select value from json_each(?))",
        (at, json.dumps(metrics)),
    )


def _rename_beside_checkpoints(
    connection: sqlite3.Connection, old: str, new: str, runs: list[str]
) -> list[list[int]]:
    rows = _checkpoints(connection, runs)
    ids = [id_ for id_, metrics in rows if old in metrics and new not in metrics]
    _rename_in(connection, ids, old, new)
    return [[id_] for id_ in ids]


def _rename_in(
    connection: sqlite3.Connection, checkpoints: list[int], old: str, new: str
) -> None:
    """Rename a number beside checkpoints where it stands, the order kept."""
    for id_ in checkpoints:
        metrics = _beside(connection, id_)
        if old in metrics:
            renamed = {new if key == old else key: v for key, v in metrics.items()}
            _set_beside(connection, id_, renamed)


def _take_from_checkpoints(
    connection: sqlite3.Connection, name: str, runs: list[str]
) -> list[list[Any]]:
    taken = []
    for id_, metrics in _checkpoints(connection, runs):
        if name in metrics:
            place = list(metrics).index(name)
            taken.append([id_, place, metrics.pop(name)])
            _set_beside(connection, id_, metrics)
    return taken


def _put_back(
    connection: sqlite3.Connection,
    checkpoint: int,
    place: int,
    value: Any,
    names: Mapping[str, str],
) -> None:
    row = connection.execute(
        "select run from artifact_uses where id = ?", (checkpoint,)
    ).fetchone()
    name = names.get(row[0]) if row else None
    if name is not None:
        pairs = list(_beside(connection, checkpoint).items())
        pairs.insert(place, (name, value))
        _set_beside(connection, checkpoint, dict(pairs))


def _checkpoints(
    connection: sqlite3.Connection, runs: list[str]
) -> list[tuple[int, dict[str, Any]]]:
    rows = connection.execute(
        "select id, metrics from artifact_uses"
        " where role = 'output' and run in (select value from json_each(?))"
        " order by id",
        (json.dumps(runs),),
    ).fetchall()
    return [(id_, json.loads(metrics)) for id_, metrics in rows]


def _beside(connection: sqlite3.Connection, checkpoint: int) -> dict[str, Any]:
    row = connection.execute(
        "select metrics from artifact_uses where id = ?", (checkpoint,)
    ).fetchone()
    found: dict[str, Any] = json.loads(row[0]) if row else {}
    return found


def _set_beside(
    connection: sqlite3.Connection, checkpoint: int, metrics: dict[str, Any]
) -> None:
    connection.execute(
        "update artifact_uses set metrics = ? where id = ?",
        (as_json(metrics), checkpoint),
    )


def _runs_of(rows: list[_Row]) -> list[str]:
    return list(dict.fromkeys(row.run for row in rows))


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _N_NAMED} more" if len(names) > _N_NAMED else ""
    return visible(", ".join(names[:_N_NAMED])) + more

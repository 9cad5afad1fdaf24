"""The aliases of artifacts: the user's own, and `latest` and `best`, kept by the store.

`latest` is the newest version that is kept; `best` follows the artifact's metric and
goal and moves only to what is better. Everything runs inside the caller's transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from nbtrack.metric_names import goal_of, judges
from nbtrack.records import Goal, is_better
from nbtrack.store.values import now, storable


class Version(NamedTuple):
    """Where a version stands in the tables."""

    artifact: int
    id: int
    number: int


def set_alias(
    connection: sqlite3.Connection, version: Version, alias: str, *, by: str = ""
) -> None:
    """Point an alias at a version; said in the events where it moves."""
    before = alias_target(connection, version.artifact, alias)
    if before is not None and before.id == version.id:
        return
    connection.execute(
        "insert or replace into artifact_aliases(artifact, alias, version, at)"
        " values (?, ?, ?, ?)",
        (version.artifact, alias, version.id, now()),
    )
    note_event(connection, version, "alias", detail=alias, by=by)


def alias_target(
    connection: sqlite3.Connection, artifact: int, alias: str
) -> Version | None:
    """The version that an alias names now."""
    row = connection.execute(
        """
        select aliases.artifact, versions.id, versions.version
        from artifact_aliases as aliases
        join artifact_versions as versions on versions.id = aliases.version
        where aliases.artifact = ? and alias = ?
        """,
        (artifact, alias),
    ).fetchone()
    return None if row is None else Version(*row)


def follow(
    connection: sqlite3.Connection,
    artifact: int,
    *,
    logged: Version | None = None,
    by: str = "",
) -> None:
    """Bring `latest` and `best` to where they belong now.

    `logged` is the only version that is new, where that is so: the numbers beside the
    others are not read then (20 ms for 2,000 versions).
    """
    latest = connection.execute(
        "select artifact, id, version from artifact_versions"
        " where artifact = ? and gone_at is null order by version desc limit 1",
        (artifact,),
    ).fetchone()
    _point(connection, artifact, "latest", latest and Version(*latest), by=by)
    best = alias_target(connection, artifact, "best")
    few = None if logged is None else [v.id for v in (best, logged) if v is not None]
    judge = _judge(connection, artifact, few)
    if judge is not None:
        found = _best(connection, artifact, *judge, among=few if best else None)
        _point(connection, artifact, "best", found, by=by)


def note_event(
    connection: sqlite3.Connection,
    version: Version,
    what: str,
    *,
    detail: str = "",
    by: str = "",
) -> None:
    """Write down that something happened to a version."""
    connection.execute(
        "insert into artifact_events(artifact, version, what, detail, by, at)"
        " values (?, ?, ?, ?, ?, ?)",
        (version.artifact, version.id, what, storable(detail), storable(by), now()),
    )


def _point(
    connection: sqlite3.Connection,
    artifact: int,
    alias: str,
    version: Version | None,
    *,
    by: str,
) -> None:
    if version is not None:
        set_alias(connection, version, alias, by=by)
    else:
        connection.execute(
            "delete from artifact_aliases where artifact = ? and alias = ?",
            (artifact, alias),
        )


def _judge(
    connection: sqlite3.Connection, artifact: int, among: Sequence[int] | None
) -> tuple[str, Goal] | None:
    """What `best` goes by: as it was said, else the first metric that can tell."""
    metric, goal = connection.execute(
        "select metric, goal from artifacts where id = ?", (artifact,)
    ).fetchone()
    if metric is None:
        names = (name for name, _, _ in _scores(connection, artifact, among))
        metric = next(iter(judges(names)), None)
        if metric is None:
            return None
        connection.execute(
            "update artifacts set metric = ? where id = ?", (metric, artifact)
        )
    goal = goal or _goal_of_runs(connection, artifact, metric) or goal_of(metric)
    return None if goal is None else (metric, goal)


def _goal_of_runs(
    connection: sqlite3.Connection, artifact: int, metric: str
) -> Goal | None:
    """The goal that a run which logged the artifact gave to the metric, the latest."""
    row = connection.execute(
        """
        select metrics.goal from artifact_uses as uses
        join artifact_versions as versions on versions.id = uses.version
        join metrics on metrics.run = uses.run and metrics.name = ?
          and metrics.axis_of is null and metrics.deleted_at is null
        where artifact = ? and role = 'output' and metrics.goal is not null
        order by uses.id desc limit 1
        """,
        (metric, artifact),
    ).fetchone()
    return None if row is None else row[0]


def _best(
    connection: sqlite3.Connection,
    artifact: int,
    metric: str,
    goal: Goal,
    *,
    among: Sequence[int] | None,
) -> Version | None:
    """The best kept version; of equal ones the one that is best already, or older."""
    best = alias_target(connection, artifact, "best")
    scores: dict[int, float] = {}
    versions: dict[int, Version] = {}
    for name, value, version in _scores(connection, artifact, among):
        if name == metric and version.id not in scores:
            scores[version.id], versions[version.id] = value, version
        elif name == metric and is_better(value, scores[version.id], goal):
            scores[version.id] = value
    if best is not None and best.id not in scores:
        best = None
    for id_, value in scores.items():
        if best is None or is_better(value, scores[best.id], goal):
            best = versions[id_]
    return best


def _scores(
    connection: sqlite3.Connection, artifact: int, among: Sequence[int] | None
) -> Iterable[tuple[str, float, Version]]:
    """The numbers beside the kept versions, of some or all, oldest first."""
    rows = connection.execute(
        """
        select versions.id, versions.version, metrics
        from artifact_uses as uses
        join artifact_versions as versions on versions.id = uses.version
        where artifact = :artifact and role = 'output' and gone_at is null
          and (:among is null or versions.id in (select value from json_each(:among)))
        order by versions.version, uses.id
        """,
        {"artifact": artifact, "among": among and json.dumps(among)},
    ).fetchall()
    for id_, number, text in rows:
        for name, value in json.loads(text).items():
            if isinstance(value, int | float):
                yield name, float(value), Version(artifact, id_, number)

"""Joins small chunks, so that a curve is a few large blobs and not thousands.

Points keep their order and their ordinals (`chunks.start`), which is what readers
remember: a reader half-way through a curve does not notice.
"""

from __future__ import annotations

from nbtrack.store.chunks import joined
from nbtrack.store.database import Database

CHUNK_POINTS = 65_536  # 786 KB: joined bodies stay a matter of milliseconds
JOIN_AFTER = 32  # chunks; 6 s of one metric
_LARGE_POINTS = 8_192  # joining chunks of this size on average gains nothing
_FREE_PAGES = 64


def compact_metric(database: Database, metric: int) -> None:
    """Join this metric's chunks as far as they fit, in one transaction."""
    with database.write():
        execute = database.connection.execute
        rows = execute(
            "select id, n from chunks where metric = ? order by start", (metric,)
        ).fetchall()
        for group in _groups(rows):
            _join(database, group)


def compact_run(database: Database, run: str) -> None:
    """Join the chunks of all metrics of a run, and give freed pages back."""
    rows = database.connection.execute(
        """
        select metric from chunks join metrics on metrics.id = chunks.metric
        where run = ? group by metric having count(*) > 1
        """,
        (run,),
    ).fetchall()
    for (metric,) in rows:
        compact_metric(database, metric)
    free = database.connection.execute("pragma freelist_count").fetchone()[0]
    if free > _FREE_PAGES:
        with database.alone():
            # A script, because `execute` takes one step of it: one page of many.
            database.connection.executescript("pragma incremental_vacuum")


def _groups(rows: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Neighbouring chunks that fit in one, where most of them are small."""
    groups: list[list[tuple[int, int]]] = [[]]
    for row in rows:
        if groups[-1] and _points(groups[-1]) + row[1] > CHUNK_POINTS:
            groups.append([])
        groups[-1].append(row)
    return [
        group
        for group in groups
        if len(group) > 1 and _points(group) < len(group) * _LARGE_POINTS
    ]


def _points(group: list[tuple[int, int]]) -> int:
    return sum(n for _, n in group)


def _join(database: Database, group: list[tuple[int, int]]) -> None:
    execute = database.connection.execute
    bodies = [
        execute("select body from chunks where id = ?", (chunk,)).fetchone()[0]
        for chunk, _ in group
    ]
    for chunk, _ in group[1:]:
        execute("delete from chunks where id = ?", (chunk,))
    execute(
        "update chunks set n = ?, body = ? where id = ?",
        (_points(group), joined(bodies), group[0][0]),
    )

"""Takes the rows of a run from the attached store `other`, inside one transaction.

Nothing that is here is ever taken away. Ids of runs and sessions stay; what the store
numbers itself (metrics, uses, rich values) gets new numbers.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection

from nbtrack.store.merge.artifacts import ArtifactTaker

# With a key of their own: a row of a run that went on replaces the one it was.
_KEYED = ("params", "facts", "texts", "inputs")
_SUMMARY = (
    "goal, n, last, last_step, min, min_step, max, max_step, n_nan, first_nan_step,"
    " thinned"
)
# What the process that recorded the run says of it; its name, group, tags, notes and
# place in the trash are the user's, and stay.
_RECORDED = (
    "status, started_at, ended_at, duration_s, notebook, cell_id, execution,"
    " source_digest, error, reason, session, forked_from, fork_step, peak_rss_bytes,"
    " peak_vram_bytes, model_bytes, grade, grade_why"
)
_SESSIONS = """
  select session from other.runs where id = :run and session is not null
  union select session from other.lives where run = :run
"""
_SURROUNDINGS = (
    f"insert or ignore into main.sessions"  # noqa: S608 - constants only
    f" select * from other.sessions where id in ({_SESSIONS})",
    f"insert or ignore into main.sources"  # noqa: S608 - constants only
    f" select * from other.sources where digest in ("
    f" select source_digest from other.runs where id = :run"
    f" union select source_digest from other.texts where run = :run"
    f" union select source_digest from other.cells where session in ({_SESSIONS}))",
    f"insert or ignore into main.cells"  # noqa: S608 - constants only
    f" select * from other.cells where session in ({_SESSIONS})",
)
_MEDIA = "name, type, step, at, mime, digest, size_bytes, data"
_ALERT = "run, at, step, kind, level, title, text, metric, rule, seen_at"
# Seen here stays seen; what both have is known by when it came about, and its title.
_NEW_ALERTS = f"""
  insert into main.alerts({_ALERT}) select {_ALERT} from other.alerts as theirs
  where run = :run and not exists (
    select 1 from main.alerts as here
    where here.run = theirs.run and here.at = theirs.at and here.kind = theirs.kind
      and here.metric is theirs.metric and here.title = theirs.title)
  order by id
"""  # noqa: S608 - constants only


class RunTaker:
    """Takes one run whole, new or gone on."""

    def __init__(
        self, connection: sqlite3.Connection, artifacts: ArtifactTaker
    ) -> None:
        self._connection = connection
        self._artifacts = artifacts

    def insert(self, run: str, *, without: Collection[str]) -> None:
        """A run that is not here; `without` are files of rich values that failed."""
        which = {"run": run}
        self._surroundings(run)
        self._do("insert into main.runs select * from other.runs where id = :run", run)
        self._do(
            "insert into main.lives select * from other.lives where run = :run", run
        )
        for table in (*_KEYED, "tags"):
            self._do(
                f"insert into main.{table} select * from other.{table}"  # noqa: S608 - constants only
                " where run = :run order by rowid",
                run,
            )
        for (metric,) in self._metrics(run):
            self._insert_metric(metric)
        self._connection.execute(
            "insert into main.notices(run, text) select run, text from other.notices"
            " where run = :run order by id",
            which,
        )
        self._do(_NEW_ALERTS, run)
        self._rich_values(run, without)
        self._uses(run)

    def update(self, run: str, *, without: Collection[str]) -> None:
        """A run that is here and went on there."""
        self._surroundings(run)
        self._do(
            f"update main.runs set ({_RECORDED}) = (select {_RECORDED}"  # noqa: S608 - constants only
            " from other.runs where id = :run),"
            " notes = iif(notes = '', (select notes from other.runs where id = :run),"
            " notes) where id = :run",
            run,
        )
        for table in ("lives", "tags"):  # what is here of them stays
            self._do(
                f"insert or ignore into main.{table} select * from other.{table}"  # noqa: S608 - constants only
                " where run = :run order by rowid",
                run,
            )
        for table in _KEYED:
            self._do(
                f"insert or replace into main.{table} select * from other.{table}"  # noqa: S608 - constants only
                " where run = :run order by rowid",
                run,
            )
        for (metric,) in self._metrics(run):
            self._update_metric(metric)
        self._do(
            "insert into main.notices(run, text) select run, text from other.notices"
            " where run = :run and text not in (select text from main.notices"
            " where run = :run) order by id",
            run,
        )
        self._do(_NEW_ALERTS, run)
        self._rich_values(run, without)
        self._uses(run)

    def _do(self, statement: str, run: str) -> None:
        self._connection.execute(statement, {"run": run})

    def _surroundings(self, run: str) -> None:
        for statement in _SURROUNDINGS:
            self._do(statement, run)

    def _metrics(self, run: str) -> list[tuple[int]]:
        return self._connection.execute(
            "select id from other.metrics where run = ? order by id", (run,)
        ).fetchall()

    def _insert_metric(self, there: int) -> None:
        [(here,)] = self._connection.execute(
            f"insert into main.metrics(run, name, axis_of, deleted_at, {_SUMMARY})"  # noqa: S608 - constants only
            f" select run, name, axis_of, deleted_at, {_SUMMARY} from other.metrics"
            " where id = ? returning id",
            (there,),
        ).fetchall()
        self._insert_points(there, here)

    def _insert_points(self, there: int, here: int) -> None:
        self._connection.execute(
            "insert into main.chunks(metric, start, n, body)"
            " select ?, start, n, body from other.chunks where metric = ?"
            " order by start",
            (here, there),
        )

    def _update_metric(self, there: int) -> None:
        """The longer of two curves is the later one: points are only ever added."""
        row = self._connection.execute(
            """
            select here.id, here.n < theirs.n from other.metrics as theirs
            join main.metrics as here on here.run = theirs.run
              and here.name = theirs.name and here.axis_of is theirs.axis_of
              and here.deleted_at is theirs.deleted_at
            where theirs.id = ?
            """,
            (there,),
        ).fetchone()
        if row is None:
            self._insert_metric(there)
        elif row[1]:
            self._connection.execute(
                f"update main.metrics set shared_from = null, ({_SUMMARY}) ="  # noqa: S608 - constants only
                f" (select {_SUMMARY} from other.metrics where id = ?) where id = ?",
                (there, row[0]),
            )
            self._connection.execute(
                "delete from main.chunks where metric = ?", (row[0],)
            )
            self._insert_points(there, row[0])

    def _rich_values(self, run: str, without: Collection[str]) -> None:
        which = {"run": run, "without": json.dumps(list(without))}
        there = (
            "from other.media as theirs where run = :run and (digest is null or"
            " digest not in (select value from json_each(:without)))"
        )
        self._connection.execute(
            "delete from main.media where run = :run and exists"  # noqa: S608 - constants only
            f" (select 1 {there} and theirs.name = media.name"
            " and theirs.step = media.step)",
            which,
        )
        self._connection.execute(
            f"insert into main.media(run, {_MEDIA})"
            f" select run, {_MEDIA} {there} order by id",
            which,
        )

    def _uses(self, run: str) -> None:
        """What it logged and read; of a use that is here already the one here stays."""
        rows = self._connection.execute(
            "select id, version, role, step from other.artifact_uses"
            " where run = ? order by id",
            (run,),
        ).fetchall()
        for use, there, role, step in rows:
            version = self._artifacts.take(there)
            if version is None:
                continue
            known = self._connection.execute(
                "select 1 from main.artifact_uses"
                " where run = ? and version = ? and role = ? and step is ?",
                (run, version.id, role, step),
            ).fetchone()
            if known is None:
                self._connection.execute(
                    "insert into main.artifact_uses(run, version, role, step, metrics,"
                    " path, at) select run, ?, role, step, metrics, path, at"
                    " from other.artifact_uses where id = ?",
                    (version.id, use),
                )
                self._artifacts.follow(version)

"""Brings a store of an older nbtrack to today's tables, with sqlite-utils.

One function per version; each runs in one transaction with the row that records it and
the stamp of its version, so a store is old or new and never between. New stores do not
come here: importing sqlite-utils takes over a second, so they are born from
`schema.SCHEMA`, and a test holds that both ways end at the same tables.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from nbtrack.store.database import connect
from nbtrack.store.schema import APPLICATION_ID, SCHEMA
from nbtrack.store.schema_v1 import SCHEMA_V1
from nbtrack.store.schema_v2 import SCHEMA_V2
from nbtrack.store.schema_v4 import SCHEMA_V4

NAME = "nbtrack"
_NEW_IN_V2 = ("lives", "facts", "texts", "inputs", "media", "cells", "edits")
_RUN_COLUMNS_OF_V2 = (
    "forked_from text", "fork_step integer", "peak_rss_bytes integer",
    "peak_vram_bytes integer", "model_bytes integer",
)  # fmt: skip


_NEW_IN_V4 = (
    "artifacts", "artifact_versions", "artifact_files", "artifact_aliases",
    "artifact_tags", "artifact_uses", "artifact_events", "files", "file_chunks",
    "models", "model_versions", "model_aliases", "model_events",
)  # fmt: skip
# A checkpoint is a version of an artifact of one file; versions count from v0 now.
_CHECKPOINTS_TO_ARTIFACTS = """\
insert into artifacts(name, type, created_at)
  select name, type, created_at from old_checkpoints
  where id in (select min(id) from old_checkpoints group by name);
insert into artifact_versions(artifact, version, digest, size_bytes, n_files,
    created_at)
  select artifacts.id, old.version - 1, old.digest, old.size_bytes, 1, old.created_at
  from old_checkpoints as old join artifacts on artifacts.name = old.name
  where old.id in (select min(id) from old_checkpoints group by name, version)
  order by old.id;
insert into artifact_files(version, path, digest, size_bytes)
  select versions.id, artifacts.name, versions.digest, versions.size_bytes
  from artifact_versions as versions join artifacts on artifacts.id = artifact;
insert into artifact_uses(id, run, version, role, step, metrics, path, at)
  select old.id, old.run, versions.id, 'output', old.step, old.metrics, old.path,
    old.created_at
  from old_checkpoints as old join artifacts on artifacts.name = old.name
  join artifact_versions as versions
    on versions.artifact = artifacts.id and versions.version = old.version - 1;
insert into artifact_aliases(artifact, alias, version, at)
  select artifact, 'latest', id, created_at from artifact_versions as versions
  where version = (select max(version) from artifact_versions
    where artifact = versions.artifact);
drop table old_checkpoints;
"""


def upgrade(path: Path, *, network: bool, version: int) -> None:
    """Apply what came after `version` to the store at `path`."""
    import sqlite_utils

    database = connect(path, network=network)
    try:
        with database.alone():
            since(version).apply(sqlite_utils.Database(database.connection))
    finally:
        database.close()


def since(version: int) -> Any:  # Any: sqlite-utils is only imported here
    """The migrations after `version`, oldest first.

    A store that was born as version 2 has no record of the first two: its stamp says
    where it is.
    """
    from sqlite_utils import Migrations

    known = Migrations(NAME)
    for number, migrate in enumerate(_STEPS, start=1):
        if number > version:
            known(name=migrate.__name__.removeprefix("_"))(_stamped(migrate, number))
    return known


def _stamped(migrate: Callable[[Any], None], number: int) -> Callable[[Any], None]:
    def migrate_and_stamp(db: Any) -> None:
        # Another process may have been faster while this one waited for the lock.
        if db.execute("pragma user_version").fetchone()[0] < number:
            migrate(db)
            db.execute(f"pragma user_version = {number}")

    return migrate_and_stamp


def _v1_tables(db: Any) -> None:
    for statement in _statements(SCHEMA_V1):
        db.execute(statement)
    db.execute(f"pragma application_id = {APPLICATION_ID}")


def _v2_everything_about_a_run(db: Any) -> None:
    for column in _RUN_COLUMNS_OF_V2:
        db.execute(f"alter table runs add column {column}")
    for change in ("drop view summaries", "drop view points", "drop index metrics_name",
                   "alter table metrics add column deleted_at text",
                   "alter table metrics add column shared_from integer"):  # fmt: skip
        db.execute(change)
    remade = ("view summaries ", "view points ", "unique index metrics_name")
    for statement in _statements(SCHEMA_V2):
        what = statement.removeprefix("create ")
        # A table of version 2 and its indexes: `create index media_name on media(...)`.
        new = any(f"table {name} " in what or f" on {name}(" in what
                  for name in _NEW_IN_V2)  # fmt: skip
        if new or what.startswith(remade):
            db.execute(statement)


def _v3_what_cells_read_and_how_good_a_run_is(db: Any) -> None:
    db.execute("alter table cells add column flow text")
    db.execute("alter table runs add column grade text")
    db.execute("alter table runs add column grade_why text")


def _v4_artifacts_and_models(db: Any) -> None:
    db.execute("alter table checkpoints rename to old_checkpoints")
    for index in ("version", "name", "digest"):
        db.execute(f"drop index checkpoints_{index}")
    for statement in _statements(SCHEMA_V4):
        what = statement.removeprefix("create ")
        new = any(f"table {name} " in what or f" on {name}(" in what
                  for name in _NEW_IN_V4)  # fmt: skip
        if new or what.startswith("view checkpoints "):
            db.execute(statement)
    for statement in _statements(_CHECKPOINTS_TO_ARTIFACTS):
        db.execute(statement)


def _v5_alerts(db: Any) -> None:
    for statement in _statements(SCHEMA):
        what = statement.removeprefix("create ")
        if "table alerts " in what or " on alerts(" in what:
            db.execute(statement)


def _statements(script: str) -> list[str]:
    return [part.strip() for part in script.split(";\n") if part.strip()]


_STEPS = (
    _v1_tables, _v2_everything_about_a_run, _v3_what_cells_read_and_how_good_a_run_is,
    _v4_artifacts_and_models, _v5_alerts,
)  # fmt: skip

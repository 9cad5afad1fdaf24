"""Takes versions of artifacts from the attached store `other`.

The same content under the same name is the same version. A version whose number is
another version here gets the next free one. What is said of a version that is here
stays; an alias that names one here stays. `latest` and `best` follow by themselves
where all versions here are known there: then the other store went on from this one.
"""

from __future__ import annotations

import sqlite3
from typing import Any, NamedTuple

from nbtrack.records import ArtifactFile, manifest_digest
from nbtrack.store.artifact_aliases import Version, follow
from nbtrack.store.artifact_edits import is_no_alias
from nbtrack.store.merge.files import FileTaker

_BY = "merge"
_THERE = """
  select versions.id, artifacts.id, name, version, digest, gone_at is not null
  from other.artifact_versions as versions
  join other.artifacts as artifacts on artifacts.id = artifact
  where versions.id = ?
"""
_HERE = """
  select artifacts.id, versions.id, versions.version
  from main.artifact_versions as versions
  join main.artifacts as artifacts on artifacts.id = artifact
  where name = ? and digest = ?
"""
# A number that is free here stays.
_INSERT_VERSION = """
  insert into main.artifact_versions(artifact, version, digest, size_bytes, n_files,
    description, metadata, expires_at, created_at, gone_at, gone_why)
  select :artifact,
    iif(version in (
        select version from main.artifact_versions where artifact = :artifact),
      (select max(version) + 1 from main.artifact_versions where artifact = :artifact),
      version),
    digest, size_bytes, n_files, description, metadata, expires_at, created_at, gone_at,
    gone_why
  from other.artifact_versions where id = :there
  returning id, version
"""
_OWN = """
  select 1 from main.artifact_versions as versions
  join main.artifacts as artifacts on artifacts.id = artifact
  where artifact = ? and digest not in (
    select digest from other.artifact_versions as theirs
    join other.artifacts as names on names.id = theirs.artifact
    where names.name = artifacts.name)
"""


class _There(NamedTuple):
    """A version of the other store."""

    id: int
    artifact: int
    name: str
    number: int
    digest: str
    is_gone: bool

    @property
    def ref(self) -> str:
        """As it is called there."""
        return f"{self.name}:v{self.number}"


class ArtifactTaker:
    """Takes versions, and knows what each of them is here."""

    def __init__(self, connection: sqlite3.Connection, files: FileTaker) -> None:
        self.new: list[str] = []  # references here
        self.renumbered: dict[str, str] = {}
        self.notices: list[str] = []
        self._connection = connection
        self._files = files
        self._ready: dict[int, bool] = {}  # by id there, whether its files are here

    def prepare(self, there: int) -> bool:
        """Have the files of a version here; False, and a notice, where they fail."""
        if there not in self._ready:
            try:
                version = self._there(there)
                why = None if version is None else self._why_not(version)
            except (sqlite3.DatabaseError, TypeError, AttributeError) as exc:
                version, why = None, f"its rows are damaged ({exc})."
            self._ready[there] = version is not None and why is None
            if not self._ready[there]:
                ref = f"Version {there}" if version is None else version.ref
                self.notices.append(f"{ref} did not come: {why or 'it has no row.'}")
        return self._ready[there]

    def unused(self) -> list[int]:
        """The versions there that no run has to do with."""
        rows = self._connection.execute(
            "select id from other.artifact_versions where id not in"
            " (select version from other.artifact_uses) order by id"
        ).fetchall()
        return [id_ for (id_,) in rows]

    def take(self, there: int) -> Version | None:
        """The version here, inserted where it is new; inside a transaction.

        None where its files have not come.
        """
        if not self._ready.get(there):
            return None
        version = self._there(there)
        assert version is not None, "it was there when it was prepared"
        found = self._connection.execute(
            _HERE, (version.name, version.digest)
        ).fetchone()
        if found is not None:
            return Version(*found)
        return self._insert(version)

    def follow(self, version: Version) -> None:
        """Let `latest` and `best` go to where they belong, after the uses came."""
        own = self._connection.execute(_OWN, (version.artifact,)).fetchone()
        if own is None:
            follow(self._connection, version.artifact, logged=version, by=_BY)

    def _there(self, id_: int) -> _There | None:
        row = self._connection.execute(_THERE, (id_,)).fetchone()
        return None if row is None else _There(*row)

    def _why_not(self, version: _There) -> str | None:
        here = self._connection.execute(_HERE, (version.name, version.digest))
        if here.fetchone() is not None or version.is_gone:
            return None
        rows = self._connection.execute(
            "select path, digest, size_bytes, uri, etag from other.artifact_files"
            " where version = ?",
            (version.id,),
        ).fetchall()
        files = [ArtifactFile(*row) for row in rows]
        for file in files:
            if not _is_inside(file.path):
                return f"the path {file.path!r} leads out of it."
        if manifest_digest(files) != version.digest:
            return "its list of files is damaged."
        kept = [f.digest for f in files if f.uri is None and f.digest is not None]
        return next(filter(None, map(self._files.take, kept)), None)

    def _insert(self, version: _There) -> Version:
        execute = self._connection.execute
        execute(
            "insert or ignore into main.artifacts(name, type, description, metric,"
            " goal, created_at) select name, type, description, metric, goal,"
            " created_at from other.artifacts where id = ?",
            (version.artifact,),
        )
        [(artifact,)] = execute(
            "select id from main.artifacts where name = ?", (version.name,)
        ).fetchall()
        both = {"artifact": artifact, "there": version.id}
        [(id_, number)] = execute(_INSERT_VERSION, both).fetchall()
        self._insert_parts({**both, "here": id_})
        self.new.append(f"{version.name}:v{number}")
        if number != version.number:
            self.renumbered[version.ref] = f"{version.name}:v{number}"
        return Version(artifact, id_, number)

    def _insert_parts(self, which: dict[str, Any]) -> None:
        execute = self._connection.execute
        execute(
            "insert into main.artifact_files(version, path, digest, size_bytes, uri,"
            " etag) select :here, path, digest, size_bytes, uri, etag"
            " from other.artifact_files where version = :there",
            which,
        )
        execute(
            "insert into main.artifact_tags(version, name, value)"
            " select :here, name, value from other.artifact_tags"
            " where version = :there",
            which,
        )
        execute(
            "insert into main.artifact_events(artifact, version, what, detail, by, run,"
            " at) select :artifact, :here, what, detail, by, run, at"
            " from other.artifact_events where version = :there order by id",
            which,
        )
        aliases = execute(
            "select alias, at from other.artifact_aliases where version = :there", which
        ).fetchall()
        for alias, at in aliases:
            if not is_no_alias(alias):
                execute(
                    "insert or ignore into main.artifact_aliases values (?, ?, ?, ?)",
                    (which["artifact"], alias, which["here"], at),
                )


def _is_inside(path: object) -> bool:
    """Whether a file's path stays in the folder that its version is copied to."""
    if not isinstance(path, str) or "\0" in path:
        return False
    return not {"", ".", ".."} & set(path.split("/"))

"""Changes to artifacts that are made at once: aliases, texts, versions given up.

Each is one transaction, and is written down in `artifact_events` with who did it.
Giving a version up frees no bytes itself (`free_files` does); the version stays listed
and says since when and why its files are gone.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal

from nbtrack.errors import ArtifactError
from nbtrack.records import ArtifactRecord, Goal
from nbtrack.store import artifact_aliases as aliases
from nbtrack.store import artifact_rows as rows
from nbtrack.store.artifact_aliases import Version
from nbtrack.store.artifacts import find_version, read_versions
from nbtrack.store.values import iso, now, storable
from nbtrack.text import shorten

Why = Literal["pruned", "expired", "deleted"]
# What else may stand behind `name:`, and would not be told from it.
_NO_ALIAS = re.compile(r"^v\d+$|[^\w.\-+ ]|^\s*$")
_GUARDS = """
  select versions.id, (
      select models.name || '@' || model_versions.version from model_versions
      join models on models.id = model where artifact_version = versions.id limit 1),
    (select alias from artifact_aliases where version = versions.id
      and alias not in ('latest', 'best') order by alias limit 1),
    (select count(distinct run) from artifact_uses where version = versions.id)
  from artifact_versions as versions
  where versions.id in (select value from json_each(?))
"""


def is_no_alias(text: object) -> bool:
    """Whether a text cannot be an alias: no reference could hold it.

    >>> is_no_alias("v3"), is_no_alias("gold")
    (True, False)
    """
    return not isinstance(text, str) or _NO_ALIAS.search(text) is not None


class EditsArtifacts:
    """The part of `Store` that changes artifacts."""

    _settle: Callable[[], None]
    _reading: Callable[[], AbstractContextManager[sqlite3.Connection]]
    _changing: Callable[[], AbstractContextManager[sqlite3.Connection]]

    def keep_artifact(self, event: Mapping[str, Any]) -> ArtifactRecord:
        """A version that comes from no run's journal; see `artifact_rows`."""
        with self._changing() as connection:
            return _read(connection, rows.apply_artifact(connection, event).id)

    def set_alias(self, ref: str, alias: str, *, by: str = "") -> ArtifactRecord:
        """Let an alias name this version from now on.

        Raises ArtifactError for `latest`, `v3` and what no reference can hold, and for
        `best` where it follows a metric.
        """
        with self._changing() as connection:
            version = _find(connection, ref)
            _refuse_alias(connection, version, alias)
            if _read(connection, version.id).gone_at is not None:
                raise ArtifactError(f"The files of {ref} are gone: it takes no alias.")
            aliases.set_alias(connection, version, alias, by=by)
            return _read(connection, version.id)

    def drop_alias(self, name: str, alias: str, *, by: str = "") -> ArtifactRecord:
        """Take an alias away from the version that has it."""
        with self._changing() as connection:
            version = _find(connection, f"{name}:{alias}")
            _refuse_alias(connection, version, alias)
            connection.execute(
                "delete from artifact_aliases where artifact = ? and alias = ?",
                (version.artifact, alias),
            )
            aliases.note_event(connection, version, "unalias", detail=alias, by=by)
            return _read(connection, version.id)

    def edit_artifact(
        self,
        ref: str,
        *,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        tags: Mapping[str, str | None] | None = None,
        untag: Iterable[str] = (),
        expires_at: float | str | Literal[False] | None = None,
        metric: str | None = None,
        goal: Goal | None = None,
        by: str = "",
    ) -> ArtifactRecord:
        """Change what is said of a version; what is None stays.

        Parameters
        ----------
        metadata
            Is merged into what is there; a value of None takes a key away.
        expires_at
            Epoch seconds or ISO text; False: never.
        metric, goal
            What the alias `best` of the whole artifact goes by from now on.
        """
        with self._changing() as connection:
            version = _find(connection, ref)
            _set_texts(connection, version, description, expires_at)
            if metadata:
                rows.merge_metadata(connection, version.id, metadata)
            rows.set_tags(connection, version.id, tags or {})
            _untag(connection, version, untag)
            if metric is not None:
                _judge_by(connection, version, metric, goal, by=by)
            aliases.note_event(connection, version, "edited", by=by)
            return _read(connection, version.id)

    def protected_versions(self, ids: Sequence[int], *, why: Why) -> dict[int, str]:
        """Why versions may not be given up, of those that may not.

        A registered version and one with an alias of the user's are never given up;
        pruning also spares what more than one run logged or read.
        """
        self._settle()
        with self._reading() as reader:
            return protected(reader, ids, why)

    def give_up(
        self, ids: Sequence[int], *, why: Why, by: str = ""
    ) -> list[ArtifactRecord]:
        """Mark versions as gone, but for the protected; returns those it marked."""
        with self._changing() as connection:
            spared = protected(connection, ids, why)
            found = read_versions(connection, ids=ids, gone=False)
            given = [each for each in found if each.id not in spared]
            touched = [_give_up(connection, each.id, why, by) for each in given]
            for artifact in dict.fromkeys(touched):
                aliases.follow(connection, artifact, by=by)
            return read_versions(connection, ids=[each.id for each in given])


def _find(connection: sqlite3.Connection, ref: str) -> Version:
    row = connection.execute(
        "select artifact, id, version from artifact_versions where id = ?",
        (find_version(connection, ref),),
    ).fetchone()
    return Version(*row)


def _read(connection: sqlite3.Connection, version: int) -> ArtifactRecord:
    [found] = read_versions(connection, ids=[version])
    return found


def _refuse_alias(connection: sqlite3.Connection, version: Version, alias: str) -> None:
    if alias == "latest":
        raise ArtifactError("The alias 'latest' is the newest version, always.")
    if _NO_ALIAS.search(alias) or len(alias) > 128:
        raise ArtifactError(
            f"Alias {shorten(repr(alias))} cannot be told from a version or a path. "
            "Use letters, digits, space . _ - +, and not v1, v2, ..."
        )
    row = connection.execute(
        "select metric from artifacts where id = ?", (version.artifact,)
    ).fetchone()
    if alias == "best" and row[0] is not None:
        raise ArtifactError(
            f"The alias 'best' follows {row[0]!r} here. Choose another alias, or "
            "another metric: nbtrack.artifacts.edit(ref, best_by=...)."
        )


def _set_texts(
    connection: sqlite3.Connection,
    version: Version,
    description: str | None,
    expires_at: float | str | Literal[False] | None,
) -> None:
    if description is not None:
        connection.execute(
            "update artifact_versions set description = ? where id = ?",
            (storable(description), version.id),
        )
    if expires_at is not None:
        connection.execute(
            "update artifact_versions set expires_at = ? where id = ?",
            (None if expires_at is False else iso(expires_at), version.id),
        )


def _untag(
    connection: sqlite3.Connection, version: Version, names: Iterable[str]
) -> None:
    for name in names:
        connection.execute(
            "delete from artifact_tags where version = ? and name = ?",
            (version.id, storable(name)),
        )


def _judge_by(
    connection: sqlite3.Connection,
    version: Version,
    metric: str,
    goal: Goal | None,
    *,
    by: str,
) -> None:
    """From now on `best` goes by this metric; it is looked for anew."""
    connection.execute(
        "update artifacts set metric = ?, goal = ? where id = ?",
        (storable(metric), goal, version.artifact),
    )
    connection.execute(
        "delete from artifact_aliases where artifact = ? and alias = 'best'",
        (version.artifact,),
    )
    aliases.follow(connection, version.artifact, by=by)


def protected(
    connection: sqlite3.Connection, ids: Sequence[int], why: Why
) -> dict[int, str]:
    """Why versions may not be given up; see `EditsArtifacts.protected_versions`."""
    found = connection.execute(_GUARDS, (json.dumps(list(ids)),)).fetchall()
    reasons: dict[int, str] = {}
    for id_, model, alias, n_runs in found:
        if model is not None:
            reasons[id_] = f"it is registered as {model}"
        elif alias is not None:
            reasons[id_] = f"it has the alias {alias!r}"
        elif why == "pruned" and n_runs > 1:
            reasons[id_] = f"{n_runs} runs logged or read it"
    return reasons


def _give_up(connection: sqlite3.Connection, version: int, why: Why, by: str) -> int:
    """Mark one version as gone; the artifact it is of."""
    connection.execute(
        "update artifact_versions set gone_at = ?, gone_why = ? where id = ?",
        (now(), why, version),
    )
    connection.execute(
        "delete from artifact_aliases"
        " where version = ? and alias in ('latest', 'best')",
        (version,),
    )
    row = connection.execute(
        "select artifact, id, version from artifact_versions where id = ?", (version,)
    ).fetchone()
    aliases.note_event(connection, Version(*row), why, by=by)
    return int(row[0])

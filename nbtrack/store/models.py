"""Registered models in the tables: versions, stages, approvals, and every change.

Each change is one transaction with the row that says who did it, when and why. What
must hold whatever the callers do holds here: production needs an approval of that very
version, and at most one version is in production at any time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from nbtrack.errors import ModelError
from nbtrack.records import ModelEvent, ModelVersion, Stage
from nbtrack.store.model_rows import (
    find_model,
    model_of,
    note,
    numbers_used,
    read_events,
)
from nbtrack.store.model_rows import read_versions as read
from nbtrack.store.model_stages import (
    check_promotion,
    move,
    previous_in_production,
    producing,
)
from nbtrack.store.semver import SemVer
from nbtrack.store.values import as_json, now, storable


@dataclass(frozen=True, slots=True)
class NewModel:
    """A version that is about to be registered."""

    name: str
    artifact: int  # id of the artifact version
    run: str | None = None
    signature: Mapping[str, Any] | None = None
    parts: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    notes: str = ""


class KeepsModels:
    """The part of `Store` that keeps the model registry."""

    _reading: Callable[[], AbstractContextManager[sqlite3.Connection]]
    _changing: Callable[[], AbstractContextManager[sqlite3.Connection]]

    def model_names(self) -> list[str]:
        """The registered models, by name."""
        with self._reading() as reader:
            rows = reader.execute("select name from models order by name").fetchall()
        return [name for (name,) in rows]

    def model_description(self, name: str) -> str:
        """What is said of a model as a whole; "" for one that is not there."""
        with self._reading() as reader:
            row = reader.execute(
                "select description from models where name = ?", (name,)
            ).fetchone()
        return row[0] if row else ""

    def model(self, ref: str) -> ModelVersion:
        """The version that a reference names.

        `fraud@1.2.0`, `fraud@production` (of another stage the highest version),
        `fraud@alias`, `fraud@latest` or `fraud`, the highest version that is no
        candidate, or the highest candidate where there are only such.

        Raises ModelNotFoundError, naming what there is.
        """
        with self._reading() as reader:
            return find_model(reader, ref)

    def model_versions(self, name: str | None = None) -> list[ModelVersion]:
        """The versions of one model or of all, lowest first."""
        with self._reading() as reader:
            found = read(reader, name)
        return sorted(found, key=lambda v: (v.name, SemVer.parse(v.version)))

    def model_events(self, name: str | None = None) -> list[ModelEvent]:
        """All that happened to one model or to all, in order."""
        with self._reading() as reader:
            return read_events(reader, name)

    def register_model(
        self,
        new: NewModel,
        number: Callable[[list[ModelVersion], set[str]], str],
        *,
        by: str,
    ) -> ModelVersion:
        """Add a version; `number` names it, told what there is and what ever was.

        It is called inside the transaction, so two processes cannot name one alike.
        Raises ModelError where the files are gone, or the number was used before.
        """
        with self._changing() as connection:
            _refuse_gone(connection, new)
            model = model_of(connection, new.name, by=by)
            known = sorted(read(connection, new.name), key=_order)
            used = numbers_used(connection, new.name)
            version = number(known, used)
            if version in used:
                is_there = any(each.version == version for each in known)
                what = "is registered already" if is_there else "was there, and deleted"
                raise ModelError(
                    f"{new.name}@{version} {what}. A version never becomes another: "
                    "choose the next one, or bump=."
                )
            connection.execute(
                """
                insert into model_versions(model, version, artifact_version, run,
                  signature, parts, notes, created_at, created_by)
                values (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                (
                    model, version, new.artifact, new.run,
                    None if new.signature is None else as_json(new.signature),
                    as_json(list(new.parts)), storable(new.notes), now(), storable(by),
                ),
            )  # fmt: skip
            made = find_model(connection, f"{new.name}@{version}")
            note(connection, made, "registered", to="development", by=by, why=new.notes)
            return made

    def numbers_used(self, name: str) -> set[str]:
        """The numbers that this model ever had, those of deleted versions too."""
        with self._reading() as reader:
            return numbers_used(reader, name)

    def approve_model(self, ref: str, *, by: str, why: str) -> ModelVersion:
        """Record that somebody approves of this version for production."""
        with self._changing() as connection:
            version = find_model(connection, ref)
            note(connection, version, "approved", by=by, why=why)
            return find_model(connection, version.ref)

    def promote_model(
        self, ref: str, stage: Stage, *, by: str, why: str, force: bool = False
    ) -> ModelVersion:
        """Move a version to a stage; what was in production before is archived.

        Raises ModelError where the way there is not open, with the way out.
        """
        with self._changing() as connection:
            version = find_model(connection, ref)
            check_promotion(version, stage, force=force)
            before = producing(connection, version.name)
            if stage == "production" and before is not None:
                why_gone = f"replaced by {version.version}"
                move(connection, before, "archived", "archived", by=by, why=why_gone)
            move(connection, version, stage, "promoted", by=by, why=why)
            return find_model(connection, version.ref)

    def roll_back_model(
        self, name: str, *, to: str | None = None, by: str, why: str
    ) -> ModelVersion:
        """Put back what was in production before; the version there now is archived.

        Raises ModelError where nothing is in production, or nothing was before it.
        """
        with self._changing() as connection:
            now_there = producing(connection, name)
            if now_there is None:
                find_model(connection, name)  # an unknown name has its own error
                raise ModelError(
                    f"No version of {name!r} is in production: there is nothing to "
                    "roll back. Promote one."
                )
            target = previous_in_production(connection, now_there, to)
            move(connection, now_there, "archived", "rolled back", by=by, why=why)
            move(connection, target, "production", "restored", by=by, why=why)
            return find_model(connection, target.ref)

    def edit_model(
        self,
        ref: str,
        *,
        notes: str | None = None,
        description: str | None = None,  # of the model, not of the version
        alias: str | None = None,
        unalias: str | None = None,
        by: str,
    ) -> ModelVersion:
        """Change what is said of a version or of its model, or an alias."""
        with self._changing() as connection:
            version = find_model(connection, ref)
            model = model_of(connection, version.name, by=by)
            if notes is not None:
                connection.execute(
                    "update model_versions set notes = ? where id = ?",
                    (storable(notes), version.id),
                )
                note(connection, version, "edited", by=by, why="notes")
            if description is not None:
                connection.execute(
                    "update models set description = ? where id = ?",
                    (storable(description), model),
                )
                note(connection, version, "edited", by=by, why="description")
            if alias is not None:
                connection.execute(
                    "insert or replace into model_aliases(model, alias, version, at)"
                    " values (?, ?, ?, ?)",
                    (model, storable(alias), version.id, now()),
                )
                note(connection, version, "alias", by=by, why=alias)
            if unalias is not None:
                connection.execute(
                    "delete from model_aliases where model = ? and alias = ?",
                    (model, unalias),
                )
                note(connection, version, "unalias", by=by, why=unalias)
            return find_model(connection, version.ref)

    def delete_model_version(self, ref: str, *, by: str, why: str) -> ModelVersion:
        """Take a version out of the registry; its events stay, its files may go then.

        Raises ModelError for one that is in staging or production.
        """
        with self._changing() as connection:
            version = find_model(connection, ref)
            if version.stage in ("staging", "production"):
                raise ModelError(
                    f"{version.ref} is in {version.stage}: archive it first, with "
                    f"nbtrack.models.promote({version.ref!r}, 'archived', note=...)."
                )
            note(connection, version, "deleted", by=by, why=why)
            connection.execute(
                "update model_events set version = null where version = ?",
                (version.id,),
            )
            connection.execute("delete from model_versions where id = ?", (version.id,))
            return version


def _order(version: ModelVersion) -> SemVer:
    return SemVer.parse(version.version)


def _refuse_gone(connection: sqlite3.Connection, new: NewModel) -> None:
    """Their bytes may have been given up since the caller looked them up."""
    row = connection.execute(
        "select gone_why from artifact_versions where id = ? and gone_at is not null",
        (new.artifact,),
    ).fetchone()
    if row is not None:
        raise ModelError(f"The files for {new.name!r} are gone ({row[0]}).")

"""The ways between the stages of a model, and who may go them.

development → staging → production → archived. Production needs an approval, and no
candidate goes there. Each function runs inside the caller's transaction.
"""

from __future__ import annotations

import sqlite3

from nbtrack.errors import ModelError
from nbtrack.records import ModelVersion, Stage
from nbtrack.store.model_rows import STAGES, find_model, note, read_versions
from nbtrack.store.semver import SemVer
from nbtrack.text import did_you_mean, shorten


def check_promotion(version: ModelVersion, stage: str, *, force: bool) -> None:
    """Raise ModelError where a version may not go to that stage.

    `force` opens the ways past staging, out of the archive and for candidates; an
    approval for production is needed all the same.
    """
    if stage not in STAGES:
        raise ModelError(
            f"There is no stage {shorten(repr(stage))}."
            f"{did_you_mean(str(stage), STAGES)} Stages are {', '.join(STAGES)}."
        )
    if stage == version.stage:
        raise ModelError(f"{version.ref} is in {stage} already.")
    if stage != "production":
        return
    if version.approved_by is None:
        raise ModelError(
            f"{version.ref} is not approved for production. Whoever may do that says "
            f"nbtrack.models.approve({version.ref!r}, note='why')."
        )
    if force:
        return
    if SemVer.parse(version.version).pre:
        raise ModelError(
            f"{version.ref} is a candidate. Register the release "
            f"{SemVer.parse(version.version).release}, or say force=True."
        )
    if version.stage != "staging":
        raise ModelError(
            f"{version.ref} is in {version.stage}: it goes to staging first. What was "
            "in production before comes back by nbtrack.models.rollback; force=True "
            "skips this."
        )


def move(
    connection: sqlite3.Connection,
    version: ModelVersion,
    stage: Stage,
    what: str,
    *,
    by: str,
    why: str,
) -> None:
    """Set the stage, and write it down."""
    connection.execute(
        "update model_versions set stage = ? where id = ?", (stage, version.id)
    )
    note(connection, version, what, to=stage, by=by, why=why)


def producing(connection: sqlite3.Connection, name: str) -> ModelVersion | None:
    """The version that is in production now."""
    found = [v for v in read_versions(connection, name) if v.stage == "production"]
    return found[0] if found else None


def previous_in_production(
    connection: sqlite3.Connection, current: ModelVersion, to: str | None
) -> ModelVersion:
    """What a rollback puts back: the version named, or the one before the current."""
    earlier = _were_in_production(connection, current)
    if to is not None:
        target = find_model(connection, f"{current.name}@{to.rpartition('@')[2]}")
        if target.id == current.id:
            raise ModelError(f"{target.ref} is in production already.")
        if target.id not in earlier:
            raise ModelError(
                f"{target.ref} was never in production, so nothing rolls back to it. "
                "Promote it."
            )
        return target
    if not earlier:
        raise ModelError(
            f"{current.ref} is the first version in production: there is nothing "
            "before it to roll back to."
        )
    return next(
        v for v in read_versions(connection, current.name) if v.id == earlier[0]
    )


def _were_in_production(
    connection: sqlite3.Connection, current: ModelVersion
) -> list[int]:
    """The other versions that were there, the last one first.

    One that was itself rolled back does not come back by itself: its last way out of
    production decides.
    """
    rows = connection.execute(
        """
        select version, what from model_events as events
        where model = (select model from model_versions where id = :id)
          and version is not null and version != :id and from_stage = 'production'
        order by events.id desc
        """,
        {"id": current.id},
    ).fetchall()
    last: dict[int, str] = {}
    for version, what in rows:
        last.setdefault(version, what)
    good = [version for version, what in last.items() if what != "rolled back"]
    return good + [version for version in last if version not in good]

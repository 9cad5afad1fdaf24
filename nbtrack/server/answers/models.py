"""The registered models of all stores, and moving a version to another stage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from nbtrack.errors import ModelError, ModelNotFoundError
from nbtrack.records import ModelVersion, Stage
from nbtrack.server.desk import Desk
from nbtrack.server.stores import Held
from nbtrack.text import shorten

BY = "JupyterLab"
VERSIONS_MAX = 1_000  # of one store; the highest
NOTE_CHARS = 10_000


@dataclass(frozen=True, slots=True)
class Promotion:
    """Which version is to go where, and why."""

    store: str
    name: str
    version: str
    stage: Stage
    note: str


def models(desk: Desk) -> dict[str, Any]:
    """The models of each store, with their versions, lowest first."""
    found, _ = desk.stores.each_held(_models_of)
    return {"models": found}


def promote(desk: Desk, asked: Promotion) -> dict[str, Any]:
    """Move a version to another stage; the version as it is then.

    Raises
    ------
    ModelError
        Where the way there is not open, or nobody says why it should go.
    StoreNotFoundError, ModelNotFoundError
        Where there is no such store, or no such version in it.
    """
    store = desk.stores.of_store(asked.store)
    known = {v.version: v for v in store.model_versions(asked.name)}
    if asked.version not in known:  # a number alone: not `latest`, and no alias
        shown = shorten(f"{asked.name}@{asked.version}", 80)
        raise ModelNotFoundError(f"No version {shown!r} is registered.")
    if not asked.note.strip():
        raise ModelError("Say why it goes there, for whoever asks later.")
    why, ref = shorten(asked.note, NOTE_CHARS), known[asked.version].ref
    return _version(store.promote_model(ref, asked.stage, by=BY, why=why))


def _models_of(held: Held) -> Iterator[dict[str, Any]]:
    every = held.store.model_versions()[-VERSIONS_MAX:]
    for name, versions in groupby(every, key=lambda version: version.name):
        yield {
            "store": held.id,
            "name": name,
            "versions": list(map(_version, versions)),
        }


def _version(version: ModelVersion) -> dict[str, Any]:
    return {
        "version": version.version,
        "stage": version.stage,
        "aliases": list(version.aliases),
        "run": version.run,
        "created_at": version.created_at,
    }

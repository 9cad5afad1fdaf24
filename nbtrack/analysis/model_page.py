"""A registered version as sections: the line that loads it, facts, signature, history.

Nothing is computed but the wording; how it is shown is up to the surface.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.artifacts_table import local_time
from nbtrack.analysis.run_page import Section
from nbtrack.records import ArtifactRecord, ModelEvent, ModelVersion
from nbtrack.text import shown_bytes

if TYPE_CHECKING:
    from nbtrack.store import Store


@dataclass(frozen=True, slots=True)
class KnownModel:
    """What the store holds of a version."""

    version: ModelVersion
    artifact: ArtifactRecord
    run_name: str
    events: Sequence[ModelEvent]

    @classmethod
    def of(cls, store: Store, ref: str) -> KnownModel:
        """Read all of it."""
        version = store.model(ref)
        [artifact] = store.artifact_versions(ids=[version.artifact])
        run = "" if version.run is None else store.run(version.run).name
        happened = store.model_events(version.name)
        own = [event for event in happened if event.version == version.version]
        return cls(version, artifact, run, own)


def model_headline(version: ModelVersion) -> str:
    """The version in one line: `fraud@1.2.0 · production · champion`."""
    return " · ".join([version.ref, version.stage, *version.aliases])


def sections_of_model(known: KnownModel) -> list[Section]:
    """The sections that have something to say."""
    every = [_load(known), _facts(known), _signature(known.version), _history(known)]
    return [section for section in every if section.rows]


def _load(known: KnownModel) -> Section:
    return Section("Load", [(f"nbtrack.models.load({known.version.ref!r})",)])


def _facts(known: KnownModel) -> Section:
    version = known.version
    parts = (f"{part['role']} ({part['format']})" for part in version.parts)
    approved = f"{local_time(version.approved_at)} by {version.approved_by}" if (
        version.approved_at
    ) else "no: nbtrack.models.approve(...) is needed for production"  # fmt: skip
    facts = {
        "notes": version.notes,
        "approved": approved,
        "parts": ", ".join(parts),
        "run": known.run_name,
        "artifact": f"{known.artifact.ref}, {shown_bytes(known.artifact.size_bytes)}",
        "registered": f"{local_time(version.created_at)} by {version.created_by}",
        "digest": f"sha256 {known.artifact.digest}",
    }
    return Section("Facts", [(name, text) for name, text in facts.items() if text])


def _signature(version: ModelVersion) -> Section:
    told = version.signature or {}
    columns = [
        *_columns(told, "inputs", "input"),
        *_columns(told, "outputs", "output"),
    ]
    return Section("Inputs and outputs", columns)


def _columns(told: Any, side: str, word: str) -> Iterator[tuple[str, ...]]:
    for column in told.get(side) or ():
        shape = "×".join("n" if n is None else str(n) for n in column["shape"])
        what = f"{column['type']}[{shape}]"
        yield word, column["name"], what, "optional" if column["optional"] else ""


def _history(known: KnownModel) -> Section:
    rows = [
        (local_time(event.at), event.what, way(event), event.by, event.why)
        for event in known.events
    ]
    return Section("History", rows)


def way(event: ModelEvent) -> str:
    """From which stage to which; "" for what moves nothing."""
    if event.to_stage is None:
        return ""
    return f"{event.from_stage or 'new'} → {event.to_stage}"

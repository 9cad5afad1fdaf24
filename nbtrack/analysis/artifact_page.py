"""All that is known of one version: its files, who made and used it, how to load it.

Nothing is computed but the wording; how it is shown is up to the surface.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbtrack.analysis.artifacts_table import local_time, tags_text
from nbtrack.analysis.lineage import trace
from nbtrack.analysis.lineage_nodes import DIGEST_SHOWN, Node, files, gone
from nbtrack.analysis.marks import load_line
from nbtrack.analysis.run_page import Row, Section
from nbtrack.analysis.wording import number
from nbtrack.records import ArtifactEvent, ArtifactFile, ArtifactRecord, ArtifactUse
from nbtrack.text import shorten, shown_bytes

if TYPE_CHECKING:
    from nbtrack.store import Store

EVENTS_SHOWN = 12
_WORTH = 160  # characters of a value that is shown


@dataclass(frozen=True, slots=True)
class KnownArtifact:
    """What the store holds of a version."""

    record: ArtifactRecord
    files: Sequence[ArtifactFile]
    uses: Sequence[ArtifactUse]
    made_by: Sequence[Node]
    used_by: Sequence[Node]
    models: Sequence[tuple[str, str]]  # name@version, stage
    events: Sequence[ArtifactEvent]

    @classmethod
    def of(cls, store: Store, ref: str) -> KnownArtifact:
        """Read all of it."""
        record = store.artifact(ref)
        near = trace(store, record.id, depth=1)
        events = store.artifact_events(name=record.name)
        return cls(
            record,
            store.artifact_files(record.id),
            store.artifact_uses(version=record.id),
            near.made_by(record.ref),
            near.used_by(record.ref),
            store.registered([record.id]).get(record.id, ()),
            [event for event in events if event.version == record.version],
        )


def artifact_headline(record: ArtifactRecord) -> str:
    """The version in one line.

    >>> artifact_headline(ArtifactRecord(1, "mlp", 3, "model", "ab", 2048, 1, "2026"))
    'mlp:v3 · model · 2.0 KiB, 1 file'
    """
    parts = [record.ref, record.type]
    parts.append(f"{shown_bytes(record.size_bytes)}, {files(record.n_files)}")
    parts += [", ".join(record.aliases)] if record.aliases else []
    return " · ".join([*parts, *([gone(record)] if record.gone_at else [])])


def load_lines(known: KnownArtifact) -> list[str]:
    """Python that loads it, to be copied; what is gone cannot be loaded.

    >>> record = ArtifactRecord(1, "mlp", 3, "model", "ab", 10, 1, "2026")
    >>> load_lines(KnownArtifact(record, [], [], [], [], [], []))
    ["nbtrack.artifacts.get('mlp:v3')"]
    """
    record = known.record
    if record.gone_at is not None:
        return []
    lines = [f"nbtrack.artifacts.get({record.ref!r})"]
    made = [use for use in known.uses if use.role == "output" and use.step is not None]
    if record.type in ("checkpoint", "model") and record.n_files == 1:
        lines[:0] = [checkpoint_line(use) for use in made[:1]]
    lines[:0] = [f"nbtrack.models.load({model!r})" for model, _ in known.models]
    return lines


def checkpoint_line(use: ArtifactUse) -> str:
    """Python that loads the checkpoint that a run saved at a step."""
    return load_line(use.run, use.step or 0, use.name)


def sections_of_artifact(known: KnownArtifact) -> list[Section]:
    """The sections that have something to say."""
    every = [
        _load(known), _facts(known), _lineage(known), _files(known),
        _metadata(known), _events(known),
    ]  # fmt: skip
    return [section for section in every if section]


def _load(known: KnownArtifact) -> Section:
    rows: list[Row] = [(line,) for line in load_lines(known)]
    if known.record.gone_at is not None:
        rows = [(f"{gone(known.record)}: its files are not kept any more",)]
    return Section("Load", rows)


def _facts(known: KnownArtifact) -> Section:
    record = known.record
    judged = f"{record.metric} {record.goal or ''}".strip() if record.metric else ""
    facts = {
        "about": record.description,
        "tags": tags_text(record),
        "registered": ", ".join(f"{name} ({stage})" for name, stage in known.models),
        "metrics": ", ".join(f"{n} {number(v)}" for n, v in record.metrics.items()),
        "best goes by": judged,
        "created": local_time(record.created_at),
        "expires": local_time(record.expires_at) if record.expires_at else "",
        "digest": f"sha256 {record.digest}",
    }
    return Section("Facts", [(name, text) for name, text in facts.items() if text])


def _lineage(known: KnownArtifact) -> Section:
    rows: list[Row] = [("made by", *_node(node)) for node in known.made_by]
    rows += [("used by", *_node(node)) for node in known.used_by]
    if known.made_by and not known.used_by:
        rows.append(("used by", "nothing yet"))
    return Section("Lineage", rows)


def _node(node: Node) -> Row:
    return (node.label, node.type, node.note, node.facts.get("started", ""))


def _files(known: KnownArtifact) -> Section:
    return Section("Files", [_file(file) for file in known.files])


def _file(file: ArtifactFile) -> Row:
    size = "" if file.size_bytes is None else shown_bytes(file.size_bytes)
    sha = f"sha256 {file.digest[:DIGEST_SHOWN]}" if file.digest else ""
    where = "" if file.uri is None else f"lies at {shorten(file.uri, 100)}"
    return (file.path, size, sha, where, f"etag {file.etag}" if file.etag else "")


def _metadata(known: KnownArtifact) -> Section:
    pairs = known.record.metadata.items()
    return Section("Metadata", [(name, shorten(str(v), _WORTH)) for name, v in pairs])


def _events(known: KnownArtifact) -> Section:
    rows = [
        (local_time(event.at), event.what, event.detail, event.by)
        for event in known.events[-EVENTS_SHOWN:]
    ]
    return Section("What happened", rows)

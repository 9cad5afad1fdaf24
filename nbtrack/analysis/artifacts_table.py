"""Versions of artifacts as a table: which of them, and what stands in its columns.

Four queries whatever the number of versions, and no file is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from nbtrack.analysis.lineage_nodes import gone, metric_texts
from nbtrack.errors import ArtifactNotFoundError
from nbtrack.records import ArtifactRecord
from nbtrack.text import did_you_mean, shorten, shown_bytes

if TYPE_CHECKING:
    from nbtrack.store import Store

ALWAYS = (
    "artifact", "aliases", "type", "size", "files", "run", "step", "metrics",
    "created", "kept",
)  # fmt: skip
IF_ANY = ("models", "tags", "about")


@dataclass(frozen=True, slots=True)
class Versions:
    """The chosen versions, the newest first, with the names of their runs."""

    records: tuple[ArtifactRecord, ...]
    run_names: dict[str, str] = field(default_factory=dict)  # by id
    models: dict[int, list[tuple[str, str]]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.records)

    def run_of(self, record: ArtifactRecord) -> str:
        """The name of the run that logged it first, "" where none did."""
        return self.run_names.get(record.run or "", record.run or "")


def choose_versions(
    store: Store,
    words: Sequence[str] = (),
    *,
    type: str | None = None,
    gone: bool | None = None,
    last: int | None = None,
) -> Versions:
    """The versions to which every word answers, the newest first.

    Parameters
    ----------
    words
        Each a name, a reference (`mlp:v3`, `mlp:best`), an alias, a tag, a run's name
        or id, a model, or a part of a name or description; `*` stands for anything.
    type, gone, last
        Only of this type; only those given up, or kept; only the newest that many.

    Raises
    ------
    ArtifactNotFoundError
        Where no version answers to a word.
    """
    found = store.artifact_versions(type=type, gone=gone)[::-1]
    runs = store.lineage_runs({record.run for record in found if record.run})
    every = Versions(
        tuple(found),
        {run.id: run.name for run in runs},
        store.registered(record.id for record in found),
    )
    for word in words:
        found = _answering(every, found, word)
    return Versions(tuple(found[:last]), every.run_names, every.models)


def _answering(
    every: Versions, found: Sequence[ArtifactRecord], word: str
) -> list[ArtifactRecord]:
    """Those that are called so; where none is, those in which it occurs."""
    asked = word.casefold()
    exact = [r for r in found if any(_fits(t, asked) for t in _called(every, r))]
    if exact:
        return exact
    vague = [r for r in found if any(asked in t.casefold() for t in _texts(every, r))]
    if vague or not every.records:
        return vague
    known = {text for record in every.records for text in _called(every, record)}
    raise ArtifactNotFoundError(
        f"No version answers to {shorten(repr(word))}.{did_you_mean(word, known)}"
    )


def _fits(text: str, asked: str) -> bool:
    return text.casefold() == asked or (
        "*" in asked and fnmatchcase(text.casefold(), asked)
    )


def _called(every: Versions, record: ArtifactRecord) -> list[str]:
    refs = [f"{record.name}:{alias}" for alias in record.aliases]
    models = [name for name, _ in every.models.get(record.id, ())]
    own = [record.name, record.ref, *refs, *record.aliases, *record.tags, *models]
    return [*own, every.run_of(record), record.run or ""]


def _texts(every: Versions, record: ArtifactRecord) -> list[str]:
    values = [value for value in record.tags.values() if value]
    return [*_called(every, record), record.type, record.description, *values]


def cells_of(versions: Versions) -> tuple[list[str], list[list[str]]]:
    """The heads and the rows of the table, as texts; empty columns are left out."""
    extra = [name for name in IF_ANY if _any(versions, name)]
    heads = [*ALWAYS, *extra]
    texts = [_TEXTS[name] for name in heads]
    rows = [[text(versions, record) for text in texts] for record in versions.records]
    return heads, rows


def _any(versions: Versions, name: str) -> bool:
    return any(_TEXTS[name](versions, record) for record in versions.records)


def local_time(text: str) -> str:
    """A time of the store as the clock here shows it, to the minute.

    >>> len(local_time("2026-11-01T10:00:00.000000Z"))
    16
    """
    from datetime import datetime

    moment = datetime.fromisoformat(text).astimezone()
    return f"{moment:%Y-%m-%d %H:%M}"


def tags_text(record: ArtifactRecord) -> str:
    """The tags as people write them.

    >>> record = ArtifactRecord(1, "m", 0, "model", "ab", 1, 1, "", tags={"a": "b"})
    >>> tags_text(record)
    'a: b'
    """
    pairs = record.tags.items()
    return ", ".join(
        name if value is None else f"{name}: {value}" for name, value in pairs
    )


def _kept(record: ArtifactRecord) -> str:
    return gone(record)[:-13] if record.gone_at else "yes"  # to the day


_TEXTS: dict[str, Callable[[Versions, ArtifactRecord], str]] = {
    "artifact": lambda _, record: record.ref,
    "aliases": lambda _, record: ", ".join(record.aliases),
    "type": lambda _, record: record.type,
    "size": lambda _, record: shown_bytes(record.size_bytes),
    "files": lambda _, record: str(record.n_files),
    "run": lambda versions, record: versions.run_of(record),
    "step": lambda _, record: "" if record.step is None else str(record.step),
    "metrics": lambda _, record: ", ".join(
        f"{name} {text}" for name, text in metric_texts(record).items()
    ),
    "models": lambda versions, record: ", ".join(
        f"{name} ({stage})" for name, stage in versions.models.get(record.id, ())
    ),
    "tags": lambda _, record: tags_text(record),
    "about": lambda _, record: record.description,
    "created": lambda _, record: local_time(record.created_at),
    "kept": lambda _, record: _kept(record),
}

"""A run as one document: everything of it but its points and the bytes of its files.

Numbers that JSON has not are `{"$float": "nan"}`, `"inf"`, `"-inf"`, as in the store;
whole numbers beyond 64 bits are `{"$int": "..."}`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from nbtrack.capture.values import decode
from nbtrack.records import ArtifactUse, MetricSummary, RunRecord
from nbtrack.store import Store

Document = dict[str, Any]  # Any: what JSON can hold
RUN_FIELDS = (
    "id", "name", "experiment", "status", "started_at", "ended_at", "duration_s",
    "group", "parent", "notes", "notebook", "cell_id", "execution", "source", "error",
    "reason", "trashed_at", "forked_from", "fork_step", "peak_rss_bytes",
    "peak_vram_bytes", "model_bytes", "grade", "grade_why",
)  # fmt: skip
_LARGEST = 1 << 63


def document_of(store: Store, run: RunRecord) -> Document:
    """The document of a run (with its source, as `Store.run` gives it)."""
    document = {
        **{name: getattr(run, name) for name in RUN_FIELDS},
        "params": [asdict(param) for param in run.params.values()],
        "tags": [{"name": n, "value": v} for n, v in run.tags.items()],
        "metrics": [_metric(m) for m in (*run.metrics.values(), *run.system.values())],
        "facts": [asdict(fact) for fact in store.facts(run.id).values()],
        "texts": [asdict(text) for text in store.texts(run.id)],
        "inputs": [asdict(found) for found in store.inputs(run.id)],
        "notices": store.notices(run.id),
        "media": [asdict(value) for value in store.media(run.id)],
        "artifacts": [_use(store, use) for use in store.artifact_uses(run=run.id)],
    }
    plain: Document = to_json(document)
    return plain


def digests_in(document: Document) -> list[str]:
    """The kept files that a run names, each once."""
    files = [file for use in document["artifacts"] for file in use["files"]]
    named = [file["digest"] for file in files if file["uri"] is None]
    named += [value["digest"] for value in document["media"]]
    return list(dict.fromkeys(digest for digest in named if digest))


def to_json(value: Any) -> Any:  # Any: what the store holds
    """A value with what JSON lacks written out.

    >>> to_json({"best": float("nan"), "n": [1, 2**70]})
    {'best': {'$float': 'nan'}, 'n': [1, {'$int': '1180591620717411303424'}]}
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": str(value)}
    if isinstance(value, int) and abs(value) >= _LARGEST:
        return {"$int": str(value)}
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    return value


from_json = decode  # the way back


def _metric(summary: MetricSummary) -> Document:
    told = asdict(summary)
    return told | {"best": summary.best, "best_step": summary.best_step}


def _use(store: Store, use: ArtifactUse) -> Document:
    [version] = store.artifact_versions(ids=[use.version_id])
    return {
        "name": use.name,
        "version": use.version,
        "type": use.type,
        "role": use.role,
        "step": use.step,
        "metrics": dict(use.metrics),
        "path": use.path,
        "at": use.at,
        "digest": version.digest,
        "size_bytes": version.size_bytes,
        "description": version.description,
        "metadata": dict(version.metadata),
        "aliases": [alias for alias in version.aliases if alias != "latest"],
        "tags": dict(version.tags),
        "gone_why": version.gone_why,
        "files": [asdict(file) for file in store.artifact_files(use.version_id)],
    }

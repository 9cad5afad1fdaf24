"""What manifest.json says of the run itself, as events of a store.

Every field is checked before it is used, names are cleaned, and texts pass the search
for secrets again: who exported may have had another one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args

from nbtrack.bundles.archive.fields import Fields, as_fields
from nbtrack.bundles.archive.manifest import MANIFEST
from nbtrack.records import Origin, Status
from nbtrack.redact import redact_param, redact_source
from nbtrack.text import clean_name, text_digest

Event = dict[str, Any]  # Any: JSON values
BUNDLE_TAG = "bundle"
_RUN_ID = re.compile(r"[0-9a-hjkmnp-tv-z]{13}")  # as nbtrack makes them
_STATUS = frozenset(get_args(Status))
_ORIGINS = frozenset(get_args(Origin))
_MAX_NAME = 1_000  # characters, before it is cleaned


def run_of(manifest: Mapping[str, Any]) -> Fields:
    """The run of a manifest, with an id that nbtrack would give."""
    run = as_fields(manifest, MANIFEST).fields("run")
    if not _RUN_ID.fullmatch(run.text("id")):
        run.wrong("id", "the id of a run")
    return run


def started(run: Fields, *, bundle_id: str) -> Event:
    """`run_started`, with the tags and the tag that names the bundle."""
    source, digest = clean_source(run.text_or_none("source"))
    return {
        "kind": "run_started",
        "run": run.text("id"),
        "name": clean_name(run.text("name", limit=_MAX_NAME)),
        "experiment": _name_or_none(run, "experiment"),
        "started_at": run.moment_or_none("started_at"),
        "group": _name_or_none(run, "group"),
        "notes": redact_source(run.text_or_none("notes") or "")[0],
        "notebook": _name_or_none(run, "notebook"),
        "cell_id": _name_or_none(run, "cell_id"),
        "execution": run.whole_or_none("execution"),
        "source": source,
        "source_digest": digest,
        "tags": _tags(run.fields("tags")) | {BUNDLE_TAG: bundle_id[:12]},
    }


def params(run: Fields) -> Event:
    """`params`, with where each came from."""
    rows = []
    for name, about in run.fields("params").named():
        origin = about.word("origin", _ORIGINS)
        value, _ = redact_param(name, about.value.get("value"))
        cell = _name_or_none(about, "cell")
        rows.append([clean_name(name), value, origin, cell])
    return {"kind": "params", "run": run.text("id"), "params": rows}


def finished(run: Fields) -> Event:
    """`run_finished`; a run that went on when it was exported has stopped there."""
    status = run.word("status", _STATUS)
    is_cut = status == "running"
    return {
        "kind": "run_finished",
        "run": run.text("id"),
        "status": "stopped" if is_cut else status,
        "reason": "exported while it ran" if is_cut else None,
        "ended_at": run.moment_or_none("ended_at") or run.moment_or_none("started_at"),
        "duration_s": run.number_or_none("duration_s"),
    }


def clean_source(source: str | None) -> tuple[str | None, str | None]:
    """Source without secrets, and the digest of what it was.

    The digest is never taken from a bundle: a store keeps a text once for each, and
    somebody else's would stand under the digest of one's own.
    """
    if source is None:
        return None, None
    digest = text_digest(source)
    return redact_source(source)[0], digest


def _tags(tags: Fields) -> dict[str, str | None]:
    found = {}
    for name in tags.value:
        value = tags.text_or_none(name, limit=_MAX_NAME)
        found[clean_name(name)] = None if value is None else clean_name(value)
    return found


def _name_or_none(fields: Fields, key: str) -> str | None:
    value = fields.text_or_none(key, limit=_MAX_NAME)
    return None if value is None else clean_name(value)

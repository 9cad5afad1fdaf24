"""What describes a run in a bundle, as events: facts, the cells of its slice, data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nbtrack.bundles.archive.fields import Fields, as_fields
from nbtrack.bundles.archive.manifest import MANIFEST
from nbtrack.bundles.archive.reading import Bundle
from nbtrack.bundles.archive.trouble import refuse
from nbtrack.bundles.data_state import INPUTS
from nbtrack.bundles.importing.run_events import Event, clean_source
from nbtrack.redact import redact, redact_json, redact_param
from nbtrack.text import clean_name

SLICE = "run/slice.json"
_FACT_FILES = ("env/platform.json", "env/numerics.json")
_VARIABLES = "env/env-vars.json"
_MAX_NAME = 4_096  # characters: of a path


def facts(bundle: Bundle, run_id: str) -> Event:
    """`facts`: of the code, the seeds, the machine and its numerics."""
    manifest = as_fields(bundle.manifest, MANIFEST)
    sources = [manifest.fields("code"), manifest.fields("seeds")]
    for name in _FACT_FILES:
        if name in bundle.names:
            sources.append(as_fields(bundle.json(name), name).fields("facts"))
    rows = [row for source in sources for row in _fact_rows(source)]
    if _VARIABLES in bundle.names:
        variables = as_fields(bundle.json(_VARIABLES), _VARIABLES)
        told = {f"env.{name}": variables.text(name) for name in variables.value}
        rows += _fact_rows(Fields(told, _VARIABLES))
    return {"kind": "facts", "run": run_id, "facts": rows}


def cells(bundle: Bundle, run_id: str, *, started_at: str | None) -> list[Event]:
    """`cells`: those of the slice, an event for each; their sources may be long."""
    if SLICE not in bundle.names:
        return []
    seen: set[int] = set()
    events = []
    for row in as_fields(bundle.json(SLICE), SLICE).rows("cells"):
        cell = _cell(row, started_at or "")
        if cell["seq"] in seen:
            row.wrong("seq", "the number of one cell only")
        seen.add(cell["seq"])
        events.append({"kind": "cells", "run": run_id, "cells": [cell]})
    return events


def inputs(bundle: Bundle, run_id: str) -> Event:
    """`inputs`: the files and the variables that the run read."""
    rows: list[Mapping[str, Any]] = []
    if INPUTS in bundle.names:
        told = as_fields(bundle.json(INPUTS), INPUTS)
        rows += map(_file, told.rows("files"))
        rows += map(_variable, told.rows("variables"))
    return {"kind": "inputs", "run": run_id, "inputs": rows}


def _fact_rows(told: Fields) -> Iterator[list[Any]]:
    for name, value in told.value.items():
        missing = None
        if isinstance(value, dict) and value.keys() <= {"value", "missing"} and value:
            missing = told.fields(name).text_or_none("missing", limit=_MAX_NAME)
            value = value.get("value")
        clear, _ = redact_param(name, value)
        why = None if missing is None else redact(missing)[0]
        yield [clean_name(name), clear, why]


def _cell(row: Fields, started_at: str) -> Event:
    source, digest = clean_source(row.text("source"))
    seq = row.whole("seq")
    if seq < 0:
        row.wrong("seq", "a number from 0")
    cell_id = row.text_or_none("cell_id", limit=_MAX_NAME)
    return {
        "seq": seq,
        "cell_id": None if cell_id is None else clean_name(cell_id),
        "execution": row.whole_or_none("execution"),
        "source": source,
        "source_digest": digest,
        "started_at": started_at,
        "ok": True,
    }


def _file(row: Fields) -> Event:
    known = {"role", "policy", "origin", "url", "schema"}
    detail = {k: v for k, v in row.value.items() if k in known and v is not None}
    is_folder = row.text_or_none("role", limit=_MAX_NAME) == "folder"
    return {
        "name": redact(row.text("path", limit=_MAX_NAME))[0],
        "type": "folder" if is_folder else "file",
        "digest": None if row.value.get("sha256") is None else row.digest("sha256"),
        "size_bytes": _size(row, "size_bytes"),
        "detail": redact_json(detail),
    }


def _variable(row: Fields) -> Event:
    detail = row.value.get("detail")
    if detail is not None and not isinstance(detail, dict):
        row.wrong("detail", "an object")
    return {
        "name": clean_name(row.text("name", limit=_MAX_NAME)),
        "type": clean_name(row.text("type", limit=_MAX_NAME)),
        "digest": row.text_or_none("digest", limit=200),
        "n_rows": _size(row, "n_rows"),
        "detail": redact_json(detail or {}),
    }


def _size(row: Fields, key: str) -> int | None:
    found = row.whole_or_none(key)
    if found is not None and found < 0:
        refuse(f"{row.file}: {row.at(key)} is below 0")
    return found

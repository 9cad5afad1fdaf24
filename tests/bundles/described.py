"""The JSON members of bundles beside the schemas that describe them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Any

SCHEMA_OF = {
    "manifest.json": "manifest", "checklist.json": "checklist",
    "run/slice.json": "slice", "run/layout.json": "layout",
    "env/packages.json": "packages", "env/platform.json": "facts",
    "env/numerics.json": "facts", "env/env-vars.json": "env-vars",
    "rng/fingerprints.json": "fingerprints", "data/inputs.json": "inputs",
    "results/metrics.jsonl": "metric", "results/expected.json": "expected",
    "checks/export-rerun-*.json": "check",
}  # fmt: skip


def schemas() -> dict[str, Any]:
    """The schemas that the package ships, by name."""
    folder = files("nbtrack.bundles") / "schemas"
    return {
        each.name.removesuffix(".schema.json"): json.loads(each.read_text("utf-8"))
        for each in folder.iterdir()
    }


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def schema_of(name: str) -> str | None:
    return next((s for form, s in SCHEMA_OF.items() if fnmatchcase(name, form)), None)


def values_of(name: str, body: bytes) -> list[Any]:
    lines = body.splitlines() if name.endswith(".jsonl") else [body]
    return [json.loads(line) for line in lines]


def problems(found: dict[str, bytes]) -> Iterator[str]:
    """Where a member is not what its schema says."""
    from jsonschema import Draft202012Validator

    known = schemas()
    for name, body in found.items():
        if schema_of(name) is None:
            continue
        validator = Draft202012Validator(known[schema_of(name)])
        for value in values_of(name, body):
            for error in validator.iter_errors(value):
                yield f"{name} {error.json_path}: {error.message[:200]}"

"""The members of a bundle, out of what a check tried and what the store has of the run.

Nothing tells a clock of the export, a user, a host or a path of this machine, but where
the cells read a file by its absolute path: the same run gives the same bytes. What was
left out, and why, is in the manifest.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbtrack.bundles.content import lines_of, looks_of, scripted
from nbtrack.bundles.contents.checklist import checklist, checklist_json
from nbtrack.bundles.contents.checkpoints import checkpoint_members
from nbtrack.bundles.contents.curves import curve_members
from nbtrack.bundles.contents.json_text import as_utf8, json_bytes
from nbtrack.bundles.contents.metrics import expected, metrics_lines
from nbtrack.bundles.contents.notebook import notebook_json
from nbtrack.bundles.contents.preview import preview_html
from nbtrack.bundles.contents.readme import readme_text
from nbtrack.bundles.contents.reasons import without_places
from nbtrack.bundles.frame import SHIM, uses_nbtrack
from nbtrack.bundles.ledger import DataFile
from nbtrack.bundles.manifest import Draft, manifest_of
from nbtrack.bundles.standalone import nbtrack_shim
from nbtrack.bundles.standalone import verify as standalone_verify
from nbtrack.capture.dataflow.pseudo import GENERATOR
from nbtrack.slices.closure import KeptCell
from nbtrack.slices.scratch import paths_of
from nbtrack.slices.script import Script
from nbtrack.slices.segments import segments_of

Member = bytes | Path
_PLATFORM = ("os.", "cpu.", "gpu.", "ram.", "container.", "python.")
_NUMERICS = ("numerics.", "python.hash_seed")
_NOT_KEPT = frozenset({"python.loaded"})  # the session's, not the slice's


def members_of(draft: Draft) -> dict[str, Member]:
    """All members of the bundle but its list, by name."""
    store, run, content = draft.claim.store, draft.run, draft.content
    packages, needs = draft.packages, content.needs
    script = scripted(draft.claim, content.trial, content.kept, packages, needs)
    files, checkpoints = checkpoint_members(store, run)
    curves = curve_members(store, run)
    inputs = _inputs(draft)
    results = expected(store, run, checkpoints)
    items = checklist(store, run, draft.shown, dict(packages), inputs)
    members: dict[str, Member] = {
        "run/run.py": as_utf8(script.source),
        "run/run.ipynb": notebook_json(script, store, run, curves),
        "run/slice.json": json_bytes(_slice(draft, script)),
        "run/layout.json": json_bytes(_layout(draft)),
        "env/packages.json": json_bytes(packages),
        "env/platform.json": json_bytes({"facts": _facts(draft, _PLATFORM)}),
        "env/numerics.json": json_bytes({"facts": _facts(draft, _NUMERICS)}),
        "env/env-vars.json": json_bytes(_variables(draft)),
        "rng/fingerprints.json": json_bytes({"cells": list(_fingerprints(draft))}),
        "data/inputs.json": json_bytes(inputs),
        "results/metrics.jsonl": metrics_lines(store, run),
        "results/expected.json": json_bytes(results),
        "checklist.json": checklist_json(items),
        "verify.py": _source(standalone_verify),
        **files,
        **curves,
        **dict(_code_beside(draft)),
        **dict(_data(draft)),
        **dict(_states(draft)),
    }
    if draft.lock is not None:
        members["env/pylock.toml"] = as_utf8(draft.lock)
    for nth, check in enumerate(content.checks, 1):
        members[f"checks/export-rerun-{nth}.json"] = json_bytes(check.to_dict())
    manifest = manifest_of(draft, results)
    members["manifest.json"] = json_bytes(manifest)
    members["README.md"] = as_utf8(readme_text(manifest))
    page = preview_html(
        manifest, items=items, slice=draft.shown, curves=curves, inputs=inputs
    )
    return members | {"preview.html": as_utf8(page)}


def _slice(draft: Draft, script: Script) -> dict[str, Any]:
    content, n_lines = draft.content, lines_of(script)
    looks = looks_of(content)
    emitted = {s.label: s.source for s in segments_of(script.source, n_lines)}
    cells = [
        {
            "seq": each.cell.seq, "cell_id": each.cell.cell_id, "label": label,
            "execution": each.cell.execution, "source": each.cell.source,
            "duration_s": each.cell.duration_s,
            "reasons": list(without_places(each.reasons)),
            "emitted": emitted.get(label, ""),
            "reads_files": _files_read(draft, each),
            "tracked": each is content.kept[-1], "writes": list(looks[label]),
            "first_line": first, "n_lines": n,
        }
        for each, label, (first, n) in zip(
            content.kept, looks, n_lines.items(), strict=True
        )
    ]  # fmt: skip
    dropped = [
        {
            "seq": d.cell.seq,
            "execution": d.cell.execution,
            "why": " ".join(without_places([d.reason])),
        }
        for d in draft.slice.dropped
    ]
    return {
        "method": content.trial.rung, "nth": content.nth,
        "cells": cells, "dropped": dropped,
        "notes": list(content.script.notes), "needs": list(content.needs.names),
    }  # fmt: skip


def _files_read(draft: Draft, each: KeptCell) -> list[str]:
    """The files of the ledger that a cell reads."""
    flow = each.cell.flow
    read = paths_of(flow.reads) if flow is not None else set()
    return [f.path for f in draft.content.ledger.files if str(f.source) in read]


def _layout(draft: Draft) -> dict[str, Any]:
    """Where the members lie for a rerun: also what stands beside the script."""
    layout, cwd = draft.content.ledger.layout(), Path(draft.content.ledger.cwd)
    beside = {str(cwd / p): f"run/{p}" for p in draft.content.script.files}
    beside |= {str(cwd / p): f"run/{p}" for p, _ in draft.content.trial.snapshots}
    return layout | {"files": layout["files"] | beside}


def _inputs(draft: Draft) -> dict[str, Any]:
    variables = [
        {"name": i.name, "type": i.type, "digest": i.digest, "n_rows": i.n_rows,
         "detail": dict(i.detail)}
        for i in draft.claim.store.inputs(draft.run.id)
        if i.type != "file"
    ]  # fmt: skip
    files = [_input(f) for f in draft.content.ledger.files]
    return {"cwd": draft.content.ledger.cwd, "files": files, "variables": variables}


def _input(file: DataFile) -> dict[str, Any]:
    schema = file.detail.get("schema") or file.detail.get("columns")
    return {
        "path": file.path, "place": file.place, "role": file.role,
        "sha256": file.sha256, "size_bytes": file.size_bytes, "policy": file.policy,
        "member": file.member, "url": None, "origin": "file", "schema": schema,
    }  # fmt: skip


def _facts(draft: Draft, rooms: tuple[str, ...]) -> dict[str, Any]:
    return {
        name: fact.value
        for name, fact in draft.facts.items()
        if name.startswith(rooms) and fact.missing is None and name not in _NOT_KEPT
    }


def _variables(draft: Draft) -> dict[str, str]:
    facts = draft.facts.items()
    return {n.removeprefix("env."): str(f.value) for n, f in facts if n[:4] == "env."}


def _fingerprints(draft: Draft) -> Iterator[dict[str, Any]]:
    """What the check saw after each cell; of generators those it draws from."""
    answer = draft.content.answer
    kept = dict(zip(looks_of(draft.content), draft.content.kept, strict=True))
    for seen in () if answer is None else answer.seen:
        each = kept.get(seen["label"])
        flow = None if each is None else each.cell.flow
        reads = () if flow is None else flow.reads
        drawn = {n.removeprefix(GENERATOR) for n in reads if n.startswith(GENERATOR)}
        states = {n: d for n, d in seen["generators"].items() if n in drawn}
        seq = None if each is None else each.cell.seq
        yield {
            "seq": seq, "label": seen["label"], "values": seen["values"],
            "generators": states,
        }  # fmt: skip


def _states(draft: Draft) -> Iterator[tuple[str, Member]]:
    for each in draft.content.kept:
        for name in each.restore:
            packed = each.cell.rng.get(name)
            if packed is not None:
                plain = name.replace(":", "-").replace("/", "-")
                yield f"rng/{each.cell.seq}-{plain}.bin", as_utf8(packed)


def _code_beside(draft: Draft) -> Iterator[tuple[str, Member]]:
    for path, text in draft.content.script.files.items():
        yield f"run/{path}", as_utf8(text)
    for path, value in draft.content.trial.snapshots:
        yield f"run/{path}", value
    if uses_nbtrack(draft.content.kept):
        yield f"run/{SHIM}.py", _source(nbtrack_shim)


def _data(draft: Draft) -> Iterator[tuple[str, Member]]:
    for file in draft.content.ledger.files:
        if file.member is not None:
            yield file.member, file.source if file.body is None else file.body


def _source(module: Any) -> bytes:  # Any: a module
    return as_utf8(inspect.getsource(module))

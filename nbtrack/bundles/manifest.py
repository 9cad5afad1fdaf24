"""`manifest.json`: what a bundle says of its run, its proof and what is not in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from nbtrack import __version__
from nbtrack.bundles.content import Content
from nbtrack.bundles.contents.json_text import as_utf8
from nbtrack.bundles.ledger import DataFile
from nbtrack.records import Fact, RunRecord
from nbtrack.slices.claim import Claim, Proof
from nbtrack.slices.slice import Slice

FORMAT, VERSION = "nbtrack.bundle", 1
_NOTES = {
    "network": "a cell used the network: what it got is not in the bundle",
    "input": "a cell asked for input: what was typed is not in the bundle",
    "threads": "a cell left threads running",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """What a bundle is made of."""

    claim: Claim
    slice: Slice
    content: Content
    proof: Proof
    packages: Mapping[str, Any]  # as `env/packages.json` has them
    lock: str | None  # the text of `env/pylock.toml`

    @property
    def run(self) -> RunRecord:
        """The run that is put into the bundle."""
        assert self.claim.run is not None
        return self.claim.run

    @property
    def shown(self) -> Slice:
        """The slice as it is in the bundle: cells of a live session have secrets."""
        return replace(self.slice, kept=self.content.kept, cells=())

    @property
    def facts(self) -> Mapping[str, Fact]:
        """What the store knows of its surroundings."""
        return self.claim.store.facts(self.run.id)


def manifest_of(draft: Draft, results: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest, by what `results/expected.json` says of the results."""
    run, content, proof = draft.run, draft.content, draft.proof
    facts = draft.facts
    by_policy = {p: _of_policy(draft, p) for p in ("embed", "ref", "private")}
    return {
        "format": FORMAT, "version": VERSION, "nbtrack": __version__,
        "run": _run(run),
        "code": {n: _fact(f) for n, f in facts.items() if n.startswith("git.")},
        "seeds": {
            n: _fact(f) for n, f in facts.items() if n.startswith(("seed.", "rng."))
        },
        "slice": {
            "method": content.trial.rung, "n_cells": len(content.kept),
            "n_session": proof.n_session,
            "n_dropped": proof.n_session - len(content.kept),
            "verified_by": "checks/export-rerun-1.json" if proof.is_proven else None,
            "proof": proof.outcome, "reason": proof.reason,
        },
        "environment": _environment(draft),
        "data": {
            "n_embedded": len(by_policy["embed"]),
            "n_referenced": len(by_policy["ref"]),
            "n_private": len(by_policy["private"]),
            "bytes_embedded": sum(f.size_bytes for f in by_policy["embed"]),
        },
        "metrics": [
            {"name": n, "goal": m["goal"], "final": m["last"], "best": m["best"],
             "n": m["n"], "series_sha256": m["series_sha256"]}
            for n, m in results["metrics"].items()
        ],
        "tolerance": {n: asdict(t) for n, t in content.tolerances.items()},
        "not_captured": list(_not_captured(draft)),
        "needs": list(content.needs.names),
        "secrets": {"n_redacted": content.needs.n_redacted},
    }  # fmt: skip


def _run(run: RunRecord) -> dict[str, Any]:
    """The run itself; of the notebook its name alone."""
    kept = (
        "id", "name", "experiment", "status", "started_at", "ended_at", "duration_s",
        "group", "notes", "cell_id", "execution", "source", "source_digest",
    )  # fmt: skip
    notebook = None if run.notebook is None else Path(run.notebook).name
    params = {
        name: {"value": p.value, "origin": p.origin, "cell": p.cell}
        for name, p in run.params.items()
    }
    told = {name: getattr(run, name) for name in kept}
    return told | {"notebook": notebook, "tags": dict(run.tags), "params": params}


def _environment(draft: Draft) -> dict[str, Any]:
    import hashlib

    facts = {n: f.value for n, f in draft.facts.items()}
    lock = None if draft.lock is None else hashlib.sha256(as_utf8(draft.lock))
    return {
        "python": draft.packages["python"],
        "lock": "versions" if lock is None else "hashes",
        "lock_sha256": None if lock is None else lock.hexdigest(),
        "threads": facts.get("numerics.torch.threads"),
        "isa": facts.get("numerics.torch.cpu_capability"),
        "hash_seed": facts.get("python.hash_seed"),
    }


def _of_policy(draft: Draft, policy: str) -> list[DataFile]:
    files = draft.content.ledger.files
    return [f for f in files if f.policy == policy and f.role == "input"]


def _not_captured(draft: Draft) -> Iterator[dict[str, str]]:
    for each in draft.content.kept:
        notes = each.cell.flow.notes if each.cell.flow is not None else {}
        for what in notes.keys() & _NOTES.keys():
            yield {"what": what, "why": _NOTES[what]}
    for path in draft.content.ledger.outside:
        # Its folder would say who somebody is; see `contents.reasons`.
        what = Path(path).name if Path(path).is_absolute() else path
        yield {"what": what, "why": "a local module that lies outside of the project"}
    if draft.content.needs.n_left:
        yield {"what": "secret", "why": "a secret in a text could not be given a name"}
    for name, value in draft.content.trial.snapshots:
        why = f"it was not computed again: its value was kept ({len(value):,} bytes)"
        yield {"what": Path(name).stem, "why": why}
    if (
        draft.facts.get("gpu.0.name") is not None
        and not draft.facts["gpu.0.name"].missing
    ):
        yield {"what": "gpu", "why": "what a GPU computes may differ from run to run"}


def _fact(fact: Fact) -> dict[str, Any]:
    missing = fact.missing is not None
    return {"missing": fact.missing} if missing else {"value": fact.value}

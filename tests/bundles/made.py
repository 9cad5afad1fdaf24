"""A small complete bundle, made by hand as the format says, for tests that read it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from nbtrack.bundles.archive.writing import write_bundle

RUN = "06avvsg7n6e69"
SOURCE = "lr = 0.1\nfor step in range(3):\n    loss = 1 / (step + 1)\n"
DATA = b"x,y\n1,2\n3,4\n"
_HEADER = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
WEIGHTS = len(_HEADER).to_bytes(8, "little") + _HEADER + b"\0\0\x80?"
LOSSES = [1.0, 0.5, 1 / 3]


def as_json(value) -> bytes:
    """As the format writes it."""
    text = json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False)
    return f"{text}\n".encode()


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def manifest(**changes):
    run = {
        "id": RUN, "name": "base", "experiment": "mnist", "status": "finished",
        "started_at": "2026-03-01T10:00:00.000000Z",
        "ended_at": "2026-03-01T10:00:03.500000Z", "duration_s": 3.5, "group": "g",
        "notes": "first try", "notebook": "train.ipynb", "cell_id": "c2",
        "execution": 2, "source": SOURCE, "source_digest": sha(SOURCE.encode()),
        "tags": {"baseline": None, "data": "mnist"},
        "params": {
            "lr": {"value": 0.1, "origin": "literal", "cell": None},
            "opt.name": {"value": "sgd", "origin": "inherited", "cell": "[1]"},
        },
    }  # fmt: skip
    found = {
        "format": "nbtrack.bundle", "version": 1, "nbtrack": "0.1.0", "run": run,
        "code": {
            "git.commit": {"value": "ab" * 20},
            "git.dirty": {"missing": "no repository"},
        },
        "seeds": {"seed.python": {"value": 7}},
        "slice": {
            "method": "slice", "n_cells": 2, "n_session": 3, "n_dropped": 1,
            "verified_by": None, "proof": "UNPROVEN", "reason": "never run again",
        },
        "environment": {
            "python": "3.11.7", "lock": "versions", "lock_sha256": None,
            "threads": 2, "isa": "avx2", "hash_seed": 0,
        },
        "data": {
            "n_embedded": 1, "n_referenced": 1, "n_private": 1,
            "bytes_embedded": len(DATA),
        },
        "metrics": [
            {"name": "loss", "goal": "min", "final": 1 / 3, "best": 1 / 3, "n": 3,
             "series_sha256": "0" * 64}
        ],
        "tolerance": {
            "loss": {
                "atol": 0.0, "rtol": 0.0, "spread": 0.0, "source": "default", "k": 1,
            }
        },
        "not_captured": [], "needs": [], "secrets": {"n_redacted": 0},
    }  # fmt: skip
    found["run"] |= changes.pop("run", {})
    return found | changes


def slice_json():
    cells = [
        {
            "seq": seq, "cell_id": f"c{seq}", "execution": seq, "label": f"[{seq}]",
            "source": source, "emitted": source, "tracked": seq == 2,
            "reasons": ["defines x"], "first_line": 10 * seq, "n_lines": 3,
            "writes": ["x"], "reads_files": [], "duration_s": 0.5,
        }
        for seq, source in ((1, "x = 1\n"), (2, SOURCE))
    ]  # fmt: skip
    dropped = [{"seq": 0, "execution": 0, "why": "nothing needs it"}]
    return {
        "method": "slice", "nth": 0, "cells": cells, "dropped": dropped, "notes": [],
        "needs": [],
    }  # fmt: skip


def inputs_json():
    def file(path, policy, content, **more):
        return {
            "path": path, "place": path, "role": "input", "sha256": sha(content),
            "size_bytes": len(content), "policy": policy, "origin": "read_csv",
            "member": None, "url": None, "schema": None, **more,
        }  # fmt: skip

    return {
        "cwd": "notebooks",
        "files": [
            file("train.csv", "embed", DATA, member="data/files/train.csv"),
            file("test.csv", "ref", DATA),
            file("patients.csv", "private", DATA),
        ],
        "variables": [
            {"name": "frame", "type": "dataframe", "digest": "1" * 64, "n_rows": 2,
             "detail": {"columns": ["x", "y"]}}
        ],
    }  # fmt: skip


def packages_json():
    return {
        "python": "3.11.7", "implementation": "cpython", "platform": "linux_x86_64",
        "packages": [
            {"name": "numpy", "version": "1.26.0", "group": "run", "loaded": True,
             "source": {"type": "index", "url": None, "sha256": None, "commit": None},
             "record_sha256": None, "requires": [], "wheel": None}
        ],
    }  # fmt: skip


def metrics_lines(*more):
    loss = {
        "metric": "loss", "goal": "min", "thinned": 1, "timing": False,
        "steps": [0, 1, 2], "values": LOSSES, "at": [1e9, 1e9 + 1, 1e9 + 2.5],
        "axes": {"epoch": [0, 0, 1]},
    }  # fmt: skip
    odd = {
        "metric": "odd", "goal": None, "thinned": 2, "timing": True, "steps": [5, 7],
        "values": ["NaN", "-Infinity"], "at": [1e9, 1e9], "axes": {},
    }  # fmt: skip
    return "".join(json.dumps(s, sort_keys=True) + "\n" for s in (loss, odd, *more))


def expected_json():
    checkpoint = {
        "name": "model", "version": 0, "step": 2, "metrics": {"loss": 1 / 3},
        "member": "results/checkpoints/model-v0.safetensors", "sha256": "2" * 64,
        "tensors": None, "why": None,
    }  # fmt: skip
    not_kept = {**checkpoint, "name": "old", "member": None, "why": "a pickle"}
    return {"metrics": {}, "checkpoints": [checkpoint, not_kept]}


def members(**changes) -> dict[str, bytes]:
    """Name to content; `changes` are fields of manifest.json."""
    return {
        "manifest.json": as_json(manifest(**changes)),
        "checklist.json": as_json([]),
        "README.md": b"# base\n",
        "preview.html": b"<!doctype html><title>base</title>\n",
        "verify.py": b"raise SystemExit('never run by a test')\n",
        "run/run.py": b"raise SystemExit('never run by an import')\n",
        "run/run.ipynb": as_json({"cells": [], "nbformat": 4, "nbformat_minor": 5}),
        "run/slice.json": as_json(slice_json()),
        "env/packages.json": as_json(packages_json()),
        "env/platform.json": as_json({"facts": {"os.name": "Linux", "cpu.count": 2}}),
        "env/numerics.json": as_json({"facts": {"numerics.decimal.precision": 28}}),
        "env/env-vars.json": as_json({"OMP_NUM_THREADS": "2"}),
        "rng/2-python.bin": bytes(range(256)),
        "rng/fingerprints.json": as_json({"cells": []}),
        "data/inputs.json": as_json(inputs_json()),
        "data/files/train.csv": DATA,
        "results/metrics.jsonl": metrics_lines().encode(),
        "results/expected.json": as_json(expected_json()),
        "results/checkpoints/model-v0.safetensors": WEIGHTS,
        "results/outputs/loss.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>\n",
    }


def made_bundle(folder: Path, **changes) -> Path:
    """Write one; `changes` are fields of manifest.json, or members by their path."""
    named = {k: v for k, v in changes.items() if "/" in k or "." in k}
    fields = {k: v for k, v in changes.items() if k not in named}
    found = members(**fields) | named
    target = folder / "base.nbt.zip"
    write_bundle(target, {k: v for k, v in found.items() if v is not None})
    return target

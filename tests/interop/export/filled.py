"""A store with all that a run can have, for exports and what comes back of them."""

from __future__ import annotations

import dataclasses
import hashlib
import math

from nbtrack.store import Store

AT = 1_700_000_000.123456
LOSSES = [1.0, math.nan, math.inf, -math.inf, -0.0, 1e-300, 0.1 + 0.2]
DIGEST = hashlib.sha256(b"hi\n").hexdigest()
FIRST, SECOND = "06ay7t97fjzwp", "06ay7t97fjzwq"


def fill(store: Store) -> Store:
    """Two runs, the second a child of the first."""
    begin(store, FIRST, name="=cmd()", notes="first\nnote", source="x = 1\n")
    weights, page = store.put_bytes(b"weights"), store.put_bytes(b"\x89PNG page")
    store.edit(
        {"kind": "params", "run": FIRST, "params": [
            ["lr", 0.1, "literal", None], ["opt.name", "=adam", "call", None],
            ["n", 3, "inherited", "[3]"], ["flag", True, "option", None],
            ["limit", {"$float": "inf"}, "call", None], ["none", None, "call", None],
            ["sizes", [1, 2.5, "a"], "call", None], ["id", "0012", "call", None],
        ]},
        {"kind": "facts", "run": FIRST, "facts": [
            ["git.commit", "abc", None], ["gpu", None, "there is none"],
            ["cpu.n", 8, None], ["nested", {"a": [1, {"b": None}]}, None],
        ]},
        {"kind": "texts", "run": FIRST, "texts": [
            {"role": "stdout", "name": "stdout", "digest": DIGEST, "body": "hi\n"},
            {"role": "diff", "name": "diff", "missing": "too long"},
        ]},
        {"kind": "inputs", "run": FIRST, "inputs": [
            {"name": "train", "type": "dataframe", "digest": "d" * 64, "n_rows": 5,
             "detail": {"columns": [["a", "int64"]]}},
        ]},
        {"kind": "notices", "run": FIRST, "texts": ["stdout was cut"]},
        {"kind": "media", "run": FIRST, "name": "page", "type": "image", "step": 3,
         "at": AT, "mime": "image/png", "digest": page.digest,
         "size_bytes": page.size_bytes},
        {"kind": "media", "run": FIRST, "name": "hist", "type": "histogram", "step": 0,
         "at": AT, "data": {"counts": [1, 2], "edges": [0.0, 1.0, 2.0], "n": 3}},
        {"kind": "artifact", "run": FIRST, "name": "net", "type": "model",
         "files": [["net.pt", weights.digest, 7, None, None],
                   ["ref", None, None, "s3://b/k", "etag"]],
         "created_at": AT, "step": 2, "metrics": {"loss": 0.5}, "path": "net.pt",
         "aliases": ["gold"], "description": "small", "metadata": {"a": 1}},
    )  # fmt: skip
    log(store, FIRST, "loss", LOSSES)
    log(store, FIRST, "epoch", [0.0, 0.0, 1.0], axis_of="loss")
    log(store, FIRST, "system/cpu", [50.0])
    twice = store.journal.series(FIRST, "twice")
    for step, value in ((5, 1.0), (3, 2.0), (5, 3.0)):
        store.journal.point(twice, step, value, AT)
    end(store, FIRST, "failed", error="Traceback\nValueError: x")
    begin(store, SECOND, name="../up", parent=FIRST)
    used = {"kind": "artifact_used", "run": SECOND, "name": "net", "version": 0}
    store.edit(used | {"at": AT})
    log(store, SECOND, "loss", [0.5])
    end(store, SECOND, "finished")
    return store


def begin(store, run, **more):
    store.edit(
        {"kind": "run_started", "run": run, "experiment": "digits", "started_at": AT,
         "group": "first", "tags": {"gold": None, "k": "v"}, "execution": 4, **more},
        {"kind": "run_changed", "run": run, "fields": {
            "notebook": "a.ipynb", "cell_id": "c1", "grade": "B", "grade_why": "old",
            "peak_rss_bytes": 1000}},
    )  # fmt: skip


def log(store, run, name, values, *, axis_of=None):
    series = store.journal.series(run, name, axis_of=axis_of)
    for step, value in enumerate(values):
        store.journal.point(series, step, value, AT + step / 8)


def end(store, run, status, **more):
    store.journal.flush()
    store.edit(
        {"kind": "run_finished", "run": run, "status": status, "ended_at": AT + 60,
         "duration_s": 59.5, **more}
    )  # fmt: skip


def all_of(store, run):
    """Everything that is known of a run, to be compared; NaN equals itself."""
    record = dataclasses.replace(store.run(run), kernel_id=None)
    series = store.logged_series(run)
    found = {
        "record": record,
        "facts": store.facts(run), "texts": store.texts(run),
        "inputs": store.inputs(run), "notices": store.notices(run),
        "media": store.media(run),
        "points": {
            (s.name, s.axis_of, s.goal): list(store.logged_points(s)) for s in series
        },
        "uses": [dataclasses.replace(u, version_id=0)
                 for u in store.artifact_uses(run=run)],
        "versions": [dataclasses.replace(v, id=0)
                     for v in store.artifact_versions(run=run)],
        "files": [store.artifact_files(v.id) for v in store.artifact_versions(run=run)],
    }  # fmt: skip
    return {name: repr(value) for name, value in found.items()}

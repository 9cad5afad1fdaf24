"""A model card in Markdown: what the store knows of a registered version.

The headings follow Mitchell et al., "Model Cards for Model Reporting" (2019). What no
store can know, intended use, limits and ethics, is marked as to be written by a person.
Everything from the store is data and stays text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.confidence import mean_ci
from nbtrack.text import shorten, shown_bytes, visible

if TYPE_CHECKING:
    from nbtrack.records import InputRecord, ModelVersion, RunRecord
    from nbtrack.store import Store

TO_BE_WRITTEN = "_To be written by a person: nothing in the store tells this._"
_CELL_MAX = 120
_N_ROWS = 60
# What Markdown or a host of it would make something of.
_MARKS = re.compile(r"([\\`*_{}\[\]()#+!|<>~$&@:-])")


def model_card(store: Store, version: ModelVersion) -> str:
    """The card of one version, as Markdown; see `nbtrack.models.card`."""
    run = None if version.run is None else store.run(version.run)
    sections = [
        _head(store, version, run),
        _section("Intended use", [TO_BE_WRITTEN]),
        _metrics(store, run),
        _signature(version),
        _data(store, run),
        _params(run),
        _code(store, run),
        _section("Limits", [TO_BE_WRITTEN]),
        _section("Ethical considerations", [TO_BE_WRITTEN]),
        _history(store, version),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def plain(value: object, *, limit: int = _CELL_MAX) -> str:
    r"""Text that Markdown shows as it is.

    >>> plain("a|b <img> *c*\n")
    'a\\|b \\<img\\> \\*c\\*\\\\n'
    """
    return _MARKS.sub(r"\\\1", shorten(visible(str(value)), limit))


def _head(store: Store, version: ModelVersion, run: RunRecord | None) -> str:
    [artifact] = store.artifact_versions(ids=[version.artifact])
    rows = [
        ("Version", version.version), ("Stage", version.stage),
        ("Registered", f"{version.created_at[:19]} by {version.created_by or '?'}"),
        ("Approved", _approval(version)),
        ("Run", f"{run.name} ({run.id})" if run else "not known"),
        ("Artifact", f"{artifact.ref}, {shown_bytes(artifact.size_bytes)}"),
        ("Digest", f"sha256 {artifact.digest}"),
        ("Parts", ", ".join(f"{p['role']} ({p['format']})" for p in version.parts)),
    ]  # fmt: skip
    notes = [plain(version.notes)] if version.notes else []
    return "\n\n".join([f"# {plain(version.name)}", *notes, _table(("", ""), rows)])


def _approval(version: ModelVersion) -> str:
    if version.approved_by is None:
        return "not approved"
    return f"{(version.approved_at or '')[:19]} by {version.approved_by}"


def _metrics(store: Store, run: RunRecord | None) -> str:
    """The best values of the run, and mean ± CI over its group where it has one."""
    if run is None or not run.metrics:
        return _section("Metrics", ["No run of this model logged metrics."])
    group = _group_of(store, run)
    rows = []
    for name, summary in list(run.metrics.items())[:_N_ROWS]:
        values = [r.metrics[name].best for r in group if name in r.metrics]
        spread = str(mean_ci(values)) if len(values) > 1 else ""
        rows.append((name, f"{summary.best:.6g}", summary.best_step, spread))
    columns = ("metric", "best", "at step", "mean ± 95 % CI of the group")
    n_columns = 4 if len(group) > 1 else 3
    shown = [row[:n_columns] for row in rows]
    return _section("Metrics", [_table(columns[:n_columns], shown)])


def _group_of(store: Store, run: RunRecord) -> list[RunRecord]:
    """The finished runs of the same group and experiment: seeds or folds."""
    if run.group is None:
        return [run]
    return [
        other
        for other in store.runs(experiment=run.experiment)
        if other.group == run.group and other.status == "finished"
    ]


def _signature(version: ModelVersion) -> str:
    told = version.signature or {}
    rows = [
        (side[:-1], column["name"] or "(no name)", column["type"],
         "×".join("n" if n is None else str(n) for n in column["shape"]),
         "yes" if column["optional"] else "")
        for side in ("inputs", "outputs")
        for column in told.get(side) or ()
    ]  # fmt: skip
    if not rows:
        return _section("Inputs and outputs", ["Not recorded."])
    columns = ("", "name", "type", "shape", "optional")
    return _section("Inputs and outputs", [_table(columns, rows[:_N_ROWS])])


def _data(store: Store, run: RunRecord | None) -> str:
    if run is None:
        return _section("Data", ["Not recorded."])
    rows = [_input(one) for one in store.inputs(run.id)]
    rows += [
        (use.name + f":v{use.version}", use.type, "", "artifact")
        for use in store.artifact_uses(run=run.id, role="input")
    ]
    if not rows:
        return _section("Data", ["The run read no data that nbtrack saw."])
    columns = ("name", "type", "rows", "sha256")
    return _section("Data", [_table(columns, rows[:_N_ROWS])])


def _input(found: InputRecord) -> tuple[Any, ...]:
    digest = found.digest[:16] if found.digest else f"not known: {found.missing or ''}"
    return found.name, found.type, "" if found.n_rows is None else found.n_rows, digest


def _params(run: RunRecord | None) -> str:
    if run is None or not run.params:
        return _section("Configuration", ["Not recorded."])
    rows = [(p.name, repr(p.value), p.origin) for p in run.params.values()]
    columns = ("param", "value", "origin")
    return _section("Configuration", [_table(columns, rows[:_N_ROWS])])


def _code(store: Store, run: RunRecord | None) -> str:
    if run is None:
        return ""
    facts = store.facts(run.id)
    names = ("git.commit", "git.branch", "python.version", "machine.cpu", "gpu.0.name")
    rows = [
        (name, facts[name].value)
        for name in names
        if name in facts and facts[name].value is not None
    ]
    rows += [("sha256 of the cell", run.source_digest or "not recorded")]
    rows += [("grade", f"{run.grade}: {run.grade_why or ''}")] if run.grade else []
    return _section("Code and environment", [_table(("", ""), rows)])


def _history(store: Store, version: ModelVersion) -> str:
    rows = [
        (e.at[:19], e.what, f"{e.from_stage or ''} → {e.to_stage or ''}"
         if e.to_stage else "", e.by, e.why)
        for e in store.model_events(version.name)
        if e.version == version.version
    ]  # fmt: skip
    return _section("History", [_table(("when", "what", "stage", "who", "why"), rows)])


def _section(title: str, parts: Iterable[str]) -> str:
    return "\n\n".join([f"## {title}", *parts])


def _table(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    names = list(columns)
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    lines += [f"| {' | '.join(plain(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines)

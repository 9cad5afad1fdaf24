"""A walk from the best value of a metric back to the data and the code behind it.

In the order in which one asks: which run, what it made, from which data, with which
code, and who had made what it read. What is not known is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbtrack.analysis.lineage_nodes import DIGEST_SHOWN, files, metric_texts
from nbtrack.analysis.wording import duration, number
from nbtrack.errors import MetricNotFoundError
from nbtrack.metric_names import judges
from nbtrack.records import (
    ArtifactRecord,
    ArtifactUse,
    Fact,
    Goal,
    InputRecord,
    RunRecord,
    is_better,
)
from nbtrack.text import did_you_mean, escape, shorten, shown_bytes, visible

if TYPE_CHECKING:
    from nbtrack.analysis.lineage import Lineage
    from nbtrack.store import Store

MADE_SHOWN = 5  # versions of the run; the best, the one of that step and the last
READ_SHOWN = 20
_MUTED = "opacity:.68"
_CELL = "padding:1px 14px 1px 0;text-align:left;vertical-align:top;border:0"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a walk: of which kind, what was found, what is known of it."""

    what: str  # metric, run, made, data, code, before
    found: str
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Walk:
    """The steps from a number to its data and code, in order."""

    run: RunRecord  # that has the best value
    metric: str
    steps: tuple[Step, ...]

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def __repr__(self) -> str:
        width = max(len(step.found) for step in self.steps)
        lines = [
            f"{step.what:<7} {visible(step.found).ljust(min(width, 40))}  "
            f"{visible(' · '.join(step.facts))}".rstrip()
            for step in self.steps
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr style='border:0'>"
            f"<td style='{_CELL};{_MUTED}'>{escape(step.what)}</td>"
            f"<td style='{_CELL}'><b>{escape(step.found)}</b></td>"
            f"<td style='{_CELL};{_MUTED}'>{escape(' · '.join(step.facts))}</td></tr>"
            for step in self.steps
        )
        style = "border-collapse:collapse;font:13px/1.5 system-ui,sans-serif"
        return f"<table style='{style}'><tbody>{rows}</tbody></table>"


def walk_from(found: Lineage, metric: str | None) -> Walk:
    """The walk from the best value over the runs of a lineage; see `Lineage.walk`."""
    store = found.store
    ids = [node.id.partition(":")[2] for node in found.nodes if node.kind == "run"]
    runs = sorted(store.runs(ids=ids, trashed=None), key=lambda run: run.started_at)
    metric = metric or _judge(runs)
    best = _best(runs, metric)
    record = store.run(best.id)
    steps = [
        _metric_step(record, metric, runs),
        _run_step(record),
        *_made(store, record, metric),
        *_read(store, record),
        *_code(store, record),
        *_before(store, record),
    ]
    return Walk(record, metric, tuple(steps))


def _judge(runs: Sequence[RunRecord]) -> str:
    with_goal = [m.name for run in runs for m in run.metrics.values() if m.goal]
    names = judges(with_goal) or with_goal
    if not names:
        raise MetricNotFoundError(
            f"None of {len(runs)} runs has a metric that says what better is. Name "
            "one: walk('lr'), or give it a goal: run.set_goal(metric, 'min' or 'max')."
        )
    return names[0]


def _best(runs: Sequence[RunRecord], metric: str) -> RunRecord:
    """Of equal ones the first run."""
    having = [run for run in runs if metric in run.metrics]
    if not having:
        known = {name for run in runs for name in run.metrics}
        raise MetricNotFoundError(
            f"None of {len(runs)} runs has a metric {shorten(repr(metric))}."
            f"{did_you_mean(metric, known)}"
        )
    goals = (run.metrics[metric].goal for run in having)
    goal: Goal = next(filter(None, goals), "max")
    best = having[0]
    for run in having[1:]:
        if is_better(run.metrics[metric].best, best.metrics[metric].best, goal):
            best = run
    return best


def _metric_step(record: RunRecord, metric: str, runs: Sequence[RunRecord]) -> Step:
    summary = record.metrics[metric]
    n = sum(metric in run.metrics for run in runs)
    way = {"min": "smallest", "max": "largest"}.get(summary.goal or "", "last")
    facts = (f"@ step {summary.best_step}", f"the {way} of {n} run{'s' * (n != 1)}")
    return Step("metric", f"{metric} {number(summary.best)}", facts)


def _run_step(record: RunRecord) -> Step:
    facts = [
        record.status,
        f"{record.started_at[:19].replace('T', ' ')} UTC",
        record.id,
    ]
    if record.duration_s is not None:
        facts.insert(1, duration(record.duration_s))
    params = [f"{p.name}={shorten(str(p.value), 24)}" for p in record.params.values()]
    return Step("run", record.name, (*facts, *params[:6]))


def _made(store: Store, record: RunRecord, metric: str) -> Iterator[Step]:
    uses = store.artifact_uses(run=record.id, role="output")
    versions = {
        v.id: v for v in store.artifact_versions(ids=[u.version_id for u in uses])
    }
    best_step = record.metrics[metric].best_step
    rank = {use.version_id: _rank(use, versions, best_step) for use in uses}
    shown = sorted(rank, key=lambda id_: (rank[id_], -id_))[:MADE_SHOWN]
    for id_ in shown:
        step = next(use.step for use in reversed(uses) if use.version_id == id_)
        yield Step("made", versions[id_].ref, _version_facts(versions[id_], step))
    if len(rank) > len(shown):
        yield Step("made", f"… and {len(rank) - len(shown)} more versions")
    if not uses:
        yield Step("made", "no checkpoint and no artifact was kept")


def _rank(use: ArtifactUse, versions: dict[int, ArtifactRecord], step: int) -> int:
    if use.step == step:
        return 0
    return 1 if "best" in versions[use.version_id].aliases else 2


def _version_facts(version: ArtifactRecord, step: int | None) -> tuple[str, ...]:
    facts = [version.type]
    facts += [f"({', '.join(version.aliases)})"] if version.aliases else []
    facts += [f"@ step {step}"] if step is not None else []
    facts += [f"{name} {text}" for name, text in metric_texts(version).items()]
    facts += [shown_bytes(version.size_bytes), files(version.n_files)]
    facts += [f"sha256 {version.digest[:DIGEST_SHOWN]}"]
    return (*facts, *([version.gone_why or "gone"] if version.gone_at else []))


def _read(store: Store, record: RunRecord) -> Iterator[Step]:
    uses = store.artifact_uses(run=record.id, role="input")
    ids = list(dict.fromkeys(use.version_id for use in uses))
    for version in store.artifact_versions(ids=ids):
        yield Step("data", version.ref, _version_facts(version, None))
    inputs = store.inputs(record.id)
    for found in inputs[:READ_SHOWN]:
        yield Step("data", found.name, tuple(_input_facts(store, found)))
    if len(inputs) > READ_SHOWN:
        yield Step("data", f"… and {len(inputs) - READ_SHOWN} more")
    if not uses and not inputs:
        yield Step("data", "no data that it read is known")


def _input_facts(store: Store, found: InputRecord) -> Iterator[str]:
    yield found.type
    if found.n_rows is not None:
        yield f"{found.n_rows:,} rows"
    if found.size_bytes is not None:
        yield shown_bytes(found.size_bytes)
    if found.digest is None:
        yield f"no digest: {found.missing or 'not taken'}"
        return
    yield f"sha256 {found.digest[:DIGEST_SHOWN]}"
    held = store.artifact_with_file(found.digest)
    if held:
        yield f"is in {held[0].ref}" + (f" and {len(held) - 1} more" * (len(held) > 1))


def _code(store: Store, record: RunRecord) -> Iterator[Step]:
    lines = [line for line in (record.source or "").splitlines() if line.strip()]
    if lines:
        cell = "cell" if record.execution is None else f"cell [{record.execution}]"
        where = [f"of {record.notebook}"] if record.notebook else []
        digest = [f"sha256 {(record.source_digest or '')[:DIGEST_SHOWN]}"]
        size = f"{len(lines)} lines" if len(lines) > 1 else "1 line"
        facts = (size, *where, *digest, shorten(lines[0], 60))
        yield Step("code", cell, facts)
    else:
        yield Step("code", "no cell: its source was not kept")
    yield _commit(store, record)


def _commit(store: Store, record: RunRecord) -> Step:
    facts = store.facts(record.id)
    commit = facts.get("git.commit")
    if commit is None or commit.value is None:
        why = commit.missing if commit is not None else None
        return Step("code", "no git commit", (why or "not recorded",))
    diff = [text for text in store.texts(record.id, "diff") if text.body]
    changed = [f"{len(text.body.splitlines())} lines of diff kept"
               for text in diff if text.body]  # fmt: skip
    said = list(_said(facts, ("git.branch", "git.dirty")))
    return Step("code", f"git {shorten(str(commit.value), 40)}", (*said, *changed))


def _said(facts: dict[str, Fact], names: Iterable[str]) -> Iterator[str]:
    for name in names:
        fact = facts.get(name)
        if fact is not None and fact.value is not None:
            yield f"{name.partition('.')[2]} {shorten(str(fact.value), 40)}"


def _before(store: Store, record: RunRecord) -> Iterator[Step]:
    """The runs that had made what it read."""
    from nbtrack.analysis.lineage import trace

    upward = trace(store, record.id, down=False)
    nodes = {node.id: node for node in upward.nodes}
    for node in upward.nodes:
        if node.kind != "run" or node.id == upward.start:
            continue
        made = dict.fromkeys(
            nodes[e.target].label for e in upward.edges if e.source == node.id
        )
        facts = (f"made {', '.join(list(made)[:MADE_SHOWN])}", *node.facts.values())
        yield Step("before", node.label, facts[:5])

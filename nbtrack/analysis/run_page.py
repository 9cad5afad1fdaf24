"""Everything that is known of one run, as sections of plain rows and texts.

What a month later answers "which code, data and settings gave that number". Nothing is
computed but the wording; how it is shown is up to the surface.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.alerts import alert_line
from nbtrack.analysis.groups import Group, groups_of
from nbtrack.analysis.reproducibility import origin_of, reproducibility
from nbtrack.analysis.runs_table import select, tag_texts
from nbtrack.analysis.wording import duration, number
from nbtrack.metric_names import judges
from nbtrack.records import (
    ArtifactRecord,
    ArtifactUse,
    CellRecord,
    Fact,
    InputRecord,
    MediaRecord,
    RunRecord,
    TextRecord,
)
from nbtrack.store.alert_rules import RULES_FACT, known_rules
from nbtrack.text import shorten, shown_bytes

if TYPE_CHECKING:
    from nbtrack.store import Store

Row = tuple[str, ...]
DIGEST_SHOWN = 12  # characters; the whole one is in the records
_CODE = ("git", "script", "notebook")
_MACHINE = (
    "python", "os", "cpu", "gpu", "ram", "container", "numerics", "env", "distributed",
)  # fmt: skip
_CHANCE = ("rng", "seed")
_ERROR = ("error",)
_GRADES = {
    "A": "a fresh kernel that runs the notebook from the top would do the same",
    "B": "order, repetition or chance matters",
    "C": "a cell that it depends on was edited since, or raised",
    "D": "a cell that it depends on is gone, or the origin of a value is not known",
}


_GRADE_A_OF_A_SCRIPT = "a fresh process that runs the script would do the same"


@dataclass(frozen=True, slots=True)
class Section:
    """One heading, rows of texts under it, and longer texts by their titles."""

    title: str
    rows: Sequence[Row] = ()
    texts: Sequence[tuple[str, str]] = ()

    def __bool__(self) -> bool:
        return bool(self.rows or self.texts)


@dataclass(frozen=True, slots=True)
class Known:
    """What the store holds of a run."""

    record: RunRecord
    facts: Mapping[str, Fact]
    texts: Sequence[TextRecord]
    inputs: Sequence[InputRecord]
    media: Sequence[MediaRecord]
    cells: Sequence[CellRecord]
    notices: Sequence[str]
    relatives: Mapping[str, str] = field(default_factory=dict)  # id -> name
    children: Group | None = None  # the runs inside it
    uses: Sequence[ArtifactUse] = ()  # artifacts that it logged and used
    versions: Mapping[int, ArtifactRecord] = field(default_factory=dict)  # of these

    @classmethod
    def of(cls, store: Store, run_id: str) -> Known:
        """Read all of it."""
        record = store.run(run_id)
        inside = groups_of(store, select(store, f'parent == "{run_id}"'), by="parent")
        uses = store.artifact_uses(run=run_id)
        versions = store.artifact_versions(ids=[use.version_id for use in uses])
        facts = store.facts(run_id)
        others = (record.parent, record.forked_from, origin_of(facts))
        named = [other for other in others if other]
        return cls(
            record,
            facts,
            store.texts(run_id),
            store.inputs(run_id),
            store.media(run_id),
            store.cells(run_id),
            store.notices(run_id),
            {other.id: other.name for other in store.runs(ids=named, trashed=None)},
            inside[0] if inside else None,
            uses,
            {version.id: version for version in versions},
        )


def sections_of(known: Known) -> list[Section]:
    """The sections that have something to say, the most asked for first."""
    every = [
        _error(known), _alerts(known), _grade(known), _reproducibility(known),
        _metrics(known), _relatives(known), _params(known), _code(known), _data(known),
        _artifacts(known), _chance(known), _environment(known), _machine(known),
        _printed(known), _media(known), _cells(known), _missing(known),
    ]  # fmt: skip
    return [section for section in every if section]


def headline(record: RunRecord) -> str:
    """The run in one line.

    >>> headline(RunRecord("1", "base", "x", "failed", "2026-11-01T10:00:00Z", None, 2))
    'base · failed · 0:02 · 2026-11-01 10:00:00 UTC'
    """
    parts = [record.name, record.status]
    if record.duration_s is not None:
        parts.append(duration(record.duration_s))
    parts.append(_time(record.started_at))
    if record.grade is not None:
        parts.append(f"grade {record.grade}")
    return " · ".join(parts)


def about(known: Known) -> Section:
    """What somebody said of the run, and where it comes from, for a page of text."""
    record, facts = known.record, known.facts
    tags = ", ".join(tag_texts(record.tags))
    rows = [("experiment", record.experiment), ("group", record.group or "")]
    rows += [("tags", tags), ("notes", record.notes)]
    if "origin.tool" in facts and "origin.id" in facts:
        tool, there = (str(facts[f"origin.{name}"].value) for name in ("tool", "id"))
        rows.append(("imported", f"from {tool}, where it is {there}"))
    return Section("About", [row for row in rows if row[1]])


def _error(known: Known) -> Section:
    texts = [("Traceback", known.record.error)] if known.record.error else []
    return Section("Why it ended", _fact_rows(known, _ERROR), texts)


def _alerts(known: Known) -> Section:
    """The newest first: a page is opened to see what is new."""
    rows = [
        (alert_line(alert.title, alert.step), alert.text,
         f"{alert.level} · {_time(alert.at)}")
        for alert in reversed(known.record.alerts)
    ]  # fmt: skip
    said = known.facts.get(RULES_FACT)
    if said is not None:
        rules = [rule.text for rule in known_rules(said.value)]
        rows.append(("waits for", ", ".join(rules) or "nothing", ""))
    return Section("Alerts", rows)


def _time(at: str) -> str:
    return f"{at[:19].replace('T', ' ')} UTC"


def _grade(known: Known) -> Section:
    """How far the notebook explains the result; the slice has the cells."""
    record = known.record
    if record.grade is None:
        return Section("Grade")
    means = _GRADES.get(record.grade, "")
    if record.grade == "A" and "script.path" in known.facts:
        means = _GRADE_A_OF_A_SCRIPT
    first: Row = (record.grade, means)
    why = [("", line) for line in (record.grade_why or "").splitlines()]
    return Section("Grade", [first, *why])


def _reproducibility(known: Known) -> Section:
    return Section("Reproducibility", reproducibility(known.facts, known.relatives))


def _metrics(known: Known) -> Section:
    rows = [
        (m.name, f"best {number(m.best)} @ step {m.best_step}" if m.goal else "",
         f"last {number(m.last)}", f"{m.n:,} point{'s'[: m.n != 1]}")
        for m in known.record.metrics.values()
    ]  # fmt: skip
    return Section("Metrics", rows)


def _relatives(known: Known) -> Section:
    """What it came from, and what the runs inside it are together."""
    record, names, rows = known.record, known.relatives, list[Row]()
    if record.forked_from:
        of = names.get(record.forked_from, record.forked_from)
        rows.append(("forked from", of, f"its points up to step {record.fork_step}"))
    if record.parent:
        rows.append(("inside", names.get(record.parent, record.parent)))
    if known.children is not None:
        rows.append(("runs inside it", str(len(known.children.runs))))
        rows += [(m, f"best {mean}") for m, mean in known.children.metrics.items()]
    return Section("Related runs", rows)


def _params(known: Known) -> Section:
    rows = [
        (p.name, _value(p.value), p.origin + (f", cell {p.cell}" if p.cell else ""))
        for p in known.record.params.values()
    ]
    return Section("Params", rows)


def _code(known: Known) -> Section:
    source = known.record.source
    texts = [("The cell", source)] if source else []
    texts += [(_of(t), t.body) for t in known.texts if t.role == "diff" and t.body]
    modules = [t for t in known.texts if t.role in ("module", "script")]
    texts += [(_of(t), t.body) for t in modules if t.body]
    rows = [*_fact_rows(known, _CODE), *(_module_row(t) for t in modules)]
    return Section("Code", rows, texts)


def _module_row(text: TextRecord) -> Row:
    kept = "text kept" if text.body is not None else (text.missing or "as committed")
    return (f"{text.role} {text.name}", _short(text.digest), kept)


def _data(known: Known) -> Section:
    return Section("Data", [_input_row(found) for found in known.inputs])


def _input_row(found: InputRecord) -> Row:
    size = [] if found.n_rows is None else [f"{found.n_rows:,} rows"]
    size += [] if found.size_bytes is None else [shown_bytes(found.size_bytes)]
    digest = f"sha256 {_short(found.digest)}" if found.digest else found.missing or ""
    drift = str(found.detail.get("drift") or "")
    return (found.name, found.type, ", ".join(size), digest, drift)


def _artifacts(known: Known) -> Section:
    """What it used, then what it logged: the last saved first."""
    used = [use for use in known.uses if use.role == "input"]
    logged = [use for use in known.uses if use.role == "output"]
    return Section(
        "Artifacts", [_use_row(use, known) for use in [*used, *logged[::-1]]]
    )


def _use_row(use: ArtifactUse, known: Known) -> Row:
    version = known.versions.get(use.version_id)
    size = "" if version is None else shown_bytes(version.size_bytes)
    aliases = ", ".join(version.aliases) if version else ""
    judged = ", ".join(f"{n} {number(use.metrics[n])}" for n in judges(use.metrics)[:3])
    return (
        "used" if use.role == "input" else "logged",
        f"{use.name}:v{use.version}",
        use.type,
        "" if use.step is None else f"@ step {use.step}",
        judged,
        size,
        aliases,
        (version.gone_why or "gone") if version and version.gone_at else "",
    )


def _chance(known: Known) -> Section:
    return Section("Randomness", _fact_rows(known, _CHANCE))


def _environment(known: Known) -> Section:
    texts = [(_of(t), t.body) for t in known.texts if t.role == "packages" and t.body]
    return Section("Environment", _fact_rows(known, _MACHINE), texts)


def _machine(known: Known) -> Section:
    record = known.record
    sizes = {
        "peak RSS": record.peak_rss_bytes,
        "peak VRAM": record.peak_vram_bytes,
        "model": record.model_bytes,
        "checkpoints": record.checkpoint_bytes or None,
    }
    rows: list[Row] = [(k, shown_bytes(v)) for k, v in sizes.items() if v is not None]
    rows += [
        (name, f"min {number(m.min)}", f"max {number(m.max)}", f"last {number(m.last)}")
        for name, m in record.system.items()
    ]
    return Section("Machine", rows)


def _printed(known: Known) -> Section:
    shown = [t for t in known.texts if t.role in ("stdout", "stderr")]
    return Section(
        "Printed",
        [(_of(t), t.missing) for t in shown if t.missing],
        [(_of(t), t.body) for t in shown if t.body],
    )


def _media(known: Known) -> Section:
    steps: dict[tuple[str, str], list[int]] = {}
    for value in known.media:
        steps.setdefault((value.name, value.type), []).append(value.step)
    rows = [
        (name, kind, f"{len(at)} × step {at[0]}–{at[-1]}" if len(at) > 1 else
         f"step {at[0]}")
        for (name, kind), at in steps.items()
    ]  # fmt: skip
    return Section("Rich values", rows)


def _cells(known: Known) -> Section:
    return Section("Cells of the session", [_cell_row(cell) for cell in known.cells])


def _cell_row(cell: CellRecord) -> Row:
    number_ = f"[{cell.execution}]" if cell.execution is not None else "[ ]"
    how = cell.error or ("" if cell.ok is not None else "running")
    took = "" if cell.duration_s is None else f"{cell.duration_s:.2f} s"
    lines = [line for line in (cell.source or "").splitlines() if line.strip()]
    more = f" … {len(lines)} lines" if len(lines) > 1 else ""
    return (number_, shorten(lines[0], 60) + more if lines else "", took, how)


def _missing(known: Known) -> Section:
    unknown = [(f.name, f.missing) for f in known.facts.values() if f.missing]
    return Section("Not known", [*unknown, *((text,) for text in known.notices)])


def _fact_rows(known: Known, rooms: Iterable[str]) -> list[Row]:
    wanted = frozenset(rooms)
    return [
        (fact.name, _value(fact.value))
        for fact in known.facts.values()
        if fact.missing is None and fact.name.partition(".")[0] in wanted
    ]


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return shorten(", ".join(_pairs(value)), 120)
    if isinstance(value, list | tuple):
        return shorten(", ".join(map(str, value)), 120)
    return number(value) if isinstance(value, float) else shorten(str(value), 120)


def _pairs(value: Mapping[str, Any]) -> Iterator[str]:
    return (f"{key}={item}" for key, item in value.items())


def _of(text: TextRecord) -> str:
    return text.role if text.name == text.role else f"{text.role} {text.name}"


def _short(digest: str | None) -> str:
    return (digest or "")[:DIGEST_SHOWN]

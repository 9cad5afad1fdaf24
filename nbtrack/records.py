"""Frozen values that pass between the floors: what a run, a param, a metric is.

Nothing here can write. `RunRecord` is what a reader gets; the live object that may
write is `nbtrack.tracking.Run`. Times are UTC: `*_at` as ISO 8601 text with
microseconds and `Z` (they sort as text), points as float seconds since the epoch.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from nbtrack.text import text_digest

Status = Literal["running", "finished", "failed", "stopped", "crashed", "pruned"]
Goal = Literal["min", "max"]
Origin = Literal["option", "literal", "inherited", "object", "call"]
Stage = Literal["development", "staging", "production", "archived"]
Level = Literal["info", "warn", "error"]

LEVELS: tuple[Level, ...] = ("info", "warn", "error")

SYSTEM_PREFIX = "system/"  # series of the machine: not among a run's own metrics


@dataclass(frozen=True, slots=True)
class Param:
    """One input of a run. `name` is dotted for nested values (`opt.lr`)."""

    name: str
    value: Any  # JSON-able: None, bool, int, float, str, list, dict
    origin: Origin
    cell: str | None = None  # "[3]": the execution that set it, for inherited params


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """What a table of runs needs of one metric, without touching its points."""

    name: str
    goal: Goal | None
    n: int
    last: float
    last_step: int
    min: float
    min_step: int
    max: float
    max_step: int
    n_nan: int = 0
    first_nan_step: int | None = None
    thinned: int = 1  # 1: every point kept; k: about one in k kept

    @property
    def best(self) -> float:
        """The best value by goal; the last one where no goal is known."""
        return {"min": self.min, "max": self.max}.get(self.goal or "", self.last)

    @property
    def best_step(self) -> int:
        """The first step at which `best` was reached."""
        steps = {"min": self.min_step, "max": self.max_step}
        return steps.get(self.goal or "", self.last_step)


@dataclass(frozen=True, slots=True)
class CheckpointRecord:
    """A saved file of a run, tied to a step and to the metrics of that moment."""

    name: str
    version: int
    type: str
    digest: str
    size_bytes: int
    path: str
    step: int | None
    metrics: Mapping[str, float]
    created_at: str
    gone_at: str | None = None  # since when its bytes are given up; it stays listed
    gone_why: str | None = None  # "pruned", "expired", "deleted"


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """Something about a run that somebody should look at."""

    run: str
    at: str  # when it came about
    kind: str  # nan, threshold, plateau, stalled, finished, failed, crashed, custom
    level: Level
    title: str
    text: str = ""
    step: int | None = None
    metric: str | None = None
    rule: str = ""  # as it was given: "loss > 10"; none of a custom one
    seen_at: str | None = None

    @property
    def key(self) -> str:
        """By what it is known, written down or not: one run may have many."""
        # When a run crashed is known better once its journal was taken over.
        at = "" if self.kind == "crashed" else self.at
        return "\n".join((at, self.kind, self.metric or "", self.title))


@dataclass(frozen=True, slots=True)
class ArtifactFile:
    """One file of an artifact: kept here, or a reference to where it lies."""

    path: str  # inside the artifact, with "/"
    digest: str | None = None  # sha256 of the content; None: not known of a reference
    size_bytes: int | None = None
    uri: str | None = None  # of a reference, whose bytes are not kept here
    etag: str | None = None  # what the server said of the content

    def as_row(self) -> list[str | int | None]:
        """As an event says it: the fields in their order."""
        return [self.path, self.digest, self.size_bytes, self.uri, self.etag]


@dataclass(frozen=True, slots=True)
class ArtifactRecord:
    """One version of an artifact."""

    id: int
    name: str
    version: int
    type: str
    digest: str  # see `manifest_digest`
    size_bytes: int
    n_files: int
    created_at: str
    description: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    tags: Mapping[str, str | None] = field(default_factory=dict)
    expires_at: str | None = None
    gone_at: str | None = None  # since when its bytes are given up; it stays listed
    gone_why: str | None = None  # "pruned", "expired", "deleted"
    run: str | None = None  # that logged it first
    step: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    metric: str | None = None  # what the alias `best` goes by
    goal: Goal | None = None

    @property
    def ref(self) -> str:
        """How people write it.

        >>> ArtifactRecord(1, "mlp", 3, "model", "ab", 10, 1, "2026").ref
        'mlp:v3'
        """
        return f"{self.name}:v{self.version}"


@dataclass(frozen=True, slots=True)
class ArtifactUse:
    """An edge of lineage: a run logged a version (output) or read it (input)."""

    run: str
    run_name: str
    role: Literal["input", "output"]
    version_id: int
    name: str
    version: int
    type: str
    step: int | None
    metrics: Mapping[str, float]
    path: str
    at: str


@dataclass(frozen=True, slots=True)
class ArtifactEvent:
    """Something that happened to an artifact."""

    id: int  # growing: ask for what came after it
    name: str
    version: int | None
    what: str  # version, alias, unalias, edited, pruned, expired, deleted, revived
    detail: str
    by: str
    run: str | None
    at: str


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version of a registered model."""

    id: int
    name: str
    version: str  # SemVer
    stage: Stage
    artifact: int  # id of the artifact version that holds its files
    run: str | None  # that made it
    signature: Mapping[str, Any] | None  # inputs and outputs, see tracking.models
    parts: tuple[Mapping[str, Any], ...]  # role, path, format, in order of use
    notes: str
    created_at: str
    created_by: str
    aliases: tuple[str, ...] = ()
    approved_by: str | None = None  # of the latest approval
    approved_at: str | None = None

    @property
    def ref(self) -> str:
        """How people write it: `fraud@1.2.0`."""
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class ModelEvent:
    """Something that happened to a registered model."""

    id: int
    name: str
    version: str | None
    what: str  # registered, approved, promoted, archived, rolled back, restored, ...
    from_stage: str | None
    to_stage: str | None
    by: str
    why: str
    at: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing known of a run besides its params, or why it is not known.

    >>> Fact("git.commit", missing="no repository around the notebook").value is None
    True
    """

    name: str  # dotted: "git.commit", "gpu.0.name"
    value: Any = None  # JSON-able
    missing: str | None = None


@dataclass(frozen=True, slots=True)
class TextRecord:
    """A text that belongs to a run: its diff, a module, what it printed."""

    role: str  # "diff", "module", "packages", "stdout", "stderr", ...
    name: str  # a path as people write it, or the role again
    digest: str | None  # sha256 of the raw text, also where secrets were taken out
    body: str | None = None  # None: only the digest is kept
    n_redacted: int = 0
    missing: str | None = None  # why there is no body, or only a part of it


@dataclass(frozen=True, slots=True)
class InputRecord:
    """Data that a run read: a variable, a file."""

    name: str  # of the variable, or the path
    type: str  # "dataframe", "array", "tensor", "dataset", "file", ...
    digest: str | None = None  # sha256 of the full content
    size_bytes: int | None = None
    n_rows: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)  # schema, statistics, ...
    missing: str | None = None  # why there is no digest


@dataclass(frozen=True, slots=True)
class MediaRecord:
    """A rich value at a step: an image, a table, a confusion matrix."""

    name: str
    type: str
    step: int
    at: float  # seconds since the epoch
    mime: str | None = None
    digest: str | None = None  # of the file that is kept, where it is one
    size_bytes: int | None = None
    data: Any = None  # JSON-able: the value itself, or what describes the file


@dataclass(frozen=True, slots=True)
class FlowRecord:
    """What one execution read and changed: the edges of a slice.

    A plain name is a variable; what stands around them has an `@`: `@cwd`,
    `@env:KEY`, `@file:/a/b.csv`, `@folder:/a`, `@module:np`, `@context:decimal`,
    `@rng:numpy`, `@out:3`, `@figures`, and `@everything` for code that may read all.
    """

    reads: tuple[str, ...] = ()  # before the cell itself surely set them
    writes: Mapping[str, str] = field(default_factory=dict)  # -> set, changed, deleted
    may_write: Mapping[str, str] = field(default_factory=dict)  # -> why it is not sure
    kills: tuple[str, ...] = ()  # set whatever they were before: earlier writers go
    # Changed before it began, unseen -> how many cells ago it was looked at; 0: by
    # something that goes on between the cells.
    between: Mapping[str, int] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)  # input, threads, network...


@dataclass(frozen=True, slots=True)
class CellRecord:
    """One execution of a cell in the session of a run."""

    seq: int  # from 0, in the order of execution
    cell_id: str | None
    execution: int | None
    source: str | None  # as typed, without secrets
    source_digest: str  # sha256 of the raw text
    started_at: str
    duration_s: float | None = None  # None while it runs
    ok: bool | None = None
    error: str | None = None
    rng: Mapping[str, str] = field(default_factory=dict)  # generator -> packed state
    flow: FlowRecord | None = None  # None: what it read and changed was not looked at


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as it stands in the store."""

    id: str
    name: str
    experiment: str
    status: Status
    started_at: str  # ISO 8601, UTC
    ended_at: str | None  # None while it runs
    duration_s: float | None  # without the time between lives, where it was resumed
    group: str | None = None
    parent: str | None = None
    notes: str = ""
    notebook: str | None = None
    cell_id: str | None = None
    kernel_id: str | None = None  # of the Jupyter kernel it ran in
    execution: int | None = None
    source: str | None = None  # the text of the tracked cell, without secrets
    source_digest: str | None = None  # sha256 of the raw text
    error: str | None = None  # of a failed run: its traceback
    reason: str | None = None  # why it ended, in a few words: "Stop pressed"
    trashed_at: str | None = None  # None: it is not in the trash
    forked_from: str | None = None  # the run whose points up to `fork_step` it shares
    fork_step: int | None = None
    peak_rss_bytes: int | None = None  # of the process, the most memory at once
    peak_vram_bytes: int | None = None
    model_bytes: int | None = None
    grade: str | None = None  # A (fresh, in order) to D; None: nothing can be said
    grade_why: str | None = None  # the culprits, a sentence each
    tags: Mapping[str, str | None] = field(default_factory=dict)
    params: Mapping[str, Param] = field(default_factory=dict)  # by dotted name
    metrics: Mapping[str, MetricSummary] = field(default_factory=dict)
    system: Mapping[str, MetricSummary] = field(default_factory=dict)
    checkpoints: tuple[CheckpointRecord, ...] = ()
    alerts: tuple[AlertRecord, ...] = ()  # in the order in which they came

    @property
    def checkpoint_bytes(self) -> int:
        """Bytes of its checkpoints that are kept, each content counted once."""
        sizes = {c.digest: c.size_bytes for c in self.checkpoints if not c.gone_at}
        return sum(sizes.values())


def manifest_digest(files: Iterable[ArtifactFile]) -> str:
    r"""The digest of an artifact by what is in it, in whatever order it is listed.

    One file that is kept has its own sha256; several, or references, have the sha256
    of their lines `path, digest, uri, etag`, joined by NUL, sorted, each with "\n".

    >>> manifest_digest([ArtifactFile("mlp.pt", digest="ab")])
    'ab'
    """
    files = list(files)
    if len(files) == 1 and files[0].uri is None and files[0].digest is not None:
        return files[0].digest
    lines = sorted(
        "\0".join((f.path, f.digest or "", f.uri or "", f.etag or "")) for f in files
    )
    text = "".join(f"{line}\n" for line in lines)
    return text_digest(text)


def is_better(new: float, old: float, goal: Goal) -> bool:
    """Whether `new` beats `old`; NaN never does, anything beats NaN.

    >>> is_better(0.2, 0.3, "min"), is_better(float("nan"), 0.3, "min")
    (True, False)
    """
    if math.isnan(new):
        return False
    if math.isnan(old):
        return True
    return new < old if goal == "min" else new > old

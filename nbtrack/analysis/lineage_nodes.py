"""The nodes of lineage: runs, versions, data, each with what is said of it in short."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from nbtrack.analysis.wording import duration, number
from nbtrack.metric_names import judges, use_as_judge
from nbtrack.records import ArtifactRecord, InputRecord
from nbtrack.text import shorten, shown_bytes

if TYPE_CHECKING:
    from nbtrack.store.lineage_rows import RunBrief

Kind = Literal["run", "artifact", "data"]
METRICS_SHOWN = 3
DIGEST_SHOWN = 12  # characters; the whole one is `digest`


@dataclass(frozen=True, slots=True)
class Node:
    """A run, a version of an artifact, or data that was read."""

    id: str  # "run:0k3f…", "artifact:12", "data:<sha256>"
    kind: Kind
    label: str  # as people write it: a run's name, mlp:v3, train.csv
    type: str  # of a run its experiment
    at: str  # since when it is there; "" for data
    digest: str | None = None
    note: str = ""  # the second line of its picture
    facts: Mapping[str, str] = field(default_factory=dict)
    n: int = 1  # how many nodes it stands for, in a grouped lineage


def node_of_run(run: RunBrief) -> Node:
    """The node of a run."""
    names = sorted(run.best, key=use_as_judge)[:METRICS_SHOWN]
    best = {f"best {name}": number(run.best[name][0]) for name in names}
    took = {} if run.duration_s is None else {"took": duration(run.duration_s)}
    trash = {"trashed": _moment(run.trashed_at)} if run.trashed_at else {}
    facts = {
        "run": run.id, "status": run.status, "experiment": run.experiment,
        "started": _moment(run.started_at), **took, **best, **trash,
    }  # fmt: skip
    first = next(((n, run.best[n][0]) for n in names), None)
    note = f"{first[0]} {number(first[1])}" if first else run.status
    if first and run.status != "finished":
        note = f"{run.status} · {note}"
    return Node(
        f"run:{run.id}", "run", run.name, run.experiment, run.started_at,
        note=note,
        facts=facts,
    )  # fmt: skip


def node_of_version(version: ArtifactRecord, models: Iterable[tuple[str, str]]) -> Node:
    """The node of a version, with the models it is registered as."""
    own = [alias for alias in version.aliases if alias != "latest"]
    stages = [f"{name} ({stage})" for name, stage in models]
    facts = {
        "type": version.type,
        "aliases": ", ".join(version.aliases),
        "registered": ", ".join(stages),
        "size": f"{shown_bytes(version.size_bytes)}, {files(version.n_files)}",
        "step": "" if version.step is None else str(version.step),
        **metric_texts(version),
        "sha256": version.digest[:DIGEST_SHOWN],
        "logged": _moment(version.created_at),
        "gone": gone(version),
        "about": shorten(version.description, 80),
    }
    note = stages[:1] or [", ".join(own)] if own or stages else [version.type]
    return Node(
        f"artifact:{version.id}", "artifact", version.ref, version.type,
        version.created_at, version.digest,
        note=version.gone_why or note[0] if version.gone_at else note[0],
        facts={name: text for name, text in facts.items() if text},
    )  # fmt: skip


def node_of_data(run: str, found: InputRecord) -> Node:
    """The node of data by its content; what has no digest is only this run's."""
    id_ = found.digest or f"?{run}:{found.type}:{found.name}"
    size = [] if found.n_rows is None else [f"{found.n_rows:,} rows"]
    size += [] if found.size_bytes is None else [shown_bytes(found.size_bytes)]
    facts = {
        "type": found.type,
        "size": ", ".join(size),
        "sha256": (found.digest or "")[:DIGEST_SHOWN],
        "no digest": "" if found.digest else found.missing or "not taken",
    }
    return Node(
        f"data:{id_}", "data", found.name, found.type, "", found.digest,
        note=size[0] if size else found.type,
        facts={name: text for name, text in facts.items() if text},
    )  # fmt: skip


def metric_texts(version: ArtifactRecord) -> dict[str, str]:
    """The numbers beside a version, those that can judge it first."""
    names = dict.fromkeys([*judges(version.metrics), *version.metrics])
    shown = [name for name in names if isinstance(version.metrics[name], int | float)]
    return {name: number(version.metrics[name]) for name in shown[:METRICS_SHOWN]}


def gone(version: ArtifactRecord) -> str:
    """Since when and why its files are not kept, "" while they are.

    >>> gone(ArtifactRecord(1, "mlp", 3, "model", "ab", 10, 1, "2026"))
    ''
    """
    if version.gone_at is None:
        return ""
    return f"{version.gone_why or 'gone'} {_moment(version.gone_at)}"


def files(n: int) -> str:
    """A number of files in words.

    >>> files(1), files(12)
    ('1 file', '12 files')
    """
    return f"{n:,} file{'s' * (n != 1)}"


def _moment(text: str) -> str:
    return f"{text[:19].replace('T', ' ')} UTC"

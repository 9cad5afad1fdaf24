"""Writes one run of another tool into a store, as events.

Names are cleaned and secrets taken out here, whatever the source. The run belongs to no
session of this store: nothing here recorded it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from nbtrack.capture.values import encode, flatten_one
from nbtrack.errors import StoreError
from nbtrack.interop.foreign import (
    ForeignArtifact,
    ForeignFile,
    ForeignImage,
    ForeignRun,
    ForeignSeries,
    FoundRun,
)
from nbtrack.records import ArtifactFile, Fact, InputRecord, Param, RunRecord
from nbtrack.redact import redact, redact_json, redact_param, redact_source
from nbtrack.store import Store
from nbtrack.text import clean_name, text_digest
from nbtrack.tracking.checkpoint_files import checkpoint_name
from nbtrack.tracking.media.clearing import cleared

Event = dict[str, Any]  # Any: JSON values
TAG = "imported"
FLUSH_S = 120.0
FLUSH_POINTS = 200_000
MAX_STEP = 2**63 - 1  # what a column of SQLite holds


@dataclass(frozen=True, slots=True)
class Counts:
    """What was taken."""

    n_params: int = 0
    n_points: int = 0
    n_files: int = 0


class Taker:
    """Takes a run: rows into `apart`, files into the store they shall stay in.

    A merge of `apart` then brings the rows, the run whole or not at all; it finds the
    files there already, so that none is copied twice.
    """

    def __init__(self, apart: Store, target: Store, *, tool: str) -> None:
        self.counts = Counts()
        self._apart = apart
        self._target = target
        self._tool = tool

    def take(
        self, found: FoundRun, run: ForeignRun, *, run_id: str, parent: str | None
    ) -> None:
        """Write all of it.

        Raises
        ------
        StoreError
            Where it could not be written: the disk is full.
        OSError
            Where a file of the source cannot be read.
        """
        edit = self._apart.edit
        edit(_started(run_id, run, self._tool, at=found.started_at, parent=parent))
        edit(self._params(run_id, run), *_described(run_id, found, run, self._tool))
        for series in run.series:
            self._log(run_id, series)
        for artifact in run.artifacts:
            edit(self._artifact(run_id, artifact, at=run.ended_at or found.started_at))
        for image in run.images:
            edit(self._image(run_id, image))
        self._flush()
        told = (*run.kept_notices, *run.notices)
        notices = [clean_name(text, limit=500) for text in told]
        edit({"kind": "notices", "run": run_id, "texts": notices})
        edit(_finished(run_id, run, self._tool, started_at=found.started_at))
        if run.record is not None:
            edit(_as_recorded(run_id, run.record))
        else:
            # A NaN of last year is no news: it stands with the run, nobody is called.
            edit({"kind": "alerts_seen", "run": run_id})
        if run.is_trashed:
            fields = {"trashed_at": time.time()}
            edit({"kind": "run_changed", "run": run_id, "fields": fields})

    def _params(self, run_id: str, run: ForeignRun) -> Event:
        rows = []
        for name, given in run.params.items():
            param = given if isinstance(given, Param) else Param(name, given, "call")
            for leaf_name, leaf in flatten_one(clean_name(name), param.value):
                clear, _ = redact_param(leaf_name, leaf)
                rows.append([clean_name(leaf_name), clear, param.origin, param.cell])
        self._count(n_params=len(rows))
        return {"kind": "params", "run": run_id, "params": rows}

    def _log(self, run_id: str, series: ForeignSeries) -> None:
        journal = self._apart.journal
        axis_of = None if series.axis_of is None else clean_name(series.axis_of)
        number = journal.series(
            run_id, clean_name(series.name), goal=series.goal, axis_of=axis_of
        )
        point = journal.point
        columns = zip(series.steps, series.values, series.at, strict=True)
        for n, (step, value, at) in enumerate(columns, 1):
            point(number, _whole(step), float(value), float(at))
            if n % FLUSH_POINTS == 0:
                self._flush()
        if axis_of is None:
            self._count(n_points=len(series.steps))

    def _artifact(self, run_id: str, artifact: ForeignArtifact, *, at: float) -> Event:
        files = [self._kept(file) for file in artifact.files]
        return {
            "kind": "artifact",
            "run": run_id,
            "role": artifact.role,
            "name": checkpoint_name(artifact.name),
            "type": clean_name(artifact.type),
            "files": [file.as_row() for file in files],
            "created_at": artifact.at or at,
            "number": artifact.number,
            "step": artifact.step,
            "metrics": dict(artifact.metrics),
            "path": redact(artifact.path)[0],
            "aliases": [clean_name(alias) for alias in artifact.aliases],
            "description": redact_source(artifact.description)[0],
            "metadata": redact_json(encode(dict(artifact.metadata))),
        }

    def _kept(self, file: ForeignFile) -> ArtifactFile:
        path = _inside(file.path)
        if file.source is None and file.digest and self._target.has_file(file.digest):
            return ArtifactFile(path, file.digest, file.size_bytes)
        if file.source is None:
            uri = redact(file.uri or "")[0]
            return ArtifactFile(path, file.digest, file.size_bytes, uri, file.etag)
        ref = self._target.put_file(file.source)
        self._count(n_files=1)
        return ArtifactFile(path, ref.digest, ref.size_bytes)

    def _image(self, run_id: str, image: ForeignImage) -> Event:
        event = {
            "kind": "media",
            "run": run_id,
            "name": clean_name(image.name),
            "type": clean_name(image.type),
            "step": _whole(image.step),
            "at": image.at,
            "mime": image.mime,
            "data": cleared(image.data),  # whole: `encode` is for params, and cuts
        }
        if image.content is not None:
            ref = self._target.put_bytes(image.content)
            self._count(n_files=1)
            event |= {"digest": ref.digest, "size_bytes": ref.size_bytes}
        return event

    def _count(self, **more: int) -> None:
        before = self.counts
        self.counts = replace(
            before, **{name: getattr(before, name) + n for name, n in more.items()}
        )

    def _flush(self) -> None:
        journal = self._apart.journal
        if not journal.flush(FLUSH_S) or journal.dropped:
            raise StoreError("its points could not be written: is the disk full?")


def _started(
    run_id: str, run: ForeignRun, tool: str, *, at: float, parent: str | None
) -> Event:
    source = None if run.source is None else redact_source(run.source)[0]
    tags = dict(_tags(run.tags))
    return {
        "kind": "run_started",
        "run": run_id,
        "name": clean_name(run.name) or run_id,
        "experiment": clean_name(run.experiment) or "default",
        "started_at": at,
        "group": None if run.group is None else clean_name(run.group),
        "parent": parent,
        "notes": redact_source(run.notes)[0],
        "source": source,
        "source_digest": None if source is None else text_digest(run.source or ""),
        "execution": None if run.record is None else run.record.execution,
        "tags": tags if run.record is not None else tags | {TAG: tool},
    }


def _tags(tags: Mapping[str, str | None]) -> Iterator[tuple[str, str | None]]:
    for name, value in tags.items():
        clear = None if value is None else redact_param(name, value)[0]
        yield clean_name(name), None if clear is None else clean_name(clear)


def _described(
    run_id: str, found: FoundRun, run: ForeignRun, tool: str
) -> Iterator[Event]:
    origin = {"tool": tool, "id": found.id, "state": found.state}
    facts = {f"origin.{name}": value for name, value in origin.items()}
    facts = {} if run.record is not None else facts
    rows = [
        [clean_name(name), *_fact(name, value)]
        for name, value in (facts | dict(run.facts)).items()
    ]
    yield {"kind": "facts", "run": run_id, "facts": rows}
    yield {"kind": "texts", "run": run_id, "texts": list(_texts(run))}
    yield {"kind": "inputs", "run": run_id, "inputs": list(map(_input, run.inputs))}


def _fact(name: str, value: object) -> tuple[Any, str | None]:
    """Value, and why there is none."""
    fact = value if isinstance(value, Fact) else Fact(name, value)
    missing = None if fact.missing is None else clean_name(fact.missing)
    return redact_param(name, encode(fact.value))[0], missing


def _texts(run: ForeignRun) -> Iterator[Event]:
    for text in run.texts:
        told = {"role": clean_name(text.role), "name": clean_name(text.name)}
        missing = None if text.missing is None else clean_name(text.missing)
        if text.body is None:
            yield {**told, "missing": missing}
            continue
        body, n_redacted = redact_source(text.body)
        yield {
            **told,
            "digest": text_digest(text.body),
            "body": body,
            "n_redacted": n_redacted,
            "missing": missing,
        }


def _input(record: InputRecord) -> Event:
    name = clean_name(record.name)
    said = redact_json(asdict(record))
    return {**said, "name": name, "type": clean_name(record.type)}


def _finished(run_id: str, run: ForeignRun, tool: str, *, started_at: float) -> Event:
    """A run that had not ended there ends here as `crashed`: nobody here records it."""
    is_open = run.status == "running"
    ended = run.ended_at
    took = None if ended is None else max(0.0, ended - started_at)
    return {
        "kind": "run_finished",
        "run": run_id,
        "status": "crashed" if is_open else run.status,
        "reason": f"had not ended in {tool} when it came" if is_open else run.reason,
        "error": None if run.error is None else redact_source(run.error)[0],
        "ended_at": started_at if ended is None else ended,
        "duration_s": took if run.record is None else run.record.duration_s,
    }


def _as_recorded(run_id: str, record: RunRecord) -> Event:
    """What only nbtrack knows of a run."""
    names = (
        "parent", "cell_id", "trashed_at", "forked_from", "fork_step",
        "peak_rss_bytes", "peak_vram_bytes", "model_bytes", "grade",
    )  # fmt: skip
    fields = {name: getattr(record, name) for name in names}
    for name in ("notebook", "grade_why"):
        text = getattr(record, name)
        fields[name] = None if text is None else redact_source(text)[0]
    return {"kind": "run_changed", "run": run_id, "fields": fields}


def _inside(path: str) -> str:
    """A path that stays in the folder its artifact is copied to."""
    parts = path.replace("\\", "/").replace("\0", "").split("/")
    return "/".join(p for p in parts if p not in ("", ".", "..")) or "file"


def _whole(step: float) -> int:
    return max(-MAX_STEP - 1, min(MAX_STEP, int(step)))

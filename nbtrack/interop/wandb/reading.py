"""A run of W&B as a neutral record: what its logs and its folder say, put together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nbtrack.capture.repository import without_login
from nbtrack.interop.foreign import (
    ForeignArtifact,
    ForeignImage,
    ForeignRun,
    ForeignSeries,
    ForeignText,
)
from nbtrack.interop.wandb.json_values import Path as Keys
from nbtrack.interop.wandb.json_values import number_of, value_of
from nbtrack.interop.wandb.run_files import (
    METADATA,
    OUTPUT,
    RunFiles,
    artifact_of,
    missing_of,
    use_of,
)
from nbtrack.interop.wandb.run_log import TEXTS_MAX, RunLog
from nbtrack.records import Status

_INTERRUPTED = 255  # the exit code that W&B gives to Ctrl-C
_TRACEBACK = "Traceback (most recent call last):"


def read_run(files: Sequence[Path], *, id: str) -> ForeignRun:
    """The run of these logs, in the order they were begun.

    Raises
    ------
    ValueError, OSError
        Where one is no log of W&B, or cannot be read.
    """
    log = RunLog()
    for file in files:
        log.read(file)
    folders = [RunFiles(_beside(file)) for file in files]
    artifacts = _artifacts(log)
    notices = list(_notices(log, artifacts, folders))
    status, reason = _status(log)
    return ForeignRun(
        name=log.run.get("name") or id,
        experiment=log.run.get("project") or "uncategorized",
        status=status,
        reason=reason,
        error=_error(log) if status == "failed" else None,
        ended_at=log.last_at or None,
        params=log.config.nested(),
        tags=_tags(log),
        notes=log.run.get("notes", ""),
        group=log.run.get("group") or None,
        source=_source(log, folders),
        facts=_facts(log, folders),
        texts=list(_texts(log, folders)),
        artifacts=[*artifacts, *_rest(log, folders)],
        series=_series(log),
        images=_rich(log, notices),
        notices=notices,
    )


def _beside(file: Path) -> Path | None:
    folder = file.parent / "files"
    return folder if folder.is_dir() else None


# ---- how it ended


def _status(log: RunLog) -> tuple[Status, str | None]:
    if log.exit is None:
        return "running", None
    code = log.exit.get("code", 0)
    if code == _INTERRUPTED:
        return "stopped", "interrupted"
    return ("failed", f"exit code {code}") if code else ("finished", None)


def _error(log: RunLog) -> str | None:
    """The traceback that was printed last."""
    printed = log.printed.get("stderr")
    said = "" if printed is None else printed.whole()
    start = said.rfind(_TRACEBACK)
    return said[start:] if start >= 0 else None


def _notices(
    log: RunLog, artifacts: Sequence[ForeignArtifact], folders: Sequence[RunFiles]
) -> Iterator[str]:
    if len(folders) > 1:
        yield f"it was resumed: its {len(folders)} logs were put together"
    if not log.run:
        yield "its log does not say what run it is: it broke off before, or is damaged"
    if log.n_damaged:
        yield f"records that are damaged and did not come: {log.n_damaged}"
    if log.is_cut:
        yield "its log is cut off: what is whole came"
    if log.n_texts > TEXTS_MAX:
        yield f"texts of its history: the first {TEXTS_MAX:,} of {log.n_texts:,} came"
    if log.n_unread:
        yield f"values that are neither numbers nor texts and stayed: {log.n_unread}"
    n_leading_out = sum(folder.n_leading_out for folder in folders)
    if n_leading_out:
        yield f"links to files outside of its project that stayed: {n_leading_out}"
    unlisted = [a for a, _ in log.artifacts if a.get("manifest", {}).get("elsewhere")]
    if unlisted:
        yield f"artifacts of so many files that their log has no list: {len(unlisted)}"
    missing = missing_of(artifacts)
    if missing:
        yield f"files of artifacts that are not here any more, only named: {missing}"


# ---- what is known of it


def _tags(log: RunLog) -> dict[str, str | None]:
    tags: dict[str, str | None] = dict.fromkeys(log.run.get("tags", ()))
    job_type = log.run.get("job_type")
    return tags | ({"job_type": job_type} if job_type else {})


def _facts(log: RunLog, folders: Sequence[RunFiles]) -> dict[str, Any]:
    metadata: Mapping[str, Any] = {}
    for folder in folders:
        metadata = {**metadata, **folder.metadata()}
    run, machine = log.run, log.environment
    git = _mapping(metadata.get("git")) | machine.get("git", {}) | run.get("git", {})
    python = machine.get("python") or metadata.get("python") or ""
    facts = {
        "origin.project": run.get("project"),
        "origin.entity": run.get("entity"),
        "origin.sweep": run.get("sweep"),
        "origin.alerts": log.alerts,
        "git.commit": git.get("commit"),
        "git.remote": without_login(str(git.get("remote") or "")),
        "python.version": str(python).rpartition(" ")[2],
        "machine.host": run.get("host") or metadata.get("host"),
        "cpu.model": machine.get("cpu", {}).get("model"),
        "cpu.logical": machine.get("cpus") or metadata.get("cpu_count_logical"),
        "ram.total_bytes": machine.get("memory", {}).get("total"),
        "gpu.count": machine.get("n_gpus") or metadata.get("gpu_count"),
        "gpu.0.name": machine.get("gpu") or metadata.get("gpu"),
        "os.name": machine.get("os") or metadata.get("os"),
        "script.name": machine.get("program") or metadata.get("program"),
    }
    known = {name: fact for name, fact in facts.items() if fact}
    return known | dict(_step_metrics(log)) | dict(_told_apart(log))


def _mapping(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}


def _step_metrics(log: RunLog) -> Iterator[tuple[str, str]]:
    for name, told in log.metrics.items():
        if told.get("step_metric"):
            yield f"axis.{name}", told["step_metric"]


def _told_apart(log: RunLog) -> Iterator[tuple[str, Any]]:
    """What a summary says that no history does: it was set by hand."""
    for path, text in _summary(log):
        column = log.points.columns.get(".".join(path))
        number = number_of(text)
        if column is None and number is None:
            yield f"summary.{'.'.join(path)}", value_of(text)
        elif column is not None and number is not None:
            last = column.values[-1]
            if number != last and not (math.isnan(number) and math.isnan(last)):
                yield f"summary.{'.'.join(path)}", number


def _summary(log: RunLog) -> Iterator[tuple[Keys, str]]:
    """The values of the summary but W&B's own, and media, which a history has."""
    names = {rich.name for rich in log.rich}
    for path, text in log.summary.flat().items():
        starts = {".".join(path[:n]) for n in range(1, len(path) + 1)}
        outer = ".".join(path[:-1])  # {"acc": {"max": 0.9}}, as `define_metric` asks
        is_own = path[0].startswith("_") or outer in log.points
        if not is_own and not starts & names and text != "null":
            yield path, text


def _source(log: RunLog, folders: Sequence[RunFiles]) -> str | None:
    path = _mapping(log.config.get("_wandb")).get("code_path")
    if not isinstance(path, str):
        return None
    found = (folder.text(path) for folder in folders)
    return next((text for text in found if text is not None), None)


# ---- texts, files, points


def _texts(log: RunLog, folders: Sequence[RunFiles]) -> Iterator[ForeignText]:
    for role, printed in log.printed.items():
        yield ForeignText(role, role, printed.whole())
    for folder in folders:
        yield from folder.texts(has_output=bool(log.printed))


def _artifacts(log: RunLog) -> list[ForeignArtifact]:
    logged = [artifact_of(told, at) for told, at in log.artifacts]
    used = [use_of(told) for told in log.uses]
    return [artifact for artifact in [*logged, *used] if artifact is not None]


def _rest(log: RunLog, folders: Sequence[RunFiles]) -> Iterator[ForeignArtifact]:
    taken = {METADATA} | ({OUTPUT} if log.printed else set())
    taken |= {path for rich in log.rich if rich.is_known for path in rich.paths()}
    for folder in folders:
        texts = {text.name for text in folder.texts(has_output=bool(log.printed))}
        rest = folder.rest(taken | texts)
        if rest is not None:
            yield rest


def _series(log: RunLog) -> Iterator[ForeignSeries]:
    """The histories, and a point for each number that only the summary has."""
    for path, text in _summary(log):
        name, number = ".".join(path), number_of(text)
        if number is not None and name not in log.points:
            at = log.last_at
            log.points.add(name, step=log.last_step, value=number, at=at)
    yield from log.points.series(log.goals())


def _rich(log: RunLog, notices: list[str]) -> Iterator[ForeignImage]:
    strange: dict[str, int] = {}
    for logged in log.rich:
        if logged.is_known:
            yield from logged.values(notices.append)
        else:
            strange[logged.kind] = strange.get(logged.kind, 0) + 1
    for kind, n in strange.items():
        notices.append(f"rich values of kind {kind!r} stayed as their files: {n}")

"""Reads one run of Neptune: rows of attributes and of points, batch by batch."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from nbtrack.errors import NbtrackError
from nbtrack.interop.confined import files_below, inside
from nbtrack.interop.foreign import (
    ForeignArtifact,
    ForeignFile,
    ForeignImage,
    ForeignRun,
    ForeignSeries,
    ForeignText,
)
from nbtrack.interop.parquet_files import parquet_module
from nbtrack.interop.rich import rich_value
from nbtrack.records import SYSTEM_PREFIX
from nbtrack.tracking.media import histograms, images

Row = dict[str, Any]
NAME, CREATED, MODIFIED = "sys/name", "sys/creation_time", "sys/modification_time"
_SYS, _MONITORING = "sys/", "monitoring/"
_TAGS = ("sys/tags", "sys/group_tags")
_VALUES = {
    "int": "int_value",
    "float": "float_value",
    "string": "string_value",
    "bool": "bool_value",
    "datetime": "datetime_value",
    "string_set": "string_set_value",
}
_FILES = ("file", "file_set", "artifact")
_STEP_AXIS = "neptune_step"  # of steps that are no whole numbers
_BATCH_ROWS = 65_536


@dataclass(slots=True)
class _Points:
    steps: array[float] = field(default_factory=lambda: array("d"))
    values: array[float] = field(default_factory=lambda: array("d"))
    at: array[float] = field(default_factory=lambda: array("d"))


@dataclass(slots=True)
class _Read:
    """What the rows of a run came to."""

    files: Path  # the folder that holds them
    attributes: dict[str, Any] = field(default_factory=dict)
    points: dict[str, _Points] = field(default_factory=dict)
    lines: dict[str, list[str]] = field(default_factory=dict)
    rich: list[ForeignImage] = field(default_factory=list)
    artifacts: list[ForeignArtifact] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def read_run(project: str, run: str, *, files: Sequence[Path]) -> ForeignRun:
    """All that the files have of a run."""
    found = _Read(_files_beside(files[0]))
    for file in files:
        for batch in parquet_module().ParquetFile(file).iter_batches(_BATCH_ROWS):
            _take_points(found, batch, run)
            for row in _other_rows(batch, run):
                _take(found, row)
    known = found.attributes
    ended = known.get(MODIFIED)
    return ForeignRun(
        name=str(known.get(NAME) or run),
        experiment=project,
        status="failed" if known.get("sys/failed") else "finished",
        ended_at=ended.timestamp() if isinstance(ended, datetime) else None,
        params={n: _plain(v) for n, v in known.items() if not n.startswith(_SYS)},
        tags={tag: None for name in _TAGS for tag in known.get(name) or ()},
        notes=str(known.get("sys/description") or ""),
        facts={n.replace("/", "."): _plain(v) for n, v in known.items() if _is_fact(n)},
        texts=[_text(name, lines) for name, lines in found.lines.items()],
        artifacts=found.artifacts,
        series=_series(found.points),
        images=found.rich,
        is_trashed=bool(known.get("sys/trashed")),
        notices=found.notices,
    )


def _files_beside(part: Path) -> Path:
    """`data/<project>/part` has its files in `files/`, beside `data`."""
    data = part.parent.parent
    return data.parent / "files" if (data.parent / "files").is_dir() else data / "files"


def _is_fact(name: str) -> bool:
    return name.startswith(_SYS) and name not in (*_TAGS, NAME, "sys/description")


def _take_points(found: _Read, batch: Any, run: str) -> None:
    """Column by column: there may be millions."""
    import pyarrow as pa
    import pyarrow.compute as pc

    is_point = pc.equal(batch["attribute_type"], "float_series")
    rows = batch.filter(pc.and_(is_point, pc.equal(batch["run_id"], run)))
    steps = pc.cast(rows["step"], pa.float64()).to_pylist()
    # Milliseconds; neptune-exporter makes null of NaN, and writes no row without value.
    times = pc.cast(pc.cast(rows["timestamp"], pa.timestamp("ms", "UTC")), pa.int64())
    columns = zip(
        rows["attribute_path"].to_pylist(), steps, rows["float_value"].to_pylist(),
        times.to_pylist(), strict=True,
    )  # fmt: skip
    for name, step, value, moment in columns:
        points = found.points.get(name)
        if points is None:
            points = found.points.setdefault(name, _Points())
        points.steps.append(len(points.steps) if step is None else step)
        points.values.append(math.nan if value is None else value)
        points.at.append(0.0 if moment is None else moment / 1000)


def _other_rows(batch: Any, run: str) -> list[Row]:
    import pyarrow.compute as pc

    is_other = pc.not_equal(batch["attribute_type"], "float_series")
    rows = batch.filter(pc.and_(is_other, pc.equal(batch["run_id"], run)))
    return list(rows.to_pylist())


def _take(found: _Read, row: Row) -> None:
    name, kind = str(row["attribute_path"]), row["attribute_type"]
    if kind in _VALUES:
        value = row[_VALUES[kind]]
        if value is not None:
            found.attributes[name] = value
    elif kind == "string_series":
        found.lines.setdefault(name, []).append(str(row["string_value"] or ""))
    elif kind == "histogram_series":
        _take_histogram(found, name, row)
    elif kind in _FILES:
        _take_file(found, name, row)
    elif kind == "file_series":
        _take_picture(found, name, row)
    else:
        found.notices.append(f"{name} is a {kind}, which is not known here")


def _take_histogram(found: _Read, name: str, row: Row) -> None:
    told = row["histogram_value"] or {}
    counted = (told.get("values") or [], told.get("edges") or [])
    content = histograms.snapshot_of(counted).encode()
    found.rich.append(rich_value(name, content, step=_step(row), at=_at(row)))


def _take_picture(found: _Read, name: str, row: Row) -> None:
    """A file at a step: a picture, or an artifact of that step."""
    path = _path(found, name, row)
    if path is None:
        return
    try:
        content = images.snapshot_of(path).encode()
    except NbtrackError:
        files = [ForeignFile(path.name, path)]
        found.artifacts.append(
            ForeignArtifact(_named(name), files, step=_step(row), at=_at(row) or None)
        )
        return
    found.rich.append(rich_value(name, content, step=_step(row), at=_at(row)))


def _take_file(found: _Read, name: str, row: Row) -> None:
    path = _path(found, name, row)
    if path is None:
        return
    files = [ForeignFile(path.name, path)]
    if path.is_dir():
        below = files_below(path, within=found.files)
        files = [ForeignFile(inner, file) for inner, file in below]
    found.artifacts.append(ForeignArtifact(_named(name), files, path=name))


def _path(found: _Read, name: str, row: Row) -> Path | None:
    told = (row["file_value"] or {}).get("path")
    path = inside(found.files, str(told)) if told else None
    if path is not None and path.exists():
        return path
    found.notices.append(f"the file of {name} is not here")
    return None


def _named(name: str) -> str:
    """An artifact's name has no "/"."""
    return name.replace("/", ".")


def _series(points: dict[str, _Points]) -> Iterator[ForeignSeries]:
    """With an axis for steps that are no whole numbers; then the step counts."""
    for name, found in points.items():
        shown = name
        if name.startswith(_MONITORING):
            shown = SYSTEM_PREFIX + name.removeprefix(_MONITORING)
        order = sorted(range(len(found.steps)), key=found.steps.__getitem__)
        steps = [found.steps[at] for at in order]
        values = [found.values[at] for at in order]
        times = [found.at[at] for at in order]
        if all(step.is_integer() for step in steps):
            yield ForeignSeries(shown, [int(step) for step in steps], values, times)
            continue
        yield ForeignSeries(shown, range(len(steps)), values, times)
        yield ForeignSeries(_STEP_AXIS, range(len(steps)), steps, times, axis_of=shown)


def _text(name: str, lines: list[str]) -> ForeignText:
    last = name.rsplit("/", 1)[-1]
    role = last if last in ("stdout", "stderr") else "log"
    body = "".join(line if line.endswith("\n") else line + "\n" for line in lines)
    return ForeignText(role, name, body)


def _step(row: Row) -> int:
    return int(row["step"] or 0)


def _at(row: Row) -> float:
    moment = row["timestamp"]
    return moment.timestamp() if moment is not None else 0.0


def _plain(value: Any) -> Any:  # Any: what a column holds
    return value.isoformat() if isinstance(value, datetime) else value

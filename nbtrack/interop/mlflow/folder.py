"""Reads a `mlruns` folder, MLflow's file store: small YAML files, a file per metric."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from nbtrack.interop.confined import files_below
from nbtrack.interop.foreign import ForeignRun, ForeignSeries, FoundRun
from nbtrack.interop.mlflow.artifact_files import Place
from nbtrack.interop.mlflow.kept import (
    PARENT_TAG,
    RUN_ID_TAG,
    KeptModel,
    KeptRun,
    as_foreign,
)
from nbtrack.interop.mlflow.meta import read_meta
from nbtrack.interop.mlflow.ours import as_ours

POINTS_AT_ONCE = 250_000
META = "meta.yaml"
_STATUSES = ("", "RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED")
_BROKEN = (OSError, ValueError, KeyError, TypeError)


def is_folder(path: Path) -> bool:
    """Whether experiments of MLflow lie in it."""
    try:
        return any(_is_experiment(child) for child in _experiments(path))
    except OSError:
        return False


class FolderRuns:
    """The runs of a `mlruns` folder."""

    def __init__(self, path: Path) -> None:
        self._root = path.resolve()
        self._place = Place([self._root, self._root.parent])
        self._experiments: dict[Path, dict[str, Any]] = {}

    def found(self) -> Iterator[tuple[FoundRun, str | None]]:
        """The runs, and the id of the one that each is nested in."""
        for experiment in _experiments(self._root):
            if _is_experiment(experiment):
                for run in sorted(experiment.iterdir()):
                    if (run / META).is_file() and (run / "tags").is_dir():
                        yield self._found(run)

    def close(self) -> None:
        """Nothing is open between two reads."""

    def _found(self, run: Path) -> tuple[FoundRun, str | None]:
        """A run whose meta.yaml is broken is found, and fails when it is read."""
        try:
            meta = read_meta(run / META)
        except _BROKEN:
            meta = {}
        return FoundRun(
            run.name, float(meta.get("start_time") or 0) / 1000,
            lambda: self._read(run), name=str(meta.get("run_name") or ""),
            state=_state(run), ours=_tag(run, RUN_ID_TAG),
        ), _tag(run, PARENT_TAG)  # fmt: skip

    def _read(self, run: Path) -> ForeignRun:
        kept = self._kept(run)
        series = _series(run / "metrics")
        place = Place([run.parents[1], *self._place.roots])
        if RUN_ID_TAG in kept.tags:
            return as_ours(kept, series, place)
        return as_foreign(kept, series, *place.of_run(kept))

    def _kept(self, run: Path) -> KeptRun:
        meta = read_meta(run / META)
        if run.name not in (meta.get("run_id"), meta.get("run_uuid")):
            raise ValueError(f"{run / META} is not of this run.")
        experiment = self._experiment(run.parent)
        status = meta.get("status")
        deleted = "deleted" in (
            meta.get("lifecycle_stage"), experiment.get("lifecycle_stage")
        )  # fmt: skip
        return KeptRun(
            id=run.name,
            name=str(meta.get("run_name") or ""),
            experiment=str(experiment.get("name") or run.parent.name),
            status=_STATUSES[status] if isinstance(status, int) else str(status or ""),
            ended_ms=None if meta.get("end_time") is None else int(meta["end_time"]),
            # Beside its meta.yaml, whatever it was called when the run was made.
            artifact_uri=str(meta.get("artifact_uri") or f"/{run.name}/artifacts"),
            is_trashed=deleted or run.parents[1].name == ".trash",
            user=meta.get("user_id"),
            params=_texts(run / "params"),
            tags=_texts(run / "tags"),
            datasets=list(_datasets(run)),
            models=list(_models(run)),
            registered=list(self._registered(run.name)),
        )

    def _registered(self, run: str) -> Iterator[str]:
        for path in sorted((self._root / "models").glob(f"*/version-*/{META}")):
            meta = read_meta(path)
            if meta.get("run_id") == run:
                yield f"{meta['name']} {meta['version']}"

    def _experiment(self, folder: Path) -> dict[str, Any]:
        if folder not in self._experiments:
            self._experiments[folder] = read_meta(folder / META)
        return self._experiments[folder]


def _experiments(root: Path) -> Iterator[Path]:
    for folder in (root, root / ".trash"):
        if folder.is_dir():
            yield from sorted(p for p in folder.iterdir() if (p / META).is_file())


def _is_experiment(folder: Path) -> bool:
    try:
        return {"experiment_id", "name"} <= read_meta(folder / META).keys()
    except _BROKEN:
        return False


def _texts(folder: Path) -> dict[str, str]:
    return {
        name: path.read_text(encoding="utf-8") for name, path in files_below(folder)
    }


def _tag(run: Path, name: str) -> str | None:
    try:
        return (run / "tags" / name).read_text(encoding="utf-8").strip() or None
    except (OSError, ValueError):
        return None


def _series(folder: Path) -> Iterator[ForeignSeries]:
    for name, path in files_below(folder):
        with path.open(encoding="ascii") as lines:
            while some := list(islice(lines, POINTS_AT_ONCE)):
                yield _piece(name, some)


def _piece(name: str, lines: list[str]) -> ForeignSeries:
    """Lines are "time value step"; the first MLflows wrote no step."""
    points = [line.split() for line in lines if not line.isspace()]
    return ForeignSeries(
        name,
        [int(point[2]) if len(point) > 2 else 0 for point in points],
        [float(point[1]) for point in points],
        [int(point[0]) / 1000 for point in points],
    )


def _datasets(run: Path) -> Iterator[dict[str, Any]]:
    for edge in _edges(run / "inputs"):
        if edge.get("source_type") == "DATASET":
            path = run.parent / "datasets" / str(edge["source_id"]).strip("/.") / META
            yield read_meta(path) | {"tags": edge.get("tags")}


def _models(run: Path) -> Iterator[KeptModel]:
    steps = {
        str(edge.get("destination_id")): edge.get("step")
        for edge in _edges(run / "outputs")
    }
    for folder in sorted((run.parent / "models").glob("m-*")):
        meta = read_meta(folder / META)
        if meta.get("source_run_id") == run.name:
            yield KeptModel(
                folder.name, str(meta["name"]), str(meta["artifact_location"]),
                type=meta.get("model_type"), step=steps.get(folder.name),
                tags=_texts(folder / "tags"), params=_texts(folder / "params"),
            )  # fmt: skip


def _edges(folder: Path) -> Iterator[dict[str, Any]]:
    if folder.is_dir():
        for child in sorted(folder.iterdir()):
            yield read_meta(child / META)


def _state(run: Path) -> str:
    """What changes with a run: the same in a copy, so no times of files."""
    told = hashlib.sha256()
    for folder in ("metrics", "params", "tags"):
        for name, path in files_below(run / folder):
            told.update(f"{folder}/{name}:{path.stat().st_size}\n".encode())
    told.update((run / META).read_bytes())
    return told.hexdigest()[:16]

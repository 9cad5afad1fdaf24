"""The files that a run of MLflow logged, where they still can be found.

An address in a store is a stranger's text: only a folder that MLflow would have made
for that very run or model is read, and no link is followed out of it. A folder that was
moved together with its store is found beside it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from nbtrack.interop.confined import files_below
from nbtrack.interop.foreign import ForeignArtifact, ForeignFile
from nbtrack.interop.mlflow.kept import KeptModel, KeptRun

_LOCAL = ("", "file")
_OF_SERVER = "mlflow-artifacts"
_SERVED_FROM = ("mlartifacts", "mlruns", "artifacts")  # beside a server's database
_MODEL_FILE = "MLmodel"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the artifacts of a store are looked for: also in these folders."""

    roots: Sequence[Path]

    def of_run(self, run: KeptRun) -> tuple[list[ForeignArtifact], list[str]]:
        """What a run logged, and what of it is not here."""
        found: list[ForeignArtifact] = []
        notices: list[str] = []
        at = None if run.ended_ms is None else run.ended_ms / 1000
        for owner, uri, model in _owned(run):
            folder = self.folder(uri, owner)
            if folder is not None:
                made = _of_model(folder, model) if model else _of_folder(folder, at=at)
                found += made
            elif _is_remote(uri):
                name = model.name if model else f"files of {run.name or run.id}"
                found.append(ForeignArtifact(name, [ForeignFile("files", uri=uri)]))
            elif model is not None or urlsplit(uri).scheme not in _LOCAL:
                notices.append(f"its files were not found: {uri}")
        return found, notices

    def folder(self, uri: str, owner: str) -> Path | None:
        """The folder behind an address, if it can be that of `owner`."""
        parts = urlsplit(uri)
        if parts.scheme not in (*_LOCAL, _OF_SERVER):
            return None
        path = PurePosixPath(unquote(parts.path) if parts.scheme else uri)
        if path.parts[-2:] != (owner, "artifacts"):
            return None
        for candidate in self._candidates(path, is_served=parts.scheme == _OF_SERVER):
            if candidate.is_dir() and not candidate.is_symlink():
                return candidate
        return None

    def _candidates(self, path: PurePosixPath, *, is_served: bool) -> Iterator[Path]:
        if path.is_absolute() and not is_served:
            yield Path(path)
        parts = [part for part in path.parts if part not in ("/", "..")]
        for root in self.roots:
            for n in range(len(parts) - 1):
                yield root.joinpath(*parts[n:])
                if is_served:
                    for folder in _SERVED_FROM:
                        yield root.joinpath(folder, *parts[n:])


def _owned(run: KeptRun) -> Iterator[tuple[str, str, KeptModel | None]]:
    yield run.id, run.artifact_uri, None
    for model in run.models:
        yield model.id, model.location, model


def _is_remote(uri: str) -> bool:
    return urlsplit(uri).scheme not in (*_LOCAL, _OF_SERVER)


def _of_model(folder: Path, model: KeptModel) -> list[ForeignArtifact]:
    files = list(_files_under(folder))
    about = {"mlflow.model_id": model.id}
    return [_as_model(model.name, files, step=model.step, about=about)] if files else []


def _of_folder(folder: Path, *, at: float | None) -> list[ForeignArtifact]:
    """One for each entry, and one for each model, wherever it lies."""
    found = []
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = Path(entry.path)
        if entry.is_file(follow_symlinks=False):
            file = ForeignFile(entry.name, path)
            found.append(ForeignArtifact(entry.name, [file], at=at))
        elif entry.is_dir(follow_symlinks=False):
            found += _of_entry(path)
    return found


def _of_entry(folder: Path) -> Iterator[ForeignArtifact]:
    files = list(_files_under(folder))
    models = [PurePosixPath(f.path).parent for f in files if _is_model_file(f.path)]
    models = [m for m in models if not any(other in m.parents for other in models)]
    for model in models:
        inside = [
            ForeignFile(str(PurePosixPath(f.path).relative_to(model)), f.source)
            for f in files
            if model in PurePosixPath(f.path).parents
        ]
        yield _as_model(str(PurePosixPath(folder.name, model)), inside)
    rest = [f for f in files if not set(PurePosixPath(f.path).parents) & set(models)]
    if rest:
        yield ForeignArtifact(folder.name, rest)


def _as_model(
    name: str,
    files: Sequence[ForeignFile],
    *,
    step: int | None = None,
    about: dict[str, str] | None = None,
) -> ForeignArtifact:
    return ForeignArtifact(name, files, type="model", step=step, metadata=about or {})


def _is_model_file(path: str) -> bool:
    return PurePosixPath(path).name == _MODEL_FILE


def _files_under(folder: Path) -> Iterator[ForeignFile]:
    return (ForeignFile(name, path) for name, path in files_below(folder))

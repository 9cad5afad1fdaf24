"""What lies beside W&B's log: source, diff, packages, media, and files of artifacts."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from nbtrack.interop.confined import file_inside
from nbtrack.interop.foreign import ForeignArtifact, ForeignFile, ForeignText
from nbtrack.interop.wandb.json_values import value_of

TEXT_BYTES_MAX = 4 * 2**20  # of a text beside the log; more is kept as a file
METADATA = "wandb-metadata.json"
OUTPUT = "output.log"
_ROLES = {"requirements.txt": "packages", "diff.patch": "diff"}
_ROLES |= {"conda-environment.yaml": "conda", "conda-environment.yml": "conda"}
_HASHED_BYTES = 2**20
_TABLES = "run_table"  # artifacts that W&B makes of logged tables, which come as media


class RunFiles:
    """The folder `files/` of a run; none where the log came alone."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        found = [] if folder is None else sorted(_files_of(folder))
        self.paths = [path for path, leads_out in found if not leads_out]
        self.n_leading_out = len(found) - len(self.paths)

    def text(self, path: str) -> str | None:
        """A text file of the folder; None where it is not there or too large."""
        file = None if self.folder is None else file_inside(self.folder, path)
        if file is None or file.stat().st_size > TEXT_BYTES_MAX:
            return None
        return file.read_bytes().decode("utf-8", "replace")

    def metadata(self) -> dict[str, Any]:
        """What `wandb-metadata.json` says of the machine; older logs have it there."""
        try:
            told = json.loads(self.text(METADATA) or "{}")
        except (ValueError, RecursionError):
            return {}
        return told if isinstance(told, dict) else {}

    def texts(self, *, has_output: bool) -> Iterator[ForeignText]:
        """Packages, diffs, and what was printed where the log does not have it."""
        for path in self.paths:
            role = _ROLES.get(path)
            if role is None and path.startswith("diff_") and path.endswith(".patch"):
                role = "diff"
            if path == OUTPUT and not has_output:
                role = "stdout"
            body = None if role is None else self.text(path)
            if role is not None and body:
                yield ForeignText(role, path, body)

    def rest(self, taken: Set[str]) -> ForeignArtifact | None:
        """What did not come in another way, as one artifact."""
        paths = [path for path in self.paths if path not in taken]
        if self.folder is None or not paths:
            return None
        files = [ForeignFile(path, self.folder / path) for path in paths]
        return ForeignArtifact("wandb-files", files)


def _files_of(folder: Path) -> Iterator[tuple[str, bool]]:
    """Files by their paths inside, and whether each is a link that is not followed.

    `wandb.save` leaves links. One that leads out of the project (the folder in which
    `wandb/` lies) may have been made to fetch what is no business of the run.
    """
    project = folder.resolve().parents[2]
    for outer, _, names in os.walk(folder):
        for name in names:
            file = Path(outer) / name
            if file.is_file():
                leads_out = not file.resolve().is_relative_to(project)
                path = file.relative_to(folder).as_posix()
                yield path, file.is_symlink() and leads_out


# ---- artifacts


def artifact_of(told: Mapping[str, Any], at: float) -> ForeignArtifact | None:
    """An artifact that the run logged or, where it says so, used."""
    if told.get("type") == _TABLES:
        return None
    entries = told.get("manifest", {}).get("contents", ())
    client = told.get("client_id", "")
    metadata = value_of(told.get("metadata", "{}"))
    return ForeignArtifact(
        name=told.get("name", "artifact"),
        files=[_file_of(entry, client) for entry in entries],
        type=told.get("type", "file"),
        role="input" if told.get("is_used") else "output",
        aliases=[alias for alias in told.get("aliases", ()) if alias != "latest"],
        description=told.get("description", ""),
        metadata=metadata if isinstance(metadata, dict) else {},
        at=at or None,
    )


def use_of(told: Mapping[str, Any]) -> ForeignArtifact:
    """An artifact that the run read, which lies with a server."""
    whole = told.get("name") or told.get("id", "artifact")  # entity/project/name:v3
    name = whole.rpartition("/")[2].partition(":")[0]
    file = ForeignFile(whole, uri=f"wandb-artifact://{told.get('id') or whole}")
    return ForeignArtifact(name, [file], type=told.get("type", "file"), role="input")


def missing_of(artifacts: Sequence[ForeignArtifact]) -> int:
    """How many files of artifacts are only known by name."""
    files = [file for artifact in artifacts for file in artifact.files]
    return sum(_is_upload(file) for file in files)


def _is_upload(file: ForeignFile) -> bool:
    return (file.uri or "").startswith("wandb-client-artifact://")


def _file_of(entry: Mapping[str, Any], client: str) -> ForeignFile:
    """The file where it is still here, else a reference.

    A log may come from a stranger and name any file of this machine: one is taken only
    where the log knows the MD5 of what is in it.
    """
    path, size = entry.get("path", "file"), entry.get("size")
    ref = entry.get("ref")
    staged = Path(entry.get("local_path") or ".")
    if not ref and _is_it(staged, size or 0, entry.get("digest", "")):
        return ForeignFile(path, staged)
    uri = ref or f"wandb-client-artifact://{client}/{path}"
    return ForeignFile(path, uri=uri, size_bytes=size, etag=entry.get("digest"))


def _is_it(file: Path, size: int, digest: str) -> bool:
    try:
        if not file.is_file() or file.stat().st_size != size:
            return False
        md5 = hashlib.md5(usedforsecurity=False)
        with open(file, "rb") as opened:
            while body := opened.read(_HASHED_BYTES):
                md5.update(body)
    except (OSError, ValueError):
        return False
    return base64.b64encode(md5.digest()).decode() == digest

"""`run.dir`, `save` and `restore`: loose files of a run.

They lie in a folder of the store while the process lives, and become the artifact
`run-<id>-files` when the run ends. Where they could not be kept, the folder stays.
"""

from __future__ import annotations

import glob as globbing
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from nbtrack.compat.wandb.errors import CommError, UsageError
from nbtrack.compat.wandb.saying import say_once
from nbtrack.errors import NbtrackError
from nbtrack.tracking.artifacts.using import refuse_outside

if TYPE_CHECKING:
    from nbtrack.store import Store
    from nbtrack.tracking.run import Run

FOLDER = "wandb"  # in the store
TYPE = "run_files"
POLICIES = ("live", "end", "now")


def artifact_name(run_id: str) -> str:
    """Under which the files of a run are kept.

    >>> artifact_name("0abc")
    'run-0abc-files'
    """
    return f"run-{run_id}-files"


class SavedFiles:
    """The loose files of one run."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._folder: Path | None = None
        self._at_end: dict[Path, Path] = {}  # -> its copy, made anew at the end

    @property
    def folder(self) -> Path:
        """Where they lie; made at its first use."""
        if self._folder is None:
            if self._run.is_recorded:
                self._folder = self._run.store.path / FOLDER / self._run.id / "files"
            else:
                self._folder = Path(tempfile.mkdtemp(prefix="nbtrack-wandb-"))
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._folder

    def save(
        self,
        pattern: str | os.PathLike[str],
        base_path: str | os.PathLike[str] | None,
        policy: str,
        *,
        glob: bool = True,
    ) -> list[str]:
        """Copy the files that fit; where their copies are.

        Raises
        ------
        ValueError
            For an unknown policy, or files outside of the base path.
        """
        if policy not in POLICIES:
            raise ValueError(
                'Only "live", "end" and "now" policies are currently supported.'
            )
        wanted = os.path.abspath(os.fspath(pattern))
        base = Path(os.path.abspath(_base_of(pattern, base_path)))
        found = sorted(globbing.glob(wanted, recursive=True)) if glob else [wanted]
        files = [Path(path) for path in found if Path(path).is_file()]
        if not files:
            say_once(f"save {wanted}", f"save: no file fits {os.fspath(pattern)}")
        return [str(self._taken(path, base, policy)) for path in files]

    def _taken(self, path: Path, base: Path, policy: str) -> Path:
        if path.is_relative_to(self.folder):
            return path
        if not path.is_relative_to(base):
            raise ValueError(f"{path} does not lie in base_path {base}")
        copy = self.folder / path.relative_to(base)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        if policy != "now":
            self._at_end[path] = copy
        return copy

    def settle(self) -> Path | None:
        """The run is about to end: keep what lies there as one artifact.

        Returns the folder where it is needed no longer than the process lives.
        """
        if self._folder is None:
            return None
        for path, copy in self._at_end.items():
            if path.is_file():
                shutil.copyfile(path, copy)
        folder = self._folder
        is_empty = not any(each.is_file() for each in folder.rglob("*"))
        is_kept = is_empty or not self._run.is_recorded or self._log(folder)
        return folder if is_kept else None

    def _log(self, folder: Path) -> bool:
        name = artifact_name(self._run.id)
        try:
            return self._run.log_artifact(folder, name, type=TYPE).is_kept
        except (NbtrackError, OSError) as exc:
            say_once(
                f"files {self._run.id}", f"the files in {folder} stay there: {exc}"
            )
            return False


def restored(
    store: Store,
    run_id: str,
    name: str,
    *,
    root: str | os.PathLike[str],
    replace: bool = False,
) -> IO[Any]:
    """A loose file of a run, copied below `root` and opened.

    Raises
    ------
    CommError
        When there is no such run.
    ValueError
        When the run has no such file.
    """
    refuse_outside(name)
    refuse_outside(run_id)
    target = Path(root, name)
    if replace or not target.is_file():
        content = _content(store, run_id, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return target.open("r", encoding="utf-8", errors="replace")


def _content(store: Store, run_id: str, name: str) -> bytes:
    if not store.has_run(run_id):
        raise CommError(f"Run {run_id!r} is not in the store {store.path}.")
    lying = store.path / FOLDER / run_id / "files" / name
    if lying.is_file():
        return lying.read_bytes()
    versions = store.artifact_versions(name=artifact_name(run_id), gone=False)
    for version in reversed(versions):
        for file in store.artifact_files(version.id):
            if file.path == name and file.digest is not None:
                return store.file_path(file.digest).read_bytes()
    raise ValueError(f"File {name} not found in run {run_id}.")


def _base_of(
    pattern: str | os.PathLike[str], base_path: str | os.PathLike[str] | None
) -> str | os.PathLike[str]:
    if base_path is not None:
        return base_path
    path = Path(pattern)
    if path.is_absolute():  # as wandb: the folder of the file stays in its name
        return path.parent.parent
    if ".." in path.parts:
        raise UsageError(f"save({os.fspath(pattern)!r}): say base_path for files above")
    return "."


def remove(folder: Path) -> None:
    """Take away a folder that the artifact has, and those above it that are empty."""
    shutil.rmtree(folder, ignore_errors=True)
    for above in folder.parents[:2]:  # the run's, and the one of all runs when empty
        try:
            above.rmdir()
        except OSError:
            return

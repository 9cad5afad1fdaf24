"""A logged version as `wandb.Artifact` shows it: files, who made it, who used it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbtrack.records import ArtifactFile, ArtifactRecord
from nbtrack.tracking.artifacts import api
from nbtrack.tracking.artifacts.references import local_path
from nbtrack.tracking.artifacts.using import (
    local_copy,
    matches,
    refuse_outside,
    version_for,
)

if TYPE_CHECKING:
    from nbtrack.compat.wandb.api_run import ApiRun
    from nbtrack.store import Store
    from nbtrack.tracking.run import Run

_BY_ITSELF = {"latest", "best"}  # aliases that the store moves


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of a logged version."""

    version: Version
    path: str
    size: int | None
    digest: str | None
    ref: str | None

    @property
    def name(self) -> str:
        """Its name in the artifact."""
        return self.path

    def download(self, root: str | None = None, **_: Any) -> str:
        """Its path on this machine; below `root` where that is said."""
        if root is None:
            return str(self.version.path_of(self.path))
        return str(self.version.place(self.path, Path(root)))

    def ref_target(self) -> str:
        """The address of a reference.

        Raises
        ------
        ValueError
            When it is none.
        """
        if self.ref is None:
            raise ValueError("Only reference entries support ref_target().")
        return self.ref


class Version:
    """One version of an artifact in a store."""

    def __init__(self, store: Store, record: ArtifactRecord) -> None:
        self.store = store
        self.record = record

    @classmethod
    def of(cls, run: Run, ref: str) -> Version:
        """The version that a reference names; `entity/project/` before it is left out.

        Raises
        ------
        ArtifactNotFoundError
            When there is none.
        """
        return cls(*version_for(run, ref.rpartition("/")[2]))

    @property
    def ref(self) -> str:
        """`name:v0`."""
        return self.record.ref

    @property
    def qualified_name(self) -> str:
        """As `ref`: there is no entity here."""
        return self.record.ref

    @property
    def version(self) -> str:
        """`v0`."""
        return f"v{self.record.version}"

    @property
    def id(self) -> str:
        """Its number in the store, as text."""
        return str(self.record.id)

    @property
    def digest(self) -> str:
        """Of its content."""
        return self.record.digest

    @property
    def created_at(self) -> str:
        """When it was logged first, UTC."""
        return self.record.created_at

    @property
    def updated_at(self) -> str:
        """As `created_at`."""
        return self.record.created_at

    @property
    def file_count(self) -> int:
        """How many files."""
        return self.record.n_files

    @cached_property
    def _files(self) -> dict[str, ArtifactFile]:
        return {file.path: file for file in self.store.artifact_files(self.record.id)}

    @property
    def names(self) -> list[str]:
        """The names of its files."""
        return list(self._files)

    def entry(self, name: str) -> FileEntry:
        """One file; KeyError where there is none."""
        if name not in self._files:
            raise KeyError(f"Path not contained in artifact: {name}")
        file = self._files[name]
        return FileEntry(self, file.path, file.size_bytes, file.digest, file.uri)

    def files(
        self, names: list[str] | None = None, per_page: int = 50
    ) -> list[FileEntry]:
        """Its files, or those of these names."""
        chosen = self.names if names is None else names
        return [self.entry(name) for name in chosen]

    # -- on this machine

    @cached_property
    def _folder(self) -> Path:
        """The store's own copy, checked; it is only read from."""
        found = local_copy(self.store, self.record)
        if len(self._files) != 1:
            return found
        [file] = self._files.values()
        is_own = file.uri is not None and local_path(file.uri) == found
        return found.parent if is_own else found.parents[file.path.count("/")]

    def path_of(self, name: str) -> Path:
        """Where one of its files lies."""
        self.entry(name)
        if len(self._files) == 1:
            return local_copy(self.store, self.record)
        return self._folder / name

    def place(self, name: str, root: Path) -> Path:
        """Copy a file below a folder; one that is there with other content goes."""
        refuse_outside(name)
        target = root / name
        if not matches(target, self._files[name]):
            target.parent.mkdir(parents=True, exist_ok=True)
            aside = target.with_name(f".{target.name}-{os.getpid()}")
            shutil.copyfile(self.path_of(name), aside)
            aside.replace(target)
        return target

    def download(
        self,
        root: str | os.PathLike[str] | None = None,
        allow_missing_references: bool = False,
        skip_cache: bool | None = None,
        path_prefix: str | os.PathLike[str] | None = None,
        multipart: bool | None = None,
    ) -> str:
        """The folder with its files, every byte checked.

        Without a `root` that is the store's own copy, to be read only. Below a `root`
        files of the same name are replaced, others stay.
        """
        if root is None:
            return str(self._folder)
        start = "" if path_prefix is None else os.fspath(path_prefix)
        for name in self.names:
            if name.startswith(start):
                self.place(name, Path(root))
        return str(Path(root).resolve())

    def checkout(self, root: str | None = None) -> str:
        """As `download`."""
        return self.download(root)

    def file(self, root: str | None = None) -> str:
        """The path of its only file.

        Raises
        ------
        ValueError
            When there are several.
        """
        if len(self._files) != 1:
            raise ValueError(
                "This artifact contains more than one file, call `.download()` to get "
                'all files or call .get_entry("filename").download()'
            )
        return self.entry(self.names[0]).download(root)

    def verify(self, root: str | None = None) -> None:
        """Check each byte that is kept.

        Raises
        ------
        ValueError
            When something is damaged.
        """
        found = api.verify(self.ref, store=self.store)
        if found.problems:
            raise ValueError(f"{self.ref}: {found.problems[0]}")

    # -- around it

    def logged_by(self) -> ApiRun | None:
        """The run that logged it first."""
        from nbtrack.compat.wandb.api_run import ApiRun

        made_by = self.record.run
        return None if made_by is None else ApiRun(self.store, self.store.run(made_by))

    def used_by(self) -> list[ApiRun]:
        """The runs that used it."""
        from nbtrack.compat.wandb.api_run import ApiRun

        uses = self.store.artifact_uses(version=self.record.id, role="input")
        ids = list(dict.fromkeys(use.run for use in uses))
        return [ApiRun(self.store, self.store.run(each)) for each in ids]

    def edit(self, **changed: Any) -> None:
        """Change what is said of it."""
        self.record = api.edit(self.ref, store=self.store, **changed)

    def save(self, metadata: dict[str, Any], aliases: list[str]) -> None:
        """Keep changed metadata and aliases."""
        if metadata != dict(self.record.metadata):
            gone = dict.fromkeys(self.record.metadata.keys() - metadata.keys())
            self.edit(metadata={**gone, **metadata})
        before = set(self.record.aliases) - _BY_ITSELF
        wanted = set(aliases) - _BY_ITSELF
        for alias in sorted(wanted - before):
            self.record = api.alias(self.ref, alias, store=self.store)
        for alias in sorted(before - wanted):
            api.unalias(f"{self.record.name}:{alias}", store=self.store)
        self.record = self.store.artifact(self.ref)

    def delete(self, delete_aliases: bool = False) -> None:
        """Give up its bytes; it stays listed."""
        self.record = api.delete(self.ref, store=self.store)

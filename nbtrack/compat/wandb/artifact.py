"""`wandb.Artifact`: files, folders, references and tables put together, then logged.

Files are copied when they are added, as wandb does, unless `policy="immutable"` says
that they stay as they are. What was logged is a version of an nbtrack artifact.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from nbtrack.compat.wandb.entries import Entry, under, unseen
from nbtrack.compat.wandb.errors import ArtifactNotLoggedError
from nbtrack.compat.wandb.saying import not_here, say_once
from nbtrack.errors import ArtifactError
from nbtrack.records import ArtifactFile
from nbtrack.text import shorten
from nbtrack.tracking.artifacts.collected import Collected
from nbtrack.tracking.artifacts.folders import SourceFile, files_of, named_file
from nbtrack.tracking.artifacts.references import look_at
from nbtrack.tracking.artifacts.using import refuse_outside

if TYPE_CHECKING:
    from nbtrack.compat.wandb.tables import Table
    from nbtrack.compat.wandb.versions import Version

Policy = Literal["mutable", "immutable"]


class Artifact:
    """A version in the making; after `log_artifact` the version that is kept.

    >>> artifact = Artifact("data", type="dataset", metadata={"n": 3})
    >>> with artifact.new_file("words.txt") as file:
    ...     _ = file.write("cat")
    >>> artifact.name, sorted(artifact.entries)
    ('data', ['words.txt'])
    """

    def __init__(
        self,
        name: str,
        type: str,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        incremental: bool = False,
        use_as: str | None = None,
        storage_region: str | None = None,
    ) -> None:
        if not name or "/" in name or ":" in name:
            raise ValueError(
                f"Artifact name {shorten(repr(name), 60)}: a name without / and : is "
                "needed"
            )
        if incremental:
            say_once("incremental", "Artifact(incremental=True): each version is whole")
        self._name, self.type = name, type
        self.ttl: timedelta | None = None
        self._description = description
        self._metadata = dict(metadata or {})
        self._aliases: list[str] = []
        self._tags: list[str] = []
        self.sources: dict[str, SourceFile] = {}
        self.references: dict[str, list[ArtifactFile]] = {}
        self._staged: weakref.finalize[..., Artifact] | None = None  # its folder
        self._version: Version | None = None

    # -- putting it together

    def add_file(
        self,
        local_path: str | os.PathLike[str],
        name: str | None = None,
        is_tmp: bool | None = False,
        skip_cache: bool | None = False,
        policy: Policy | None = "mutable",
        overwrite: bool = False,
    ) -> Entry:
        """Add a file, under its own name or another one.

        Raises
        ------
        ValueError
            When there is no such file, or the name is taken by another content.
        """
        path = Path(local_path)
        if not path.is_file():
            raise ValueError(f"Path is not a file: {str(local_path)!r}")
        name = self._free(name or path.name, path, overwrite=overwrite)
        kept = path if policy == "immutable" else self._copy(path, name)
        self.sources[name] = named_file(name, kept)
        return Entry(name, local_path=str(kept))

    def add_dir(
        self,
        local_path: str | os.PathLike[str],
        name: str | None = None,
        skip_cache: bool | None = False,
        policy: Policy | None = "mutable",
        merge: bool = False,
    ) -> None:
        """Add all files under a folder, in a folder of the artifact where one is named.

        Raises
        ------
        ValueError
            When it is no folder.
        """
        if not Path(local_path).is_dir():
            raise ValueError(f"Path is not a directory: {str(local_path)!r}")
        prefix = "" if name is None else f"{name.strip('/')}/"
        for found in files_of(Path(os.path.abspath(local_path))):
            shown = f"{prefix}{found.name}"
            self.add_file(found.path, shown, policy=policy, overwrite=merge)

    def add_reference(
        self,
        uri: str,
        name: str | os.PathLike[str] | None = None,
        checksum: bool = True,
        max_objects: int | None = None,
    ) -> list[Entry]:
        """Add what lies at an address, which stays there; a bare path is a local file.

        Raises
        ------
        ValueError
            When it is no address.
        """
        address = str(uri)
        if "://" not in address:
            raise ValueError(
                f"References must be URIs. To add a file use add_file: {uri}"
            )
        shown = None if name is None else str(name)
        found = look_at(address) if checksum else [unseen(address)]
        if shown is not None:
            found = [under(shown, file, alone=len(found) == 1) for file in found]
        for file in found:
            refuse_outside(file.path)
        self.references[shown or address] = found
        return [Entry(file.path, ref=file.uri) for file in found]

    @contextmanager
    def new_file(
        self,
        name: str,
        mode: str = "x",
        encoding: str | None = None,
        policy: Policy = "mutable",
    ) -> Iterator[IO[Any]]:
        """Open a new file of the artifact; it is added when the block ends."""
        path = self._place(self._free(name, None, overwrite="w" in mode))
        is_binary = "b" in mode
        with path.open(
            mode, encoding=encoding or (None if is_binary else "utf-8")
        ) as f:
            yield f
        self.sources[name] = named_file(name, path)

    def add(
        self, obj: Any, name: str | os.PathLike[str], overwrite: bool = False
    ) -> Entry:
        """Add a Table, as `name.table.json`; for other values, write a file of it.

        Raises
        ------
        TypeError
            For what is no Table.
        """
        if not hasattr(obj, "as_json"):
            raise TypeError(
                f"Artifact.add takes a wandb.Table here, not {type(obj).__name__}: "
                "write it to a file and use add_file."
            )
        shown = str(name).removesuffix(".table.json") + ".table.json"
        with self.new_file(shown, "w" if overwrite else "x") as file:
            file.write(obj.as_json())
        return Entry(shown, local_path=str(self.sources[shown].path))

    def remove(self, item: str | Entry) -> None:
        """Take a file or folder out again.

        Raises
        ------
        FileNotFoundError
            When there is none.
        """
        name = item.path if isinstance(item, Entry) else str(item).rstrip("/")
        gone = [n for n in self.sources if n == name or n.startswith(f"{name}/")]
        refs = [n for n in self.references if n == name]
        if not gone and not refs:
            raise FileNotFoundError(f"No such file or directory: {name}")
        for each in gone:
            del self.sources[each]
        for each in refs:
            del self.references[each]

    @property
    def entries(self) -> dict[str, Entry]:
        """What is in it, by name."""
        files = {n: Entry(n, local_path=str(s.path)) for n, s in self.sources.items()}
        kept = [file for found in self.references.values() for file in found]
        return files | {file.path: Entry(file.path, ref=file.uri) for file in kept}

    @property
    def manifest(self) -> Artifact:
        """Itself: `manifest.entries` is what it is asked for."""
        return self

    def collected(self) -> Collected:
        """All of it, as `Run.log_artifact` takes it."""
        every = [file for found in self.references.values() for file in found]
        return Collected(tuple(self.sources.values()), tuple(every))

    # -- what it is

    @property
    def name(self) -> str:
        """Its name; once it is logged, with the version: `data:v0`."""
        return self._name if self._version is None else self._version.ref

    @property
    def description(self) -> str | None:
        """A text for people."""
        return self._description

    @description.setter
    def description(self, text: str | None) -> None:
        self._description = text
        if self._version is not None:
            self._version.edit(description=text or "")

    @property
    def metadata(self) -> dict[str, Any]:
        """What is known of it; `save()` keeps changes made after it was logged."""
        return self._metadata

    @metadata.setter
    def metadata(self, metadata: Mapping[str, Any]) -> None:
        self._metadata = dict(metadata)

    @property
    def aliases(self) -> list[str]:
        """Of the logged version; `save()` keeps changes."""
        self._logged("aliases")
        return self._aliases

    @aliases.setter
    def aliases(self, aliases: list[str]) -> None:
        self._logged("aliases")
        self._aliases = list(aliases)

    @property
    def tags(self) -> list[str]:
        """Of the logged version."""
        self._logged("tags")
        return self._tags

    @property
    def size(self) -> int:
        """Bytes of its files."""
        if self._version is not None:
            return self._version.record.size_bytes
        return sum(source.path.stat().st_size for source in self.sources.values())

    @property
    def state(self) -> str:
        """PENDING or COMMITTED."""
        return "PENDING" if self._version is None else "COMMITTED"

    @property
    def source_name(self) -> str:
        """Its name; nothing is linked here."""
        return self.name

    def became(self, version: Version) -> None:
        """It was logged, or found in the store: this is the version."""
        record = version.record
        self._version, self.type = version, record.type
        self._metadata = dict(record.metadata)
        self._description = record.description or None
        self._aliases, self._tags = list(record.aliases), list(record.tags)
        if self._staged is not None:
            self._staged()
            self._staged = None

    # -- once it is logged

    def save(self, project: str | None = None, settings: Any = None) -> None:
        """Keep changes of a logged version; one that is new is logged to the run."""
        if self._version is not None:
            self._version.save(self._metadata, self._aliases)
            return
        from nbtrack.compat.wandb.desk import run_for

        run_for("Artifact.save").log_artifact(self)

    def wait(self, timeout: float | None = None) -> Artifact:
        """Itself: what was logged is there."""
        return self

    def is_draft(self) -> bool:
        """Whether it was not logged yet."""
        return self._version is None

    def finalize(self) -> None:
        """Nothing to do: it is whole when it is logged."""

    def get(self, name: str) -> Table | None:
        """The Table that was added under this name."""
        from nbtrack.compat.wandb.tables import Table

        shown = name.removesuffix(".table.json") + ".table.json"
        if shown not in self._logged("get").names:
            return None
        path = self._logged("get").path_of(shown)
        return Table.from_json(json.loads(path.read_text("utf-8")))

    def get_path(self, name: str) -> Any:
        """As `get_entry`."""
        return self.get_entry(name)

    def get_entry(self, name: str) -> Any:
        """One of its files, which `download()` fetches.

        Raises
        ------
        KeyError
            When there is none of that name.
        """
        return self._logged("get_entry").entry(str(name))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in _OF_A_VERSION:
            return getattr(self._logged(name), name)
        raise not_here("Artifact", name)

    def __repr__(self) -> str:
        return f"<Artifact {self.name}>"

    # -- inside

    def _logged(self, asked: str) -> Version:
        version: Version | None = self.__dict__.get("_version")
        if version is None:
            raise ArtifactNotLoggedError(
                f"'Artifact.{asked}' used prior to logging artifact. Log it first: "
                "run.log_artifact(artifact)."
            )
        return version

    def _free(self, name: str, path: Path | None, *, overwrite: bool) -> str:
        if self._version is not None:
            raise ArtifactError(
                f"{self.name} is logged and cannot be changed: make a new "
                f"wandb.Artifact({self._name!r}, ...)."
            )
        refuse_outside(name)
        before = self.sources.get(name)
        if before is None or overwrite:
            return name
        if path is not None and before.path.read_bytes() == path.read_bytes():
            return name
        raise ValueError(f"Cannot add the same path twice: {name!r}")

    def _copy(self, path: Path, name: str) -> Path:
        target = self._place(name)
        shutil.copyfile(path, target)
        return target

    def _place(self, name: str) -> Path:
        if self._staged is None:
            folder = tempfile.mkdtemp(prefix="nbtrack-artifact-")
            self._staged = weakref.finalize(self, shutil.rmtree, folder, True)
            self._folder = Path(folder)
        place = self._folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        return place


_OF_A_VERSION = frozenset(
    {
        *("checkout", "created_at", "delete", "digest", "download", "file"),
        *("file_count", "files", "id", "logged_by", "qualified_name", "updated_at"),
        *("used_by", "verify", "version"),
    }
)

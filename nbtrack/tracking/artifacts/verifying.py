"""Reads all of a version again and names every file that is damaged or missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbtrack.errors import ArtifactError, MissingExtraError, StoreError
from nbtrack.guard import tolerated
from nbtrack.records import ArtifactFile, ArtifactRecord, manifest_digest
from nbtrack.text import shorten, visible
from nbtrack.tracking.artifacts import references

if TYPE_CHECKING:
    from nbtrack.store import Store

_N_NAMED = 10


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that is not what it should be."""

    ref: str
    path: str
    why: str

    def __str__(self) -> str:
        return f"{self.ref} {visible(self.path)}: {self.why}"


@dataclass(frozen=True, slots=True)
class Verified:
    """What reading everything again has shown; true where all is well.

    Examples
    --------
    >>> bool(Verified(1, 1, 5, ()))
    True
    """

    n_versions: int
    n_files: int
    n_bytes: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether every file is whole."""
        return not self.problems

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        n_files, n_versions = f"{self.n_files:,}", f"{self.n_versions:,}"
        head = f"{n_files} files of {n_versions} versions: "
        if self.ok:
            return f"{head}all whole"
        lines = [str(problem) for problem in self.problems[:_N_NAMED]]
        if len(self.problems) > _N_NAMED:
            lines.append(f"… and {len(self.problems) - _N_NAMED} more")
        bad = f"{len(self.problems)} damaged, missing or changed"
        return "\n  ".join([f"{head}{bad}", *lines])


def verify_versions(store: Store, versions: Iterable[ArtifactRecord]) -> Verified:
    """Read all files of these versions; each content once."""
    known: dict[tuple[str | None, str | None, str | None], str] = {}
    problems: list[Problem] = []
    n_versions = n_files = n_bytes = 0
    for record in versions:
        n_versions += 1
        files = store.artifact_files(record.id)
        if manifest_digest(files) != record.digest:
            problems.append(Problem(record.ref, "its list of files", "was changed"))
        for file in files:
            n_files += 1
            key = file.digest, file.uri, file.etag
            if key not in known:
                known[key] = _why_bad(store, file)
                n_bytes += file.size_bytes or 0
            if known[key]:
                problems.append(Problem(record.ref, file.path, known[key]))
    return Verified(n_versions, n_files, n_bytes, tuple(problems))


def _why_bad(store: Store, file: ArtifactFile) -> str:
    """What is wrong with a file; "" where it is whole."""
    why: list[str] = []

    def tell(exc: Exception) -> None:  # a server may answer with anything
        ours = isinstance(exc, StoreError | ArtifactError | MissingExtraError)
        text = str(exc) if ours else f"{type(exc).__name__}: {exc}"
        why.append(visible(shorten(text, 300)))

    with tolerated(tell):
        if file.uri is not None:
            references.check(file)
        elif file.digest is None:
            raise StoreError("it has neither a digest nor an address")
        else:
            store.verify_file(file.digest)
    return why[0] if why else ""

"""Files and addresses that were put together by name, to be one version."""

from __future__ import annotations

from dataclasses import dataclass

from nbtrack.records import ArtifactFile
from nbtrack.tracking.artifacts.folders import SourceFile


@dataclass(frozen=True, slots=True)
class Collected:
    """What a version is to hold: files from here, and references to what stays there.

    `Run.log_artifact` takes it in the place of a path. It may be empty: then the
    version has only its metadata.

    Examples
    --------
    >>> import nbtrack
    >>> from pathlib import Path
    >>> from nbtrack.tracking.artifacts.folders import named_file
    >>> _ = Path("a.txt").write_text("a")
    >>> both = [named_file("raw/a.txt", Path("a.txt")), named_file("b", Path("a.txt"))]
    >>> with nbtrack.start("base") as run:
    ...     logged = run.log_artifact(Collected(tuple(both)), "texts")
    >>> logged.record().n_files
    2
    """

    sources: tuple[SourceFile, ...] = ()
    references: tuple[ArtifactFile, ...] = ()

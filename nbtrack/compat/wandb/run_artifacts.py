"""Artifacts of a run: the part of `wandb.Run` that logs and uses them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from nbtrack.compat.wandb.artifact import Artifact
from nbtrack.compat.wandb.errors import CommError
from nbtrack.compat.wandb.versions import Version
from nbtrack.errors import ArtifactNotFoundError
from nbtrack.tracking.artifacts.references import is_uri
from nbtrack.tracking.artifacts.using import note_use

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run as Live

MODEL = "model"


class LogsArtifacts:
    """Logs and uses artifacts of one run; `Run` is one."""

    live: Live

    def log_artifact(
        self,
        artifact_or_path: Artifact | str | os.PathLike[str],
        name: str | None = None,
        type: str | None = None,
        aliases: Iterable[str] | None = None,
        tags: Iterable[str] | None = None,
    ) -> Artifact:
        """Keep a version of an artifact, as an output of the run.

        Parameters
        ----------
        artifact_or_path : Artifact or path
            A path becomes an artifact of its own, named after the run and the file.
        aliases : sequence of str, optional
            `latest` moves by itself, and so does `best` where a metric tells.

        Raises
        ------
        ArtifactError, FileNotFoundError
            For what cannot be kept, with the way out.
        """
        self._refuse_finished("log_artifact")
        artifact = artifact_or_path
        if not isinstance(artifact, Artifact):
            artifact = self._of_path(os.fspath(artifact), name, type)
        given = [aliases] if isinstance(aliases, str) else aliases or ()
        logged = self.live.log_artifact(
            artifact.collected(),
            artifact.name,
            type=artifact.type,
            aliases=[alias for alias in given if alias != "latest"],
            metadata=artifact.metadata,
            description=artifact.description or "",
            tags=list(tags or ()),
            ttl=artifact.ttl,
        )
        if logged.ref is not None:
            artifact.became(Version(self.live.store, logged.record()))
        return artifact

    def use_artifact(
        self,
        artifact_or_name: Artifact | str,
        type: str | None = None,
        aliases: Iterable[str] | None = None,
        use_as: str | None = None,
    ) -> Artifact:
        """A version as an input of the run; `download()` gives its files.

        Raises
        ------
        CommError
            When there is no such version; it is an ArtifactNotFoundError too.
        ValueError
            When it is of another type.
        """
        self._refuse_finished("use_artifact")
        if isinstance(artifact_or_name, Artifact) and artifact_or_name.is_draft():
            artifact_or_name = self.log_artifact(artifact_or_name)
        asked = artifact_or_name
        ref = asked.name if isinstance(asked, Artifact) else str(asked)
        version = found_version(self.live, ref)
        record = version.record
        if type is not None and type != record.type:
            raise ValueError(
                f"Supplied type {type} does not match type {record.type} of artifact "
                f"{record.ref}"
            )
        note_use(self.live, record)
        artifact = Artifact(record.name, record.type)
        artifact.became(version)
        return artifact

    def log_model(
        self,
        path: str | os.PathLike[str],
        name: str | None = None,
        aliases: Iterable[str] | None = None,
    ) -> None:
        """Keep a file or folder as a version of a model artifact."""
        self.log_artifact(path, name, MODEL, aliases)

    def use_model(self, name: str) -> str:
        """The path of a model's file; of several files, their folder."""
        artifact = self.use_artifact(name)
        if "model" not in artifact.type:
            raise AssertionError(
                "You can only use this method for 'model' artifacts, and "
                f"{artifact.name} is of type {artifact.type!r}. Use use_artifact."
            )
        found: str = (
            artifact.file() if artifact.file_count == 1 else artifact.download()
        )
        return found

    def _of_path(self, asked: str, name: str | None, type: str | None) -> Artifact:
        path = Path(asked)
        own = f"run-{self.live.id}-{path.name}"
        made = Artifact(name or own, type or "unspecified")
        if is_uri(asked):
            made.add_reference(asked)
        elif path.is_dir():
            made.add_dir(path, policy="immutable")
        elif path.is_file():
            made.add_file(path, policy="immutable")
        else:
            raise ValueError(
                f"path must be a file, a directory or an address: {asked!r}"
            )
        return made

    def _refuse_finished(self, call: str) -> None:
        raise NotImplementedError


class _NotFound(CommError, ArtifactNotFoundError):
    """Scripts of wandb catch the one, those of nbtrack the other."""


def found_version(live: Live, ref: str) -> Version:
    """The version of a reference.

    Raises
    ------
    CommError
        When there is none, naming what there is.
    """
    try:
        return Version.of(live, ref)
    except ArtifactNotFoundError as exc:
        raise _NotFound(str(exc)) from exc

"""What `Run.log_artifact` gives back: the version, or why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbtrack.errors import ArtifactNotFoundError

if TYPE_CHECKING:
    from nbtrack.records import ArtifactRecord
    from nbtrack.tracking.run import Run

WAIT_S = 5.0  # the longest that a look at the version waits for the store


class LoggedArtifact:
    """A version that a run logged; never raises where nothing could be kept.

    `name` is the artifact's, `digest` its content's, `is_kept` whether it is in the
    store, `why` why not, and `remarks` what is to be known besides.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     logged = run.log_artifact({"classes": ["cat", "dog"]}, "labels")
    >>> logged.ref, logged.is_kept
    ('labels:v0', True)
    """

    def __init__(
        self,
        run: Run | None,
        name: str,
        *,
        digest: str = "",
        size_bytes: int = 0,
        why: str = "",
        remarks: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.digest = digest
        self.size_bytes = size_bytes
        self.why = why
        self.remarks = remarks
        self._run = run
        self._version: int | None = None

    @property
    def is_kept(self) -> bool:
        """Whether the version is in the store, or on its way there."""
        return not self.why

    @property
    def version(self) -> int | None:
        """Its number, once the store has given one; None where nothing was kept."""
        if self._version is None and self.is_kept:
            found = self._found()
            self._version = None if found is None else found.version
        return self._version

    @property
    def ref(self) -> str | None:
        """How it is named from now on, `mlp:v3`; None where nothing was kept."""
        number = self.version
        return None if number is None else f"{self.name}:v{number}"

    def record(self) -> ArtifactRecord:
        """What the store knows of the version by now.

        Raises
        ------
        ArtifactNotFoundError
            When it is not there, with the reason.
        """
        found = self._found() if self.is_kept else None
        if found is None:
            why = self.why or "the store has not taken it yet"
            raise ArtifactNotFoundError(
                f"Artifact {self.name!r} has no such version: {why}."
            )
        return found

    def _found(self) -> ArtifactRecord | None:
        if self._run is None:
            return None
        store = self._run.store
        store.journal.flush(WAIT_S)
        versions = store.artifact_versions(name=self.name, run=self._run.id)
        same = [each for each in versions if each.digest == self.digest]
        return same[-1] if same else None

    def __repr__(self) -> str:
        how = self.ref or (f"not kept: {self.why}" if self.why else "on its way")
        return f"<LoggedArtifact {self.name!r} {how}>"

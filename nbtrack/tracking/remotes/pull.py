"""Fetches versions from a remote: every byte is checked before a version is kept.

A wrong hash, size, name or path refuses the version, by name, and nothing of it is kept
in the lists; chunks that came before are there for the next try, or garbage. A version
that is here already is not fetched again. Nothing is ever unpickled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nbtrack.errors import RemoteError
from nbtrack.records import ArtifactRecord
from nbtrack.tracking.remotes.fetch import FileFetcher
from nbtrack.tracking.remotes.known import (
    Ref,
    Transfer,
    check_format,
    chosen,
    manifests_at,
)
from nbtrack.tracking.remotes.layout import (
    LinkedRun,
    Manifest,
)
from nbtrack.tracking.remotes.place import Place, Progress
from nbtrack.tracking.remotes.push import PULLED_KEY, pulled_runs
from nbtrack.tracking.settled import settled

if TYPE_CHECKING:
    from nbtrack.store import Store


def pull(
    url: str,
    refs: Iterable[str] | str | None = None,
    *,
    store: Store | None = None,
    options: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Transfer:
    """Fetch artifact versions and registered models that were pushed there.

    A version keeps its number where that is free here, else it gets the next one and a
    notice says so. What is here already stays as it is; its aliases follow the remote.
    Versions whose files were given up here get them back.

    Parameters
    ----------
    url, refs, store, options, progress
        As for `push`; `mlp:v3` means the number at the remote.

    Raises
    ------
    RemoteError
        When the remote cannot be reached, or what lies there is not what its hash says;
        nothing of that version is kept then.
    ArtifactNotFoundError
        For a reference that names nothing there.
    MissingExtraError
        Without fsspec, or s3fs for S3.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     logged = run.log_artifact({"classes": 10}, "labels")
    >>> logged.ref
    'labels:v0'
    >>> from nbtrack.store import Store
    >>> from nbtrack.tracking.remotes.push import push
    >>> _ = push("there")
    >>> with Store.open("another") as other:
    ...     pull("there", store=other).versions
    ('labels:v0',)
    """
    from nbtrack.tracking.remotes.registry import pull_models

    store = settled(None) if store is None else store
    place = Place.at(url, options)
    if not check_format(place):
        raise RemoteError(f"{place.shown} holds nothing that nbtrack has pushed.")
    asked = _asked(refs)
    there = manifests_at(place, _names(place, asked))
    wanted = there if asked is None else _wanted(place, there, asked)
    files = FileFetcher(store, place, progress)
    fetcher = _Fetcher(store, place, files, there)
    for manifest in wanted:
        fetcher.fetch(manifest)
    models, notices = pull_models(store, place, asked)
    return Transfer(
        place.shown, tuple(fetcher.changed), models, files.n_objects, files.n_bytes,
        (*fetcher.notices, *notices),
    )  # fmt: skip


def _asked(refs: Iterable[str] | str | None) -> list[Ref] | None:
    if refs is None:
        return None
    return [Ref.of(ref) for ref in ([refs] if isinstance(refs, str) else refs)]


def _names(place: Place, asked: list[Ref] | None) -> list[str] | None:
    if asked is None:
        return None
    from nbtrack.tracking.remotes.registry import artifacts_of_model

    names: list[str] = []
    for ref in asked:
        if ref.is_model:
            names += artifacts_of_model(place, ref.name)
        else:
            names.append(ref.name)
    return names


def _wanted(
    place: Place, there: list[Manifest], asked: Sequence[Ref]
) -> list[Manifest]:
    from nbtrack.tracking.remotes.registry import digests_of_model

    found = chosen(there, [ref for ref in asked if not ref.is_model])
    for ref in asked:
        if ref.is_model:
            digests = digests_of_model(place, ref.name)
            found += [m for m in there if (m.name, m.digest) in digests]
    return list({manifest.path: manifest for manifest in found}.values())


class _Fetcher:
    """One pull: what was fetched, and what is to be said of it."""

    def __init__(
        self,
        store: Store,
        place: Place,
        files: FileFetcher,
        there: list[Manifest],
    ) -> None:
        self.changed: list[str] = []
        self.notices: list[str] = []
        self._store = store
        self._place = place
        self._files = files
        self._there = there

    def fetch(self, manifest: Manifest) -> None:
        """Bring one version here, or what is new of it."""
        versions = self._store.artifact_versions(name=manifest.name)
        same = [v for v in versions if v.digest == manifest.digest]
        if not same or same[0].gone_at is not None:
            self._files.fetch(manifest)
            self._keep(manifest, same[0] if same else None)
            return
        event = self._event(manifest, versions, same[0])
        if _adds(event, same[0]):
            self._store.keep_artifact(event)
            self.changed.append(same[0].ref)

    def _keep(self, manifest: Manifest, before: ArtifactRecord | None) -> None:
        versions = self._store.artifact_versions(name=manifest.name)
        event = self._event(manifest, versions, before)
        kept = self._store.keep_artifact(event | {"number": manifest.version})
        self.changed.append(kept.ref)
        if kept.version != manifest.version:
            self.notices.append(
                f"{manifest.ref} of the remote is {kept.ref} here: "
                f"v{manifest.version} was another version."
            )

    def _event(
        self,
        manifest: Manifest,
        versions: list[ArtifactRecord],
        here: ArtifactRecord | None,
    ) -> dict[str, Any]:
        """What the store is told; what is said of a version here already stands."""
        known = dict(here.metadata) if here else {}
        told = {
            "from": self._place.shown,
            "version": manifest.version,
            "runs": _as_rows(self._others(manifest, here)),
        }
        metadata = {**manifest.metadata, **known}
        if told["runs"] or here is None:
            metadata[PULLED_KEY] = told if here is None else _told(told, known)
        return {
            "run": None, "by": f"pull {self._place.shown}",
            "name": manifest.name, "type": manifest.type,
            "files": [file.file.as_row() for file in manifest.files],
            "created_at": manifest.created_at,
            "description": (here and here.description) or manifest.description,
            "metadata": metadata,
            "tags": {**manifest.tags, **(here.tags if here else {})},
            "expires_at": _expiry(manifest, here),
            "aliases": self._aliases(manifest, versions),
        }  # fmt: skip

    def _others(
        self, manifest: Manifest, here: ArtifactRecord | None
    ) -> list[LinkedRun]:
        """The runs of other stores that logged or read the version."""
        known = here.metadata.get(PULLED_KEY) if here else None
        runs = {_edge(run): run for run in (*pulled_runs(known), *manifest.runs)}
        uses = self._store.artifact_uses(version=here.id) if here else []
        own = {(use.run, use.role, use.step) for use in uses}
        return [run for edge, run in runs.items() if edge not in own]

    def _aliases(self, manifest: Manifest, versions: list[ArtifactRecord]) -> list[str]:
        """Those that may be set here: free, or moved on at the remote as well."""
        there = {m.digest for m in self._there if m.name == manifest.name}
        follows_metric = any(version.metric for version in versions)
        allowed = []
        for alias in manifest.aliases:
            if not _is_alias(alias) or (alias == "best" and follows_metric):
                continue
            holder = next((v for v in versions if alias in v.aliases), None)
            if holder is None or holder.digest in there:
                allowed.append(alias)
                continue
            self.notices.append(
                f"The alias {alias!r} stays with {holder.ref}, which the remote does "
                f"not have; there it names {manifest.ref}."
            )
        return allowed


def _adds(event: Mapping[str, Any], here: ArtifactRecord) -> bool:
    """Whether the event says anything that is not known."""
    return (
        dict(event["metadata"]) != dict(here.metadata)
        or dict(event["tags"]) != dict(here.tags)
        or event["description"] != here.description
        or not set(event["aliases"]) <= set(here.aliases)
    )


def _told(told: dict[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Where a version came from first stays; the runs may have become more."""
    before = known.get(PULLED_KEY)
    first = before if isinstance(before, dict) else told
    return {**told, **first, "runs": told["runs"]}


def _edge(run: LinkedRun) -> tuple[str, str, int | None]:
    return run.id, run.role, run.step


def _as_rows(runs: Iterable[LinkedRun]) -> list[list[Any]]:
    return [[run.id, run.name, run.role, run.step, dict(run.metrics)] for run in runs]


def _expiry(manifest: Manifest, here: ArtifactRecord | None) -> str | None:
    """Of one that is new here; a version that has expired is wanted back for good."""
    from datetime import UTC, datetime

    if here is not None and here.gone_at is None:
        return here.expires_at
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return manifest.expires_at if (manifest.expires_at or "") > now else None


def _is_alias(alias: str) -> bool:
    from nbtrack.errors import ArtifactError
    from nbtrack.tracking.artifacts.plan import checked_alias

    try:
        return checked_alias(alias) == alias
    except ArtifactError:
        return False

"""`nbtrack.artifacts`: find, get, edit, compare, verify and watch versions.

Everything works without a run, from any process; `store=` names another store than the
one of this folder. What changes something says who did it in the store's event log.
"""

from __future__ import annotations

import builtins
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nbtrack.analysis.disk_use import du
from nbtrack.analysis.lineage import lineage
from nbtrack.errors import ArtifactError
from nbtrack.text import shorten
from nbtrack.tracking.artifacts.cleaning import gc
from nbtrack.tracking.artifacts.ttl import Ttl, expiry_of
from nbtrack.tracking.remotes.pull import pull
from nbtrack.tracking.remotes.push import push
from nbtrack.tracking.settled import settled as _settled
from nbtrack.tracking.settled import who as _who

if TYPE_CHECKING:
    import pandas

    from nbtrack.analysis.artifact_diff import ArtifactDiff
    from nbtrack.records import ArtifactRecord, Goal
    from nbtrack.store import Store
    from nbtrack.tracking.artifacts.verifying import Verified
    from nbtrack.tracking.artifacts.watching import Callback, Watch

__all__ = [
    "alias", "delete", "diff", "du", "edit", "files", "find", "gc", "get", "lineage",
    "list", "on", "pull", "push", "unalias", "verify",
]  # fmt: skip


def get(
    ref: str, path: str | os.PathLike[str] | None = None, *, store: Store | None = None
) -> Path:
    """A local copy of a version, checked against its digest; no run is told.

    Parameters, errors and result are those of `Run.use_artifact`, which also notes
    that the run read it.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     logged = run.log_artifact({"a": 1}, "settings")
    >>> get("settings:v0").name
    'settings.json'
    """
    from nbtrack.tracking.artifacts.using import local_copy

    store = _settled(store)
    return local_copy(store, store.artifact(ref), path)


def find(ref: str, *, store: Store | None = None) -> ArtifactRecord:
    """The version that a reference names: `mlp`, `mlp:v3`, `mlp:best`.

    Raises
    ------
    ArtifactNotFoundError
        When there is none, naming what there is.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     logged = run.log_artifact({"a": 1}, "labels")
    >>> find("labels").ref
    'labels:v0'
    """
    return _settled(store).artifact(ref)


def list(
    name: str | None = None, type: str | None = None, *, store: Store | None = None
) -> pandas.DataFrame:
    """All versions, newest first, one row each; also those whose bytes are gone.

    Returns
    -------
    DataFrame
        ref, name, version, type, aliases, size_bytes, n_files, created_at, run, step,
        description, tags, metadata, expires_at, gone, digest, and `metrics.<name>`.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     logged = run.log_artifact({"a": 1}, "classes")
    >>> list("classes")[["ref", "type"]].values.tolist()
    [['classes:v0', 'file']]
    """
    return frame_of(_settled(store).artifact_versions(name=name, type=type)[::-1])


def frame_of(records: Sequence[ArtifactRecord]) -> pandas.DataFrame:
    """The frame of `list` for these versions, in their order."""
    import pandas

    rows = [_row(record) for record in records]
    columns = [*_row_columns(), *_metric_columns(records)]
    table = pandas.DataFrame(rows, columns=columns)
    times = {
        column: pandas.to_datetime(table[column], format="ISO8601", utc=True)
        for column in ("created_at", "expires_at")
    }
    return table.assign(**times).astype({"step": "Int64"})


def files(ref: str, *, store: Store | None = None) -> pandas.DataFrame:
    """The files of a version: path, size_bytes, digest (sha256), uri, etag.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     logged = run.log_artifact({"a": 1}, "vocabulary")
    >>> files("vocabulary")["path"].tolist()
    ['vocabulary.json']
    """
    import pandas

    store = _settled(store)
    found = store.artifact_files(store.artifact(ref).id)
    rows = [(f.path, f.size_bytes, f.digest, f.uri, f.etag) for f in found]
    columns = ["path", "size_bytes", "digest", "uri", "etag"]
    return pandas.DataFrame(rows, columns=columns).astype({"size_bytes": "Int64"})


def alias(ref: str, alias: str, *, store: Store | None = None) -> ArtifactRecord:
    """Let an alias name this version from now on; it leaves the one that had it.

    Raises
    ------
    ArtifactError
        For `latest`, `v3`, for `best` where it follows a metric, and for a version
        whose bytes are gone.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     logged = run.log_artifact({"a": 1}, "limits")
    >>> alias("limits:v0", "reviewed").aliases
    ('latest', 'reviewed')
    """
    from nbtrack.tracking.artifacts.plan import checked_alias

    return _settled(store).set_alias(ref, checked_alias(alias), by=_who())


def unalias(ref: str, *, store: Store | None = None) -> ArtifactRecord:
    """Take an alias away: `unalias("mlp:production")`.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     logged = run.log_artifact({"a": 1}, "mask", aliases="reviewed")
    >>> unalias("mask:reviewed").aliases
    ('latest',)
    """
    name, colon, which = str(ref).partition(":")
    if not colon or not which:
        raise ArtifactError(
            f"{shorten(repr(ref), 80)} names no alias. Write name:alias."
        )
    return _settled(store).drop_alias(name, which, by=_who())


def edit(
    ref: str,
    *,
    description: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    tags: str | Iterable[str] | Mapping[str, str] = (),
    untag: str | Iterable[str] = (),
    ttl: Ttl | Literal[False] | None = None,
    best_by: str | None = None,
    goal: Goal | None = None,
    store: Store | None = None,
) -> ArtifactRecord:
    """Change what is said of a version; what is not given stays.

    Parameters
    ----------
    metadata
        Is merged into what is there; a value of None takes a key away.
    ttl
        From now on; False: it does not expire.
    best_by, goal
        What the alias `best` of the whole artifact goes by from now on.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     logged = run.log_artifact({"a": 1}, "notes")
    >>> edit("notes:v0", description="by hand", tags="draft").description
    'by hand'
    """
    from nbtrack.tracking.artifacts.judging import checked_judge
    from nbtrack.tracking.artifacts.metadata import as_metadata
    from nbtrack.tracking.run import without_secrets
    from nbtrack.tracking.tags import as_tags

    metric, goal = checked_judge(best_by, goal, {})
    return _settled(store).edit_artifact(
        ref,
        description=None if description is None else without_secrets(description),
        metadata=as_metadata(metadata),
        tags=as_tags(tags),
        untag=[untag] if isinstance(untag, str) else builtins.list(untag),
        expires_at=False if ttl is False else expiry_of(ttl),
        metric=metric,
        goal=goal,
        by=_who(),
    )


def delete(ref: str, *, store: Store | None = None) -> ArtifactRecord:
    """Give up the bytes of one version; it stays listed, and `gc` frees them.

    Raises
    ------
    ArtifactError
        For a name without a version, and for a version that is protected: one with an
        alias of yours, or one that is registered.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     logged = run.log_artifact({"a": 1}, "draft")
    >>> delete("draft:v0").gone_why
    'deleted'
    """
    if not str(ref).partition(":")[2]:
        raise ArtifactError(
            f"{shorten(repr(ref), 80)} does not say which version. Write name:v3, or "
            "name:latest if you mean that one."
        )
    store = _settled(store)
    record = store.artifact(ref)
    if record.gone_at is not None:
        return record
    given = store.give_up([record.id], why="deleted", by=_who())
    if not given:
        why = store.protected_versions([record.id], why="deleted").get(record.id, "")
        raise ArtifactError(
            f"{record.ref} is not deleted: {why}. Take that away first; for an alias: "
            "nbtrack.artifacts.unalias(...)."
        )
    return given[0]


def verify(ref: str | None = None, *, store: Store | None = None) -> Verified:
    """Read a version again, all of its bytes, and name each file that is not whole.

    Without a reference, all versions whose bytes are kept. References are looked at
    where they lie.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     logged = run.log_artifact({"a": 1}, "table")
    >>> verify("table")
    1 files of 1 versions: all whole
    """
    from nbtrack.tracking.artifacts.verifying import verify_versions

    store = _settled(store)
    if ref is None:
        return verify_versions(store, store.artifact_versions(gone=False))
    record = store.artifact(ref)
    if record.gone_at is not None:
        raise ArtifactError(f"The files of {record.ref} are gone: {record.gone_why}.")
    return verify_versions(store, [record])


def diff(a: str, b: str, *, store: Store | None = None) -> ArtifactDiff:
    """What differs between two versions: files, tensors, metadata, metrics.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     _ = run.log_artifact({"a": 1}, "config")
    ...     _ = run.log_artifact({"a": 2}, "config")
    >>> diff("config:v0", "config:v1").files[0].change
    'changed'
    """
    from nbtrack.analysis.artifact_diff import diff_artifacts

    store = _settled(store)
    return diff_artifacts(store, store.artifact(a), store.artifact(b))


def on(
    pattern: str,
    callback: Callback,
    what: str | Iterable[str] = ("version", "alias"),
    *,
    store: Store | None = None,
) -> Watch:
    """Call back when an artifact has a new version, or one of its aliases moves.

    The callback runs in a thread of its own, with the `ArtifactRecord` and the
    `ArtifactEvent`; also for versions of other processes, within half a second. What it
    raises is one line of warning. `latest` moves with every version and is not told.

    Parameters
    ----------
    pattern : str
        The artifact's name, or a pattern such as `mlp*`.
    callback : callable
        Takes the version's record and the event.
    what : str or list of str
        version, alias, unalias, edited, pruned, expired, deleted, revived.

    Returns
    -------
    Watch
        `.stop()` ends it; so does the end of a `with` block.

    Examples
    --------
    >>> import nbtrack, threading
    >>> told = threading.Event()
    >>> with on("mlp", lambda record, event: told.set()), nbtrack.start() as run:
    ...     _ = run.log_artifact({"w": [1]}, "mlp")
    ...     told.wait(10)
    True
    """
    from nbtrack.tracking.artifacts.watching import watch

    return watch(_settled(store), pattern, callback, what)


def _row_columns() -> builtins.list[str]:
    return [
        "ref", "name", "version", "type", "aliases", "size_bytes", "n_files",
        "created_at", "run", "step", "description", "tags", "metadata", "expires_at",
        "gone", "digest",
    ]  # fmt: skip


def _row(record: ArtifactRecord) -> dict[str, Any]:
    row = {
        column: getattr(record, column)
        for column in _row_columns()
        if column not in ("aliases", "tags", "metadata", "gone")
    }
    row["aliases"] = builtins.list(record.aliases)
    row["tags"], row["metadata"] = dict(record.tags), dict(record.metadata)
    row["gone"] = record.gone_why
    return row | {f"metrics.{name}": value for name, value in record.metrics.items()}


def _metric_columns(records: Iterable[ArtifactRecord]) -> builtins.list[str]:
    names = {name for record in records for name in record.metrics}
    return [f"metrics.{name}" for name in sorted(names)]

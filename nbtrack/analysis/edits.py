"""Changing what a run is called and how it is described, in any process, at any time.

Each function finds the run by id, name, beginning of an id, or "last", writes one short
transaction and returns the run as it stands then. Nothing is deleted: trash can be
taken back with `restore`. What changes many runs at once is one transaction too, and
`metric_edits.undo` takes it back.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.runs_table import select
from nbtrack.errors import OptionError
from nbtrack.records import RunRecord
from nbtrack.redact import redact_source
from nbtrack.text import clean_name, shorten
from nbtrack.tracking.tags import as_tags

if TYPE_CHECKING:
    from nbtrack.store import Store
    from nbtrack.store.edits import Edit


def rename(store: Store, run: str, name: str) -> RunRecord:
    """Give a run another name.

    Raises
    ------
    OptionError
        For an empty name.
    RunNotFoundError, StoreError
        When there is no such run, or the store cannot be written.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("bsae") as run: pass
    >>> rename(nbtrack.open(), run.id, "base").name
    'base'
    """
    if not clean_name(name):
        raise OptionError("A run needs a name that can be seen.")
    return _changed(store, run, name=clean_name(name))


def tag(store: Store, run: str, *tags: str) -> RunRecord:
    """Add tags: `"baseline"`, or `"data: mnist"` for a pair.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run: pass
    >>> dict(tag(nbtrack.open(), run.id, "baseline").tags)
    {'baseline': None}
    """
    return _applied(store, run, kind="tags", set=as_tags(tags), remove=[])


def untag(store: Store, run: str, *tags: str) -> RunRecord:
    """Remove tags by their text or key; one that is not there is no error.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base", tags=["a"]) as run: pass
    >>> dict(untag(nbtrack.open(), run.id, "a").tags)
    {}
    """
    return _applied(store, run, kind="tags", set={}, remove=list(as_tags(tags)))


def note(store: Store, run: str, text: str) -> RunRecord:
    """Replace the notes; secrets are redacted.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run: pass
    >>> note(nbtrack.open(), run.id, "too slow").notes
    'too slow'
    """
    return _changed(store, run, notes=redact_source(str(text))[0])


def trash(store: Store, run: str) -> RunRecord:
    """Put a run aside: it is in no table until it is restored.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run: pass
    >>> trash(nbtrack.open(), run.id).trashed_at is None
    False
    >>> run.id in nbtrack.runs()["id"].tolist()
    False
    """
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    return _changed(store, run, trashed_at=f"{now}Z")


def restore(store: Store, run: str) -> RunRecord:
    """Take a run back out of the trash.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run: pass
    >>> _ = trash(nbtrack.open(), run.id)
    >>> restore(nbtrack.open(), run.id).trashed_at is None
    True
    """
    return _changed(store, run, trashed_at=None)


def trash_all(store: Store, query: str) -> Edit:
    """Put all runs aside that answer to a query, in one change that can be undone.

    Raises
    ------
    OptionError
        For an empty query, or one to which no run answers.

    Examples
    --------
    >>> import nbtrack
    >>> for loss in (0.1, 9.0):
    ...     with nbtrack.start("base"):
    ...         nbtrack.log(loss=loss)
    >>> trash_all(nbtrack.open(), "loss > 5").text
    '1 run put in the trash: loss > 5'
    >>> len(nbtrack.runs("loss > 5"))
    0
    """
    if not query.strip():
        raise OptionError(
            "Say which runs go to the trash: a query, as in loss > 5. "
            "All of them are: id != ''."
        )
    found = select(store, query).ids
    if not found:
        raise OptionError(f"No run answers to the query {shorten(repr(query))}.")
    return store.edits().trash(found, query=redact_source(query)[0])


def rename_experiment(store: Store, old: str, new: str) -> Edit:
    """Give all runs of an experiment another one, in one change that can be undone.

    Where the other one has runs, they are together from then on. The trash is included.

    Raises
    ------
    OptionError
        When no run is of the old one, or the new name is empty or the same.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base", experiment="dgits"): pass
    >>> rename_experiment(nbtrack.open(), "dgits", "digits").text
    'experiment dgits is now digits for 1 run'
    """
    name = clean_name(new)
    if not name or name == old:
        raise OptionError(f"Give another name than {shorten(repr(old))}.")
    return store.edits().rename_experiment(old, name)


def _changed(store: Store, run: str, **fields: Any) -> RunRecord:
    return _applied(store, run, kind="run_changed", fields=fields)


def _applied(store: Store, run: str, **event: Any) -> RunRecord:
    found = store.run(run)
    store.edit({"run": found.id, **event})
    return store.run(found.id)

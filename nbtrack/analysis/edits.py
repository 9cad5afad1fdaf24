"""Changing what a run is called and how it is described, in any process, at any time.

Each function finds the run by id, name, beginning of an id, or "last", writes one short
transaction and returns the run as it stands then. Nothing is deleted: trash can be
taken back with `restore`. What changes many runs at once is one transaction too, and
`metric_edits.undo` takes it back.
"""

from __future__ import annotations

from dataclasses import dataclass
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


NOTES_MAX = 100_000  # characters; longer is a file


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be another way about a run; None and nothing leave it as it is."""

    name: str | None = None
    notes: str | None = None
    trashed: bool | None = None
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()  # by their text or key
    alerts_seen: bool = False  # all that there are now


def change(store: Store, run: str, changes: Changes) -> RunRecord:
    """Make several changes of one run, all or none.

    Raises
    ------
    OptionError
        For an empty name or tag, notes without end, or a tag that is to be added and
        removed; nothing is written then.
    RunNotFoundError, StoreError
        When there is no such run, or the store cannot be written.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("bsae") as run: pass
    >>> made = change(nbtrack.open(), run.id, Changes("base", add_tags=("first",)))
    >>> made.name, dict(made.tags)
    ('base', {'first': None})
    """
    fields = _fields(changes)
    added, removed = _tags(changes.add_tags), list(_tags(changes.remove_tags))
    if not added.keys().isdisjoint(removed):
        raise OptionError("A tag cannot be added and removed at once.")
    found = store.run(run)
    events: list[dict[str, Any]] = []
    if fields:
        events.append({"kind": "run_changed", "fields": fields})
    if added or removed:
        events.append({"kind": "tags", "set": added, "remove": removed})
    if changes.alerts_seen:
        events.append({"kind": "alerts_seen"})
    if events:
        store.edit(*({"run": found.id, **event} for event in events))
    return store.run(found.id)


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
    return _changed(store, run, name=_name(name))


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
    return _changed(store, run, notes=_notes(str(text)))


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
    return _changed(store, run, trashed_at=_now())


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


def _fields(changes: Changes) -> dict[str, str | None]:
    fields: dict[str, str | None] = {}
    if changes.name is not None:
        fields["name"] = _name(changes.name)
    if changes.notes is not None:
        if len(changes.notes) > NOTES_MAX:
            raise OptionError(f"Notes are at most {NOTES_MAX:,} characters long.")
        fields["notes"] = _notes(changes.notes)
    if changes.trashed is not None:
        fields["trashed_at"] = _now() if changes.trashed else None
    return fields


def _name(text: str) -> str:
    name = clean_name(text)
    if not name:
        raise OptionError("A run needs a name that can be seen.")
    return name


def _notes(text: str) -> str:
    return redact_source(text)[0]


def _now() -> str:
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    return f"{now}Z"


def _tags(words: tuple[str, ...]) -> dict[str, str | None]:
    tags = as_tags(words)
    if not all(tags):
        raise OptionError("A tag needs a text that can be seen.")
    return tags


def _changed(store: Store, run: str, **fields: Any) -> RunRecord:
    return _applied(store, run, kind="run_changed", fields=fields)


def _applied(store: Store, run: str, **event: Any) -> RunRecord:
    found = store.run(run)
    store.edit({"run": found.id, **event})
    return store.run(found.id)

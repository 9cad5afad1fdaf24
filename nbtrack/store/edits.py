"""Changes over many runs, each in one transaction, that can be taken back.

A row of `edits` says which rows were changed, by id, and what they do not tell
themselves. Points are never touched: a metric that is deleted is only hidden.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbtrack.errors import OptionError
from nbtrack.store import metric_edits, run_edits
from nbtrack.store.database import Database
from nbtrack.store.values import as_json, now
from nbtrack.text import counted, shorten, visible

What = Mapping[str, Any]  # Any: JSON, written and read by the functions in _UNDO


@dataclass(frozen=True, slots=True)
class Edit:
    """One change over many runs: what was done, and whether it was taken back.

    >>> str(Edit(3, "", {"kind": "delete_metric", "name": "lr", "runs": ["a", "b"]}))
    'edit 3: metric lr deleted in 2 runs'
    """

    id: int
    at: str
    what: What
    undone_at: str | None = None

    @property
    def kind(self) -> str:
        """`rename_metric`, `delete_metric`, `rename_experiment` or `trash`."""
        return str(self.what["kind"])

    @property
    def runs(self) -> tuple[str, ...]:
        """The ids of the runs that were changed."""
        return tuple(self.what["runs"])

    @property
    def text(self) -> str:
        """What was done, in words."""
        shown = {key: _shown(value) for key, value in self.what.items()}
        n = len(self.runs)
        return _TEXTS[self.kind].format_map({**shown, "n": counted(n, "run")})

    def __str__(self) -> str:
        return f"edit {self.id}: {self.text}{', undone' if self.undone_at else ''}"


class Edits:
    """Makes, lists and undoes such changes in one store; see `Store.edits`."""

    def __init__(
        self,
        journal: Path,
        reading: Callable[[], AbstractContextManager[sqlite3.Connection]],
        writing: Callable[[], AbstractContextManager[Database]],
    ) -> None:
        self._journal, self._reading, self._writing = journal, reading, writing

    def all(self) -> list[Edit]:
        """Every change that was made, oldest first, those undone among them."""
        with self._reading() as reader:
            return _read(reader)

    def rename_metric(self, old: str, new: str, runs: Sequence[str]) -> Edit:
        """Give a metric another name in those of the runs (ids) that have it.

        Raises MetricNotFoundError where none has it, StoreError where a run has the
        new name already, or still goes on; then nothing is changed.
        """
        with self._writing() as database:
            what = metric_edits.rename(
                database.connection, self._journal, old, new, runs
            )
            return _keep(database.connection, now(), what)

    def delete_metric(self, name: str, runs: Sequence[str]) -> Edit:
        """Hide a metric of those of the runs (ids) that have it, its points kept.

        Raises as `rename_metric` does.
        """
        with self._writing() as database:
            at = now()
            what = metric_edits.delete(
                database.connection, self._journal, name, runs, at
            )
            return _keep(database.connection, at, what)

    def rename_experiment(self, old: str, new: str) -> Edit:
        """Give all runs of an experiment to another; OptionError where it has none."""
        with self._writing() as database:
            what = run_edits.rename_experiment(database.connection, old, new)
            return _keep(database.connection, now(), what)

    def trash(self, runs: Sequence[str], *, query: str) -> Edit:
        """Put those of the runs (ids) aside that are not; `query` is for the list."""
        with self._writing() as database:
            at = now()
            what = run_edits.trash(database.connection, runs, query, at)
            return _keep(database.connection, at, what)

    def undo(self, edit_id: int | None = None) -> Edit:
        """Take a change back, the latest one by default; what came since stays.

        Raises OptionError where there is no such change, StoreError where a later
        one stands in the way.
        """
        with self._writing() as database:
            edit = _chosen(_read(database.connection), edit_id)
            _UNDO[edit.kind](database.connection, self._journal, edit)
            at = now()
            database.connection.execute(
                "update edits set undone_at = ? where id = ?", (at, edit.id)
            )
        return Edit(edit.id, edit.at, edit.what, at)


def forget_edits(connection: sqlite3.Connection, run: str) -> None:
    """Take a run that is about to be purged out of what can be undone."""
    rows = connection.execute(
        "select id from checkpoints where run = ?", (run,)
    ).fetchall()
    gone = {row[0] for row in rows}
    for edit in _read(connection):
        if run not in edit.runs:
            continue
        what = dict(edit.what)
        what["runs"] = [each for each in edit.runs if each != run]
        what["checkpoints"] = [
            c for c in what.get("checkpoints", ()) if c[0] not in gone
        ]
        if what["runs"]:
            text = as_json(what)
            connection.execute(
                "update edits set what = ? where id = ?", (text, edit.id)
            )
        else:
            connection.execute("delete from edits where id = ?", (edit.id,))


def _read(connection: sqlite3.Connection) -> list[Edit]:
    rows = connection.execute(
        "select id, at, what, undone_at from edits order by id"
    ).fetchall()
    return [Edit(id_, at, json.loads(what), undone) for id_, at, what, undone in rows]


def _keep(connection: sqlite3.Connection, at: str, what: What) -> Edit:
    found = connection.execute(
        "insert into edits(at, what) values (?, ?) returning id", (at, as_json(what))
    ).fetchall()
    return Edit(found[0][0], at, what)


def _chosen(edits: list[Edit], asked: int | None) -> Edit:
    """The edit of this id, else the latest that stands."""
    waiting = [edit for edit in edits if edit.undone_at is None]
    if asked is None:
        if not waiting:
            raise OptionError("There is nothing to undo.")
        return waiting[-1]
    found = next((edit for edit in edits if edit.id == asked), None)
    if found is None:
        known = ", ".join(str(edit.id) for edit in waiting[-5:]) or "none"
        raise OptionError(f"There is no edit {asked}. Can be undone: {known}.")
    if found.undone_at is not None:
        raise OptionError(f"Edit {asked} was undone already, at {found.undone_at}.")
    return found


def _undo_rename(connection: sqlite3.Connection, journal: Path, edit: Edit) -> None:
    metric_edits.undo_rename(connection, journal, edit.what, edit.id)


def _undo_delete(connection: sqlite3.Connection, journal: Path, edit: Edit) -> None:
    metric_edits.undo_delete(connection, journal, edit.what, edit.at)


def _undo_experiment(connection: sqlite3.Connection, _: Path, edit: Edit) -> None:
    run_edits.undo_experiment(connection, edit.what)


def _undo_trash(connection: sqlite3.Connection, _: Path, edit: Edit) -> None:
    run_edits.undo_trash(connection, edit.what, edit.at)


_UNDO: dict[str, Callable[[sqlite3.Connection, Path, Edit], None]] = {
    "rename_metric": _undo_rename,
    "delete_metric": _undo_delete,
    "rename_experiment": _undo_experiment,
    "trash": _undo_trash,
}
_TEXTS = {
    "rename_metric": "metric {old} is now {new} in {n}",
    "delete_metric": "metric {name} deleted in {n}",
    "rename_experiment": "experiment {old} is now {new} for {n}",
    "trash": "{n} put in the trash: {query}",
}


def _shown(value: Any) -> str:
    return shorten(visible(value), 80) if isinstance(value, str) else ""

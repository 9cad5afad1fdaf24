"""Reads what describes one run: facts, texts, inputs, rich values, cells.

A table of runs needs none of it; these are asked for a run at a time.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from nbtrack.records import (
    CellRecord,
    Fact,
    FlowRecord,
    InputRecord,
    MediaRecord,
    RunRecord,
    TextRecord,
)
from nbtrack.store.queries import newest_run, previous_run, read_one, read_pid


class Details:
    """The part of `Store` that reads what describes one run, by its full id."""

    path: Path
    _reading: Callable[[], AbstractContextManager[sqlite3.Connection]]

    def previous(self, run_id: str) -> RunRecord | None:
        """The run that started before this one in its experiment, if there is one."""
        with self._reading() as reader:
            found = previous_run(reader, run_id)
            journal = self.path / "journal"
            return None if found is None else read_one(reader, journal, found)

    def newest(self, experiment: str | None = None) -> str | None:
        """The id of the newest run, of an experiment where one is named."""
        with self._reading() as reader:
            return newest_run(reader, experiment)

    def pid_of(self, run_id: str) -> int | None:
        """The process in which a run was recorded last, where that is known."""
        with self._reading() as reader:
            return read_pid(reader, run_id)

    def facts(self, run_id: str) -> dict[str, Fact]:
        """What is known of a run besides its params, by dotted name."""
        with self._reading() as reader:
            return read_facts(reader, run_id)

    def texts(self, run_id: str, role: str | None = None) -> list[TextRecord]:
        """The texts of a run ("diff", "module", "stdout", ...), of one role or all."""
        with self._reading() as reader:
            return read_texts(reader, run_id, role)

    def inputs(self, run_id: str) -> list[InputRecord]:
        """The data that a run read, with digests, schemas and statistics."""
        with self._reading() as reader:
            return read_inputs(reader, run_id)

    def earlier_input(
        self, experiment: str, name: str, type: str, *, before: str
    ) -> tuple[str, InputRecord] | None:
        """The same input of the newest run before that time, with the run's name."""
        with self._reading() as reader:
            return read_earlier_input(reader, experiment, name, type, before)

    def media(self, run_id: str, name: str | None = None) -> list[MediaRecord]:
        """The rich values of a run, by name and step."""
        with self._reading() as reader:
            return read_media(reader, run_id, name)

    def cells(self, run_id: str) -> list[CellRecord]:
        """Every executed cell of the session in which the run took place, in order."""
        with self._reading() as reader:
            return read_cells(reader, run_id)


def read_facts(connection: sqlite3.Connection, run_id: str) -> dict[str, Fact]:
    """Everything known of a run besides its params, by dotted name."""
    rows = connection.execute(
        "select name, value, missing from facts where run = ? order by rowid",
        (run_id,),
    ).fetchall()
    return {
        name: Fact(name, json.loads(value or "null"), missing)
        for name, value, missing in rows
    }


def read_texts(
    connection: sqlite3.Connection, run_id: str, role: str | None
) -> list[TextRecord]:
    """The texts of a run, of one role or of all."""
    rows = connection.execute(
        """
        select role, name, texts.digest, body, n_redacted, missing
        from texts left join sources on sources.digest = source_digest
        where run = :run and (:role is null or role = :role)
        order by role, name
        """,
        {"run": run_id, "role": role},
    ).fetchall()
    return [TextRecord(*row) for row in rows]


def read_inputs(connection: sqlite3.Connection, run_id: str) -> list[InputRecord]:
    """The data that a run read."""
    rows = connection.execute(
        """
        select name, type, digest, size_bytes, n_rows, detail, missing
        from inputs where run = ? order by rowid
        """,
        (run_id,),
    ).fetchall()
    return [
        InputRecord(name, type_, digest, size, n_rows, json.loads(detail), missing)
        for name, type_, digest, size, n_rows, detail, missing in rows
    ]


def read_earlier_input(
    connection: sqlite3.Connection, experiment: str, name: str, type: str, before: str
) -> tuple[str, InputRecord] | None:
    """The newest record of an input in an experiment's runs that began before."""
    row = connection.execute(
        """
        select runs.name, inputs.name, type, digest, size_bytes, n_rows, detail, missing
        from runs join inputs on inputs.run = runs.id
        where experiment = ? and inputs.name = ? and type = ? and started_at < ?
          and trashed_at is null and (digest is not null or n_rows is not null)
        order by started_at desc, runs.id desc limit 1
        """,
        (experiment, name, type, before),
    ).fetchone()
    if row is None:
        return None
    run, name, type, digest, size, n_rows, detail, missing = row
    found = InputRecord(name, type, digest, size, n_rows, json.loads(detail), missing)
    return str(run), found


def read_media(
    connection: sqlite3.Connection, run_id: str, name: str | None
) -> list[MediaRecord]:
    """The rich values of a run, by name and step."""
    rows = connection.execute(
        """
        select name, type, step, at, mime, digest, size_bytes, data from media
        where run = :run and (:name is null or name = :name) order by name, step
        """,
        {"run": run_id, "name": name},
    ).fetchall()
    return [_media(row) for row in rows]


def read_cells(connection: sqlite3.Connection, run_id: str) -> list[CellRecord]:
    """The executed cells of the session in which the run took place."""
    rows = connection.execute(
        """
        select seq, cell_id, execution, body, cells.digest, started_at, duration_s,
          ok, error, rng, flow
        from cells left join sources on sources.digest = source_digest
        where session = (select session from runs where id = ?) order by seq
        """,
        (run_id,),
    ).fetchall()
    return [_cell(row) for row in rows]


def _media(row: tuple[Any, ...]) -> MediaRecord:
    name, type_, step, at, mime, digest, size, data = row
    value = None if data is None else json.loads(data)
    return MediaRecord(name, type_, step, at, mime, digest, size, value)


def _cell(row: tuple[Any, ...]) -> CellRecord:
    seq, cell_id, execution, body, digest, started_at, duration_s, ok, error, *rest = (
        row
    )
    rng, flow = rest
    fine = None if ok is None else bool(ok)
    return CellRecord(
        seq, cell_id, execution, body, digest, started_at, duration_s, fine, error,
        json.loads(rng), None if flow is None else _flow(json.loads(flow)),
    )  # fmt: skip


def _flow(kept: dict[str, Any]) -> FlowRecord:
    """Fields that a later nbtrack may add are left out."""
    return FlowRecord(
        reads=tuple(kept.get("reads") or ()),
        writes=kept.get("writes") or {},
        may_write=kept.get("may_write") or {},
        kills=tuple(kept.get("kills") or ()),
        between=kept.get("between") or {},
        notes=kept.get("notes") or {},
    )

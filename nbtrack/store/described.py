"""Applies the events that describe a run: facts, texts, inputs, rich values, cells.

Each may come again with the same key: the later one stands. Texts are kept once per
content in `sources`, under the digest of the raw text.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from nbtrack.errors import StoreError
from nbtrack.store.values import as_json, storable
from nbtrack.text import text_digest

Event = Mapping[str, Any]  # Any: JSON values, checked where they are used


def apply_facts(connection: sqlite3.Connection, event: Event) -> None:
    """`facts`: [[name, value, missing]]."""
    for name, value, missing in event["facts"]:
        connection.execute(
            """
            insert into facts(run, name, value, missing) values (?, ?, ?, ?)
            on conflict(run, name) do update set
              value = excluded.value, missing = excluded.missing
            """,
            (event["run"], storable(name), as_json(value), storable(missing)),
        )


def apply_texts(connection: sqlite3.Connection, event: Event) -> None:
    """`texts`: dicts as `records.TextRecord`."""
    for text in event["texts"]:
        digest, body = text.get("digest"), storable(text.get("body"))
        if body is not None:
            digest = keep_source(connection, body, digest)
        key = (event["run"], storable(text["role"]), storable(text["name"]))
        before = connection.execute(
            "select source_digest from texts where run = ? and role = ? and name = ?",
            key,
        ).fetchone()
        connection.execute(
            """
            insert or replace into texts(run, role, name, digest, source_digest,
              n_redacted, missing) values (?, ?, ?, ?, ?, ?, ?)
            """,
            (
                *key, digest, None if body is None else digest,
                text.get("n_redacted") or 0, storable(text.get("missing")),
            ),
        )  # fmt: skip
        if before is not None and before[0] not in (None, digest):
            forget_sources(connection, before[0])


def apply_inputs(connection: sqlite3.Connection, event: Event) -> None:
    """`inputs`: dicts as `records.InputRecord`."""
    for found in event["inputs"]:
        connection.execute(
            """
            insert or replace into inputs(run, name, type, digest, size_bytes, n_rows,
              detail, missing) values (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            (
                event["run"], storable(found["name"]), storable(found["type"]),
                found.get("digest"), found.get("size_bytes"), found.get("n_rows"),
                as_json(found.get("detail") or {}), storable(found.get("missing")),
            ),
        )  # fmt: skip


def apply_media(connection: sqlite3.Connection, event: Event) -> None:
    """One rich value, as `records.MediaRecord`; the same step again replaces it."""
    key = (event["run"], storable(event["name"]), int(event["step"]))
    connection.execute("delete from media where run = ? and name = ? and step = ?", key)
    connection.execute(
        """
        insert into media(run, name, step, type, at, mime, digest, size_bytes, data)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            *key, storable(event["type"]), float(event["at"]),
            storable(event.get("mime")), event.get("digest"), event.get("size_bytes"),
            None if event.get("data") is None else as_json(event["data"]),
        ),
    )  # fmt: skip


def apply_cells(
    connection: sqlite3.Connection, event: Event, session: str | None
) -> None:
    """`cells`: dicts as `records.CellRecord`, of the session that says so."""
    if session is None:
        raise StoreError("Cells belong to a session, and none is open.")
    for cell in event["cells"]:
        body = storable(cell.get("source"))
        digest = cell["source_digest"]
        kept = None if body is None else keep_source(connection, body, digest)
        ok = cell.get("ok")
        connection.execute(
            """
            insert or replace into cells(session, seq, cell_id, execution, digest,
              source_digest, started_at, duration_s, ok, error, rng, flow)
            values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            (
                session, int(cell["seq"]), storable(cell.get("cell_id")),
                cell.get("execution"), digest, kept, cell["started_at"],
                cell.get("duration_s"), None if ok is None else int(ok),
                storable(cell.get("error")), json.dumps(cell.get("rng") or {}),
                None if cell.get("flow") is None else as_json(cell["flow"]),
            ),
        )  # fmt: skip


def keep_source(connection: sqlite3.Connection, body: str, digest: str | None) -> str:
    """Keep a text once per content; the digest it stands under."""
    digest = digest or text_digest(body)
    connection.execute("insert or ignore into sources values (?, ?)", (digest, body))
    return str(digest)


def forget_sources(connection: sqlite3.Connection, digest: str | None = None) -> None:
    """Remove texts that nothing names any more; only that one, where one is given."""
    connection.execute(
        """
        delete from sources where (:digest is null or digest = :digest)
          and not exists (select 1 from runs where source_digest = sources.digest)
          and not exists (select 1 from texts where source_digest = sources.digest)
          and not exists (select 1 from cells where source_digest = sources.digest)
        """,
        {"digest": digest},
    )

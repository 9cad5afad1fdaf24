"""Runs as rows of JSON: of one store, or of several at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbtrack.records import RunRecord
from nbtrack.server.desk import Desk
from nbtrack.server.rows import run_row
from nbtrack.server.stores import Held
from nbtrack.store import Store
from nbtrack.store.registry import store_id


def row_of(desk: Desk, store: Store, run: RunRecord) -> dict[str, Any]:
    """A run of that store as a row."""
    return run_row(run, store=store_id(store.path), root=desk.stores.root)


def rows_of(desk: Desk, homes: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The rows of some runs, by id; `homes` are the ids of the stores they are in.

    Those of a store that went meanwhile are not among them.
    """
    by_store: dict[str, list[str]] = {}
    for run, home in homes.items():
        by_store.setdefault(home, []).append(run)

    def rows_in(held: Held) -> list[dict[str, Any]]:
        ids = by_store.get(held.id, [])
        records = held.store.runs(ids=ids, trashed=None) if ids else []
        root = desk.stores.root
        return [run_row(record, store=held.id, root=root) for record in records]

    rows, _ = desk.stores.each_held(rows_in)
    return {row["id"]: row for row in rows}

"""Floor 1: what is kept, where, and how it is read back.

The way of a point, from being said to being read:

    journal, reserve, segments   the hot path: safe from kill -9 on return
    writer, reading, ingest      one thread, from the journal into the tables
    columns, chunks, summary     points taken apart, packed, summed up
    events, controls, compact    everything else that is written
    schema, migrations, database the SQLite file, its settings, its one way to write
    queries, table, curves       reading runs, as records and as columns, and points
    edits, metric_edits,         changes over many runs, each in one transaction,
      run_edits                  and how they are taken back
    sql, plugin                  questions in SQL
    files, blobs, packs, cuts    files by content, small ones whole, large ones in
      file_*, asides, sha_thread chunks that they share
    free, disk_files, purge      collecting garbage; removing for good

Around it:

    locate, mounts, birth        where the store is, and how one is born
    registry                     which stores this user has
    session, process, liveness   whose journal it is, and whether it lives
    recovery, takeover           what dead processes left
    backup, salvage              a store again, from a sound or a damaged one
    checkup, held                what can be wrong with one, and who holds it
    store                        `Store`, the one object others hold
    read_only, followed          the same for reading alone, and for many at once
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nbtrack.store.journal import Journal
from nbtrack.store.locate import find_store
from nbtrack.store.store import Store

if TYPE_CHECKING:
    from nbtrack.store.blobs import FileRef
    from nbtrack.store.curves import Curve, Tail
    from nbtrack.store.table import Table

__all__ = ["Curve", "FileRef", "Journal", "Store", "Table", "Tail", "find_store"]

_LATER = {"Curve": "curves", "FileRef": "blobs", "Table": "table", "Tail": "curves"}


def __getattr__(name: str) -> Any:
    """Load what only readers of points and files need when it is asked for."""
    if name in _LATER:
        return getattr(import_module(f"nbtrack.store.{_LATER[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Floor 1: what is kept, where, and how it is read back.

locate, mounts, birth        where the store is, and how one is born
schema, migrations, database the SQLite file, its settings, its one way to write
journal, segments, reserve   the hot path: points that are safe on return
writer, ingest, reading, columns, chunks, summary, events, compact, controls
from the journal into the tables
session, process, liveness, recovery
whose journal it is, whether it lives, taking it over
queries, curves, sql, plugin, blobs, purge
reading runs, points and files; removing for good
store                        `Store`, the one object others hold
"""

from nbtrack.store.blobs import FileRef
from nbtrack.store.curves import Curve, Tail
from nbtrack.store.journal import Journal
from nbtrack.store.locate import find_store
from nbtrack.store.store import Store

__all__ = ["Curve", "FileRef", "Journal", "Store", "Tail", "find_store"]

"""The index of files and chunks: which chunks a file is made of, and where they lie.

A file is its row in `files`: the hashes of its chunks in their order, 32 bytes each. A
chunk is its row in `file_chunks`. Rows are written after the pack is whole, in one
transaction that looks once more whether all that a file relies on is still there.

Lists go in and out as one value each, hashes as one blob and numbers as JSON: every row
that Python fetches hands the GIL over, and a busy loop keeps it for 5 ms.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from nbtrack.store.packs import HASH_BYTES, Place, hashes_in
from nbtrack.store.values import now


class Listed(NamedTuple):
    """A file that is kept in chunks."""

    digest: str
    size_bytes: int
    chunks: bytes
    kept_at: str


def find_file(connection: sqlite3.Connection, digest: str) -> Listed | None:
    """The file of this sha256, where it is kept in chunks."""
    row = connection.execute(
        "select digest, size_bytes, chunks, kept_at from files where digest = ?",
        (digest,),
    ).fetchone()
    return None if row is None else Listed(*row)


def find_by_chunks(
    connection: sqlite3.Connection, size_bytes: int, chunks: bytes
) -> Listed | None:
    """The file that is made of just these chunks: its sha256 need not be computed."""
    row = connection.execute(
        "select digest, size_bytes, chunks, kept_at from files"
        " where size_bytes = ? and chunks = ?",
        (size_bytes, chunks),
    ).fetchone()
    return None if row is None else Listed(*row)


def find_places(connection: sqlite3.Connection, hashes: bytes) -> dict[bytes, Place]:
    """Where these chunks lie, those that are kept."""
    n = len(hashes) // HASH_BYTES
    (found,) = connection.execute(
        """
        select json_group_array(json_array(nth.key, pack, start, size_bytes))
        from json_each(:numbers) as nth
        cross join file_chunks
          on file_chunks.hash = substr(:hashes, 1 + 32 * nth.key, 32)
        """,
        {"numbers": json.dumps([0] * n), "hashes": hashes},
    ).fetchone()
    in_order = hashes_in(hashes)
    return {in_order[nth]: Place(*place) for nth, *place in json.loads(found)}


def touch_file(connection: sqlite3.Connection, digest: str) -> bool:
    """Whether the file is kept in chunks; its age counts from now then."""
    touched = connection.execute(
        "update files set kept_at = ? where digest = ?", (now(), digest)
    )
    return touched.rowcount > 0


def which_kept(connection: sqlite3.Connection, digests: Iterable[str]) -> set[str]:
    """Which of these files are kept in chunks."""
    (found,) = connection.execute(
        "select json_group_array(digest) from files"
        " where digest in (select value from json_each(?))",
        (json.dumps(list(digests)),),
    ).fetchone()
    return set(json.loads(found))


def add_files(connection: sqlite3.Connection, files: Iterable[Listed]) -> None:
    """Files whose chunks are there; of one that is known the age counts anew."""
    listed, chunks = [], bytearray()
    for file in files:
        listed.append((file.digest, file.size_bytes, len(chunks), len(file.chunks)))
        chunks += file.chunks
    connection.execute(
        """
        insert into files(digest, size_bytes, chunks, kept_at)
        select value ->> 0, value ->> 1,
          substr(:chunks, 1 + (value ->> 2), value ->> 3), :now
        from json_each(:files) where true
        on conflict(digest) do update set kept_at = excluded.kept_at
        """,
        {"files": json.dumps(listed), "chunks": bytes(chunks), "now": now()},
    )


def add_chunks(connection: sqlite3.Connection, places: Mapping[bytes, Place]) -> None:
    """Chunks that are in a pack; of one that is known its first place stays."""
    connection.execute(
        """
        insert or ignore into file_chunks(hash, pack, start, size_bytes)
        select substr(:hashes, 1 + 32 * key, 32), value ->> 0, value ->> 1, value ->> 2
        from json_each(:places)
        """,
        {"hashes": b"".join(places), "places": json.dumps(list(places.values()))},
    )


def move_chunks(
    connection: sqlite3.Connection, pack: str, places: Mapping[bytes, Place]
) -> None:
    """Chunks of a pack that lie elsewhere now."""
    connection.execute(
        """
        update file_chunks set pack = place.value ->> 0, start = place.value ->> 1
        from json_each(:places) as place
        where hash = substr(:hashes, 1 + 32 * place.key, 32) and pack = :pack
        """,
        {
            "hashes": b"".join(places),
            "places": json.dumps(list(places.values())),
            "pack": pack,
        },
    )


def remove_files(connection: sqlite3.Connection, digests: Collection[str]) -> None:
    """Forget these files; their chunks stay."""
    connection.execute(
        "delete from files where digest in (select value from json_each(?))",
        (json.dumps(list(digests)),),
    )


def remove_chunks(connection: sqlite3.Connection, hashes: Iterable[bytes]) -> None:
    """Forget these chunks."""
    joined = b"".join(hashes)
    connection.execute(
        """
        delete from file_chunks where hash in (
          select substr(:hashes, 1 + 32 * key, 32) from json_each(:numbers))
        """,
        {"hashes": joined, "numbers": json.dumps([0] * (len(joined) // HASH_BYTES))},
    )


def is_named(connection: sqlite3.Connection, pack: str) -> bool:
    """Whether any chunk is said to lie in this pack."""
    row = connection.execute(
        "select 1 from file_chunks where pack = ? limit 1", (pack,)
    ).fetchone()
    return row is not None


def named_files(
    connection: sqlite3.Connection, without: Collection[int] = ()
) -> set[str]:
    """The files that something names: a version that is kept, a rich value.

    `without` are versions that are looked at as if they were given up.
    """
    rows = connection.execute(
        """
        select files.digest from artifact_files as files
        join artifact_versions as versions on versions.id = files.version
        where versions.gone_at is null and files.digest is not null
          and versions.id not in (select value from json_each(?))
        union
        select digest from media where digest is not null
        """,
        (json.dumps(list(without)),),
    )
    return {digest for (digest,) in rows}


def all_files(connection: sqlite3.Connection) -> Iterator[Listed]:
    """Every file that is kept in chunks."""
    rows = connection.execute("select digest, size_bytes, chunks, kept_at from files")
    return (Listed(*row) for row in rows)


def all_chunks(connection: sqlite3.Connection) -> Iterator[tuple[bytes, Place]]:
    """Every chunk and where it lies."""
    rows = connection.execute("select hash, pack, start, size_bytes from file_chunks")
    return ((hash_, Place(*place)) for hash_, *place in rows)


def chunks_in(connection: sqlite3.Connection, pack: str) -> dict[bytes, Place]:
    """The chunks that lie in one pack."""
    rows = connection.execute(
        "select hash, pack, start, size_bytes from file_chunks where pack = ?", (pack,)
    )
    return {hash_: Place(*place) for hash_, *place in rows}

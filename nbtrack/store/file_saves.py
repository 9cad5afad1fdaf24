"""Keeps files: cut, hashed, and what is new of them written into one pack.

Each file is read once for the hashes of its chunks. Where a file with just these chunks
is known, that is all. Else it is read again: the new chunks go into the pack while a
second thread takes the sha256 of the whole, and each chunk must hash as before. Then
the index is written, in one transaction that sees to it that nothing the files rely on
was collected meanwhile; what was, is written anew. At most 10 MiB are in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection

from nbtrack.errors import StoreError
from nbtrack.store import file_index
from nbtrack.store.blobs import (
    WHOLE_BYTES,
    FileRef,
    checked_digest,
    keep_blob,
    touch_blob,
)
from nbtrack.store.cuts import LONGEST_CHUNK_BYTES
from nbtrack.store.database import Database
from nbtrack.store.file_scan import FileScan, naming, read_again, read_small, scan_file
from nbtrack.store.packs import (
    HASH_BYTES,
    ChunkReader,
    NewPack,
    Place,
    hash_of,
    hashes_in,
    new_pack,
    pack_path,
)
from nbtrack.store.sha_thread import ShaThread
from nbtrack.store.values import iso

_TRIES = 8  # each lost to a collector that took just what this save relied on
_FRESH_S = 600.0  # a file kept so lately is in no danger: not written down again

Reading = Callable[[], AbstractContextManager[Connection]]
Writing = Callable[[], AbstractContextManager[Database]]


@dataclass(frozen=True, slots=True)
class FileSaves:
    """What keeps files in one store: its folder of blobs and its database."""

    blobs: Path
    reading: Reading
    writing: Writing

    def put_files(self, paths: Sequence[Path]) -> list[FileRef]:
        """Keep copies of files by their content, as one save."""
        if len(paths) == 1:
            content = read_small(paths[0], WHOLE_BYTES)
            if content is not None:
                with naming(paths[0]):
                    return [self.put_bytes(content)]
        scans = [scan_file(path, WHOLE_BYTES) for path in paths]
        own: dict[bytes, Place] = {}
        try:
            for _ in range(_TRIES):
                if self._try(scans, own):
                    return [scan.ref() for scan in scans]
        finally:
            self._drop_unnamed(own)
        raise StoreError(f"{paths[0]} cannot be kept: the store is being emptied.")

    def put_bytes(self, content: bytes) -> FileRef:
        """Keep what never was a file, whole, whatever its size."""
        import hashlib

        ref = FileRef(hashlib.sha256(content).hexdigest(), len(content))
        if not self._is_kept(ref.digest):
            keep_blob(self.blobs, ref.digest, content)
        return ref

    def missing_chunks(self, hashes: bytes) -> list[bytes]:
        """Which of these chunks are not here, each once."""
        with self.reading() as reader:
            known = file_index.find_places(reader, hashes)
        return [h for h in dict.fromkeys(hashes_in(hashes)) if h not in known]

    def put_chunks(self, chunks: Sequence[tuple[bytes, bytes]]) -> None:
        """Keep chunks, each a hash and its content, that a file will be made of."""
        for hash_, content in chunks:
            if len(content) > LONGEST_CHUNK_BYTES or hash_of(content) != hash_:
                raise StoreError(
                    f"Chunk {hash_.hex()[:12]}… has another content than its name says."
                )
        missing = set(self.missing_chunks(b"".join(hash_ for hash_, _ in chunks)))
        with naming(self.blobs), new_pack(self.blobs) as pack:
            for hash_, content in chunks:
                if hash_ in missing:
                    pack.add(hash_, content)
            pack.settle()
        try:
            with self.writing() as database:
                own = self._still_there(pack.places)
                file_index.add_chunks(database.connection, own)
        finally:
            self._drop_unnamed(pack.places)

    def put_listed(self, digest: str, chunks: bytes) -> FileRef:
        """Keep a file that is made of these chunks, whose sha256 must be `digest`."""
        size = self._check_listed(checked_digest(digest), chunks)
        with self.writing() as database:
            connection = database.connection
            places = file_index.find_places(connection, chunks)
            if not places.keys() >= set(hashes_in(chunks)):
                raise StoreError(f"Chunks of file {digest[:12]}… were collected.")
            file_index.add_file(connection, digest, size, chunks)
        return FileRef(digest, size)

    def _check_listed(self, digest: str, chunks: bytes) -> int:
        """The size of a file of these chunks, whose sha256 must be this one."""
        import hashlib

        def find(hashes: bytes) -> dict[bytes, Place]:
            with self.reading() as reader:
                return file_index.find_places(reader, hashes)

        sha, size = hashlib.sha256(), 0
        with ChunkReader(self.blobs, chunks, find) as reader:
            for hash_ in hashes_in(chunks):
                content = reader.read(hash_)
                sha.update(content)
                size += len(content)
        if sha.hexdigest() != digest:
            raise StoreError(f"The chunks given for file {digest[:12]}… make another.")
        return size

    def _is_kept(self, digest: str) -> bool:
        """Whether a content is kept already; its age counts from now then."""
        if touch_blob(self.blobs, digest):
            return True
        with self.reading() as reader:
            listed = file_index.find_file(reader, digest)
        if listed is None or listed.kept_at > _lately():
            return listed is not None
        with self.writing() as database:
            return file_index.touch_file(database.connection, digest)

    def _try(self, scans: list[FileScan], own: dict[bytes, Place]) -> bool:
        """Keep the files, relying on what is known; False where that went away."""
        left, relied = self._look_up(scans, own)
        if left:
            own.update(self._write(left, {*own, *relied}))
        open_ = [scan for scan in scans if not scan.is_whole]
        if not own and self._are_fresh(open_):
            return True
        with self.writing() as database:
            there = self._still_there(own)
            for lost in own.keys() - there.keys():
                del own[lost]
            file_index.add_chunks(database.connection, own)
            kept = [_index(database.connection, scan) for scan in open_]
        return all(kept)

    def _look_up(
        self, scans: list[FileScan], own: dict[bytes, Place]
    ) -> tuple[list[FileScan], set[bytes]]:
        """The files that must be read again, and which of their chunks are known."""
        relied: set[bytes] = set()
        left = []
        with self.reading() as reader:
            for scan in scans:
                if scan.digest is not None and touch_blob(self.blobs, scan.digest):
                    scan.is_whole = True
                    continue
                listed = file_index.find_by_chunks(reader, scan.size_bytes, scan.chunks)
                if listed is not None:
                    scan.digest = listed.digest
                    continue
                known = file_index.find_places(reader, scan.chunks)
                relied |= known.keys()
                there = known.keys() | own.keys()
                if scan.digest is None or not there >= set(hashes_in(scan.chunks)):
                    left.append(scan)
        return left, relied

    def _write(self, scans: list[FileScan], known: set[bytes]) -> dict[bytes, Place]:
        """Write what is not known into a pack, and take each file's sha256."""
        with (
            naming(self.blobs),
            new_pack(self.blobs) as pack,
            ShaThread(LONGEST_CHUNK_BYTES) as sha,
        ):
            for scan in scans:
                _copy(scan, pack, known, sha)
                # A store of version 3 kept large files whole.
                scan.is_whole = touch_blob(self.blobs, scan.ref().digest)
            if all(scan.is_whole for scan in scans):
                return {}
            pack.settle()
        return pack.places

    def _are_fresh(self, scans: list[FileScan]) -> bool:
        """Whether all are kept, and lately: there is nothing to write down then."""
        since = _lately()
        with self.reading() as reader:
            listed = [file_index.find_file(reader, scan.ref().digest) for scan in scans]
        return all(file is not None and file.kept_at > since for file in listed)

    def _still_there(self, places: dict[bytes, Place]) -> dict[bytes, Place]:
        """Those whose pack is there: a collector may have taken it for an orphan."""
        packs = {place.pack for place in places.values()}
        there = {pack for pack in packs if pack_path(self.blobs, pack).exists()}
        return {hash_: at for hash_, at in places.items() if at.pack in there}

    def _drop_unnamed(self, places: dict[bytes, Place]) -> None:
        """Remove packs that the index does not name after all: an error, or a rival."""
        for pack in {place.pack for place in places.values()}:
            with suppress(
                StoreError
            ):  # what cannot be asked now is left to be collected
                with self.reading() as reader:
                    is_named = file_index.is_named(reader, pack)
                if not is_named:
                    pack_path(self.blobs, pack).unlink(missing_ok=True)


def _copy(scan: FileScan, pack: NewPack, known: set[bytes], sha: ShaThread) -> None:
    """Read a file again, for the pack and for its sha256."""
    with read_again(scan) as file:
        for nth, length in enumerate(scan.lengths):
            hash_ = scan.chunks[nth * HASH_BYTES :][:HASH_BYTES]
            buffer = sha.next_buffer()
            view = file.fill(buffer[:length])
            sha.update(buffer, length)
            if hash_of(view) != hash_:
                raise file.changed()
            if hash_ not in known:
                pack.add(hash_, view)
    scan.digest = sha.digest()


def _index(connection: Connection, scan: FileScan) -> bool:
    """Write a file into the index; False where a chunk of it is gone."""
    digest = scan.ref().digest
    if file_index.touch_file(connection, digest):
        return True
    places = file_index.find_places(connection, scan.chunks)
    if not places.keys() >= set(hashes_in(scan.chunks)):
        return False
    file_index.add_file(connection, digest, scan.size_bytes, scan.chunks)
    return True


def _lately() -> str:
    import time

    return iso(time.time() - _FRESH_S) or ""

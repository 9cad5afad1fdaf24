"""Keeps files: cut, hashed, and what is new of them written into one pack.

A file is read once, a few MiB at a time. As long as all its chunks are known nothing
else is done: a file that is kept already is told by the list of its chunks. From the
first new chunk on, new ones go into the pack, while a second thread takes the sha256
of the whole. Then the index is written, in one transaction that sees to it that nothing
the files rely on was collected meanwhile; if it was, they are read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
from nbtrack.store.cuts import LONGEST_CHUNK_BYTES, lengths_of
from nbtrack.store.database import Database
from nbtrack.store.file_scan import OpenFile, naming, read_small, reading_file
from nbtrack.store.packs import (
    ChunkReader,
    NewPack,
    Place,
    hash_of,
    hashes_in,
    new_pack,
    pack_path,
)
from nbtrack.store.sha_thread import ShaThread

WINDOW_BYTES = 4 << 20  # read at a time; two of them are in memory
_TRIES = 8  # each lost to a collector that took just what this save relied on

Reading = Callable[[], AbstractContextManager[Connection]]
Writing = Callable[[], AbstractContextManager[Database]]


@dataclass(frozen=True, slots=True)
class _Read:
    """A file that was read to its end."""

    ref: FileRef
    chunks: bytes  # their hashes
    is_whole: bool = False  # kept as a blob of its own already


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
        own: dict[bytes, Place] = {}
        try:
            for _ in range(_TRIES):
                read = self._read_all(paths, own)
                if self._index([file for file in read if not file.is_whole], own):
                    return [file.ref for file in read]
        finally:
            self._drop_unnamed(own)
        raise StoreError(f"{paths[0]} cannot be kept: the store is being emptied.")

    def put_bytes(self, content: bytes) -> FileRef:
        """Keep what never was a file, whole, whatever its size."""
        import hashlib

        ref = FileRef(hashlib.sha256(content).hexdigest(), len(content))
        if not self.is_kept(ref.digest):
            keep_blob(self.blobs, ref.digest, content)
        return ref

    def missing_chunks(self, hashes: bytes) -> list[bytes]:
        """Which of these chunks are not here, each once."""
        known = self._known(hashes)
        return [h for h in dict.fromkeys(hashes_in(hashes)) if h not in known]

    def put_chunks(self, chunks: Sequence[tuple[bytes, bytes]]) -> None:
        """Keep chunks, each a hash and its content, that a file will be made of."""
        for hash_, content in chunks:
            if len(content) > LONGEST_CHUNK_BYTES or hash_of(content) != hash_:
                raise StoreError(
                    f"Chunk {hash_.hex()[:12]}… has another content than its name says."
                )
        missing = set(self.missing_chunks(b"".join(hash_ for hash_, _ in chunks)))
        own: dict[bytes, Place] = {}
        try:
            with naming(self.blobs), new_pack(self.blobs) as pack:
                for hash_, content in chunks:
                    if hash_ in missing:
                        pack.add(hash_, content)
                pack.settle()
            own.update(pack.places)
            self._index([], own)
        finally:
            self._drop_unnamed(own)

    def put_listed(self, files: Sequence[tuple[str, bytes]]) -> list[FileRef]:
        """Keep files, each its sha256 and the chunks that it must be made of."""
        every = b"".join(chunks for _, chunks in files)
        with ChunkReader(self.blobs, every, self._known) as reader:
            read = [
                _Read(_check_listed(reader, checked_digest(digest), chunks), chunks)
                for digest, chunks in files
            ]
        if not self._index(read, {}):
            raise StoreError("Chunks of the files were collected meanwhile.")
        return [file.ref for file in read]

    def is_kept(self, digest: str) -> bool:
        """Whether a content is kept already; its age counts from now then."""
        if touch_blob(self.blobs, digest):
            return True
        with self.reading() as reader:
            if file_index.find_file(reader, digest) is None:
                return False
        with self.writing() as database:
            return file_index.touch_file(database.connection, digest)

    def _known(self, hashes: bytes) -> dict[bytes, Place]:
        with self.reading() as reader:
            return file_index.find_places(reader, hashes)

    def _read_all(self, paths: Sequence[Path], own: dict[bytes, Place]) -> list[_Read]:
        """Read the files; what is new of them is in packs then, and in `own`."""
        with (
            naming(self.blobs),
            new_pack(self.blobs) as pack,
            ShaThread(WINDOW_BYTES) as sha,
        ):
            files = [self._read(path, pack, own, sha) for path in paths]
            if all(file.is_whole for file in files):
                return files
            pack.settle()
        own.update(pack.places)
        return files

    def _read(
        self, path: Path, pack: NewPack, own: dict[bytes, Place], sha: ShaThread
    ) -> _Read:
        """Read a file to its end, once where that will do."""
        with reading_file(path) as file:
            if file.size_bytes < WHOLE_BYTES:
                return self._read_small(file, pack, own)
            lengths = lengths_of(file.file.fileno(), file.size_bytes)
            hashes: list[bytes] = []
            has_new = False
            for window in _windows(lengths):
                view, buffer = _fill(file, window, sha)
                found = _hash(view, window)
                places = self._known(b"".join(found))
                is_new = [h not in places and h not in own for h in found]
                if any(is_new) and not has_new:
                    has_new = True
                    _hash_again(file, lengths, hashes, sha)
                if has_new:
                    sha.hash(buffer, len(view))
                    _add(pack, view, window, found, is_new)
                else:
                    sha.give(buffer)
                hashes += found
            digest = None if has_new else self._listed_as(file.size_bytes, hashes)
            if digest is None:
                if not has_new:
                    _hash_again(file, lengths, hashes, sha)
                digest = sha.digest()
        # Version 3 of the store kept files of any size whole.
        is_whole = has_new and touch_blob(self.blobs, digest)
        return _Read(FileRef(digest, file.size_bytes), b"".join(hashes), is_whole)

    def _read_small(
        self, file: OpenFile, pack: NewPack, own: dict[bytes, Place]
    ) -> _Read:
        """Read a file that is one chunk, and may be kept as a blob."""
        import hashlib

        content = file.fill(memoryview(bytearray(file.size_bytes)))
        ref = FileRef(hashlib.sha256(content).hexdigest(), file.size_bytes)
        if touch_blob(self.blobs, ref.digest):
            return _Read(ref, b"", is_whole=True)
        chunks = hash_of(content) if content else b""
        if content and chunks not in own and not self._known(chunks):
            pack.add(chunks, content)
        return _Read(ref, chunks)

    def _listed_as(self, size_bytes: int, hashes: list[bytes]) -> str | None:
        """The sha256 of the file that is made of just these chunks, if one is kept."""
        with self.reading() as reader:
            listed = file_index.find_by_chunks(reader, size_bytes, b"".join(hashes))
        return None if listed is None else listed.digest

    def _index(self, files: list[_Read], own: dict[bytes, Place]) -> bool:
        """Write all down; False where something was collected that they rely on.

        Of files that are kept already the age counts anew, however young they are: a
        run that prunes leaves alone what somebody else has kept since.
        """
        with self.writing() as database:
            there = self._still_there(own)
            for lost in own.keys() - there.keys():
                del own[lost]
            file_index.add_chunks(database.connection, own)
            return _add_files(database.connection, files)

    def _still_there(self, places: dict[bytes, Place]) -> dict[bytes, Place]:
        """Those whose pack is there: a collector may have taken it for an orphan."""
        packs = {place.pack for place in places.values()}
        there = {pack for pack in packs if pack_path(self.blobs, pack).exists()}
        return {hash_: at for hash_, at in places.items() if at.pack in there}

    def _drop_unnamed(self, places: dict[bytes, Place]) -> None:
        """Remove packs that the index does not name after all: an error, or a rival."""
        for pack in {place.pack for place in places.values()}:
            with suppress(StoreError):  # what cannot be asked now is garbage later
                with self.reading() as reader:
                    is_named = file_index.is_named(reader, pack)
                if not is_named:
                    pack_path(self.blobs, pack).unlink(missing_ok=True)


def _windows(lengths: list[int]) -> Iterator[list[int]]:
    """Lengths of chunks that are read at a time."""
    window: list[int] = []
    size = 0
    for length in lengths:
        if window and size + length > WINDOW_BYTES:
            yield window
            window, size = [], 0
        window.append(length)
        size += length
    if window:
        yield window


def _fill(
    file: OpenFile, window: list[int], sha: ShaThread
) -> tuple[memoryview, memoryview]:
    buffer = sha.take()
    return file.fill(buffer[: sum(window)]), buffer


def _hash(view: memoryview, window: list[int]) -> list[bytes]:
    found, at = [], 0
    for length in window:
        found.append(hash_of(view[at : at + length]))
        at += length
    return found


def _add(
    pack: NewPack,
    view: memoryview,
    window: list[int],
    hashes: list[bytes],
    is_new: list[bool],
) -> None:
    at = 0
    for length, hash_, new in zip(window, hashes, is_new, strict=True):
        if new:
            pack.add(hash_, view[at : at + length])
        at += length


def _hash_again(
    file: OpenFile, lengths: list[int], hashes: list[bytes], sha: ShaThread
) -> None:
    """Take the sha256 of the chunks that were only looked at before; as they were."""
    here = file.file.tell()
    file.file.seek(0)
    at = 0
    for window in _windows(lengths[: len(hashes)]):
        view, buffer = _fill(file, window, sha)
        if _hash(view, window) != hashes[at : at + len(window)]:
            raise file.changed()
        sha.hash(buffer, len(view))
        at += len(window)
    file.file.seek(here)


def _add_files(connection: Connection, files: list[_Read]) -> bool:
    """Write files into the index; False where a chunk of one is gone."""
    kept = file_index.which_kept(connection, {file.ref.digest for file in files})
    needed = {
        hash_
        for file in files
        if file.ref.digest not in kept
        for hash_ in hashes_in(file.chunks)
    }
    places = file_index.find_places(connection, b"".join(needed))
    if len(places) < len(needed):
        return False
    listed = [
        file_index.Listed(file.ref.digest, file.ref.size_bytes, file.chunks, "")
        for file in files
    ]
    file_index.add_files(connection, listed)
    return True


def _check_listed(reader: ChunkReader, digest: str, chunks: bytes) -> FileRef:
    """The file that these chunks make, whose sha256 must be this one."""
    import hashlib

    sha, size = hashlib.sha256(), 0
    for hash_ in hashes_in(chunks):
        content = reader.read(hash_)
        sha.update(content)
        size += len(content)
    if sha.hexdigest() != digest:
        raise StoreError(f"The chunks given for file {digest[:12]}… make another.")
    return FileRef(digest, size)

"""Reads kept files back, from their chunks, each checked against its hash.

A file that is damaged is never handed out: the error names the file and the pack. What
must be a file on the disk is made whole in `cache/`, unless a pack or a blob is it.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection
from typing import BinaryIO, NoReturn

from nbtrack.errors import StoreError
from nbtrack.store import file_index
from nbtrack.store.asides import Aside, aside, make_private_folder
from nbtrack.store.blobs import blob_path
from nbtrack.store.file_index import Listed
from nbtrack.store.packs import ChunkReader, Place, hashes_in, pack_path

_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class FileReads:
    """What reads files of one store: its folder and its database."""

    store: Path
    reading: Callable[[], AbstractContextManager[Connection]]

    @property
    def blobs(self) -> Path:
        """Where content is."""
        return self.store / "blobs"

    def has_file(self, digest: str) -> bool:
        """Whether the file is kept."""
        return blob_path(self.blobs, digest).is_file() or self._find(digest) is not None

    def file_size(self, digest: str) -> int:
        """How many bytes it has."""
        whole = blob_path(self.blobs, digest)
        if whole.is_file():
            return whole.stat().st_size
        return self._listed(digest).size_bytes

    def file_path(self, digest: str) -> Path:
        """A path with just this content, not to be written to."""
        whole = blob_path(self.blobs, digest)
        if whole.is_file():
            return whole
        listed = self._listed(digest)
        pack = self._pack_that_is(listed)
        return pack if pack is not None else self._cached(listed)

    def copy_file(self, digest: str, target: Path) -> None:
        """Write the file to `target`, whole and checked, or not at all."""
        try:
            with aside(target.parent, mode=0o666) as partial:
                for piece in self.pieces(digest):
                    partial.write(piece)
                partial.settle(target, mode=None)
        except OSError as exc:
            raise StoreError(f"{target} cannot be written: {exc.strerror}.") from exc

    def verify_file(self, digest: str) -> None:
        """Read all of a file; StoreError where it is missing or damaged."""
        for _ in self.pieces(digest):
            pass

    def open_file(self, digest: str) -> BinaryIO:
        """The file, to read from and to seek in; checked as far as it is read."""
        whole = blob_path(self.blobs, digest)
        if whole.is_file():
            self.verify_file(digest)
            return whole.open("rb")
        listed = self._listed(digest)
        return io.BufferedReader(KeptFile(listed, self._chunks(listed)))

    def pieces(self, digest: str) -> Iterator[bytes]:
        """The content in pieces, each checked before it is handed out.

        Of a file that is kept whole the last piece comes after all are checked.
        """
        whole = blob_path(self.blobs, digest)
        if whole.is_file():
            yield from _whole_pieces(whole, digest)
            return
        listed = self._listed(digest)
        with self._chunks(listed) as chunks, _naming(digest):
            for hash_ in hashes_in(listed.chunks):
                yield chunks.read(hash_)

    def chunks_of(self, digest: str) -> list[tuple[bytes, int]]:
        """The chunks of a file, as hash and size; none of one that is kept whole."""
        if blob_path(self.blobs, digest).is_file():
            return []
        listed = self._listed(digest)
        with self._chunks(listed) as chunks, _naming(digest):
            return [
                (hash_, chunks.size_of(hash_)) for hash_ in hashes_in(listed.chunks)
            ]

    def read_chunk(self, hash_: bytes) -> bytes:
        """One chunk, checked."""
        with ChunkReader(self.blobs, hash_, self._places) as chunks:
            return chunks.read(hash_)

    def _find(self, digest: str) -> Listed | None:
        with self.reading() as reader:
            return file_index.find_file(reader, digest)

    def _listed(self, digest: str) -> Listed:
        listed = self._find(digest)
        if listed is None:
            raise StoreError(f"No file {digest[:12]}… is kept in {self.store}.")
        return listed

    def _places(self, hashes: bytes) -> dict[bytes, Place]:
        with self.reading() as reader:
            return file_index.find_places(reader, hashes)

    def _chunks(self, listed: Listed) -> ChunkReader:
        return ChunkReader(self.blobs, listed.chunks, self._places)

    def _pack_that_is(self, listed: Listed) -> Path | None:
        """The pack whose bytes are just this file: all of a save, and in order."""
        places = self._places(listed.chunks)
        at = 0
        packs: set[str] = set()
        for hash_ in hashes_in(listed.chunks):
            place = places.get(hash_)
            if place is None or place.start != at or packs - {place.pack}:
                return None
            packs.add(place.pack)
            at += place.size_bytes
        if not packs:
            return None
        path = pack_path(self.blobs, packs.pop())
        try:
            return path if path.stat().st_size == at == listed.size_bytes else None
        except FileNotFoundError:
            return None

    def _cached(self, listed: Listed) -> Path:
        """A copy of the file in `cache/`; its age counts from its last use."""
        try:
            path = make_private_folder(self.store / "cache") / listed.digest
            try:
                os.utime(path, (time.time(), time.time()))
            except FileNotFoundError:
                with aside(path.parent) as partial:
                    self._write(listed.digest, partial)
                    partial.settle(path)
        except OSError as exc:
            raise StoreError(
                f"File {listed.digest[:12]}… cannot be put together in "
                f"{self.store / 'cache'}: {exc.strerror}. Copy it elsewhere with "
                "copy_file, or read it with open_file."
            ) from exc
        return path

    def _write(self, digest: str, partial: Aside) -> None:
        for piece in self.pieces(digest):
            partial.write(piece)


class KeptFile(io.RawIOBase):
    """A kept file as Python reads files; holds one chunk in memory."""

    def __init__(self, listed: Listed, chunks: ChunkReader) -> None:
        super().__init__()
        self.name = listed.digest
        self._chunks = chunks
        self._hashes = hashes_in(listed.chunks)
        self._starts = [0]
        with _naming(listed.digest):
            for hash_ in self._hashes:
                self._starts.append(self._starts[-1] + chunks.size_of(hash_))
        self._at = 0
        self._chunk: tuple[int, bytes] = (-1, b"")

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, as in any file."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._starts[-1]}
        if whence not in base or base[whence] + offset < 0:
            raise ValueError(f"There is no place {offset} (from {whence}) in a file.")
        self._at = base[whence] + offset
        return self._at

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read up to the end of a chunk."""
        from bisect import bisect_right

        if self._at >= self._starts[-1]:
            return 0
        nth = bisect_right(self._starts, self._at) - 1
        if self._chunk[0] != nth:
            with _naming(self.name):
                self._chunk = (nth, self._chunks.read(self._hashes[nth]))
        piece = self._chunk[1][self._at - self._starts[nth] :][: len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def close(self) -> None:
        """Let go of the pack."""
        if not self.closed:
            self._chunks.close()
        super().close()


@contextmanager
def _naming(digest: str) -> Iterator[None]:
    """Say of a chunk that cannot be read which file it belongs to."""
    try:
        yield
    except StoreError as exc:
        raise StoreError(f"File {digest[:12]}… is damaged: {exc}") from exc


def _whole_pieces(path: Path, digest: str) -> Iterator[bytes]:
    """A blob, its last piece only when all of it is what was kept."""
    import hashlib

    sha, held = hashlib.sha256(), b""
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            sha.update(piece)
            if held:
                yield held
            held = piece
    if sha.hexdigest() != digest:
        _refuse(path, digest)
    if held:
        yield held


def _refuse(path: Path, digest: str) -> NoReturn:
    raise StoreError(
        f"File {digest[:12]}… is damaged: {path} holds other bytes than were kept."
    )

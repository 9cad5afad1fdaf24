"""Brings files of another store here, each checked, before any row names them.

What came before an interruption is named by nothing, so it is garbage, or there for the
next try. Large files come in their chunks, of which only those that lack here.
"""

from __future__ import annotations

from pathlib import Path

from nbtrack.errors import StoreError
from nbtrack.store.blobs import blob_path
from nbtrack.store.file_reads import FileReads
from nbtrack.store.file_saves import FileSaves

BATCH_BYTES = 32 << 20  # of chunks that are kept as one pack


class FileTaker:
    """Takes files by their digest and counts them."""

    def __init__(self, saves: FileSaves, reads: FileReads) -> None:
        self.n_files = 0
        self.n_bytes = 0
        self._saves = saves
        self._reads = reads
        self._known: dict[str, str | None] = {}  # by digest, why it did not come

    def take(self, digest: str) -> str | None:
        """Have the file here; what is wrong with it there, if it cannot come."""
        if digest not in self._known:
            self._known[digest] = self._take(digest)
        return self._known[digest]

    def _take(self, digest: str) -> str | None:
        try:
            if self._saves.is_kept(digest):
                return None
            self._reads.verify_file(digest)
            chunks = self._reads.chunks_of(digest)
        except (StoreError, OSError) as exc:
            return str(exc)
        n_bytes = self._chunked(digest, chunks) if chunks else self._whole(digest)
        self.n_files += 1
        self.n_bytes += n_bytes
        return None

    def _chunked(self, digest: str, chunks: list[tuple[bytes, int]]) -> int:
        """In batches; what is here of a file that is much like it stays where it is."""
        missing = set(self._saves.missing_chunks(b"".join(h for h, _ in chunks)))
        batch: list[tuple[bytes, bytes]] = []
        n_batch = n_bytes = 0
        for hash_ in dict.fromkeys(h for h, _ in chunks if h in missing):
            content = self._reads.read_chunk(hash_)
            batch.append((hash_, content))
            n_batch += len(content)
            n_bytes += len(content)
            if n_batch >= BATCH_BYTES:
                self._saves.put_chunks(batch)
                batch, n_batch = [], 0
        if batch:
            self._saves.put_chunks(batch)
        self._saves.put_listed([(digest, b"".join(h for h, _ in chunks))])
        return n_bytes

    def _whole(self, digest: str) -> int:
        """One that is kept whole there; a large one is cut here."""
        whole: Path = blob_path(self._reads.blobs, digest)
        if whole.is_file():
            [ref] = self._saves.put_files([whole])
        else:
            ref = self._saves.put_bytes(b"".join(self._reads.pieces(digest)))
        if ref.digest != digest:
            raise StoreError(f"{whole} changed while it was read: merge again.")
        return ref.size_bytes

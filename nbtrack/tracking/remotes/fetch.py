"""Fetches the files of a version: many objects at a time, each checked as it comes.

What is kept meanwhile is in no list until the version is: chunks that came before an
error are there for the next try, or garbage. Some 64 MiB are in memory at most.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from nbtrack.errors import RemoteError, StoreError
from nbtrack.tracking.remotes.layout import (
    Manifest,
    RemoteFile,
    chunk_path,
    file_path,
)
from nbtrack.tracking.remotes.place import Place, Progress, each

if TYPE_CHECKING:
    from nbtrack.store import Store

_BATCH_BYTES = 32 << 20  # of chunks that are kept as one pack
_FILES_AT_ONCE = 500  # are put into the index in one transaction
_TRIES = 3  # each lost to a collector that took just what was fetched


class FileFetcher:
    """Brings files from a place into a store, and counts them."""

    def __init__(self, store: Store, place: Place, progress: Progress | None) -> None:
        self.n_objects = 0
        self.n_bytes = 0
        self._store = store
        self._place = place
        self._progress = progress

    def fetch(self, manifest: Manifest) -> None:
        """Bring the files of a version here, those that are not."""
        files = {
            file.file.digest: file
            for file in manifest.files
            if file.file.uri is None and file.file.digest is not None
        }
        lacking = [
            f for digest, f in files.items() if not self._store.has_file(digest or "")
        ]
        self._refuse_too_large(manifest, sum(f.file.size_bytes or 0 for f in lacking))
        self._fetch_whole([file for file in lacking if not file.chunks])
        chunked = [file for file in lacking if file.chunks]
        for tries_left in reversed(range(_TRIES)):
            self._fetch_chunks(chunked)
            if self._list(chunked, may_lack=tries_left > 0):
                return

    def _refuse_too_large(self, manifest: Manifest, n_bytes: int) -> None:
        import shutil

        free = shutil.disk_usage(self._store.path).free
        if n_bytes > free:
            raise RemoteError(
                f"{manifest.ref} needs {n_bytes:,} bytes, the disk of "
                f"{self._store.path} has {free:,} left."
            )

    def _fetch_whole(self, files: list[RemoteFile]) -> None:
        meter = self._meter(sum(file.file.size_bytes or 0 for file in files))
        for content in each(self._whole, files):
            self._store.put_bytes(content)
            meter(len(content))

    def _fetch_chunks(self, files: list[RemoteFile]) -> None:
        """Fetch what is not here of the chunks of these files, some 32 MiB a time."""
        of = {
            bytes.fromhex(hash_): (file, size)
            for file in files
            for hash_, size in file.chunks
        }
        missing = self._store.missing_chunks(list(of))
        meter = self._meter(sum(of[hash_][1] for hash_ in missing))
        batch: list[tuple[bytes, bytes]] = []
        n_bytes = 0
        for hash_, content in each(lambda h: (h, self._chunk(h, *of[h])), missing):
            batch.append((hash_, content))
            n_bytes += len(content)
            meter(len(content))
            if n_bytes >= _BATCH_BYTES:
                self._store.put_chunks(batch)
                batch, n_bytes = [], 0
        if batch:
            self._store.put_chunks(batch)

    def _list(self, files: list[RemoteFile], *, may_lack: bool) -> bool:
        """Let files be made of chunks that are here; False where some went away."""
        for at in range(0, len(files), _FILES_AT_ONCE):
            batch = [_listed(file) for file in files[at : at + _FILES_AT_ONCE]]
            try:
                self._store.put_all_listed(batch)
            except StoreError:
                hashes = [hash_ for _, hashes in batch for hash_ in hashes]
                if may_lack and self._store.missing_chunks(hashes):
                    return False
                self._list_one_by_one(files[at : at + _FILES_AT_ONCE])
        return True

    def _list_one_by_one(self, files: list[RemoteFile]) -> None:
        """The same, to name the file whose chunks do not make it."""
        for file in files:
            digest, hashes = _listed(file)
            try:
                self._store.put_listed(digest, hashes)
            except StoreError as exc:
                raise RemoteError(
                    f"{self._place.shown}: file {file.file.path!r} is refused: its "
                    f"chunks do not make sha256 {digest}. Nothing of this version was "
                    "kept."
                ) from exc

    def _meter(self, total: int) -> Callable[[int], None]:
        """Counts objects as they come; called from this thread alone."""
        done = 0

        def came(n_bytes: int) -> None:
            nonlocal done
            done += n_bytes
            self.n_objects += 1
            self.n_bytes += n_bytes
            if self._progress is not None:
                self._progress(done, total)

        return came

    def _whole(self, file: RemoteFile) -> bytes:
        digest = file.file.digest or ""
        content = self._object(file, file_path(digest), file.file.size_bytes or 0)
        if hashlib.sha256(content).hexdigest() != digest:
            raise self._wrong(file, file_path(digest))
        return content

    def _chunk(self, hash_: bytes, file: RemoteFile, size: int) -> bytes:
        from blake3 import blake3

        path = chunk_path(hash_.hex())
        content = self._object(file, path, size)
        if blake3(content).digest() != hash_:
            raise self._wrong(file, path)
        return content

    def _object(self, file: RemoteFile, path: str, size: int) -> bytes:
        if size == 0:
            return b""
        content = self._place.read(path, at_most=size)
        if content is None:
            raise RemoteError(
                f"{self._place.shown}: {path} of file {file.file.path!r} is not there. "
                "Push the version again from a store that has it."
            )
        if len(content) != size:
            raise self._wrong(file, path)
        return content

    def _wrong(self, file: RemoteFile, path: str) -> RemoteError:
        return RemoteError(
            f"{self._place.shown}: file {file.file.path!r} is refused: {path} does not "
            "have the content of this hash. Nothing of this version was kept."
        )


def _listed(file: RemoteFile) -> tuple[str, list[bytes]]:
    hashes = [bytes.fromhex(hash_) for hash_, _ in file.chunks]
    return file.file.digest or "", hashes

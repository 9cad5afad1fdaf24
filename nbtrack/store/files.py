"""The files that a store keeps: each content once, large ones in chunks they share.

Put a file and its sha256 is its name from then on. It is whole or absent, it is checked
when it is read, and what nothing names any more is garbage until `free_files`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from sqlite3 import Connection
from typing import TYPE_CHECKING, BinaryIO

from nbtrack.errors import StoreError
from nbtrack.store.database import Database

if TYPE_CHECKING:
    from nbtrack.store.blobs import FileRef
    from nbtrack.store.file_reads import FileReads
    from nbtrack.store.file_saves import FileSaves
    from nbtrack.store.file_usage import FileUsage
    from nbtrack.store.free import Freed


class KeepsFiles:
    """The part of `Store` that keeps files; safe to use from threads."""

    path: Path
    why_read_only: str | None
    _settle: Callable[[], None]
    _reading: Callable[[], AbstractContextManager[Connection]]
    _writing: Callable[[], AbstractContextManager[Database]]

    def put_file(self, path: Path | str) -> FileRef:
        """Keep a copy of a file by its content, once per content.

        >>> import tempfile
        >>> from nbtrack.store import Store
        >>> with Store.open(tempfile.mkdtemp()) as store:
        ...     store.put_file("/dev/null")
        Traceback (most recent call last):
        ...
        nbtrack.errors.StoreError: /dev/null cannot be kept: it is not a regular file.
        """
        return self._saves().put_files([Path(path)])[0]

    def put_files(self, paths: Sequence[Path]) -> list[FileRef]:
        """Keep copies of several files as one save: one pack, one transaction."""
        return self._saves().put_files(list(paths)) if paths else []

    def put_bytes(self, content: bytes) -> FileRef:
        """Keep what never was a file, such as a picture, in the same way.

        >>> import tempfile
        >>> from nbtrack.store import Store
        >>> with Store.open(tempfile.mkdtemp()) as store:
        ...     kept = store.put_bytes(b"picture")
        ...     store.file_path(kept.digest).read_bytes()
        b'picture'
        """
        try:
            return self._saves().put_bytes(content)
        except OSError as exc:
            raise StoreError(
                f"{len(content)} bytes cannot be kept in {self.path / 'blobs'}: "
                f"{exc.strerror}."
            ) from exc

    def has_file(self, digest: str) -> bool:
        """Whether the file with this digest is kept."""
        return self._reads().has_file(digest)

    def file_path(self, digest: str) -> Path:
        """A local file with just this content, not to be written to.

        It is where the content is kept, or a copy in `cache/` that the next clean-up
        after an hour takes away. StoreError where the file is not kept.
        """
        return self._reads().file_path(digest)

    def copy_file(self, digest: str, target: Path | str) -> None:
        """Write the file to `target`: whole and checked, or StoreError and nothing."""
        self._reads().copy_file(digest, Path(target))

    def open_file(self, digest: str) -> BinaryIO:
        """The file, to read from and to seek in, without a copy of it on the disk."""
        return self._reads().open_file(digest)

    def file_size(self, digest: str) -> int:
        """How many bytes it has; StoreError where the file is not kept.

        >>> import tempfile
        >>> from nbtrack.store import Store
        >>> with Store.open(tempfile.mkdtemp()) as store:
        ...     digest = store.put_bytes(b"picture").digest
        ...     store.file_size(digest), b"".join(store.file_pieces(digest))
        (7, b'picture')
        """
        return self._reads().file_size(digest)

    def file_pieces(self, digest: str) -> Iterator[bytes]:
        """Its content in pieces of some MB, each checked before it is handed out.

        Of one that is kept whole the last piece comes after all are checked. StoreError
        where it is missing or damaged.
        """
        return self._reads().pieces(digest)

    def verify_file(self, digest: str) -> None:
        """Read all of the file; StoreError says where it is missing or damaged."""
        self._reads().verify_file(digest)

    def free_files(
        self,
        *,
        dry_run: bool = False,
        older_than_s: float = 3600.0,
        without: Collection[int] = (),
        only: Collection[str] | None = None,
    ) -> Freed:
        """Remove files that nothing names, and all else that is garbage.

        Parameters
        ----------
        dry_run
            Only say what would go: the same numbers.
        older_than_s
            What was kept or used more lately stays: its artifact may be on its way.
        without
            For a dry run: versions that would be given up first.
        only
            Digests: remove none but these files, and what only they were made of.

        Examples
        --------
        >>> import tempfile
        >>> from nbtrack.store import Store
        >>> with Store.open(tempfile.mkdtemp()) as store:
        ...     kept = store.put_bytes(b"named by nothing")
        ...     store.free_files().n_bytes, store.free_files(older_than_s=0).n_bytes
        (0, 16)
        """
        from nbtrack.store.free import Collector

        if self.why_read_only is not None:
            raise StoreError(self.why_read_only)
        self._settle()  # what was logged a moment ago names its files
        before = time.time() - older_than_s
        if without and not dry_run:
            raise StoreError("Give the versions up first: give_up(ids, why=...).")
        collector = Collector(
            self.path,
            self._reading,
            self._writing,
            before=before,
            only=None if only is None else frozenset(only),
            without=frozenset(without),
        )
        return collector.count() if dry_run else collector.collect()

    def file_usage(self) -> FileUsage:
        """What each kept file takes of the disk, so that all add up to the total."""
        from nbtrack.store.file_usage import read_usage

        with self._reading() as reader:
            return read_usage(reader, self.path)

    def chunks_of(self, digest: str) -> list[tuple[bytes, int]]:
        """The chunks that a file is made of, in order: hash (32 bytes), size.

        Empty for one that is kept whole (most under 1 MiB): send its bytes instead, and
        `put_bytes` them on the other side. StoreError where the file is not kept.
        """
        return self._reads().chunks_of(digest)

    def read_chunk(self, hash_: bytes) -> bytes:
        """The content of a chunk, checked; StoreError where it is not here."""
        return self._reads().read_chunk(hash_)

    def missing_chunks(self, hashes: Sequence[bytes]) -> list[bytes]:
        """Which of these chunks are not here, each once, in order."""
        return self._saves().missing_chunks(b"".join(hashes))

    def put_chunks(self, chunks: Sequence[tuple[bytes, bytes]]) -> None:
        """Keep chunks (hash, content) for a file that `put_listed` will name.

        Pass some 64 MB at a time: each call writes one pack, and what it wrote is there
        for the next try, an hour at least. StoreError for a content that does not have
        its hash; then none of them is kept.
        """
        self._saves().put_chunks(chunks)

    def put_listed(self, digest: str, chunks: Sequence[bytes]) -> FileRef:
        """Keep the file that is made of these chunks, which are all here.

        Its sha256 is computed and must be `digest`. StoreError where it is another, or
        where a chunk is missing.
        """
        return self.put_all_listed([(digest, chunks)])[0]

    def put_all_listed(
        self, files: Sequence[tuple[str, Sequence[bytes]]]
    ) -> list[FileRef]:
        """The same for many files, in one transaction: all of them, or none."""
        return self._saves().put_listed([(d, b"".join(chunks)) for d, chunks in files])

    def _saves(self) -> FileSaves:
        from nbtrack.store.file_saves import FileSaves

        if self.why_read_only is not None:
            raise StoreError(self.why_read_only)
        return FileSaves(self.path / "blobs", self._reading, self._writing)

    def _reads(self) -> FileReads:
        from nbtrack.store.file_reads import FileReads

        return FileReads(self.path, self._reading)

"""Files by their content: each kept once, under the sha256 of what is in it.

    blobs/ab/abcdef...    whole, 0400; written beside, synced, then renamed

A blob is whole or absent. Nothing here looks into a file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from nbtrack.errors import StoreError

_DIGEST = re.compile(r"[0-9a-f]{64}")
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file as the store keeps it."""

    digest: str
    size_bytes: int


def put_file(blobs: Path, source: Path) -> FileRef:
    """Keep a copy of `source`; one whose content is there already adds no bytes."""
    try:
        digest, size = _digest_of(source)
        target = blob_path(blobs, digest)
        if not target.exists():
            return _put(blobs, partial(_write, source))
    except OSError as exc:
        raise StoreError(f"{source} cannot be kept: {exc.strerror}.") from exc
    return FileRef(digest, size)


def put_bytes(blobs: Path, content: bytes) -> FileRef:
    """Keep what never was a file, in the same way."""
    import hashlib

    ref = FileRef(hashlib.sha256(content).hexdigest(), len(content))

    def write(copy: BinaryIO) -> FileRef:
        copy.write(content)
        return ref

    try:
        known = blob_path(blobs, ref.digest).exists()
        return ref if known else _put(blobs, write)
    except OSError as exc:
        raise StoreError(
            f"{len(content)} bytes cannot be kept in {blobs}: {exc.strerror}."
        ) from exc


def blob_path(blobs: Path, digest: str) -> Path:
    """Where the content with this digest is kept, there or not."""
    if not _DIGEST.fullmatch(digest):
        raise StoreError(f"{digest[:80]!r} is not a sha256 digest.")
    return blobs / digest[:2] / digest


def _digest_of(path: Path) -> tuple[str, int]:
    import hashlib  # milliseconds that a run without files need not pay

    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return digest, file.tell()


def _put(blobs: Path, write: Callable[[BinaryIO], FileRef]) -> FileRef:
    """A new blob, whole or absent, of what `write` writes."""
    partial = blobs / f".partial-{os.urandom(8).hex()}"
    blobs.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as copy:
            ref = write(copy)
            copy.flush()
            os.fsync(copy.fileno())
        target = blob_path(blobs, ref.digest)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        partial.chmod(0o400)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return ref


def _write(source: Path, copy: BinaryIO) -> FileRef:
    """Copy and hash in one pass: the file may have changed since it was looked at."""
    import hashlib

    digest, size = hashlib.sha256(), 0
    with source.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
            copy.write(piece)
            size += len(piece)
    return FileRef(digest.hexdigest(), size)

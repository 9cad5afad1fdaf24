"""Small files by their content: each kept once, under the sha256 of what is in it.

    blobs/ab/abcdef...    whole, 0400; written beside, synced, then renamed

A blob is whole or absent, and has no row anywhere. Nothing here looks into a file.
Larger files, and those of a folder that is saved as one, are kept in chunks
(`nbtrack.store.packs`).
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from nbtrack.errors import StoreError
from nbtrack.store.asides import aside, make_private_folder

WHOLE_BYTES = 1 << 20  # from here on a file is kept in chunks
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file as the store keeps it."""

    digest: str
    size_bytes: int


def blob_path(blobs: Path, digest: str) -> Path:
    """Where the content with this digest is kept whole, there or not."""
    return blobs / checked_digest(digest)[:2] / digest


def checked_digest(digest: str) -> str:
    """The digest, or StoreError: it becomes part of a path."""
    if not _DIGEST.fullmatch(digest):
        raise StoreError(f"{digest[:80]!r} is not a sha256 digest.")
    return digest


def touch_blob(blobs: Path, digest: str) -> bool:
    """Whether the content is kept whole; its age counts from now then.

    Who collects garbage moves a blob away before looking at its age for the last time:
    a touch that went through is seen, and one that came too late fails here.
    """
    try:
        os.utime(blob_path(blobs, digest), (time.time(), time.time()))
    except FileNotFoundError:
        return False
    return True


def keep_blob(blobs: Path, digest: str, content: bytes) -> None:
    """A new blob, whole or absent."""
    make_private_folder(blobs)
    target = blob_path(blobs, digest)
    with aside(blobs) as partial:
        partial.write(content)
        make_private_folder(target.parent)
        partial.settle(target)

"""Files and folders by their content: what `sha256sum` says, read in pieces.

A folder counts by the names, sizes and digests of its files, wherever it stands.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from nbtrack.capture.digests.pieces import Pieces, framed

_PIECE_BYTES = 1 << 20
_N_SAMPLES, _SAMPLE_BYTES = 64, 1 << 16


def file_pieces(path: Path) -> Pieces:
    """The bytes of a file."""
    with path.open("rb", buffering=0) as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


def file_digest(path: Path) -> str:
    """Sha256 of a file's bytes."""
    digest = hashlib.sha256()
    for piece in file_pieces(path):
        digest.update(piece)
    return digest.hexdigest()


def sample_digest(path: Path) -> str:
    """Sha256 of the size and of 64 places of a file too large to be read: a hint."""
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        digest = hashlib.sha256(framed("sample", size))
        for at in range(_N_SAMPLES):
            file.seek(max(0, size - _SAMPLE_BYTES) * at // (_N_SAMPLES - 1))
            digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()


def folder_digest(files: Iterable[tuple[str, int, str]]) -> str:
    """Sha256 of a list of (path within the folder, size, digest), in any order."""
    digest = hashlib.sha256(framed("folder"))
    for name, size, content in sorted(files):
        digest.update(framed(name, size, content))
    return digest.hexdigest()


def files_under(folder: Path) -> Iterator[Path]:
    """Every regular file in a folder, hidden ones and links to folders left out."""
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(here, name)
            if not name.startswith(".") and path.is_file():
                yield path

"""What appeared in the usual folders during a cell: the files no saver told of.

Two looks at the working folder and its `checkpoints`, `models`, ... by name, size and
time alone; a folder with very many entries is looked at in part. Never opens a file.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

MODEL_SUFFIXES = frozenset(
    {".pt", ".pth", ".ckpt", ".safetensors", ".npz", ".npy", ".joblib", ".pkl"}
    | {".onnx", ".keras", ".h5"}
)
MODEL_FOLDERS = frozenset(
    {"checkpoints", "checkpoint", "ckpt", "ckpts", "models", "model", "weights"}
    | {"saved_models", "artifacts", "output", "outputs", "runs", "lightning_logs"}
)
MAX_DEPTH = 3  # lightning_logs/version_0/checkpoints
MAX_ENTRIES = 5_000  # about 5 ms for the whole look

Stamp = tuple[int, int, int]  # inode, size, mtime in ns: what changes when rewritten


def stamp_of(path: Path) -> Stamp | None:
    """What tells one state of a file from another; None when it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


class FolderSweep:
    """The model files under `root`, and which of them are new since it was made."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._made_ns = time.time_ns()
        self._in_part = False
        self._before = dict(self._look())

    def changed(self) -> list[tuple[Path, Stamp]]:
        """Files that appeared or were rewritten, oldest first."""
        found = [
            (path, stamp)
            for path, stamp in self._look()
            if self._before.get(path) != stamp and self._is_recent(stamp)
        ]
        return sorted(found, key=lambda item: item[1][2])

    def _is_recent(self, stamp: Stamp) -> bool:
        # Where only a part was looked at, a file may be there now that was not seen.
        return not self._in_part or stamp[2] >= self._made_ns

    def _look(self) -> Iterator[tuple[Path, Stamp]]:
        folders, entries = [(str(self._root), 0)], 0
        while folders and entries < MAX_ENTRIES:
            folder, depth = folders.pop()
            for entry in _entries(folder):
                entries += 1
                if entries >= MAX_ENTRIES:
                    self._in_part = True
                    break
                if depth < MAX_DEPTH and _is_folder_to_enter(entry, depth):
                    folders.append((entry.path, depth + 1))
                elif os.path.splitext(entry.name)[1].lower() in MODEL_SUFFIXES:
                    yield from _stamped(entry)


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:  # removed or unreadable: then nothing there is ours to see
        return


def _is_folder_to_enter(entry: os.DirEntry[str], depth: int) -> bool:
    named = depth > 0 or entry.name.lower() in MODEL_FOLDERS
    if not named or entry.name.startswith("."):
        return False
    return entry.is_dir(follow_symlinks=False)


def _stamped(entry: os.DirEntry[str]) -> Iterator[tuple[Path, Stamp]]:
    try:
        found = entry.stat(follow_symlinks=False)
        if entry.is_file(follow_symlinks=False):
            yield Path(entry.path), (found.st_ino, found.st_size, found.st_mtime_ns)
    except OSError:  # removed between listing and looking
        return

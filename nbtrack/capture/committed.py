"""Whether files are committed exactly as they are, by their content.

Compares a file's own blob id with that of HEAD: an index that is out of date, a file
marked as unchanged, or one that is ignored deceives nobody. Where a filter or line ends
make the two differ the answer is no, and the text is kept for nothing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from nbtrack.capture.git import git_commit
from nbtrack.capture.git_call import ask_git

_MAX_KNOWN = 20_000  # ids that are remembered


class Commits:
    """What HEAD holds, asked once per commit; for one thread at a time.

    >>> Commits().holds("/tmp/train.py", b"lr = 0.1")
    False
    """

    def __init__(self) -> None:
        self._ids: dict[tuple[str, str, str], str | None] = {}
        self._heads: dict[str, str | None] = {}

    def learn(self, paths: Iterable[str]) -> None:
        """Ask about many files at once, of whatever repositories, as they are now."""
        self._heads.clear()
        if len(self._ids) > _MAX_KNOWN:
            self._ids.clear()
        unknown: dict[tuple[str, str], list[str]] = {}
        for path in paths:
            key = self._key(path)
            if key is not None and key not in self._ids:
                unknown.setdefault(key[:2], []).append(key[2])
        for (root, commit), names in unknown.items():
            found = _blob_ids(root, commit, names)
            self._ids |= {(root, commit, name): found.get(name) for name in names}

    def holds(self, path: str, body: bytes) -> bool:
        """Whether HEAD has exactly this content at that path."""
        key = self._key(path)
        blob = None if key is None else self._ids.get(key)
        return blob is not None and blob == _id_of(body, len(blob))

    def _key(self, path: str) -> tuple[str, str, str] | None:
        root = _work_tree(os.path.dirname(path))
        if root is None:
            return None
        if root not in self._heads:
            self._heads[root] = _head(root)
        commit = self._heads[root]
        return None if commit is None else (root, commit, os.path.relpath(path, root))


def _work_tree(folder: str) -> str | None:
    while not os.path.lexists(os.path.join(folder, ".git")):
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
    return folder


def _head(root: str) -> str | None:
    try:
        return git_commit(Path(root))
    except (OSError, ValueError):
        return None


def _blob_ids(root: str, commit: str, names: list[str]) -> dict[str, str]:
    said = ask_git(Path(root), "ls-tree", "-z", commit, "--", *names)
    found = {}
    for entry in said.out.split(b"\0"):
        about, _, name = entry.partition(b"\t")
        fields = about.split()
        if len(fields) == 3 and fields[1] == b"blob":
            found[os.fsdecode(name)] = fields[2].decode("ascii")
    return found


def _id_of(body: bytes, length: int) -> str:
    kind = hashlib.sha1 if length == 40 else hashlib.sha256
    return kind(b"blob %d\0" % len(body) + body, usedforsecurity=False).hexdigest()

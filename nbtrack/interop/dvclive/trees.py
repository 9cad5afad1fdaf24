"""Where a run of DVCLive lies: in a folder, or in a commit that DVC made of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from nbtrack.capture.git_call import ask_git
from nbtrack.text import text_digest

FILE_BYTES_MAX = 256 << 20
_EXPERIMENT = re.compile(
    r"refs/exps/(?P<first>[0-9a-f]{2})/(?P<rest>[0-9a-f]{38,62})/(?P<name>.+)"
)
_FORMAT = "%(objectname) %(committerdate:unix) %(refname)"


class Tree(Protocol):
    """The files of a project as they were; names with "/", from its root."""

    @property
    def root(self) -> Path:
        """Where they are, or would be."""

    @property
    def is_workspace(self) -> bool:
        """Whether they lie there as they are here."""

    def names(self, folder: str) -> list[str]:
        """The files in a folder, sorted."""

    def read(self, name: str) -> bytes | None:
        """What a file holds; None where there is none."""

    def at(self, name: str) -> float:
        """When it was written, in seconds since the epoch."""

    def state(self, names: list[str]) -> str:
        """Another one where one of the files is."""


class Folder:
    """A project as it lies on the disk."""

    is_workspace = True

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self, folder: str) -> list[str]:
        """The files in a folder, sorted."""
        found = (self.root / folder).rglob("*")
        files = [path for path in found if path.is_file() and not path.is_symlink()]
        return sorted(path.relative_to(self.root).as_posix() for path in files)

    def read(self, name: str) -> bytes | None:
        """What a file holds; None where there is none."""
        path = self.root / name
        if not path.is_file():
            return None
        if path.stat().st_size > FILE_BYTES_MAX:
            raise ValueError(f"{name} is larger than {FILE_BYTES_MAX} bytes")
        return path.read_bytes()

    def at(self, name: str) -> float:
        """When it was written."""
        return (self.root / name).stat().st_mtime

    def state(self, names: list[str]) -> str:
        """As git would number the files."""
        return _joined((name, _blob(self.read(name) or b"")) for name in names)


@dataclass(frozen=True, slots=True)
class Commit:
    """A project as it was in an experiment of DVC."""

    root: Path
    prefix: str  # of the root in its repository, with a "/" behind it, or empty
    id: str
    name: str
    base: str  # the commit that it began from
    made_at: float
    is_workspace: bool = False

    def names(self, folder: str) -> list[str]:
        """The files in a folder, sorted."""
        return sorted(name for name, _ in self._entries(folder))

    def read(self, name: str) -> bytes | None:
        """What a file holds; None where there is none."""
        said = ask_git(
            self.root, "cat-file", "blob", f"{self.id}:{self.prefix}{name}",
            keep_bytes=FILE_BYTES_MAX, timeout_s=60.0,
        )  # fmt: skip
        if said.is_cut:
            raise ValueError(f"{name} is larger than {FILE_BYTES_MAX} bytes")
        return None if said.failure else said.out

    def at(self, name: str) -> float:
        """When the experiment was saved."""
        return self.made_at

    def state(self, names: list[str]) -> str:
        """As git numbers the files."""
        wanted = set(names)
        return _joined(entry for entry in self._entries("") if entry[0] in wanted)

    def _entries(self, folder: str) -> Iterator[tuple[str, str]]:
        path = f"{self.prefix}{folder}".rstrip("/")
        where = ["--", path] if path else []
        said = ask_git(
            self.root, "ls-tree", "-r", "-z", "--full-tree", self.id, *where,
            keep_bytes=FILE_BYTES_MAX, timeout_s=60.0,
        )  # fmt: skip
        for line in said.out.decode("utf-8", "replace").split("\0"):
            about, _, name = line.partition("\t")  # "<mode> blob <number>"
            if " blob " in about and name.startswith(self.prefix):
                yield name.removeprefix(self.prefix), about.rsplit(" ", 1)[-1]


def experiments(root: Path) -> list[Commit]:
    """The experiments that DVC saved in the repository around a project."""
    top = ask_git(root, "rev-parse", "--show-prefix")
    refs = ask_git(root, "for-each-ref", f"--format={_FORMAT}", "refs/exps")
    if top.failure or refs.failure:
        return []
    prefix = top.out.decode("utf-8", "replace").rstrip("\n")
    found = []
    for line in refs.out.decode("utf-8", "replace").splitlines():
        commit, at, ref = line.split(" ", 2)
        fits = _EXPERIMENT.fullmatch(ref)
        if fits:
            base = fits["first"] + fits["rest"]
            found.append(Commit(root, prefix, commit, fits["name"], base, float(at)))
    return found


def _blob(content: bytes) -> str:
    head = b"blob %d\0" % len(content)
    return hashlib.sha1(head + content, usedforsecurity=False).hexdigest()


def _joined(entries: Iterator[tuple[str, str]]) -> str:
    text = "".join(f"{name}\0{digest}\n" for name, digest in sorted(entries))
    return text_digest(text)[:16]

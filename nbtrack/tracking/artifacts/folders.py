"""The files of a path that is logged: one file, or all in a folder.

Names are relative, with "/"; hidden files count; links are followed, and one that
leads back into itself is refused, as is what is no regular file. The store itself is
left out.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nbtrack.capture.file_sweep import Stamp
from nbtrack.errors import ArtifactError
from nbtrack.text import shorten, visible

_N_NAMED = 3


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to be kept: its name in the artifact, where it is, how it looks now."""

    name: str
    path: Path
    stamp: Stamp

    def has_changed(self) -> bool:
        """Whether it is not what it was when it was found."""
        try:
            found = os.stat(self.path)
        except OSError:
            return True
        return _stamp(found) != self.stamp


def files_of(path: Path, *, leave_out: Path | None = None) -> list[SourceFile]:
    """The one file that `path` is, or the files under it, sorted by name.

    Raises
    ------
    FileNotFoundError
        When there is nothing.
    ArtifactError
        For an unreadable file, a pipe or device, a loop of links, an empty folder.

    Examples
    --------
    >>> _ = Path("a.txt").write_text("a")
    >>> [file.name for file in files_of(Path("a.txt"))]
    ['a.txt']
    """
    found = _looked_at(path)
    if not stat.S_ISDIR(found.st_mode):
        return [_source(path.name, path, found)]
    skipped = _identity(leave_out)
    files = sorted(_walk(path, "", [(found.st_dev, found.st_ino)], skipped), key=_name)
    if not files:
        raise ArtifactError(f"The folder {_shown(path)} holds no files.")
    return files


def named_file(name: str, path: Path) -> SourceFile:
    """One file under a name of its own in the artifact.

    Raises
    ------
    FileNotFoundError
        When there is nothing.
    ArtifactError
        For an unreadable file, a folder, a pipe or device, or a name that cannot be.

    Examples
    --------
    >>> _ = Path("a.txt").write_text("a")
    >>> named_file("data/one.txt", Path("a.txt")).name
    'data/one.txt'
    """
    return _source(name, path, _looked_at(path))


def look_alikes(names: Iterable[str]) -> list[str]:
    """Names that are one name on other systems: case and accents written otherwise.

    >>> look_alikes(["a.txt", "A.txt", "b.txt"])
    ['a.txt = A.txt']
    """
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[unicodedata.normalize("NFC", name).casefold()].append(name)
    same = [" = ".join(group) for group in groups.values() if len(group) > 1]
    return same[:_N_NAMED]


_HINT = "Give a file or folder that exists, an address like s3://..., or an object."


def _name(file: SourceFile) -> str:
    return file.name


def _walk(
    folder: Path,
    prefix: str,
    above: list[tuple[int, int]],
    skipped: tuple[int, int] | None,
) -> Iterator[SourceFile]:
    for entry in _entries(folder):
        path, name = Path(entry.path), f"{prefix}{entry.name}"
        try:
            found = entry.stat()
        except OSError as exc:
            raise _broken(path, exc) from exc
        if not stat.S_ISDIR(found.st_mode):
            yield _source(name, path, found)
            continue
        here = (found.st_dev, found.st_ino)
        if here == skipped:
            continue
        if here in above:
            raise ArtifactError(
                f"{_shown(path)} leads back to a folder above it: a loop of links. "
                "Remove the link, or log the folders one by one."
            )
        yield from _walk(path, f"{name}/", [*above, here], skipped)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as exc:
        raise _unreadable(folder, exc) from exc


def _source(name: str, path: Path, found: os.stat_result) -> SourceFile:
    if not stat.S_ISREG(found.st_mode):
        raise ArtifactError(
            f"{_shown(path)} is a {_kind(found.st_mode)}, no regular file. Only files "
            "can be kept: leave it out of the folder."
        )
    if visible(name) != name or "\\" in name:
        raise ArtifactError(
            f"The name of {_shown(path)} holds characters (control, \\, not "
            "UTF-8) that other systems cannot write. Rename it."
        )
    _check_readable(path)
    return SourceFile(name, path, _stamp(found))


def _check_readable(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as exc:
        raise _unreadable(path, exc) from exc


def _stamp(found: os.stat_result) -> Stamp:
    return found.st_ino, found.st_size, found.st_mtime_ns


def _identity(path: Path | None) -> tuple[int, int] | None:
    if path is None:
        return None
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _kind(mode: int) -> str:
    for test, kind in (
        (stat.S_ISDIR, "folder"),
        (stat.S_ISSOCK, "socket"),
        (stat.S_ISFIFO, "pipe"),
        (stat.S_ISCHR, "device"),
        (stat.S_ISBLK, "device"),
    ):
        if test(mode):
            return kind
    return "special file"


def _broken(path: Path, exc: OSError) -> ArtifactError:
    if path.is_symlink():
        return ArtifactError(
            f"The link {_shown(path)} leads nowhere ({exc.strerror}). Remove it, or "
            "put the file there."
        )
    return _unreadable(path, exc)


def _looked_at(path: Path) -> os.stat_result:
    try:
        return os.stat(path)
    except FileNotFoundError as exc:
        raise FileNotFoundError(f"There is no file {_shown(path)}. {_HINT}") from exc
    except OSError as exc:
        raise _unreadable(path, exc) from exc


def _unreadable(path: Path, exc: OSError) -> ArtifactError:
    return ArtifactError(f"{_shown(path)} cannot be read: {exc.strerror or exc}.")


def _shown(path: Path) -> str:
    return visible(shorten(str(path), 200))

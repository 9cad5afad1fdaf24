"""The files that one cell reads and writes, whoever opens them.

Python's own opens are heard; what C code, a shell or a subprocess wrote is seen by a
look at the folders afterwards: a file with a new stamp was written by the cell. A file
that the session wrote counts as read where the cell opens it, names it, lists folders
or starts a subprocess. Nothing is opened here, and no other folder is walked.
"""

from __future__ import annotations

import fnmatch
import io
import os
import re
import sys
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nbtrack.capture.dataflow.cell_reads import CellReads
from nbtrack.capture.dataflow.pseudo import ALL_FILES, FILE, FOLDER
from nbtrack.capture.file_readers import reader_patches
from nbtrack.capture.opened_files import FEATURE, ReadLog, is_users_file
from nbtrack.guard import guard, tolerated

MAX_ENTRIES = 300  # of all folders looked at: about 1 ms
MAX_READS = 50  # files named in one flow
_DEPTH = 2
CLOCK_NS = 20_000_000  # the clock of a file system may be some ms behind
_LISTS = frozenset(
    {"listdir", "scandir", "glob", "iglob", "rglob", "iterdir", "walk", "getsize"}
    | {"exists", "isfile", "isdir", "is_file", "is_dir", "stat", "getmtime", "which"}
)
_GLOBS = frozenset({"glob", "iglob", "rglob"})
_RUNS = frozenset(
    {"subprocess", "Popen", "system", "popen", "getoutput", "check_output"}
)
_SHELL = re.compile(
    r"get_ipython\(\)\.(?:system|getoutput)\(|"
    r"_cell_magic\('(?:bash|sh|script|perl|ruby|system|sx|!|python3?|pypy)'|"
    r"_line_magic\('(?:run|sx|system|sc|load)'"
)
_WRITES = re.compile(
    r"open\(|\bto_|save|dump|write|mkdir|makedirs|rename|replace|remove|unlink|rmdir|"
    r"copy|move|rmtree|touch|link|system|run\(|Popen|call\(|check_|_magic\(|connect|"
    r"exec|extract|download|retrieve|mode=|export|plot|shelve|dbm|File\("
)

_OPEN_FILES = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom, io.FileIO)

Stamp = tuple[int, ...]


@dataclass(slots=True)
class Touched:
    """What became of files during a cell."""

    reads: list[str] = field(default_factory=list)
    writes: dict[str, str] = field(default_factory=dict)
    kills: list[str] = field(default_factory=list)
    ran_shell: bool = False


class FileTrace:
    """Follows the files of one session from cell to cell."""

    def __init__(self) -> None:
        self.written: dict[str, None] = {}  # by the session, in order
        self.made_folders: set[str] = set()
        self._folders: set[str] = set()
        self._known: dict[str, Stamp] = {}
        self._looked_at: set[str] = set()  # folders whose files are known

    def look(self) -> None:
        """Know what lies around before the first cell."""
        self._watch_folder(_here())
        self._sweep(self._folders)

    def begin(self, namespace: dict[str, Any] | None) -> ReadLog:
        """Listen from now on; with a namespace also to readers in C."""
        log = ReadLog(hears_all=True)
        log.start()
        if namespace is not None:
            with guard(FEATURE):
                reader_patches.add(log, namespace)
        return log

    def stop(self, log: ReadLog) -> None:
        """Put back what was replaced to listen; a second time changes nothing."""
        log.stop()
        with guard(FEATURE):
            reader_patches.remove(log)

    def end(self, log: ReadLog, python: str, found: CellReads) -> Touched:
        """What the cell did to files; `log` stops listening."""
        self.stop(log)
        touched = Touched(ran_shell=_runs_something(python, found))
        heard, known_folders = log.paths_written, set(self.made_folders)
        self._read(log, touched, python, found)
        self._written_to(heard, touched)
        code = python + "(".join(found.attributes)
        if touched.ran_shell or heard or _WRITES.search(code):
            self._watch_folder(_here())
            for name in self._swept(log.started_ns - CLOCK_NS):
                touched.writes.setdefault(FILE + name, "changed")
        for folder in sorted(self.made_folders - known_folders):
            touched.writes.setdefault(FOLDER + folder, "set")
        for name in touched.writes:
            self._remember(name)
        return touched

    def _read(
        self, log: ReadLog, touched: Touched, python: str, found: CellReads
    ) -> None:
        names = [name for name in log.paths_read if is_users_file(name)]
        for name in names:
            self._watch_folder(os.path.dirname(name))
        names += [
            n for n in self.written if n not in names and _names(n, python, found)
        ]
        touched.reads = [FILE + name for name in names[:MAX_READS]]
        folders = {os.path.dirname(name) for name in names}
        touched.reads += [FOLDER + f for f in sorted(folders & self.made_folders)]
        lists = not found.attributes.isdisjoint(_LISTS)
        patterns = [text for text in found.strings if "*" in text]
        if patterns and found.attributes & _LISTS <= _GLOBS:
            lists = False
            matching = (n for n in self.written if _fits(n, patterns))
            touched.reads += [
                FILE + n for n in matching if FILE + n not in touched.reads
            ]
        if (touched.ran_shell or lists or len(names) > MAX_READS) and self.written:
            touched.reads.append(ALL_FILES)

    def _written_to(self, heard: dict[str, bool], touched: Touched) -> None:
        for name, emptied in heard.items():
            if not is_users_file(name):
                continue
            self._watch_folder(os.path.dirname(name))
            touched.writes[FILE + name] = "set" if emptied else "changed"
            parent = os.path.dirname(name)
            if parent in self.made_folders:
                touched.reads.append(FOLDER + parent)
            if emptied and FILE + name not in touched.reads:
                touched.kills.append(FILE + name)

    def _remember(self, name: str) -> None:
        if name.startswith(FOLDER):
            self.made_folders.add(name.removeprefix(FOLDER))
        else:
            self.written[name.removeprefix(FILE)] = None

    def _watch_folder(self, folder: str) -> None:
        if len(self._folders) < 32 and not folder.startswith(("/proc", "/dev")):
            self._folders.add(folder)

    def _swept(self, began_ns: int) -> Iterator[str]:
        """Files whose stamp is new since the last look, where there was one."""
        before, looked_at = self._known, self._looked_at
        self._sweep(self._folders)
        for folder in self._looked_at - looked_at:
            if os.path.dirname(folder) in looked_at:
                looked_at = looked_at | {folder}  # it was not there before
                self.made_folders.add(folder)
        for name, stamp in self._known.items():
            is_new = before.get(name) != stamp and os.path.dirname(name) in looked_at
            if is_new and stamp[1] >= began_ns:  # not changed before, by somebody else
                yield name
        for name in before.keys() - self._known.keys():
            if os.path.dirname(name) in self._looked_at or not os.path.exists(name):
                yield name

    def _sweep(self, folders: Collection[str]) -> None:
        found: dict[str, Stamp] = {}
        looked_at: set[str] = set()
        for folder in sorted(folders):
            _look_into(folder, found, looked_at, _DEPTH)
        self._known, self._looked_at = found, looked_at


def _look_into(
    folder: str, found: dict[str, Stamp], looked_at: set[str], depth: int
) -> None:
    """The stamps of the files of a folder and of folders in it, up to the limit."""
    with tolerated(lambda exc: None):  # it may be gone, or closed to us
        with os.scandir(folder) as entries:
            listed = list(entries)
        if folder in looked_at or len(found) + len(listed) > MAX_ENTRIES:
            return
        looked_at.add(folder)
        for entry in listed:
            if entry.is_dir(follow_symlinks=False):
                if depth and entry.name[:1] != "." and entry.name != "__pycache__":
                    _look_into(entry.path, found, looked_at, depth - 1)
            elif is_users_file(entry.path):
                about = entry.stat()
                found[entry.path] = (
                    about.st_mtime_ns,
                    about.st_ctime_ns,
                    about.st_size,
                    about.st_ino,
                )


def files_behind(names: Iterable[str], namespace: Mapping[str, Any]) -> Iterator[str]:
    """The files that changed values write to: open files, arrays mapped from one.

    >>> list(files_behind(["x"], {"x": 3}))
    []
    """
    mapped = getattr(sys.modules.get("numpy"), "memmap", None)
    for name in names:
        value: Any = namespace.get(name)
        path = None
        if type(value) in _OPEN_FILES and _is_written_to(value):
            path = value.name
        elif mapped is not None and type(value) is mapped:
            path = value.filename
        if isinstance(path, str | os.PathLike) and os.path.exists(path):
            yield os.path.abspath(os.fspath(path))


def _is_written_to(file: Any) -> bool:  # Any: of io, whose classes have no `mode`
    """Whether an open file may be written; `with open("x.json") as f` only reads."""
    return not {"w", "a", "x", "+"}.isdisjoint(str(getattr(file, "mode", "w")))


def _fits(path: str, patterns: list[str]) -> bool:
    base = os.path.basename(path)
    return any(fnmatch.fnmatch(base, os.path.basename(p)) for p in patterns)


def _names(path: str, python: str, found: CellReads) -> bool:
    """Whether the cell, or code that it reaches, names the file in a text."""
    base = os.path.basename(path)
    stem = os.path.splitext(base)[0]
    if base in python or any(base in text for text in found.strings):
        return True
    # `np.load(folder / f"{name}.npy")` and `import settings` name its stem alone.
    return len(stem) > 2 and (
        re.search(rf"\b{re.escape(stem)}\b", python) is not None
        or stem in found.imports
        or stem in found.strings
    )


def _runs_something(python: str, found: CellReads) -> bool:
    used = found.attributes | set(found.names) | found.imports
    return bool(_SHELL.search(python)) or not used.isdisjoint(_RUNS)


def _here() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was deleted
        return tempfile.gettempdir()

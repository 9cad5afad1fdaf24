"""Which files are read while a cell runs: opened by Python, or by a known loader.

`open` is replaced by a twin for the length of the cell, where Python's own library and
IPython look it up: same arguments, result and exceptions. An audit hook would hear of
more (`os.open`), but cannot be taken away again, and while there is one, every `id()`
takes 240 ns instead of 30 and `copy.deepcopy` 2.2 times as long, for the rest of the
session (measured, also with a hook in C). Readers in C and Rust: see `file_readers`.
What DataLoader workers open in processes of their own is not seen.

Nothing is opened here. A file that was written during the cell is no input of it.
"""

from __future__ import annotations

import builtins
import functools
import os
import sys
import sysconfig
import threading
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from nbtrack.capture.file_sweep import Stamp, stamp_of
from nbtrack.guard import guard

FEATURE = "the log of files read"
MAX_FILES = 100_000
OUR_FOLDERS = "nbtrack-"  # what the names of our own temporary folders begin with
_CODE = frozenset({".py", ".pyc", ".pyi", ".pyx", ".so", ".ipynb"})
_FONTS = frozenset({".ttf", ".otf", ".afm", ".ttc", ".pfb", ".woff", ".woff2"})
_SYSTEM = ("/proc/", "/sys/", "/dev/", "/etc/", "/usr/", "/lib", "/bin/", "/run/")
# CLOCK_REALTIME_COARSE, by which Linux stamps files: up to a tick (10 ms) behind the
# precise clock, so that what a cell writes at once would look older than the cell.
_CLOCK_OF_FILES = 5
_OPEN = builtins.open
# Where it is looked up by those who open files for others; all but the first two bind
# it when they are imported.
_PLACES = (
    ("builtins", "open"),
    ("io", "open"),
    ("IPython.core.interactiveshell", "io_open"),
    ("bz2", "_builtin_open"),
    ("tarfile", "bltn_open"),
)
# Hidden, but what stands there is data that somebody downloaded to learn from.
_KNOWN_CACHES = ("/.keras/datasets/", "/.cache/huggingface/", "/.cache/torch/")


class ReadLog:
    """The files that were read between `start` and `stop`, in order.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
    ...     os.utime(file.name, (1, 1))
    ...     log = ReadLog()
    ...     log.start()
    ...     with open(file.name) as again:
    ...         _ = again.read()
    ...     log.stop()
    ...     [path.suffix for path, stamp in log.found()]
    ['.csv']
    """

    def __init__(self, *, hears_all: bool = False) -> None:
        self.n_left_out = 0
        self.hears_all = hears_all  # also what a listener that began later hears
        self._read: dict[str, Stamp | None] = {}
        self._written: dict[str, bool] = {}  # -> whether it was emptied first
        self.started_ns = time.clock_gettime_ns(_CLOCK_OF_FILES)

    def start(self) -> None:
        """Begin to listen; never raises."""
        with guard(FEATURE):
            _opens.add(self)

    def stop(self) -> None:
        """Stop listening; never raises."""
        with guard(FEATURE):
            _opens.remove(self)

    def opened(self, path: Any, mode: Any) -> None:
        """A file is about to be opened: called for every one, in a few microseconds."""
        if not isinstance(path, str | bytes | os.PathLike) or not isinstance(mode, str):
            return
        name = os.path.abspath(os.fsdecode(path))
        if "r" in mode:
            self.reading(name)
        if "r" not in mode or "+" in mode:
            self._written.setdefault(name, "w" in mode or "x" in mode)

    def reading(self, path: str) -> None:
        """A file is about to be read: note how it looks now."""
        if path in self._read or path in self._written:
            return
        if len(self._read) >= MAX_FILES:
            self.n_left_out += 1
            return
        self._read[path] = stamp_of(Path(path))

    @property
    def paths_read(self) -> list[str]:
        """What was there and opened for reading before it was written, in order."""
        return [name for name, stamp in self._read.items() if stamp is not None]

    @property
    def paths_written(self) -> dict[str, bool]:
        """Whatever was opened for writing -> whether that emptied it first."""
        return dict(self._written)

    def found(self, *, outside: Iterable[Path] = ()) -> Iterator[tuple[Path, Stamp]]:
        """What was read and is an input: data, not code, fonts or caches."""
        closed = [str(folder) + os.sep for folder in outside]
        for name, stamp in list(self._read.items()):
            if stamp is None or stamp[2] >= self.started_ns:
                continue  # not there, or made by the cell
            if is_data_file(name) and not name.startswith(tuple(closed)):
                path = Path(name)
                if path.is_file() or not path.exists():
                    yield path, stamp


def is_data_file(name: str) -> bool:
    """Whether a path may be data by its looks.

    >>> is_data_file("/home/a/train.csv"), is_data_file("/home/a/.config/x.json")
    (True, False)
    """
    if name.startswith(_code_folders()) or name.startswith(_SYSTEM):
        return False
    if os.path.splitext(name)[1].lower() in _CODE | _FONTS:
        return False
    if any(cache in name for cache in _KNOWN_CACHES):
        return True
    return not _is_hidden(name)


def is_users_file(name: str) -> bool:
    """Whether a path is the user's own: data or code, no library, no cache.

    >>> is_users_file("/home/a/helpers.py"), is_users_file("/home/a/x.ipynb")
    (True, False)
    """
    if name.endswith((".pyc", ".ipynb", ".pyi")) or name.startswith(_SYSTEM):
        return False
    if f"{os.sep}{OUR_FOLDERS}" in name:
        return False
    return not name.startswith(_code_folders()) and not _is_hidden(name)


def _is_hidden(name: str) -> bool:
    here = os.getcwd() + os.sep
    # A project may itself live in a hidden folder; only the way from there counts.
    rest = name[len(here) :] if name.startswith(here) else name
    return any(part.startswith(".") for part in rest.split(os.sep))


@cache
def _code_folders() -> tuple[str, ...]:
    import site

    found = {sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")}
    found |= {sys.prefix, site.getusersitepackages()}
    if sys.base_prefix not in ("/usr", "/usr/local"):
        found.add(sys.base_prefix)
    # A data folder may stand within a virtual environment's parent, not within it.
    return tuple(os.path.realpath(f) + os.sep for f in found if f) + tuple(
        f + os.sep for f in found if f
    )


class _Opens:
    """The twin of `open`, there while somebody listens."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[ReadLog] = []
        self._replaced: list[tuple[ModuleType, str]] = []
        self._pid = os.getpid()
        self._twin = self._made()

    def add(self, log: ReadLog) -> None:
        """Tell `log` of what is opened."""
        with self._lock:
            self._pid = os.getpid()
            self._listeners.append(log)
            for name, attribute in _PLACES:
                module = sys.modules.get(name)
                if module is not None and vars(module).get(attribute) is _OPEN:
                    setattr(module, attribute, self._twin)
                    self._replaced.append((module, attribute))

    def remove(self, log: ReadLog) -> None:
        """Stop telling `log`; after the last one everything is as it was."""
        with self._lock:
            if log in self._listeners:
                self._listeners.remove(log)
            while self._replaced and not self._listeners:
                module, attribute = self._replaced.pop()
                # Unless somebody else has replaced it meanwhile.
                if vars(module).get(attribute) is self._twin:
                    setattr(module, attribute, _OPEN)

    def _made(self) -> Any:
        listeners, hear = self._listeners, self._hear

        # Any: these are the user's arguments and the file, passed through.
        @functools.wraps(_OPEN)
        def twin(*args: Any, **kwargs: Any) -> Any:
            if listeners:
                hear(args, kwargs)
            try:
                return _OPEN(*args, **kwargs)
            except BaseException as exc:
                leave_no_frame(exc)
                raise

        # Pickled by the name that is replaced: `_io.open`, of Python 3.12, is not.
        twin.__module__ = "io"
        return twin

    def _hear(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        with guard(FEATURE):
            if os.getpid() != self._pid or _is_own_thread():
                return
            path = args[0] if args else kwargs.get("file")
            mode = args[1] if len(args) > 1 else kwargs.get("mode", "r")
            for log in listening(self._listeners):
                log.opened(path, mode)


def listening(logs: list[ReadLog]) -> list[ReadLog]:
    """Who is told: the newest one, and those that hear all.

    >>> len(listening([ReadLog(), ReadLog(hears_all=True), ReadLog()]))
    2
    """
    return [log for log in logs if log.hears_all or log is logs[-1]]


def leave_no_frame(exc: BaseException) -> None:
    """Take the caller's frame out of the traceback: a bare `raise` adds none.

    A file that is not there is told as it would be without us.
    """
    if exc.__traceback__ is not None:
        exc.__traceback__ = exc.__traceback__.tb_next


def _is_own_thread() -> bool:
    # Not `current_thread()`: in a thread that Python does not know it makes one.
    known = threading._active.get(threading.get_ident())  # type: ignore[attr-defined]
    return known is not None and known.name.startswith("nbtrack")


_opens = _Opens()

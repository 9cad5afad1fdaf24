"""Which files are read while a cell runs: opened by Python, or by a known loader.

Python's audit events tell of every `open()` in this process, in any of its threads; a
hook cannot be taken away again, so it is installed with the first tracked cell and does
nothing but look at a flag while none runs (it makes `id()` and the like some 0.3 us
dearer: `--off files` never installs it). Readers in C and Rust raise no event: see
`file_readers`. What DataLoader workers open in processes of their own is not seen.

Nothing is opened here. A file that was written during the cell is no input of it.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import threading
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from nbtrack.capture.file_sweep import Stamp, stamp_of
from nbtrack.guard import guard

FEATURE = "the log of files read"
MAX_FILES = 100_000
_CODE = frozenset({".py", ".pyc", ".pyi", ".pyx", ".so", ".ipynb"})
_FONTS = frozenset({".ttf", ".otf", ".afm", ".ttc", ".pfb", ".woff", ".woff2"})
_SYSTEM = ("/proc/", "/sys/", "/dev/", "/etc/", "/usr/", "/lib", "/bin/", "/run/")
# Hidden, but what stands there is data that somebody downloaded to learn from.
_KNOWN_CACHES = ("/.keras/datasets/", "/.cache/huggingface/", "/.cache/torch/")


class ReadLog:
    """The files that were read between `start` and `stop`, in order.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
    ...     os.utime(file.name, (1, 1))
    ...     log = ReadLog()
    ...     log.start()
    ...     _ = open(file.name).read()
    ...     log.stop()
    ...     [path.suffix for path, stamp in log.found()]
    ['.csv']
    """

    def __init__(self) -> None:
        self.n_left_out = 0
        self._read: dict[str, Stamp | None] = {}
        self._written: set[str] = set()
        self._started_ns = time.time_ns()

    def start(self) -> None:
        """Begin to listen; never raises."""
        with guard(FEATURE):
            _hook.add(self)

    def stop(self) -> None:
        """Stop listening; never raises."""
        with guard(FEATURE):
            _hook.remove(self)

    def opened(self, path: Any, mode: Any, flags: Any) -> None:
        """A file is about to be opened: called for every one, in a few microseconds."""
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if not isinstance(path, str):
            return
        path = os.path.abspath(path)
        if _writes(mode, flags):
            if path not in self._read:
                self._written.add(path)
        else:
            self.reading(path)

    def reading(self, path: str) -> None:
        """A file is about to be read: note how it looks now."""
        if path in self._read or path in self._written:
            return
        if len(self._read) >= MAX_FILES:
            self.n_left_out += 1
            return
        self._read[path] = stamp_of(Path(path))

    def found(self, *, outside: Iterable[Path] = ()) -> Iterator[tuple[Path, Stamp]]:
        """What was read and is an input: data, not code, fonts or caches."""
        closed = [str(folder) + os.sep for folder in outside]
        for name, stamp in list(self._read.items()):
            if stamp is None or stamp[2] >= self._started_ns:
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


def _is_hidden(name: str) -> bool:
    here = os.getcwd() + os.sep
    # A project may itself live in a hidden folder; only the way from there counts.
    rest = name[len(here) :] if name.startswith(here) else name
    return any(part.startswith(".") for part in rest.split(os.sep))


def _writes(mode: Any, flags: Any) -> bool:
    if isinstance(mode, str):
        return not mode.startswith("r") and "r" not in mode
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


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


class _Hook:
    """The one audit hook of the process, and who listens; the newest one hears."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[ReadLog] = []
        self._is_installed = False
        self._pid = os.getpid()

    def add(self, log: ReadLog) -> None:
        with self._lock:
            self._pid = os.getpid()
            self._listeners.append(log)
            if not self._is_installed:
                self._is_installed = True
                sys.addaudithook(self._made())

    def remove(self, log: ReadLog) -> None:
        with self._lock:
            if log in self._listeners:
                self._listeners.remove(log)

    def _made(self) -> Any:
        listeners, hear = self._listeners, self._hear

        def hook(event: str, args: tuple[Any, ...]) -> None:
            if event == "open" and listeners:
                hear(args)

        return hook

    def _hear(self, args: tuple[Any, ...]) -> None:
        # What a hook raises would come out of the user's `open()`.
        with guard(FEATURE):
            if os.getpid() != self._pid or _is_own_thread():
                return
            self._listeners[-1].opened(*args[:3])


def _is_own_thread() -> bool:
    # Not `current_thread()`: in a thread that Python does not know it makes one.
    known = threading._active.get(threading.get_ident())  # type: ignore[attr-defined]
    return known is not None and known.name.startswith("nbtrack")


_hook = _Hook()

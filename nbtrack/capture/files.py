"""Sees which files a tracked cell saves: by watching the savers, then by a sweep.

The sink hears of each save right after it, with the path and the saver's name; at the
end a sweep of the usual folders finds what was saved in other ways. Never changes what
a saver does, returns or raises, and leaves nothing behind when it stops.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from nbtrack.capture.file_patches import patches
from nbtrack.capture.file_sweep import FolderSweep, Stamp, stamp_of
from nbtrack.guard import guard

SWEEP = "sweep"  # the saver's name of a file that only the sweep found


class FileSink(Protocol):
    """Takes the saved files; a run is one."""

    def file_saved(self, path: Path, *, saver: str) -> None:
        """`path` was written by `saver`, and is complete."""


class FileWatch:
    """Watches the savers from `start` to `stop`.

    Parameters
    ----------
    sink : FileSink
        Hears of each file; what it raises is warned of once and kept from the user.
        When it has a method `file_saving(path)`, that is called before each save.
    namespace : dict, optional
        The notebook's names: savers bound there (`from joblib import dump`) are seen.
    root : Path, optional
        Where the sweep looks; by default the working folder at the start.

    Examples
    --------
    >>> class Show:
    ...     def file_saved(self, path, *, saver):
    ...         print(saver, path.name)
    >>> import numpy
    >>> with watching_files(Show()):
    ...     numpy.save("/tmp/weights", numpy.ones(3))
    numpy.save weights.npy
    """

    def __init__(
        self,
        sink: FileSink,
        *,
        namespace: dict[str, Any] | None = None,
        root: Path | None = None,
    ) -> None:
        self._sink = sink
        self._namespace = namespace
        self._root = root
        self._sweep: FolderSweep | None = None
        self._told: set[Stamp] = set()
        self._lock = threading.Lock()
        self._pid = os.getpid()

    def start(self) -> None:
        """Begin to watch; never raises."""
        with guard("file capture"):
            patches.add(self, self._namespace)
            self._sweep = FolderSweep(self._root or Path.cwd())

    def stop(self) -> None:
        """Put every saver back, then look for what else was saved; never raises."""
        with guard("file capture"):
            patches.remove(self)
        sweep, self._sweep = self._sweep, None
        if sweep is not None and os.getpid() == self._pid:
            with guard("file capture"):
                self._tell_of_the_rest(sweep)

    def saving(self, path: Path) -> None:
        """A saver is about to write `path` (called by the patches)."""
        before = getattr(self._sink, "file_saving", None)
        if before is not None:
            before(path)

    def saved(self, path: Path, saver: str) -> None:
        """A saver has written `path` (called by the patches)."""
        stamp = stamp_of(path)
        if stamp is None or is_hidden(path) or not path.is_file():
            return
        with self._lock:
            self._told.add(stamp)
        self._sink.file_saved(path, saver=saver)

    def failed(self, path: Path) -> None:
        """A saver raised: the sweep shall not take its torso for a model."""
        stamp = stamp_of(path)
        if stamp is not None:
            with self._lock:
                self._told.add(stamp)

    def _tell_of_the_rest(self, sweep: FolderSweep) -> None:
        for path, stamp in sweep.changed():
            if stamp not in self._told:  # also under a new name: os.replace() keeps it
                with guard("file capture"):
                    self._sink.file_saved(path, saver=SWEEP)


@contextmanager
def watching_files(
    sink: FileSink,
    *,
    namespace: dict[str, Any] | None = None,
    root: Path | None = None,
) -> Iterator[FileWatch]:
    """Watch the savers in the body; see `FileWatch`."""
    watch = FileWatch(sink, namespace=namespace, root=root)
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()


def is_hidden(path: Path) -> bool:
    """Whether `path` is a cache or the like: a hidden folder on the way to it.

    >>> is_hidden(Path("/home/a/.cache/x.pt")), is_hidden(Path("/data/x.pt"))
    (True, False)
    """
    here = Path.cwd()
    # A project may itself live in a hidden folder; only the way from there counts.
    parts = path.relative_to(here).parts if path.is_relative_to(here) else path.parts
    return any(part.startswith(".") and part not in {".", ".."} for part in parts)

"""The local modules of a process: those that no package index could give again.

Listed from `sys.modules` without running anything of them, hashed as they stand on
disk, with the text of those that are not committed as they are. A file that was edited
after its import is said to be: the text as it was when first seen is what ran. It takes
milliseconds, and many for a first look, so it is for the background.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import IO, Any

from nbtrack.capture.autoreload import reload_times
from nbtrack.capture.committed import Commits
from nbtrack.capture.source_text import decoded
from nbtrack.records import TextRecord

N_MAX = 500  # modules of one run
TEXT_MAX_BYTES = 500_000  # of one module
TEXTS_MAX_BYTES = 5_000_000  # of one run
_MAIN = frozenset({"__main__", "__mp_main__"})
_PACKAGES = frozenset({"site-packages", "dist-packages"})
_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_PYC_HEAD = 16  # bytes: magic, flags, time and size of the source


@dataclass(frozen=True, slots=True)
class LocalModule:
    """A module whose file is somebody's own."""

    name: str  # as it is imported
    path: str
    spec: Any  # importlib's, which a reload replaces; None for odd modules
    cached: str | None  # where its bytecode is


@dataclass(frozen=True, slots=True)
class _Sight:
    """A file as it was seen: when, and what was in it."""

    saved: float  # time of the file, as `os.stat` tells it
    state: tuple[int, ...]  # of the file: the same state is not read again
    stamp: tuple[int, int]  # time and size, as bytecode names them
    body: bytes | None  # None: too long to be kept
    digest: str


class ModuleWatch:
    """Remembers how files looked when they were first seen imported.

    >>> watch = ModuleWatch()
    >>> {text.role for text in watch.look(Path.cwd())} <= {"module"}
    True
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._commits = Commits()
        # By project and `__file__`: the real path of a local file, None for others.
        self._places: dict[str, dict[str, str | None]] = {}
        self._imported: dict[str, tuple[Any, _Sight]] = {}  # with the spec
        self._latest: dict[str, _Sight] = {}
        self._reloaded: dict[str, float] = {}

    def look(self, project: Path) -> list[TextRecord]:
        """What is imported from around `project` now, one or two texts for each.

        Names are paths as seen from the project. No body and nothing missing: the
        module is committed exactly so. A module that was edited on disk after its
        import has a second text, `NAME (on disk)`.
        """
        root = os.path.realpath(project)
        with self._lock:
            modules = self._local_modules(root)
            self._commits.learn(module.path for module in modules[:N_MAX])
            self._reloaded = reload_times()
            texts = self._kept(modules[:N_MAX], root)
        n_more = len(modules) - N_MAX
        if n_more > 0:
            why = f"{n_more} more local modules: only {N_MAX} are listed"
            texts.append(TextRecord("module", "…", None, missing=why))
        return texts

    def file(self, path: str, project: Path, *, role: str) -> TextRecord:
        """One file that is no module, such as a script, in the same way."""
        with self._lock:
            self._commits.learn([path])
            shown = os.path.relpath(path, os.path.realpath(project))
            found = self._sight(path)
            if isinstance(found, str):
                return TextRecord(role, shown, None, missing=found)
            if _is_library(path):
                why = "of a library: only the digest is kept"
                return TextRecord(role, shown, found.digest, missing=why)
            module = LocalModule(role, path, None, None)
            text = self._text(module, shown, found, TEXTS_MAX_BYTES, None)
            return replace(text, role=role)

    def _local_modules(self, root: str) -> list[LocalModule]:
        """Those that are imported now, the project's own first."""
        found: dict[str, LocalModule] = {}
        places = self._places.setdefault(root, {})
        # dict() is one C call: another thread may import meanwhile. Any other way of
        # asking a module makes a lazy one load. 2400 modules are a few milliseconds.
        for name, module in dict(sys.modules).items():
            try:
                facts = object.__getattribute__(module, "__dict__")
            except AttributeError:
                continue
            path = facts.get("__file__") if type(facts) is dict else None
            if type(path) is not str or name in _MAIN:
                continue
            if path not in places:
                places[path] = _local_place(path, root)
            real = places[path]
            if real is not None and real not in found:
                spec, cached = facts.get("__spec__"), facts.get("__cached__")
                cached = cached if type(cached) is str else None
                found[real] = LocalModule(name, real, spec, cached)
        return sorted(found.values(), key=lambda m: (not _within(m.path, root), m.path))

    def _kept(self, modules: Iterable[LocalModule], root: str) -> list[TextRecord]:
        texts, room = [], TEXTS_MAX_BYTES
        for module in modules:
            shown = os.path.relpath(module.path, root)
            for name, sight, why in self._sights_of(module, shown):
                text = self._text(module, name, sight, room, why)
                room -= len(text.body or "")
                texts.append(text)
        return texts

    def _sights_of(
        self, module: LocalModule, shown: str
    ) -> Iterator[tuple[str, _Sight | None, str | None]]:
        """The file as it was imported, and as it is now where that differs."""
        spec, before = self._imported.get(module.path, (None, None))
        now = self._sight(module.path)
        if isinstance(now, str):
            # It cannot be read any more, but may have been.
            yield shown, before, now
        elif self._reloaded.get(module.name) == now.saved:
            self._imported[module.path] = (module.spec, now)
            yield shown, now, None
        elif before is None or spec is not module.spec:
            self._imported[module.path] = (module.spec, now)
            yield shown, now, _edited_before(module, now)
        else:
            yield shown, before, None
            if now.digest != before.digest:
                why = "edited after its import: this is not what ran"
                yield f"{shown} (on disk)", now, why

    def _sight(self, path: str) -> _Sight | str:
        """The file as it is now, or why it cannot be read."""
        try:
            with open(path, "rb") as file:
                state = _state(os.fstat(file.fileno()))
                known = self._latest.get(path)
                if known is None or known.state != state:
                    saved = os.fstat(file.fileno()).st_mtime
                    known = self._latest[path] = _read(file, saved, state)
                return known
        except OSError as exc:
            return f"its file cannot be read: {exc.strerror}"

    def _text(
        self,
        module: LocalModule,
        name: str,
        sight: _Sight | None,
        room: int,
        why: str | None,
    ) -> TextRecord:
        if sight is None:
            return TextRecord("module", name, None, missing=why)
        body = None
        if not module.path.endswith(".py"):
            why = "compiled: only the digest is kept"
        elif sight.body is None:
            why = f"more than {TEXT_MAX_BYTES} bytes: only the digest is kept"
        elif not self._commits.holds(module.path, sight.body):
            body = decoded(sight.body)
            if body is None:
                why = "in no known encoding: only the digest is kept"
            elif len(body) > room:
                body, why = None, f"more than {TEXTS_MAX_BYTES} bytes of local modules"
        return TextRecord("module", name, sight.digest, body, missing=why)


def _state(about: os.stat_result) -> tuple[int, ...]:
    return about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino


def _read(file: IO[bytes], saved: float, state: tuple[int, ...]) -> _Sight:
    digest, kept = hashlib.sha256(), b""
    while piece := file.read(1 << 20):
        digest.update(piece)
        if len(kept) <= TEXT_MAX_BYTES:
            kept += piece
    body = kept if len(kept) <= TEXT_MAX_BYTES else None
    stamp = (state[1] // 1_000_000_000 & 0xFFFFFFFF, state[0] & 0xFFFFFFFF)
    return _Sight(saved, state, stamp, body, digest.hexdigest())


def _edited_before(module: LocalModule, now: _Sight) -> str | None:
    """Whether the bytecode of the import is of another text than the file has now.

    An import writes what it compiled, with time and size of the source. Where it could
    not be written nothing is known.
    """
    cached = module.cached
    if cached is None or sys.dont_write_bytecode:
        return None
    try:
        if not os.access(os.path.dirname(cached), os.W_OK):
            return None
        with open(cached, "rb") as file:
            head = file.read(_PYC_HEAD)
    except OSError:
        return None
    if len(head) < _PYC_HEAD or any(head[4:8]):  # checked by hash, not by time
        return None
    made_of = tuple(int.from_bytes(head[at : at + 4], "little") for at in (8, 12))
    if made_of == now.stamp:
        return None
    return "edited after its import: what ran is not known"


def _local_place(path: str, root: str) -> str | None:
    if path.startswith("<") or _is_library(path):
        return None
    real = os.path.realpath(path)
    if _is_library(real) or _within(real, _OURS):
        return None
    if not _within(real, root):
        # Beside the project: not what an editor or a tool brings along of its own.
        hidden = any(part.startswith(".") for part in real.split(os.sep))
        return real if os.path.isfile(real) and not hidden else None
    return real


def is_own_file(path: str) -> bool:
    """Whether a file of source is neither a library's nor of this package.

    >>> import json
    >>> is_own_file(json.__file__), is_own_file("<stdin>")
    (False, False)
    """
    return os.path.isfile(path) and not (_is_library(path) or _within(path, _OURS))


def _is_library(path: str) -> bool:
    if not _PACKAGES.isdisjoint(path.split(os.sep)):
        return True
    return any(_within(path, library) for library in _libraries())


@cache
def _libraries() -> frozenset[str]:
    import sysconfig

    kinds = ("stdlib", "platstdlib", "purelib", "platlib", "scripts")
    return frozenset(os.path.realpath(sysconfig.get_path(kind)) for kind in kinds)


def _within(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip(os.sep) + os.sep)

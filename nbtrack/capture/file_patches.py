"""Savers replaced by watching twins while a run is active, and put back after it.

A twin calls the saver and only then says which file it wrote: same signature, result,
exceptions; pickled by reference like the original. Savers bound by name in the
notebook (`from joblib import dump`) are replaced there too. Modules that are imported
later during the cell are met by an import finder which is there only while a run is.
Whatever a twin outlives (a name bound in a module of the user's) it passes through.
"""

from __future__ import annotations

import functools
import importlib.abc
import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from nbtrack.capture.file_savers import SAVERS, Saver, is_named_file
from nbtrack.capture.opened_files import leave_no_frame
from nbtrack.guard import guard

_MODULES = frozenset(saver.module for saver in SAVERS)
_MISSING = object()


class SaveListener(Protocol):
    """Hears of saves; `FileWatch` is one."""

    def saving(self, path: Path) -> None:
        """A saver is about to write `path`."""

    def saved(self, path: Path, saver: str) -> None:
        """A saver has written `path`."""

    def failed(self, path: Path) -> None:
        """A saver raised; what is at `path` now is no save."""


@dataclass(frozen=True, slots=True)
class _Patch:
    owner: Any  # a module or a class
    attribute: str
    before: Any  # _MISSING where the attribute was inherited
    twin: Any


class SaverPatches:
    """All twins of this process; there once, because the modules are there once.

    Runs may overlap in any order: the twins stay until the last listener is gone, and
    the newest one hears.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._listeners: list[SaveListener] = []
        self._patches: list[_Patch] = []
        self._namespaces: list[dict[str, Any]] = []
        self._twins: dict[int, tuple[Any, Any]] = {}  # id(original): original, twin
        self._inside = threading.local()
        self._finder = _LateImports(self._patch_module)
        self._pid = os.getpid()

    def add(
        self, listener: SaveListener, namespace: dict[str, Any] | None = None
    ) -> None:
        """Start telling `listener`, also of savers that `namespace` has bound."""
        with self._lock:
            self._listeners.append(listener)
            if len(self._listeners) == 1:
                self._install()
            if namespace is not None:
                self._namespaces.append(namespace)
                _rebind(namespace, {id(o): t for o, t in self._twins.values()})

    def remove(self, listener: SaveListener) -> None:
        """Stop telling `listener`; after the last one everything is as it was."""
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)
            if self._listeners:
                return
            self._uninstall()

    def taken(self, path: Path) -> None:
        """`path` is kept by other means: no sweep shall tell of it again."""
        with self._lock:
            listeners = self._listeners.copy()
        for listener in listeners:
            listener.failed(path)

    def _install(self) -> None:
        self._pid = os.getpid()
        for module in _MODULES & sys.modules.keys():
            with guard("file capture"):
                self._patch_module(module)
        sys.meta_path.insert(0, self._finder)

    def _uninstall(self) -> None:
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
        # Also what the cell bound itself meanwhile: `from joblib import dump`.
        while self._namespaces:
            originals = {id(t): o for o, t in self._twins.values()}
            _rebind(self._namespaces.pop(), originals)
        while self._patches:
            _undo(self._patches.pop())
        self._twins.clear()

    @contextmanager
    def unwatched(self) -> Iterator[None]:
        """What this thread saves in the body is its own affair."""
        depth = getattr(self._inside, "depth", 0)
        self._inside.depth = depth + 1
        try:
            yield
        finally:
            self._inside.depth = depth

    def _patch_module(self, module: str) -> None:
        with self._lock:
            if not self._listeners:
                return
            for saver in SAVERS:
                if saver.module == module:
                    self._patch(sys.modules[module], saver)

    def _patch(self, module: ModuleType, saver: Saver) -> None:
        *path, attribute = saver.attribute.split(".")
        owner: Any = module
        for part in path:
            owner = getattr(owner, part, None)
        original = getattr(owner, attribute, None)
        if original is None or any(t is original for _, t in self._twins.values()):
            return
        twin = self._twin(original, saver)
        self._twins[id(original)] = (original, twin)
        for home in _homes(owner, attribute, original):
            before = vars(home).get(attribute, _MISSING)
            self._patches.append(_Patch(home, attribute, before, twin))
            setattr(home, attribute, twin)

    def _twin(self, original: Callable[..., Any], saver: Saver) -> Callable[..., Any]:
        # Any: these are the user's arguments and the saver's result, passed through.
        @functools.wraps(original)
        def twin(*args: Any, **kwargs: Any) -> Any:
            listener = self._listener()
            path = target = None
            with guard("file capture"):
                target = None if listener is None else saver.target(args, kwargs)
                path = None if target is None else saver.path_of(target)
            try:
                if listener is None or path is None:
                    return original(*args, **kwargs)
                with self._saving(listener, path):
                    result = original(*args, **kwargs)
            except BaseException as exc:
                leave_no_frame(exc)
                raise
            with guard("file capture"):
                _tell(listener, path, saver.name, target)
            return result

        return twin

    @contextmanager
    def _saving(self, listener: SaveListener, path: Path) -> Iterator[None]:
        """Tell that a save begins, and that it failed."""
        with guard("file capture"):
            listener.saving(path)
        try:
            with self.unwatched():
                yield
        except BaseException:
            with guard("file capture"):
                listener.failed(path)
            raise

    def _listener(self) -> SaveListener | None:
        """Who hears now: nobody inside another saver, nor in a forked child."""
        listeners = self._listeners
        depth: int = getattr(self._inside, "depth", 0)
        if not listeners or depth:
            return None
        return listeners[-1] if os.getpid() == self._pid else None


def _tell(listener: SaveListener, path: Path, saver: str, target: Any) -> None:
    """Now, or once the file object is closed: before that its buffer is not on disk."""
    if not is_named_file(target):
        listener.saved(path, saver)
        return
    if "close" in vars(target):  # several dumps into one file are one save
        return
    # Weak, so that `pickle.dump(x, open(p, "wb"))` still closes the file at once.
    reference, kind = weakref.ref(target), type(target)

    def close() -> None:
        file = reference()
        if file is not None:
            vars(file).pop("close", None)
            kind.close(file)
            with guard("file capture"):
                listener.saved(path, saver)

    target.close = close


def _homes(owner: Any, attribute: str, original: Any) -> list[Any]:
    """Where a saver is bound: its public place, and the one pickle looks it up in."""
    homes = [owner]
    home = sys.modules.get(getattr(original, "__module__", None) or "")
    if home not in (None, owner) and getattr(home, attribute, None) is original:
        homes.append(home)
    return homes


def _rebind(namespace: dict[str, Any], meaning: dict[int, Any]) -> None:
    for name, value in list(namespace.items()):
        if id(value) in meaning:
            namespace[name] = meaning[id(value)]


def _undo(patch: _Patch) -> None:
    """Put the saver back, unless somebody else has replaced it meanwhile."""
    if vars(patch.owner).get(patch.attribute) is not patch.twin:
        return
    if patch.before is _MISSING:
        delattr(patch.owner, patch.attribute)
    else:
        setattr(patch.owner, patch.attribute, patch.before)


class _LateImports(importlib.abc.MetaPathFinder):
    """Finds nothing itself: has the real loader of a watched module tell when done."""

    def __init__(self, loaded: Callable[[str], None]) -> None:
        self._loaded = loaded

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Answer for the modules of savers only, with what the others find."""
        if fullname not in _MODULES:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec: ModuleSpec | None = finder.find_spec(fullname, path, target)
            if spec is not None:
                with guard("file capture"):
                    self._tell_when_loaded(spec)
                return spec
        return None

    def _tell_when_loaded(self, spec: ModuleSpec) -> None:
        # On the instance: the module never sees a foreign loader or spec.
        loader: Any = spec.loader
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            vars(loader).pop("exec_module", None)
            execute(module)
            with guard("file capture"):
                self._loaded(spec.name)

        loader.exec_module = exec_module


patches = SaverPatches()

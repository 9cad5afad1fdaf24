"""Hears when a module is imported for the first time, without touching its import.

An import finder that finds nothing itself: it has the real loader of an awaited module
tell when the module is complete. The module never sees a foreign loader or spec.
"""

from __future__ import annotations

import importlib.abc
import sys
import threading
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from nbtrack.guard import guard


class LateImports(importlib.abc.MetaPathFinder):
    """Calls `loaded(name)` after one of the awaited modules has been imported."""

    def __init__(self, loaded: Callable[[str], None], *, feature: str) -> None:
        self._loaded = loaded
        self._feature = feature
        self._awaited: frozenset[str] = frozenset()
        self._finding = threading.local()

    def await_modules(self, names: frozenset[str]) -> None:
        """Listen for these from now on; for none: leave Python's import as it was."""
        self._awaited = names
        if names and self not in sys.meta_path:
            sys.meta_path.insert(0, self)
        elif not names and self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Answer for the awaited modules only, with what the others find."""
        # Another finder of this kind asks all of them in turn, this one too.
        if fullname not in self._awaited or getattr(self._finding, "now", False):
            return None
        self._finding.now = True
        try:
            spec = self._found_by_others(fullname, path, target)
        finally:
            self._finding.now = False
        if spec is not None:
            with guard(self._feature):
                self._tell_when_loaded(spec)
        return spec

    def _found_by_others(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None
    ) -> ModuleSpec | None:
        for finder in list(sys.meta_path):
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec: ModuleSpec | None = finder.find_spec(fullname, path, target)
            if spec is not None:
                return spec
        return None

    def _tell_when_loaded(self, spec: ModuleSpec) -> None:
        loader: Any = spec.loader  # Any: loaders of every kind
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            vars(loader).pop("exec_module", None)
            execute(module)
            with guard(self._feature):
                self._loaded(spec.name)

        loader.exec_module = exec_module

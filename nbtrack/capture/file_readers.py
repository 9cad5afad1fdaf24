"""Functions that read a file without `open`: in C, C++, Rust, by a name of their own.

While a cell is tracked they are replaced by twins that note the path and call them:
same signature, result and exceptions. A row a reader: to hear of another one, add a row
and a test. Nothing is imported here; a reader whose module the cell imports itself is
replaced when that is done.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nbtrack.capture.late_imports import LateImports
from nbtrack.capture.opened_files import (
    FEATURE,
    ReadLog,
    leave_no_frame,
    listening,
)
from nbtrack.guard import guard


@dataclass(frozen=True, slots=True)
class Reader:
    """One function that reads a file: `module` + dotted `attribute` name it."""

    module: str
    attribute: str
    position: int  # of the path among the positional arguments
    keyword: str


READERS = (
    Reader("numpy", "loadtxt", 0, "fname"),
    Reader("numpy", "genfromtxt", 0, "fname"),
    Reader("pandas", "read_parquet", 0, "path"),
    Reader("pandas", "read_orc", 0, "path"),
    Reader("pyarrow.parquet", "read_table", 0, "source"),
    Reader("pyarrow.parquet", "ParquetFile.__init__", 1, "source"),
    Reader("pyarrow.csv", "read_csv", 0, "input_file"),
    Reader("pyarrow.json", "read_json", 0, "input_file"),
    Reader("pyarrow.feather", "read_table", 0, "source"),
    Reader("safetensors.torch", "load_file", 0, "filename"),
    Reader("safetensors.numpy", "load_file", 0, "filename"),
    Reader("h5py", "File.__init__", 1, "name"),
    Reader("polars", "read_parquet", 0, "source"),
    Reader("polars", "read_csv", 0, "source"),
    Reader("polars", "read_ipc", 0, "source"),
    Reader("polars", "scan_parquet", 0, "source"),
    Reader("polars", "scan_csv", 0, "source"),
)
_MODULES = frozenset(reader.module for reader in READERS)


@dataclass(frozen=True, slots=True)
class _Patch:
    owner: Any  # a module or a class
    attribute: str
    original: Any
    twin: Any


class ReaderPatches:
    """All twins of this process; they stay until the last listener is gone."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._listeners: list[ReadLog] = []
        self._namespaces: list[dict[str, Any]] = []
        self._patches: list[_Patch] = []
        self._late = LateImports(self._patch_module, feature=FEATURE)

    def add(self, log: ReadLog, namespace: dict[str, Any]) -> None:
        """Tell `log` of what is read, also by names that `namespace` has bound."""
        with self._lock:
            self._listeners.append(log)
            self._namespaces.append(namespace)
            if len(self._listeners) == 1:
                for module in _MODULES & sys.modules.keys():
                    with guard(FEATURE):
                        self._patch_module(module)
                self._late.await_modules(_MODULES - sys.modules.keys())
            _rebind(namespace, {id(p.original): p.twin for p in self._patches})

    def remove(self, log: ReadLog) -> None:
        """Stop telling `log`; after the last one everything is as it was."""
        with self._lock:
            if log in self._listeners:
                self._listeners.remove(log)
            if self._listeners:
                return
            self._late.await_modules(frozenset())
            originals = {id(p.twin): p.original for p in self._patches}
            while self._namespaces:
                _rebind(self._namespaces.pop(), originals)
            while self._patches:
                _undo(self._patches.pop())

    def _patch_module(self, module: str) -> None:
        with self._lock:
            if not self._listeners:
                return
            for reader in READERS:
                if reader.module == module:
                    self._patch(sys.modules[module], reader)

    def _patch(self, module: Any, reader: Reader) -> None:
        *path, attribute = reader.attribute.split(".")
        owner: Any = module
        for part in path:
            owner = getattr(owner, part, None)
        original = None if owner is None else vars(owner).get(attribute)
        if original is None or any(p.original is original for p in self._patches):
            return
        twin = self._twin(original, reader)
        setattr(owner, attribute, twin)
        self._patches.append(_Patch(owner, attribute, original, twin))

    def _twin(self, original: Callable[..., Any], reader: Reader) -> Callable[..., Any]:
        # Any: these are the user's arguments and the reader's result, passed through.
        @functools.wraps(original)
        def twin(*args: Any, **kwargs: Any) -> Any:
            with guard(FEATURE):
                self._note(reader, args, kwargs)
            try:
                return original(*args, **kwargs)
            except BaseException as exc:
                leave_no_frame(exc)
                raise

        return twin

    def _note(self, reader: Reader, args: Any, kwargs: Any) -> None:
        at, listeners = reader.position, self._listeners
        named = args[at] if len(args) > at else kwargs.get(reader.keyword)
        if isinstance(named, str | bytes | os.PathLike):
            for log in listening(listeners):
                log.reading(os.path.abspath(os.fsdecode(named)))


def _rebind(namespace: dict[str, Any], meaning: dict[int, Any]) -> None:
    for name, value in list(namespace.items()):
        if id(value) in meaning:
            namespace[name] = meaning[id(value)]


def _undo(patch: _Patch) -> None:
    """Put the reader back, unless somebody else has replaced it meanwhile."""
    if vars(patch.owner).get(patch.attribute) is patch.twin:
        setattr(patch.owner, patch.attribute, patch.original)


reader_patches = ReaderPatches()

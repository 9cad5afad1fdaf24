"""A state dict as it is now, copied in host memory, so that it can be written later.

Tensors that share storage share it in the copy too; what is no tensor is deep-copied
and must be able to be pickled. What cannot be copied so is refused, and its caller
writes it while the training waits. At most two copies are in memory at a time.
"""

from __future__ import annotations

import copy
import pickle
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nbtrack.guard import tolerated

if TYPE_CHECKING:
    import torch

N_PENDING = 2  # copies that wait to be written; a third one waits for the first
WAIT_S = 60.0  # the longest a save waits; after that it is written at once
SAID_AFTER_S = 0.05

_DTYPES = (
    "float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8",
    "uint8", "bool",
)  # fmt: skip
_PLAIN = (bool, int, float, complex, str, bytes, type(None))


class NoSnapshotError(Exception):
    """The state holds something that is not copied safely."""


class Places:
    """How many copies may be in memory; a save takes a place, the worker frees it."""

    def __init__(self, n: int = N_PENDING) -> None:
        self._free = threading.BoundedSemaphore(n)

    def take(self) -> float | None:
        """Wait for a place; how long that took, or None: none came free in time."""
        began = time.monotonic()
        if not self._free.acquire(timeout=WAIT_S):
            return None
        return time.monotonic() - began

    def free(self) -> None:
        """The copy is written, or lost."""
        self._free.release()


def snapshot(state: Any) -> Any:
    """A copy of `state` with every tensor in host memory.

    Raises
    ------
    NoSnapshotError
        For what only its owner can save.
    """
    torch = sys.modules["torch"]
    copier = _Copier(torch)
    try:
        with torch.no_grad():
            return copier.copied(state)
    except (RuntimeError, NotImplementedError, TypeError, RecursionError) as exc:
        raise NoSnapshotError(str(exc)) from exc


class _Copier:
    def __init__(self, torch: Any) -> None:
        self._torch = torch
        self._done: dict[int, Any] = {}  # what is one object stays one
        self._alive: list[Any] = []  # so that no id comes again
        self._storages: dict[tuple[str, int], Any] = {}

    def copied(self, what: Any) -> Any:
        if isinstance(what, _PLAIN):
            return what
        if id(what) in self._done:
            return self._done[id(what)]
        self._alive.append(what)
        found = self._done[id(what)] = self._new(what)
        return found

    def _new(self, what: Any) -> Any:
        if isinstance(what, self._torch.Tensor):
            return self._tensor(what)
        if type(what) is list:
            return [self.copied(each) for each in what]
        if type(what) is tuple:
            return tuple(self.copied(each) for each in what)
        if type(what) in (dict, OrderedDict):
            return self._mapping(what)
        return _other(what)

    def _mapping(self, what: dict[Any, Any]) -> dict[Any, Any]:
        new = type(what)()
        for key, value in what.items():
            new[key] = self.copied(value)
        for name, value in getattr(what, "__dict__", {}).items():
            setattr(new, name, self.copied(value))  # `_metadata` of a state dict
        return new

    def _tensor(self, tensor: torch.Tensor) -> torch.Tensor:
        torch = self._torch
        kinds = (torch.Tensor, torch.nn.Parameter)
        if type(tensor) not in kinds or tensor.layout is not torch.strided:
            raise NoSnapshotError(f"{type(tensor).__name__} of {tensor.layout}")
        if tensor.is_quantized or tensor.is_conj() or tensor.is_neg():
            raise NoSnapshotError("a tensor of a rare form")
        if tensor.device.type == "meta" or vars(tensor):
            raise NoSnapshotError("a tensor without data, or with more than data")
        new = torch.empty(0, dtype=tensor.dtype)
        new.set_(
            self._storage(tensor),
            tensor.storage_offset(), tensor.size(), tensor.stride(),
        )  # fmt: skip
        if type(tensor) is torch.nn.Parameter:
            return torch.nn.Parameter(new, requires_grad=tensor.requires_grad)
        return new.requires_grad_(True) if tensor.requires_grad else new

    def _storage(self, tensor: torch.Tensor) -> Any:
        storage = tensor.untyped_storage()
        key = str(storage.device), storage.data_ptr() or id(tensor)
        found = self._storages.get(key)
        if found is None:
            on_host = storage.device.type == "cpu"
            found = storage.clone() if on_host else storage.cpu()
            self._storages[key] = found
        return found


def _other(what: Any) -> Any:
    """A deep copy of what is no tensor, if it can be written at all."""
    told: list[Exception] = []
    found = None
    with tolerated(told.append):
        found = copy.deepcopy(what)
        pickle.dumps(found)
    if told:
        raise NoSnapshotError(type(what).__name__) from told[0]
    return found


def fits_safetensors(state: Any) -> bool:
    """Whether safetensors gives all of it back: plain tensors, each with its own data.

    Versions of modules that a loader would ask for are lost there, so what has them
    does not fit.
    """
    import importlib.util

    torch = sys.modules["torch"]
    if not isinstance(state, Mapping) or not state or not _needs_no_versions(state):
        return False
    kinds = {getattr(torch, name) for name in _DTYPES}
    seen = set()
    for name, each in state.items():
        if not isinstance(name, str) or not _owns_its_data(torch, each):
            return False
        place = each.untyped_storage().data_ptr()
        if each.dtype not in kinds or place in seen or name == "__metadata__":
            return False
        seen.add(place)
    return importlib.util.find_spec("safetensors") is not None


def _owns_its_data(torch: Any, what: Any) -> bool:
    if type(what) not in (torch.Tensor, torch.nn.Parameter):
        return False
    if what.layout is not torch.strided or what.device.type == "meta":
        return False
    if not what.is_contiguous() or what.is_quantized or what.is_neg():
        return False
    n_bytes = what.numel() * what.element_size()
    return bool(n_bytes) and what.untyped_storage().nbytes() == n_bytes


def _needs_no_versions(state: Mapping[Any, Any]) -> bool:
    for prefix, known in getattr(state, "_metadata", {}).items():
        # Of version 2 of a batch norm all is told by this entry, which is there.
        counted = f"{prefix}.num_batches_tracked".lstrip(".") in state
        if set(known) - {"version"}:
            return False
        if known.get("version") not in (None, 1) and not counted:
            return False
    return True

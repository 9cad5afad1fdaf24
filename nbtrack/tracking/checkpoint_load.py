"""Reads a kept file back, by what its bytes are, and never runs code unasked.

Tensors and arrays load safely: torch with `weights_only=True`, safetensors, numpy
without pickle. Everything that unpickles needs `trust=True`. The content is checked
against its digest first.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbtrack.errors import CheckpointError
from nbtrack.records import CheckpointRecord
from nbtrack.text import shorten

_PICKLE_SUFFIXES = frozenset({".joblib", ".pkl", ".pickle", ".sav", ".model"})
_TORCH_SUFFIXES = frozenset({".pt", ".pth", ".ckpt", ".bin"})


def checked_path(path: Path, digest: str) -> Path:
    """The path of a kept file, once its content has been hashed again.

    Raises
    ------
    CheckpointError
        When its bytes have changed.
    """
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != digest:
        raise CheckpointError(
            f"The file {digest[:12]} is damaged: its content now hashes to "
            f"{found[:12]}. Choose another version, or restore {path} from a backup."
        )
    return path


def load_file(
    path: Path, record: CheckpointRecord, *, trust: bool, map_location: Any
) -> Any:
    """The object in a kept file; its path where only another library reads it."""
    kind = _kind_of(path, Path(record.path).suffix.lower())
    if kind == "safetensors":
        return _load_safetensors(path, map_location)
    if kind == "torch":
        return _load_torch(path, record, trust=trust, map_location=map_location)
    if kind == "numpy":
        return _load_numpy(path, record, trust=trust)
    if kind == "pickle":
        return _unpickle(path, record, trust=trust)
    return path


def _kind_of(path: Path, suffix: str) -> str:
    """What the bytes are; the suffix decides only between forms of pickle."""
    with open(path, "rb") as file:
        head = file.read(9)
    if head.startswith(b"PK"):
        return _kind_of_zip(path)
    if head.startswith(b"\x93NUMPY"):
        return "numpy"
    if len(head) == 9 and head.endswith(b"{") and head[5:8] == b"\0\0\0":
        return "safetensors"
    if suffix in _TORCH_SUFFIXES:
        return "torch"
    return "pickle" if suffix in _PICKLE_SUFFIXES or head[:1] == b"\x80" else "other"


def _kind_of_zip(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if any(name.endswith("/data.pkl") for name in names):
        return "torch"
    if names and all(name.endswith(".npy") for name in names):
        return "numpy"
    return "other"


def _load_safetensors(path: Path, map_location: Any) -> Any:
    import importlib.util

    if importlib.util.find_spec("torch") is None:
        from safetensors.numpy import load_file

        return load_file(path)
    from safetensors.torch import load_file

    return load_file(path, device=str(map_location or "cpu"))


def _load_torch(
    path: Path, record: CheckpointRecord, *, trust: bool, map_location: Any
) -> Any:
    import pickle

    import torch

    try:
        return torch.load(path, map_location=map_location, weights_only=not trust)
    except pickle.UnpicklingError as exc:
        raise _needs_trust(record) from exc


def _load_numpy(path: Path, record: CheckpointRecord, *, trust: bool) -> Any:
    import numpy

    try:
        found = numpy.load(path, allow_pickle=trust)
        if not isinstance(found, numpy.lib.npyio.NpzFile):
            return found
        with found:
            return dict(found)
    except ValueError as exc:
        if trust:
            raise
        raise _needs_trust(record) from exc


def _unpickle(path: Path, record: CheckpointRecord, *, trust: bool) -> Any:
    if not trust:
        raise _needs_trust(record)
    try:
        import joblib
    except ImportError:
        import pickle

        with open(path, "rb") as file:
            return pickle.load(file)  # noqa: S301 - the caller said trust=True
    return joblib.load(path)


def _needs_trust(record: CheckpointRecord) -> CheckpointError:
    return CheckpointError(
        f"Checkpoint {record.name!r} ({record.path}) holds pickled Python objects, and "
        "unpickling can run any code. If it comes from you or from somebody you trust, "
        "use load_checkpoint(..., trust=True). To only get the file: `from "
        "nbtrack.tracking.checkpoints import checkpoint_path`."
    )


def put_into(into: Any, state: Any, what: str) -> Any:
    """Load the state of `what` into a module; of several states its own, "model".

    Raises
    ------
    CheckpointError
        When it does not fit: names and shapes are compared before anything is changed.
    """
    if not callable(getattr(into, "load_state_dict", None)):
        raise CheckpointError(
            f"into={shorten(repr(into), 40)} has no load_state_dict. Leave it out to "
            "get the state itself."
        )
    if not isinstance(state, Mapping):
        raise CheckpointError(
            f"{what} is no state: it is {shorten(type(state).__name__, 60)}."
        )
    if callable(getattr(into, "named_parameters", None)):
        own = into.state_dict()
        inner = state.get("model")
        if isinstance(inner, Mapping) and "model" not in own:
            state = inner
        if misfit := _misfit(own, state):
            raise CheckpointError(f"{what} does not fit the model: {misfit}")
    try:
        into.load_state_dict(state)
    except (RuntimeError, ValueError, KeyError) as exc:
        raise CheckpointError(f"{what} does not fit: {exc}") from exc
    return into


def _misfit(own: Mapping[str, Any], state: Mapping[str, Any]) -> str:
    """The first few names that are missing, too many, or of another shape."""
    missing, more = own.keys() - state.keys(), state.keys() - own.keys()
    reshaped = [
        f"{name} is {tuple(state[name].shape)}, not {tuple(own[name].shape)}"
        for name in own.keys() & state.keys()
        if hasattr(own[name], "shape")
        and getattr(state[name], "shape", None) != own[name].shape
    ]
    told = {"it lacks": missing, "it has also": more, "shapes differ:": reshaped}
    parts = [
        f"{words} {shorten(', '.join(map(str, sorted(names, key=str))), 120)}"
        for words, names in told.items()
        if names
    ]
    return "; ".join(parts) + "." if parts else ""

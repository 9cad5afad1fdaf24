"""Parts of a model as files, each in a form that loads without running anything.

Tensors as safetensors, scikit-learn estimators by skops, XGBoost and LightGBM in their
own formats, ONNX and other files as they are. What only a pickle can hold is kept so,
and is not loaded without `trust=True`.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbtrack.capture.file_patches import patches
from nbtrack.errors import CheckpointError, MissingExtraError, ModelError
from nbtrack.text import shorten
from nbtrack.tracking.checkpoint_load import put_into
from nbtrack.tracking.checkpoint_objects import unwrapped
from nbtrack.tracking.models import boosters


@dataclass(frozen=True, slots=True)
class Saved:
    """One part, as it lies in a folder."""

    path: str  # inside the folder
    format: str
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a reader is told beside the path."""

    ref: str
    trust: bool
    detail: Mapping[str, Any]


def save(what: Any, folder: Path, name: str) -> Saved:  # Any: a part of a model
    """Write a part into a folder, under a name of ours.

    Raises
    ------
    ModelError
        When it is a path without a file, or nothing can write it.
    """
    format_ = format_of(what)
    write, suffix = _WRITERS[format_]
    if format_ in ("file", "onnx") and isinstance(what, str | os.PathLike):
        suffix = Path(what).suffix
    path = folder / f"{name}{suffix}"
    try:
        with patches.unwatched():
            detail = write(what, path)
    except (TypeError, AttributeError, ValueError, OSError) as exc:
        raise ModelError(
            f"{shorten(repr(what))} cannot be kept as {format_}: {shorten(str(exc))}. "
            "Save it to a file in your own way and pass the path."
        ) from exc
    return Saved(path.name, format_, detail or {})


def load(
    folder: Path, saved: Saved, *, trust: bool = False, into: Any = None, ref: str = ""
) -> Any:
    """Read a part back; `into` is the torch module that takes a state dict.

    Raises
    ------
    ModelError
        When it needs trust, or `into` does not fit.
    MissingExtraError
        When the library that reads it is not installed.
    """
    path = folder / saved.path
    read = _READERS.get(saved.format)
    if read is None:
        return path
    try:
        with patches.unwatched():
            found = read(path, _Asked(ref, trust, saved.detail))
    except ImportError as exc:
        if isinstance(exc, MissingExtraError):
            raise
        raise MissingExtraError(
            f"{exc.name} is needed to load {ref or saved.path}: install it with "
            f"`pip install {exc.name}`."
        ) from exc
    return found if into is None else _filled(into, found, ref)


def format_of(what: Any) -> str:
    """The format in which a part is kept.

    >>> format_of(["age", "sum"]), format_of({1, 2})
    ('json', 'pickle')
    """
    if isinstance(what, str | os.PathLike):
        return "onnx" if str(what).endswith(".onnx") else "file"
    for library, look in _LOOKS:
        if library in sys.modules:  # what is a library's cannot exist without it
            found = look(what)
            if found:
                return found
    return "json" if _is_json(what) else "pickle"


def needs_trust(ref: str, why: str) -> ModelError:
    """The refusal to unpickle."""
    return ModelError(
        f"{ref or 'This part'} {why}, and unpickling can run any code. If it comes "
        "from you or from somebody you trust, load it with trust=True; to only get the "
        "file, use nbtrack.artifacts.get(...)."
    )


# -- what it is --------------------------------------------------------------------


def _of_torch(what: Any) -> str | None:
    import torch

    if isinstance(what, torch.nn.Module):
        return "safetensors"
    if isinstance(what, Mapping) and what:
        tensors = all(isinstance(v, torch.Tensor) for v in what.values())
        named = all(isinstance(k, str) for k in what)
        return "safetensors" if tensors and named else None
    return "torch" if isinstance(what, torch.Tensor) else None


def _of_xgboost(what: Any) -> str | None:
    import xgboost

    wrappers = tuple(
        kind for kind in (getattr(xgboost, "XGBModel", None),) if kind is not None
    )
    return "xgboost" if isinstance(what, (xgboost.Booster, *wrappers)) else None


def _of_lightgbm(what: Any) -> str | None:
    import lightgbm

    kinds = (lightgbm.Booster, lightgbm.LGBMModel)
    return "lightgbm" if isinstance(what, kinds) else None


def _of_onnx(what: Any) -> str | None:
    import onnx

    return "onnx" if isinstance(what, onnx.ModelProto) else None


def _of_sklearn(what: Any) -> str | None:
    from sklearn.base import BaseEstimator

    if not isinstance(what, BaseEstimator):
        return None
    import importlib.util

    return "skops" if importlib.util.find_spec("skops") is not None else "joblib"


def _of_numpy(what: Any) -> str | None:
    import numpy as np

    is_plain = isinstance(what, np.ndarray) and what.dtype.kind != "O"
    return "npy" if is_plain else None


_LOOKS: tuple[tuple[str, Callable[[Any], str | None]], ...] = (
    ("torch", _of_torch), ("xgboost", _of_xgboost), ("lightgbm", _of_lightgbm),
    ("onnx", _of_onnx), ("sklearn", _of_sklearn), ("numpy", _of_numpy),
)  # fmt: skip


def _is_json(what: Any) -> bool:
    try:
        return isinstance(what, list | dict) and json.loads(json.dumps(what)) == what
    except (TypeError, ValueError, RecursionError):
        return False


# -- writing -----------------------------------------------------------------------


def _write_tensors(what: Any, path: Path) -> dict[str, Any]:
    import torch

    if isinstance(what, torch.nn.Module):
        module = unwrapped(what)
        kind = type(module)
        detail = {"class": f"{kind.__module__}.{kind.__qualname__}"}
        state = module.state_dict()
    else:
        detail, state = {}, dict(what)
    from safetensors.torch import save_file

    # Tied weights are written once each: the format has no sharing.
    plain = {name: t.detach().cpu().contiguous().clone() for name, t in state.items()}
    save_file(plain, path)
    return detail


def _write_torch(what: Any, path: Path) -> None:
    import torch

    torch.save(what, path)


def _write_skops(what: Any, path: Path) -> None:
    import skops.io

    skops.io.dump(what, path)


def _write_joblib(what: Any, path: Path) -> None:
    import joblib

    joblib.dump(what, path)


def _write_pickle(what: Any, path: Path) -> None:
    import pickle

    try:
        path.write_bytes(pickle.dumps(what))
    except pickle.PicklingError as exc:
        raise TypeError(str(exc)) from exc


def _write_onnx(what: Any, path: Path) -> None:
    if isinstance(what, str | os.PathLike):
        _copy(what, path)
    else:
        path.write_bytes(what.SerializeToString())


def _write_json(what: Any, path: Path) -> None:
    path.write_text(json.dumps(what), "utf-8")


def _write_array(what: Any, path: Path) -> None:
    import numpy as np

    np.save(path, what, allow_pickle=False)


def _copy(what: Any, path: Path) -> None:
    source = Path(what)
    if not source.is_file():
        raise ModelError(f"There is no file {shorten(str(what))}.")
    shutil.copyfile(source, path)


_WRITERS: dict[str, tuple[Callable[[Any, Path], dict[str, Any] | None], str]] = {
    "safetensors": (_write_tensors, ".safetensors"),
    "torch": (_write_torch, ".pt"),
    "skops": (_write_skops, ".skops"),
    "joblib": (_write_joblib, ".joblib"),
    "pickle": (_write_pickle, ".pkl"),
    "xgboost": (boosters.write_xgboost, ".ubj"),
    "lightgbm": (boosters.write_lightgbm, ".txt"),
    "onnx": (_write_onnx, ".onnx"),
    "json": (_write_json, ".json"),
    "npy": (_write_array, ".npy"),
    "file": (_copy, ""),
}


# -- reading -----------------------------------------------------------------------


def _read_tensors(path: Path, asked: _Asked) -> Any:
    from safetensors.torch import load_file

    return load_file(path)


def _read_torch(path: Path, asked: _Asked) -> Any:
    import pickle

    import torch

    try:
        return torch.load(path, weights_only=not asked.trust)
    except pickle.UnpicklingError as exc:
        raise needs_trust(asked.ref, "holds pickled Python objects") from exc


def _read_skops(path: Path, asked: _Asked) -> Any:
    import skops.io

    unknown = skops.io.get_untrusted_types(file=path)
    if unknown and not asked.trust:
        listed = ", ".join(shorten(name) for name in unknown[:5])
        raise needs_trust(asked.ref, f"holds types that skops does not know ({listed})")
    return skops.io.load(path, trusted=unknown)


def _read_joblib(path: Path, asked: _Asked) -> Any:
    if not asked.trust:
        raise needs_trust(asked.ref, "is a pickle (joblib)")
    import joblib

    return joblib.load(path)


def _read_pickle(path: Path, asked: _Asked) -> Any:
    if not asked.trust:
        raise needs_trust(asked.ref, "is a pickle")
    import pickle

    return pickle.loads(path.read_bytes())  # noqa: S301 - the caller said trust=True


def _read_json(path: Path, asked: _Asked) -> Any:
    return json.loads(path.read_text("utf-8"))


def _read_array(path: Path, asked: _Asked) -> Any:
    import numpy as np

    return np.load(path, allow_pickle=False)


def _read_xgboost(path: Path, asked: _Asked) -> Any:
    return boosters.read_xgboost(path, asked.detail)


def _read_lightgbm(path: Path, asked: _Asked) -> Any:
    return boosters.read_lightgbm(path, asked.detail)


_READERS: dict[str, Callable[[Path, _Asked], Any]] = {
    "safetensors": _read_tensors,
    "torch": _read_torch,
    "skops": _read_skops,
    "joblib": _read_joblib,
    "pickle": _read_pickle,
    "xgboost": _read_xgboost,
    "lightgbm": _read_lightgbm,
    "json": _read_json,
    "npy": _read_array,
}


def _filled(module: Any, state: Any, ref: str) -> Any:
    try:
        return put_into(module, state, ref)
    except CheckpointError as exc:
        raise ModelError(str(exc)) from exc

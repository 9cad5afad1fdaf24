"""Objects written to a file that becomes an artifact, in a form that loads safely.

Tables as parquet, arrays as npz, tensors as safetensors, JSON values as JSON. Only an
estimator is pickled (joblib), and loading it takes trust. The same object gives the
same bytes, so that logging it again adds no version.
"""

from __future__ import annotations

import importlib.util
import json
import pickle
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbtrack.capture.file_patches import patches
from nbtrack.errors import ArtifactError, ValueNotLoggedError
from nbtrack.text import shorten, visible

_JSON = (str, int, float, bool, type(None))
_DEPTH_MAX = 50


@dataclass(frozen=True, slots=True)
class Form:
    """How an object is kept."""

    suffix: str
    type: str  # of the artifact, where none is said
    write: Callable[[Path], None]
    remark: str = ""


def form_of(what: Any) -> Form:  # Any: any object, looked at below
    """The form in which an object is kept.

    Raises
    ------
    ArtifactError
        When there is none; the message names the way out.

    Examples
    --------
    >>> form_of({"classes": ["cat", "dog"]}).suffix
    '.json'
    """
    for look in (_as_table, _as_tensors, _as_arrays, _as_estimator, _as_json):
        form = look(what)
        if form is not None:
            return form
    raise ArtifactError(
        f"A {type(what).__name__} cannot be kept as it is. Save it to a file in your "
        "own way and log the path. Tables, arrays, torch modules and tensors, "
        "scikit-learn estimators, and dicts and lists of JSON values can be logged as "
        "they are."
    )


def write_object(form: Form, path: Path) -> None:
    """Write it; what the object itself cannot do is the caller's mistake.

    Raises
    ------
    ArtifactError
        When it cannot be written in this form.
    """
    try:
        with patches.unwatched():
            form.write(path)
    except (pickle.PicklingError, TypeError, AttributeError, ValueNotLoggedError) as e:
        raise ArtifactError(
            f"The object cannot be kept as {form.suffix}: "
            f"{visible(shorten(str(e), 200))}. Save it to a file in your own way and "
            "log the path."
        ) from e


def _as_table(what: Any) -> Form | None:
    from nbtrack.capture.digests import kind_of

    kind = kind_of(what)
    if kind not in ("dataframe", "series", "table", "polars"):
        return None
    if importlib.util.find_spec("pyarrow") is None and kind in ("dataframe", "series"):
        return Form(".csv", "dataset", lambda path: what.to_csv(path))
    return Form(".parquet", "dataset", lambda path: _write_parquet(what, path))


def _write_parquet(what: Any, path: Path) -> None:
    import pyarrow.parquet

    from nbtrack.tracking.datasets import as_table

    pyarrow.parquet.write_table(as_table(what), path)


def _as_tensors(what: Any) -> Form | None:
    """What is torch's: a module by its state, tensors, a dict that holds some."""
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    from nbtrack.tracking.checkpoint_objects import (
        dump,
        form_of_state,
        state_of,
        unwrapped,
    )

    if isinstance(what, torch.nn.Module):
        what = unwrapped(what)
    elif isinstance(what, torch.Tensor):
        what = {"tensor": what}
    elif not isinstance(what, Mapping) and not callable(
        getattr(what, "state_dict", None)
    ):
        return None
    state, suffix = state_of(what)
    if suffix != ".pt":
        return None
    suffix = form_of_state(state, suffix)
    return Form(suffix, "model", lambda path: dump(state, path, suffix))


def _as_arrays(what: Any) -> Form | None:
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return None
    if isinstance(what, numpy.ndarray):
        what = {"array": what}
    is_dict = isinstance(what, Mapping) and what
    if not is_dict or not all(isinstance(v, numpy.ndarray) for v in what.values()):
        return None
    arrays = {str(name): array for name, array in what.items()}
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise ArtifactError(
                f"The array {shorten(name, 60)!r} holds Python objects, which only a "
                "pickle could keep. Give it a type, such as `.astype(float)` or str."
            )
    return Form(".npz", "dataset", lambda path: _write_arrays(arrays, path))


def _write_arrays(arrays: Mapping[str, Any], path: Path) -> None:
    """As `numpy.savez` does, whatever the names are, and with no time in it."""
    from numpy.lib.format import write_array

    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy")
            with archive.open(member, "w", force_zip64=True) as file:
                write_array(file, array, allow_pickle=False)


def _as_estimator(what: Any) -> Form | None:
    fits = callable(getattr(what, "fit", None))
    if not fits or not callable(getattr(what, "get_params", None)):
        return None
    if isinstance(what, type) or importlib.util.find_spec("joblib") is None:
        return None
    return Form(
        ".joblib", "model", lambda path: _dump(what, path),
        "it is a pickle: loading it takes trust=True; nbtrack.models.register keeps "
        "models in a safe form",
    )  # fmt: skip


def _dump(what: Any, path: Path) -> None:
    import joblib

    joblib.dump(what, path)


def _as_json(what: Any) -> Form | None:
    if not isinstance(what, dict | list | tuple) or not _is_json(what, 0):
        return None
    return Form(".json", "file", lambda path: _write_json(what, path))


def _write_json(what: Any, path: Path) -> None:
    text = json.dumps(what, ensure_ascii=False, indent=1)
    path.write_text(text, encoding="utf-8", errors="backslashreplace")


def _is_json(value: Any, depth: int) -> bool:
    if isinstance(value, dict):
        keys = all(isinstance(key, str) for key in value)
        return keys and depth < _DEPTH_MAX and _are_json(value.values(), depth)
    if isinstance(value, list | tuple):
        return depth < _DEPTH_MAX and _are_json(value, depth)
    return type(value) in _JSON


def _are_json(values: Any, depth: int) -> bool:
    return all(_is_json(value, depth + 1) for value in values)

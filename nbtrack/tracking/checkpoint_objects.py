"""Models and other objects written to a file that becomes a checkpoint.

What has a `state_dict` (modules, optimizers, schedulers) is saved as that: plain
tensors by safetensors where it is installed, all else of it by torch. Everything else
is saved by joblib, or pickle where joblib is missing.
"""

from __future__ import annotations

import importlib.util
import os
import pickle
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbtrack.capture.file_patches import patches
from nbtrack.errors import ValueNotLoggedError
from nbtrack.text import shorten
from nbtrack.tracking.checkpoint_snapshots import fits_safetensors


def state_of(what: Any) -> tuple[Any, str]:
    """What is saved of an object, and the suffix of the form it is saved in."""
    torch = sys.modules.get("torch")  # what is torch's cannot exist without it
    if torch is None:
        return what, ".joblib"
    state = getattr(what, "state_dict", None)
    if not callable(state) and not _holds_tensors(what, torch.Tensor):
        return what, ".joblib"
    return (state() if callable(state) else what), ".pt"


def form_of_state(state: Any, suffix: str) -> str:
    """The suffix of the form in which a checkpoint of this state is written."""
    return ".safetensors" if suffix == ".pt" and fits_safetensors(state) else suffix


def _holds_tensors(what: Any, tensor: type) -> bool:
    values = what.values() if isinstance(what, Mapping) else [what]
    return any(
        isinstance(v, tensor) or (isinstance(v, Mapping) and _holds_tensors(v, tensor))
        for v in values
    )


def write_object(state: Any, path: Path, suffix: str) -> None:
    """Save `state` into a new file of mode 0600.

    Raises
    ------
    ValueNotLoggedError
        When it cannot be pickled.
    """
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    written = False
    try:
        with patches.unwatched():
            dump(state, path, suffix)
        written = True
    except (pickle.PicklingError, TypeError, AttributeError) as exc:
        raise ValueNotLoggedError(
            f"{shorten(repr(state))} cannot be kept as a checkpoint: {exc}. Save it to "
            "a file in your own way and pass the path."
        ) from exc
    finally:
        if not written:
            path.unlink(missing_ok=True)


def dump(state: Any, path: Path, suffix: str) -> None:
    """Write it in this form; what cannot be pickled raises what the library raises."""
    if suffix == ".pt":
        import torch

        # Of a path torch would write the name into the file, and ours is random: the
        # same state would be another content each time.
        with open(path, "wb") as file:
            torch.save(state, file)
    elif suffix == ".safetensors":
        from safetensors.torch import save_file

        save_file(dict(state), path)
        path.chmod(0o600)
    elif importlib.util.find_spec("joblib") is not None:
        import joblib

        joblib.dump(state, path)
    else:
        with open(path, "wb") as file:
            pickle.dump(state, file)


def unwrapped(model: Any) -> Any:
    """The user's module inside what torch wraps around it to compile or distribute.

    Its state loads into the plain model again: no `_orig_mod.` or `module.` in names.
    """
    import torch

    nn = torch.nn
    while True:
        if isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
            model = model.module
        elif hasattr(model, "_orig_mod"):
            model = model._orig_mod
        else:
            return model

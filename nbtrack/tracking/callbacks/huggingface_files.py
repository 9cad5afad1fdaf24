"""The files that Transformers writes: the weights are kept, each once, and no states.

A model that is saved by itself is kept under the name of its folder; the checkpoints of
a training are kept by the callback, which knows their step.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from nbtrack.capture.file_patches import patches
from nbtrack.guard import guard
from nbtrack.tracking.callbacks.framework_files import (
    is_own_save,
    keep_file,
    own_save,
    taken_with,
)
from nbtrack.tracking.callbacks.patching import Function

FEATURE = "saving by huggingface"
WEIGHTS = ("model*.safetensors", "pytorch_model*.bin", "adapter_model*")


def quiet(original: Function) -> Function:
    """`_save`: beside the weights it writes its own arguments, which are no model."""

    @functools.wraps(original)
    def save(trainer: Any, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        with patches.unwatched():
            return original(trainer, *args, **kwargs)

    return save


def whole(original: Function) -> Function:
    """`_save_checkpoint`: a folder of files, of which `on_save` keeps the weights."""

    @functools.wraps(original)
    def save_checkpoint(trainer: Any, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        with own_save():
            return original(trainer, *args, **kwargs)

    return save_checkpoint


def keeping(original: Function) -> Function:
    """`save_pretrained`, after which the weights are kept under the folder's name."""

    @functools.wraps(original)
    def save_pretrained(
        model: Any, save_directory: Any, *args: Any, **kwargs: Any
    ) -> Any:
        __tracebackhide__ = True
        if is_own_save():
            return original(model, save_directory, *args, **kwargs)
        with own_save():
            result = original(model, save_directory, *args, **kwargs)
        with guard(FEATURE):
            _keep_folder(Path(save_directory).absolute())
        return result

    return save_pretrained


def _keep_folder(folder: Path) -> None:
    from nbtrack.tracking.session import process_session

    run = process_session().current
    if run is None or not run.captures("files"):
        return
    for path, part in weights_in(folder, folder.name):
        keep_file(run, path, name=part)
    taken_with(folder)


def weights_in(folder: Path, name: str) -> list[tuple[Path, str]]:
    """The files of the weights, and names for them; of a large model there are several.

    >>> weights_in(Path("no such folder"), "bert")
    []
    """
    found = sorted({path for pattern in WEIGHTS for path in folder.glob(pattern)})
    parts = [path.stem.partition("-")[2] for path in found]
    return [
        (path, f"{name}-{part}" if part else name)
        for path, part in zip(found, parts, strict=True)
    ]

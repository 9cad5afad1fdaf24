"""Model files that a framework writes, each kept once, with its step and metrics.

What the framework saves by several savers at once (weights, optimizer, generators) is
its own affair: the watching of savers is off meanwhile, and the file that holds the
weights is kept under a name of ours. The sweep at the end of a cell leaves it alone.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from nbtrack.capture.file_patches import patches
from nbtrack.capture.file_sweep import MODEL_SUFFIXES

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run

_BEFORE_TEMPLATE = re.compile(r"(.*?)[-_ ]?[\w/ ]*=", re.DOTALL)
_saving = threading.local()


@contextmanager
def own_save() -> Iterator[None]:
    """In the body a framework saves: whoever entered it keeps what was written."""
    outer = is_own_save()
    _saving.now = True
    try:
        with patches.unwatched():
            yield
    finally:
        _saving.now = outer


def is_own_save() -> bool:
    """Whether this thread is inside `own_save`."""
    return getattr(_saving, "now", False)


def keep_file(
    run: Run,
    path: Path,
    *,
    name: str,
    step: int | None = None,
    metrics: Mapping[str, float] | None = None,
) -> None:
    """Keep one file as a checkpoint; a path without a file is passed over."""
    from nbtrack.tracking.checkpoints import save_checkpoint

    if path.is_file():
        save_checkpoint(run, path, name=name, step=step, metrics=metrics)
        patches.taken(path)


def taken_with(folder: Path) -> None:
    """The other model files of this folder are no checkpoints of their own."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.suffix.lower() in MODEL_SUFFIXES:
            patches.taken(path)


def name_of(path: Path, *, model: object) -> str:
    """The name of a checkpoint: what stands before `epoch=1`, else the model's class.

    Names stay the same while training goes on, so that the files of one template are
    versions of one checkpoint.

    >>> names = ("last.ckpt", "epoch=0-step=9.ckpt", "best-epoch=01-val_loss=0.2.ckpt")
    >>> [name_of(Path(name), model=3) for name in names]
    ['last', 'int', 'best']
    """
    found = _BEFORE_TEMPLATE.match(path.stem)
    stem = path.stem if found is None else found[1]
    return stem.strip("-_ .") or type(model).__name__.lower()

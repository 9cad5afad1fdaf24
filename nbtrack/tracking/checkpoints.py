"""Checkpoints: files and models kept with the step and the metrics of their moment.

`keep_saved_file` is for what a saver wrote in a tracked cell and never raises;
`save_checkpoint` is the explicit call and raises for the caller's mistakes;
`load_checkpoint` reads back and never runs code from a file unless it is trusted.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from nbtrack.capture.file_patches import patches
from nbtrack.capture.module_size import modules_bytes
from nbtrack.errors import CheckpointError
from nbtrack.guard import guard
from nbtrack.records import CheckpointRecord, RunRecord
from nbtrack.store.values import utc_text
from nbtrack.text import visible
from nbtrack.tracking.checkpoint_choice import Asked
from nbtrack.tracking.checkpoint_files import (
    checkpoint_name,
    name_of_file,
    type_of_file,
)
from nbtrack.tracking.checkpoint_finding import find_checkpoint, kept_path
from nbtrack.tracking.checkpoint_keeper import CheckpointKeeper, Moment
from nbtrack.tracking.checkpoint_load import load_file, put_into
from nbtrack.tracking.checkpoint_objects import form_of_state, state_of, write_object
from nbtrack.tracking.checkpoint_pruning import Pruner
from nbtrack.tracking.known_models import remember_model
from nbtrack.tracking.run import Run, without_secrets

if TYPE_CHECKING:
    from nbtrack.store import Store
    from nbtrack.tracking.checkpoint_policy import KeepPolicy

SETTLE_WAIT_S = 60.0  # a checkpoint of 2 GiB is hashed and on disk in about 10 s
IN_MEMORY = (".pt", ".safetensors")  # copied there, and written by the worker
PRUNE_WAIT_S = 5.0  # for the rows of what was saved; later the next save prunes

_keepers: WeakKeyDictionary[Run, CheckpointKeeper] = WeakKeyDictionary()
_lock = threading.Lock()


def keep_saved_file(run: Run, path: Path, *, saver: str) -> None:
    """Keep what a saver wrote, tied to this moment; never raises."""
    with guard("checkpoint"):
        moment = moment_of(
            run,
            name=name_of_file(path),
            type=type_of_file(path, saver=saver),
            path=_shown_path(run, path),
        )
        keeper_of(run).keep_file(path, moment)


def before_save(run: Run, path: Path) -> None:
    """A saver is about to overwrite `path`: the copy of what is there goes first."""
    keeper = _keepers.get(run)
    if keeper is not None:
        keeper.wait_for_copy(path)


def save_checkpoint(
    run: Run,
    what: Any,  # anything that torch, joblib or pickle can save
    *,
    name: str | None = None,
    step: int | None = None,
    metrics: Mapping[str, float] | None = None,
) -> None:
    """Keep a file, or save an object into the store; see `Run.checkpoint`.

    Raises
    ------
    CheckpointError
        When `what` is a path without a file.
    ValueNotLoggedError
        When the object cannot be saved.
    """
    if not run.is_recorded:
        return
    if isinstance(what, str | os.PathLike):
        _save_file(run, Path(os.path.abspath(os.fspath(what))), name, step, metrics)
        return
    state, suffix = state_of(what)
    suffix = form_of_state(state, suffix)
    name = checkpoint_name(name or type(what).__name__.lower())
    moment = moment_of(
        run,
        name=name,
        type="checkpoint",
        path=name + suffix,
        step=step,
        metrics=metrics,
    )
    keeper = keeper_of(run)
    if suffix not in IN_MEMORY or not keeper.keep_state(state, suffix, moment):
        copy = keeper.new_path()
        write_object(state, copy, suffix)
        keeper.keep_copy(copy, moment)
    remember_model(run, what, name)
    run.log_measured(model_bytes=modules_bytes([what]))


def settle(run: Run, timeout_s: float = SETTLE_WAIT_S) -> bool:
    """Wait until every saved file of the run is in the store; False: time is up."""
    keeper = _keepers.get(run)
    if keeper is None or keeper.settle(timeout_s):
        return True
    guard.warn_once(
        f"unsettled {run.id}", f"files of run {run.name!r} are still being copied"
    )
    return False


def load_checkpoint(
    run: Run | RunRecord | str,
    step: int | str | None = None,
    *,
    name: str | None = None,
    metric: str | None = None,
    nearest: bool = False,
    into: Any = None,  # a torch module, or what else has `load_state_dict`
    trust: bool = False,
    map_location: Any = None,  # whatever torch.load takes
    store: Store | None = None,
) -> Any:
    """Read a checkpoint back.

    Parameters
    ----------
    run : Run, RunRecord or str
        The run, or its id, name or "last"; or a version by its own name: "mlp:best",
        "mlp:v3".
    step : int, "last", "best" or None
        Which one of the run; None is the last that is kept. "best" goes by `metric`.
    name : str, optional
        Of which file, where the run saved several.
    metric : str, optional
        What "best" means. Default: the validation loss if there is one, else the first
        metric whose name says whether it should be small or large.
    nearest : bool
        The last kept one at or before `step`: of a point on a curve.
    into : module, optional
        Load the state into this and return it; it is unchanged if it does not fit.
    trust : bool
        Allow unpickling, which can run any code that is in the file.
    map_location : optional
        Where torch puts the tensors.
    store : Store, optional
        Default: the one near the working folder, or the live run's own.

    Returns
    -------
    object
        A state dict, arrays, or with `trust` the pickled object; the path of the kept
        file where only another library reads it (ONNX, Keras, HDF5); `into`.

    Raises
    ------
    CheckpointError
        When there is no such checkpoint, it was given up, is damaged, needs
        `trust=True`, or does not fit `into`.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     run.log(loss=0.5)
    ...     run.checkpoint({"weights": [1, 2]}, name="mlp")
    >>> nbtrack.load_checkpoint("base", "best", trust=True)
    {'weights': [1, 2]}
    """
    asked = Asked(step, name, metric, nearest)
    found, path = _find(run, asked, store)
    with patches.unwatched():
        state = load_file(path, found, trust=trust, map_location=map_location)
    what = f"Checkpoint {found.name}:v{found.version}"
    return state if into is None else put_into(into, state, what)


def checkpoint_path(
    run: Run | RunRecord | str,
    step: int | str | None = None,
    *,
    name: str | None = None,
    metric: str | None = None,
    nearest: bool = False,
    store: Store | None = None,
) -> Path:
    """The kept file of a checkpoint, for other libraries; do not write to it.

    Parameters, errors and choice are those of `load_checkpoint`.
    """
    return _find(run, Asked(step, name, metric, nearest), store)[1]


def _find(
    run: Run | RunRecord | str, asked: Asked, store: Store | None
) -> tuple[CheckpointRecord, Path]:
    if isinstance(run, Run):
        settle(run)
        store, what = run.store, run.record()
        found = find_checkpoint(store, what, asked)
    else:
        store = store or _near_store()
        found = find_checkpoint(store, run, asked)
    return found, kept_path(store, found)


def _near_store() -> Store:
    from nbtrack.tracking.session import process_session

    return process_session().store_for()


def keeper_of(run: Run) -> CheckpointKeeper:
    """What keeps the files of this run; one from its first file on."""
    with _lock:
        keeper = _keepers.get(run)
        if keeper is None:
            keeper = CheckpointKeeper(run.store, run.id, pruner=_pruner_of(run))
            _keepers[run] = keeper
        return keeper


def keep_by(run: Run, name: str, policy: KeepPolicy) -> None:
    """Let a policy of its own decide which checkpoints of this name stay."""
    pruner = keeper_of(run).pruner
    if pruner is not None:
        pruner.policies[checkpoint_name(name)] = policy


def _pruner_of(run: Run) -> Pruner:
    store, journal = run.store, run.store.journal
    return Pruner(
        store,
        run.id,
        run.keep_policy,
        goals=run.said_goals,
        settle=lambda: journal.flush(PRUNE_WAIT_S),
    )


def moment_of(
    run: Run,
    *,
    name: str,
    type: str,
    path: str,
    step: int | None = None,
    metrics: Mapping[str, float] | None = None,
) -> Moment:
    """What a file is called and tied to: now, unless it is said."""
    return Moment(
        name=name,
        type=type,
        path=path,
        step=run.latest_step() if step is None else int(step),
        metrics=run.latest_metrics() if metrics is None else dict(metrics),
        created_at=utc_text(time.time()),
    )


def _shown_path(run: Run, path: Path) -> str:
    """Relative to the folder of the store: no home folder of anybody in a record."""
    home = run.store.path.parent
    shown = path.relative_to(home) if path.is_relative_to(home) else path
    return without_secrets(str(shown))


def _save_file(
    run: Run,
    path: Path,
    name: str | None,
    step: int | None,
    metrics: Mapping[str, float] | None,
) -> None:
    if path.is_dir():
        raise CheckpointError(
            f"{visible(str(path))} is a folder. Name one of the files in it, or keep "
            "all of it with run.log_artifact()."
        )
    if not path.is_file():
        raise CheckpointError(
            f"There is no file {visible(str(path))}. Save it first, or pass the model."
        )
    moment = moment_of(
        run,
        name=checkpoint_name(name) if name else name_of_file(path),
        type=type_of_file(path),
        path=_shown_path(run, path),
        step=step,
        metrics=metrics,
    )
    keeper_of(run).keep_file(path, moment)

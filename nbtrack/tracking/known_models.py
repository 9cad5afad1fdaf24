"""The models of a run that nbtrack knows, so that it can save them when that is asked.

A model is known from `run.checkpoint(model)` or `nbtrack.watch(model)` on, as long as
it lives; one that a callback saves itself is the callback's. They are saved when Stop
ends the run, and at the command "checkpoint". Keeps no model alive.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from nbtrack.guard import guard
from nbtrack.tracking.run import Run

_known: WeakKeyDictionary[Run, KnownModels] = WeakKeyDictionary()


class KnownModels:
    """The models of one run, each under one name."""

    def __init__(self) -> None:
        self._models: dict[int, tuple[Callable[[], Any], str]] = {}
        self._claimed: dict[int, Callable[[], Any]] = {}

    def add(self, model: Any, name: str) -> None:
        """From now on this model can be saved; a later name replaces an earlier one."""
        claimed = self._claimed.get(id(model))
        if claimed is None or claimed() is not model:  # ids come again
            self._models[id(model)] = weakref.ref(model), name

    def claim(self, model: Any) -> None:
        """Somebody else saves this model."""
        self._claimed[id(model)] = weakref.ref(model)
        self._models.pop(id(model), None)

    def save(self, run: Run) -> None:
        """Keep a checkpoint of each that still lives."""
        from nbtrack.tracking.checkpoints import save_checkpoint

        for found, name in list(self._models.values()):
            model = found()
            if model is not None:
                save_checkpoint(run, model, name=name)


def remember_model(run: Run, model: Any, name: str | None = None) -> None:
    """A module that was saved or watched in a run can be saved again; never raises."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(model, torch.nn.Module) or not run.is_recorded:
        return
    with guard("knowing models"):
        models_of(run).add(model, name or type(model).__name__.lower())


def claim_model(run: Run, model: Any) -> None:
    """A callback saves this model itself."""
    if run.is_recorded:
        with guard("knowing models"):
            models_of(run).claim(model)


def models_of(run: Run) -> KnownModels:
    """What is known of the models of a run; it saves them from now on."""
    models = _known.get(run)
    if models is None:
        models = _known[run] = KnownModels()
        kept, itself = models, weakref.ref(run)
        run.stop.before_stop.append(lambda: _save(kept, itself()))
    return models


def _save(models: KnownModels, run: Run | None) -> None:
    if run is not None:
        models.save(run)

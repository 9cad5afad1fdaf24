"""What a training with Lightning was set to: hyper-parameters, trainer, optimizers.

Read once, when the training begins; of each object only what somebody has set.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nbtrack.guard import guard
from nbtrack.tracking.callbacks.trainings import (
    log_objects,
    log_settings,
    log_torch_model,
)

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run

SETTINGS = "the settings of lightning"
# Any: trainers, modules and optimizers of a library that is not imported here.

_OF_TRAINER = (
    *("max_epochs", "min_epochs", "max_steps", "min_steps"),
    *("accumulate_grad_batches", "gradient_clip_val", "gradient_clip_algorithm"),
    *("precision", "num_devices", "num_nodes"),
    *("limit_train_batches", "limit_val_batches", "overfit_batches"),
    *("val_check_interval", "check_val_every_n_epoch"),
)
# What every trainer has where nothing was asked for: no news.
_UNSET = {
    "min_epochs": 0,
    "max_steps": -1,
    "num_nodes": 1,
    "limit_train_batches": 1.0,
    "limit_val_batches": 1.0,
    "overfit_batches": 0.0,
    "val_check_interval": 1.0,
}
_OF_EVERY_MODULE = frozenset(
    {"prepare_data_per_node", "allow_zero_length_dataloader_with_multiple_devices"}
)


def log_training(run: Run, trainer: Any, module: Any) -> None:
    """Keep the settings of a training that begins; what fails is left out."""
    with guard(SETTINGS):
        log_torch_model(run, module, leave_out=_OF_EVERY_MODULE)
    with guard(SETTINGS):
        log_settings(run, "hparams", _hyper_parameters(trainer, module))
    with guard(SETTINGS):
        log_settings(run, "trainer", dict(_of_trainer(trainer)))
    with guard(SETTINGS):
        log_objects(run, dict(_objects(trainer)))
    for callback in trainer.callbacks:
        with guard(SETTINGS):
            _log_goal(run, callback)


def _hyper_parameters(trainer: Any, module: Any) -> dict[str, Any]:
    """What `save_hyperparameters()` has kept, of the module and of its data."""
    data = getattr(trainer, "datamodule", None)
    found = dict(data.hparams) if data is not None else {}
    return found | dict(module.hparams)


def _of_trainer(trainer: Any) -> Iterator[tuple[str, Any]]:
    for name in _OF_TRAINER:
        value = getattr(trainer, name, None)
        if value is not None and value != _UNSET.get(name):
            yield name, value
    yield "strategy", type(trainer.strategy).__name__
    yield "accelerator", type(trainer.accelerator).__name__


def _objects(trainer: Any) -> Iterator[tuple[str, Any]]:
    schedulers = [config.scheduler for config in trainer.lr_scheduler_configs]
    for name, several in (("optimizer", trainer.optimizers), ("scheduler", schedulers)):
        for index, each in enumerate(several):
            yield (name if index == 0 else f"{name}-{index + 1}"), each
    yield "train_loader", trainer.train_dataloader


def _log_goal(run: Run, callback: Any) -> None:
    """`ModelCheckpoint` and `EarlyStopping` say which direction is better."""
    monitor, mode = getattr(callback, "monitor", None), getattr(callback, "mode", None)
    if isinstance(monitor, str) and mode in ("min", "max"):
        run.set_goal(monitor, mode)
        patience = getattr(callback, "patience", None)
        if isinstance(patience, int):
            told = {"monitor": monitor, "patience": patience}
            log_settings(run, "early_stopping", told)

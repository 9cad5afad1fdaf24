"""What a training with Transformers was set to: arguments, configuration, data.

Read once, when the training begins: the arguments that matter to the result, others
only where they differ from their default; the model's configuration as far as it
differs from that of its class. Vocabularies and lists of labels are left out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from nbtrack.guard import guard
from nbtrack.records import Goal
from nbtrack.tracking.callbacks.trainings import (
    log_objects,
    log_settings,
    log_torch_model,
)

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run

SETTINGS = "the settings of huggingface"
# Any: arguments, configurations and models of a library that is not imported here.

_ALWAYS = frozenset(
    {"learning_rate", "num_train_epochs", "per_device_train_batch_size", "optim"}
    | {"gradient_accumulation_steps", "lr_scheduler_type", "weight_decay", "seed"}
    | {"max_grad_norm", "warmup_steps"}
)
# How and where it was watched and kept: nothing that changes the result.
_NEVER = (
    *("log", "report", "hub", "push", "save", "output_dir", "run_name", "disable_tqdm"),
    *("accelerator_config", "dataloader_pin_memory"),
)
_OF_EVERY_MODEL = frozenset({"name_or_path", "loss_type"})
_OF_CONFIG = frozenset(
    {"transformers_version", "_name_or_path", "id2label", "label2id"}
)


def log_training(run: Run, args: Any, given: Mapping[str, Any]) -> None:
    """Keep the settings of a training that begins; what fails is left out."""
    model: Any = given.get("model")
    with guard(SETTINGS):
        log_settings(run, "args", dict(_arguments(args)))
    with guard(SETTINGS):
        _log_goal(run, args)
    with guard(SETTINGS):
        log_torch_model(run, model, leave_out=_OF_EVERY_MODEL)
    with guard(SETTINGS):
        log_settings(run, "config", dict(_configuration(model)))
    with guard(SETTINGS):
        log_objects(run, dict(_objects(given)))


def _log_goal(run: Run, args: Any) -> None:
    """What the best model goes by says which direction is better."""
    name, is_max = args.metric_for_best_model, args.greater_is_better
    if name and is_max is not None:
        goal: Goal = "max" if is_max else "min"
        run.set_goal(f"eval_{name.removeprefix('eval_')}", goal)


def _objects(given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What accelerate has wrapped."""
    optimizer, loader = given.get("optimizer"), given.get("train_dataloader")
    yield "optimizer", getattr(optimizer, "optimizer", optimizer)
    yield "train_loader", getattr(loader, "base_dataloader", loader)


def _arguments(args: Any) -> Iterator[tuple[str, Any]]:
    for field in dataclasses.fields(args):
        value, default = getattr(args, field.name), _default_of(field)
        is_set = value != default and (value or default)  # False, [] and None are one
        if field.name in _ALWAYS or (is_set and not field.name.startswith(_NEVER)):
            yield field.name, getattr(value, "value", value)


def _default_of(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _configuration(model: Any) -> Iterator[tuple[str, Any]]:
    config: Any = getattr(model, "config", None)
    if not hasattr(config, "to_diff_dict"):
        return
    for name, value in config.to_diff_dict().items():
        if name not in _OF_CONFIG:
            yield name, value
    yield "num_labels", getattr(config, "num_labels", None)

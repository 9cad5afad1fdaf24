"""What a training with Keras was set to: optimizer, loss, batches, the model.

Read once, when the training begins. Nothing is computed for it: no forward pass, no
look into the data beyond its shape.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nbtrack.guard import guard
from nbtrack.records import TextRecord
from nbtrack.text import text_digest
from nbtrack.tracking.callbacks.pace import n_samples_in
from nbtrack.tracking.callbacks.trainings import log_settings

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run

SETTINGS = "the settings of keras"
DEFAULT_BATCH_SIZE = 32  # Keras' own, for arrays
MAX_LAYERS = 15  # of the list among the params; the summary has them all
SUMMARY_WIDTH = 88
_OF_CALL = (
    *("validation_split", "shuffle", "class_weight", "initial_epoch"),
    *("steps_per_epoch", "validation_steps", "validation_freq"),
)
_PLAIN = {"validation_split": 0.0, "initial_epoch": 0, "validation_freq": 1}
# Any: models, optimizers and data of libraries that are not imported here.


@dataclass(frozen=True, slots=True)
class FitCall:
    """What is known of the arguments of `fit`."""

    batch_size: int | None = None
    n_samples: int | None = None  # in an epoch
    settings: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def of(cls, arguments: Mapping[str, Any], known: FitCall) -> FitCall:
        """Of the arguments as they were bound."""
        x = arguments.get("x")
        n_samples = n_samples_in(x)
        batch_size = arguments.get("batch_size") or getattr(x, "batch_size", None)
        if batch_size is None and n_samples:
            batch_size = DEFAULT_BATCH_SIZE
        held_out = float(arguments.get("validation_split") or 0.0)
        settings = [
            (name, arguments[name])
            for name in _OF_CALL
            if arguments.get(name) not in (None, _PLAIN.get(name))
        ]
        return replace(
            known,
            batch_size=batch_size if isinstance(batch_size, int) else known.batch_size,
            n_samples=int(n_samples * (1 - held_out)) or None,
            settings=tuple(settings),
        )

    def n_samples_in(self, n_batches: int, *, after: int) -> int:
        """Of the next batches, where `after` samples of the epoch are done."""
        n = n_batches * (self.batch_size or 0)
        return n if self.n_samples is None else max(0, min(n, self.n_samples - after))


def log_training(run: Run, model: Any, params: Any, call: FitCall) -> None:
    """Keep the settings of a training that begins; what fails is left out."""
    with guard(SETTINGS):
        fit = {"epochs": (params or {}).get("epochs"), "batch_size": call.batch_size}
        fit |= {"steps": (params or {}).get("steps"), "samples": call.n_samples}
        log_settings(run, "fit", fit | dict(call.settings))
    with guard(SETTINGS):
        optimizer = getattr(model, "optimizer", None)
        if optimizer is not None:
            settings, kind = dict(_of_optimizer(optimizer)), type(optimizer).__name__
            log_settings(run, "optimizer", settings, kind=kind)
    with guard(SETTINGS):
        log_settings(run, "model", dict(_of_model(model)), kind=type(model).__name__)
        run.log_measured(model_bytes=_n_bytes(model))
    with guard(SETTINGS):
        run.log_texts([_summary(model)])


def log_goals(run: Run, callbacks: Iterable[Any]) -> None:
    """`ModelCheckpoint` and `EarlyStopping` may say which direction is better."""
    for callback in callbacks:
        monitor, mode = (getattr(callback, name, None) for name in ("monitor", "mode"))
        if isinstance(monitor, str) and mode in ("min", "max"):
            run.set_goal(monitor, mode)
        patience = getattr(callback, "patience", None)
        if type(callback).__name__ == "EarlyStopping" and isinstance(patience, int):
            told = {"monitor": monitor, "patience": patience}
            log_settings(run, "early_stopping", told)


def learning_rate_of(model: Any) -> float | None:
    """The rate of now, also of a schedule; None where there is no optimizer."""
    rate = getattr(getattr(model, "optimizer", None), "learning_rate", None)
    if rate is None:
        return None
    return _as_written(float(sys.modules["keras"].ops.convert_to_numpy(rate)))


def _of_optimizer(optimizer: Any) -> Iterator[tuple[str, Any]]:
    for key, value in optimizer.get_config().items():
        if key != "name":
            yield key, _plain(value)


def _of_model(model: Any) -> Iterator[tuple[str, Any]]:
    yield "loss", _named(getattr(model, "loss", None))
    yield "dtype", model.dtype_policy.name
    yield "backend", sys.modules["keras"].backend.backend()
    if model.built:
        yield "parameters", model.count_params()
        yield "trainable", sum(_size(each) for each in model.trainable_variables)
    layers = [f"{type(each).__name__}({each.name})" for each in model.layers]
    more = [f"… {len(layers) - MAX_LAYERS} more"] if len(layers) > MAX_LAYERS else []
    yield "layers", [*layers[:MAX_LAYERS], *more]


def _named(loss: Any) -> Any:
    """A loss, or several, as one writes them in `compile`."""
    if isinstance(loss, Mapping):
        return {key: _named(each) for key, each in loss.items()}
    if isinstance(loss, list | tuple):
        return [_named(each) for each in loss]
    if isinstance(loss, str) or loss is None:
        return loss
    return getattr(loss, "__name__", None) or type(loss).__name__


def _plain(value: Any) -> Any:
    """A number as it was written; a schedule without where its class is found."""
    if isinstance(value, Mapping) and "class_name" in value:
        return {"class": value["class_name"], **(value.get("config") or {})}
    return _as_written(value) if isinstance(value, float) else value


def _as_written(value: float) -> float:
    """Keras keeps numbers as float32, which has seven digits: 0.009999999776 is 0.01.

    >>> _as_written(0.009999999776482582)
    0.01
    """
    return float(f"{value:.7g}")


def _size(variable: Any) -> int:
    n = 1
    for length in variable.shape:
        n *= int(length or 0)
    return n


def _n_bytes(model: Any) -> int:
    sizes = {"float64": 8, "int64": 8, "float16": 2, "bfloat16": 2, "int8": 1}
    return sum(_size(each) * sizes.get(each.dtype, 4) for each in model.variables)


def _summary(model: Any) -> TextRecord:
    lines: list[str] = []
    model.summary(print_fn=lines.append, line_length=SUMMARY_WIDTH)
    body = "\n".join(lines)
    return TextRecord("summary", "model", text_digest(body), body)

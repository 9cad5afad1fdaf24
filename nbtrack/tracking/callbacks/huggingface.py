"""Training with the Trainer of Transformers: its log history, settings, checkpoints.

The numbers are those of `trainer.state.log_history`, at its global steps, with the
fractional epoch beside them. Of a `checkpoint-N` folder the weights are kept, not the
states of optimizer and generators. Transformers is imported by the user, never here.
What goes wrong on our side is one warning.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbtrack.guard import guard
from nbtrack.tracking.callbacks.fit_run import FitRun, current_for
from nbtrack.tracking.callbacks.fits import scope, softly
from nbtrack.tracking.callbacks.framework_files import taken_with
from nbtrack.tracking.callbacks.huggingface_files import (
    keeping,
    quiet,
    weights_in,
    whole,
)
from nbtrack.tracking.callbacks.huggingface_settings import log_training
from nbtrack.tracking.callbacks.pace import n_samples_in, n_tokens_in
from nbtrack.tracking.callbacks.patching import Function, Patches
from nbtrack.tracking.callbacks.trainings import Training

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run

FEATURE = "the hook into huggingface"
# Any: trainers, states and models of a library that is not imported here.


def _recorded(hook: Callable[..., None]) -> Callable[..., None]:
    """A hook that is passed over while nothing is recorded, and never raises."""

    @functools.wraps(hook)
    def guarded(self: _Recording, *args: Any, **kwargs: Any) -> None:
        if self._training is not None and not guard.is_off(FEATURE):
            with guard(FEATURE):
                hook(self, *args, **kwargs)

    return guarded


class _Recording:
    """The callback without its base class, which is there only once it is imported."""

    _training: Training  # None while nothing is recorded: see `_recorded`

    def __init__(self, *, run: Run | None = None) -> None:
        self._run = run
        self._training = None  # type: ignore[assignment]
        self._n_samples = self._n_tokens = 0  # of the batches since the last step
        self._n_tokens_told = 0  # as the state counts them, where it does

    # -- the hooks that the Trainer calls

    def on_train_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Find the run and keep the settings."""
        with guard(FEATURE):
            self._begin(args, state)
            if self._training is not None:
                self._n_samples = self._n_tokens = 0
                self._n_tokens_told = state.num_input_tokens_seen
                log_training(self._training.run, args, given)

    @_recorded
    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """An epoch begins."""
        self._training.pace.mark()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Count; ask the Trainer to end after Stop was pressed."""
        self._end_of_step(args, state)
        if self._training is not None and self._training.should_stop():
            control.should_training_stop = True

    def on_log(
        self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any
    ) -> None:
        """Keep what has just gone into the history."""
        alone = self._training is None  # `evaluate` without a training
        if alone:
            with guard(FEATURE):
                self._begin(args, state)
        self._keep_logs(state, logs)
        if alone:
            self.close()

    @_recorded
    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """The time that evaluation took is no time of training."""
        self._training.pace.mark()

    def on_predict(
        self, args: Any, state: Any, control: Any, metrics: Any, **_: Any
    ) -> None:
        """Keep what is known of a test; the Trainer only returns it."""
        self.on_log(args, state, control, logs=metrics)

    @_recorded
    def on_save(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Keep the weights of the folder that was just written."""
        folder = Path(args.output_dir).absolute() / f"checkpoint-{state.global_step}"
        name = type(_inner(given.get("model"))).__name__.lower()
        for path, part in weights_in(folder, name):
            self._training.keep(path, name=part, metrics={}, step=state.global_step)
        taken_with(folder)
        self._training.pace.mark()

    @_recorded
    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """The training is over; what `evaluate` says afterwards comes by itself."""
        self._training.reach(state.global_step, state.epoch or 0)
        self.close()

    # -- inside

    def count(self, inputs: Any) -> None:
        """A batch is trained on; from its shapes."""
        with guard(FEATURE):
            self._n_samples += n_samples_in(inputs)
            self._n_tokens += n_tokens_in(inputs)

    def close(self) -> None:
        """Nothing more is recorded; harmless when said twice."""
        with guard(FEATURE):
            training, self._training = self._training, None  # type: ignore[assignment]
            if training is not None:
                training.end()

    def _begin(self, args: Any, state: Any) -> None:
        run = self._run or current_for("TransformersCallback")
        if run is None or not state.is_world_process_zero:
            return
        self._training = Training(
            run, framework="huggingface", soft=args.world_size == 1
        )
        self._training.starts_at(state.global_step, state.epoch or 0)

    @_recorded
    def _end_of_step(self, args: Any, state: Any) -> None:
        n_samples, n_tokens = self._n_samples, self._n_tokens
        self._n_samples = self._n_tokens = 0
        if not n_samples:  # without the hook nobody sees the batches
            n_samples = args.train_batch_size * args.gradient_accumulation_steps
            n_tokens = state.num_input_tokens_seen - self._n_tokens_told
            n_tokens //= max(1, args.world_size)  # counted over all processes
        self._n_tokens_told = state.num_input_tokens_seen
        n = args.world_size
        self._training.pace.tick(n_samples=n * n_samples, n_tokens=n * n_tokens)

    @_recorded
    def _keep_logs(self, state: Any, logs: Mapping[str, Any] | None) -> None:
        values = {k: v for k, v in (logs or {}).items() if isinstance(v, int | float)}
        epoch = values.pop("epoch", state.epoch)
        if epoch is not None:
            self._training.set_epoch(epoch)
        if "loss" in values:
            values |= self._training.pace.read()
        self._training.log(values, step=state.global_step)
        self._training.reach(state.global_step, state.epoch or 0)

    def __reduce__(self) -> Any:
        return TransformersCallback, ()  # another process has no run

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return TransformersCallback(run=self._run)


class TransformersCallback(_Recording):
    """Keeps the Trainer's log history, settings, checkpoints, speed; ends it on Stop.

    In a tracked cell and after `nbtrack.autolog()` no callback is needed.

    Parameters
    ----------
    run : Run, optional
        Default: the run that is current when the training begins. Without one there is
        one warning and nothing is recorded.

    Raises
    ------
    MissingExtraError
        Where Transformers is not installed.

    Examples
    --------
    >>> import nbtrack, torch, transformers
    >>> config = transformers.BertConfig(
    ...     vocab_size=9, hidden_size=4, num_hidden_layers=1, num_attention_heads=1,
    ...     intermediate_size=4,
    ... )
    >>> text = {"input_ids": torch.arange(4), "labels": torch.tensor(1)}
    >>> trainer = transformers.Trainer(
    ...     model=transformers.BertForSequenceClassification(config),
    ...     args=transformers.TrainingArguments(
    ...         "outputs", max_steps=2, logging_steps=1, save_strategy="no",
    ...         disable_tqdm=True, report_to="none", use_cpu=True,
    ...     ),
    ...     train_dataset=[text] * 8, callbacks=[nbtrack.TransformersCallback()],
    ... )
    >>> trainer.remove_callback(transformers.PrinterCallback)
    >>> with nbtrack.start("tuned") as run:
    ...     result = trainer.train()
    >>> run.record().metrics["loss"].n
    2
    """

    def __new__(cls, **_: Any) -> TransformersCallback:
        """An instance that the Trainer accepts, too."""
        kind: Any = cls
        made: TransformersCallback = object.__new__(_accepted(kind, _base()))
        return made


@functools.cache
def _accepted(kind: Any, base: Any) -> Any:  # Any: classes with the library's base
    """The class with the library's own base among its bases."""
    if issubclass(kind, base):
        return kind
    return type(kind.__name__, (kind, base), {"__module__": kind.__module__})


def _base() -> Any:
    try:
        from transformers import TrainerCallback
    except ModuleNotFoundError as exc:
        from nbtrack.errors import MissingExtraError

        raise MissingExtraError(
            "TransformersCallback needs Transformers: `pip install transformers "
            "accelerate`, or for all that nbtrack hooks into, `pip install "
            "'nbtrack[frameworks]'`."
        ) from exc
    return TrainerCallback


class Hook:
    """`train`, `evaluate` and `predict` of a Trainer, without a callback."""

    # Not the package: that loads its parts when they are asked for.
    module = "transformers.trainer"

    def __init__(self) -> None:
        self._trainer = Patches()
        self._model = Patches()

    def install(self) -> None:
        """Replace the entries of those classes that are imported by now."""
        trainer = _class("transformers.trainer", "Trainer")
        if trainer is not None and not self._trainer:
            for name, twin_of in _twins(self._trainer).items():
                if name in vars(trainer):
                    self._trainer.set(trainer, name, twin_of(vars(trainer)[name]))
        model = _class("transformers.modeling_utils", "PreTrainedModel")
        if model is not None and not self._model:
            original = vars(model)["save_pretrained"]
            self._model.set(model, "save_pretrained", keeping(original))

    def remove(self) -> None:
        """Put them back."""
        self._trainer.undo()
        self._model.undo()


def _class(module: str, name: str) -> Any:
    """A class of a module that is imported; None while it is not, or only in part."""
    return getattr(sys.modules.get(module), name, None)


def _twins(own: Patches) -> dict[str, Callable[[Function], Function]]:
    entry = functools.partial(_entry, own)
    return {
        "train": entry,
        "evaluate": entry,
        "predict": entry,
        "training_step": _counting,
        "_save": quiet,
        "_save_checkpoint": whole,
    }


def _entry(own: Patches, original: Function) -> Function:
    @functools.wraps(original)
    def entry(trainer: Any, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        fit = None
        if own and not guard.is_off(FEATURE):
            with guard(FEATURE):
                fit = _fit_run(trainer, original.__name__)
        if fit is None:
            return original(trainer, *args, **kwargs)
        return _call(fit, original, trainer, *args, **kwargs)

    return entry


def _fit_run(trainer: Any, entry: str) -> FitRun | None:
    callbacks = trainer.callback_handler.callbacks
    if scope.owners or any(_is_recording(each) for each in callbacks):
        return None  # a part of something else; of this very training
    name = type(_inner(trainer.model)).__name__.lower()
    may_start = entry == "train" and trainer.is_world_process_zero()
    return FitRun.of("huggingface", name, may_start=may_start)


def _is_recording(callback: Any) -> bool:
    """Whether it is one of ours, in the middle of a training."""
    ours = isinstance(callback, TransformersCallback)
    return ours and callback._training is not None


def _call(
    fit: FitRun, original: Function, trainer: Any, *args: Any, **kwargs: Any
) -> Any:
    """Train with a callback of ours; results and exceptions go through untouched."""
    __tracebackhide__ = True
    ours: list[TransformersCallback] = []
    given: list[Any] = trainer.callback_handler.callbacks
    with guard(FEATURE):
        ours = [each for each in given if isinstance(each, TransformersCallback)]
        if not ours:
            ours = [TransformersCallback(run=fit.run)]
            # First: what saves afterwards finds the metrics of its step already there.
            given.insert(0, ours[0])
        else:
            given = []
    with fit, softly(fit.run) if trainer.args.world_size == 1 else nullcontext():
        try:
            return original(trainer, *args, **kwargs)
        finally:
            for each in ours:
                each.close()
                if each in given:
                    given.remove(each)


def _counting(original: Function) -> Function:
    """`training_step`, of whose inputs the shapes say how much was trained on."""

    @functools.wraps(original)
    def training_step(
        trainer: Any, model: Any, inputs: Any, *args: Any, **kwargs: Any
    ) -> Any:
        __tracebackhide__ = True
        for each in trainer.callback_handler.callbacks:
            if isinstance(each, TransformersCallback):
                each.count(inputs)
        return original(trainer, model, inputs, *args, **kwargs)

    return training_step


def _inner(model: Any) -> Any:
    """The model inside the wrappers of accelerate and of adapters."""
    from nbtrack.tracking.checkpoint_objects import unwrapped

    return unwrapped(model)

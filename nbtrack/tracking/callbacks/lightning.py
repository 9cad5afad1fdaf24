"""Training with Lightning: what the modules log, settings, checkpoints, speed.

The numbers are those that Lightning reports to its own loggers, at its own steps; on
the CPU every step is kept, on a device those of `log_every_n_steps`, because reading a
value makes the device wait. Lightning is imported by the user, never here, as
`lightning` or as `pytorch_lightning`. What goes wrong on our side is one warning.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbtrack.guard import guard
from nbtrack.tracking.callbacks.fit_run import FitRun, current_for
from nbtrack.tracking.callbacks.fits import scope, softly
from nbtrack.tracking.callbacks.framework_files import name_of, own_save
from nbtrack.tracking.callbacks.lightning_settings import log_training
from nbtrack.tracking.callbacks.pace import n_samples_in, n_tokens_in
from nbtrack.tracking.callbacks.patching import Function, Patches
from nbtrack.tracking.callbacks.trainings import Training

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run

FEATURE = "the hook into lightning"
PACKAGES = ("lightning.pytorch", "pytorch_lightning")
ENTRIES = ("fit", "validate", "test")
# Any: trainers, modules and batches of a library that is not imported here.


def _recorded(hook: Callable[..., None]) -> Callable[..., None]:
    """A hook that is passed over while nothing is recorded, and never raises."""

    @functools.wraps(hook)
    def guarded(self: _Recording, *args: Any, **kwargs: Any) -> None:
        if self._training is not None and not guard.is_off(FEATURE):
            with guard(FEATURE):
                hook(self, *args, **kwargs)

    return guarded


class _Recording:
    """The callback without its base class, which is there only once Lightning is."""

    _training: Training  # None while nothing is recorded: see `_recorded`
    _heard: list[tuple[Any, str]]  # whose method is replaced
    _seen: dict[str, Any]  # the last value of each name, as Lightning made it
    _rates: dict[str, float]  # in the batch of now
    _rates_told: dict[str, float]
    _optimizer_step: int
    _step: int

    def __init__(self, *, run: Run | None = None) -> None:
        self._run = run
        self._forget()

    # -- the hooks that Lightning calls

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Find the run, and listen to what Lightning reports and saves."""
        with guard(FEATURE):
            self._close()
            run = self._run or current_for("LightningCallback")
            if run is None or not trainer.is_global_zero or stage == "predict":
                return
            self._listen(trainer)
            soft = trainer.world_size == 1
            self._training = Training(run, framework="lightning", soft=soft)

    @_recorded
    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Settings, now that the optimizers are made and a checkpoint is read."""
        self._training.starts_at(_step_of(trainer), trainer.current_epoch)
        self._optimizer_step = trainer.global_step
        log_training(self._training.run, trainer, pl_module)

    @_recorded
    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
        """Where validation is all there is, it belongs to the last step."""
        if trainer.state.fn != "fit":
            self._training.starts_at(_step_of(trainer), trainer.current_epoch)

    on_test_start = on_validation_start

    @_recorded
    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        """An epoch begins."""
        self._training.set_epoch(trainer.current_epoch)
        self._training.pace.mark()

    @_recorded
    def on_train_batch_start(self, trainer: Any, *_: Any) -> None:
        """Read the learning rate here: after the batch a scheduler has changed it."""
        self._rates = _learning_rates(trainer)

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Keep the values of a step; ask Lightning to end after Stop was pressed."""
        self._end_of_batch(trainer, batch)
        if self._training is not None and self._training.should_stop():
            trainer.should_stop = True

    @_recorded
    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """The time that validation took is no time of training."""
        self._training.pace.mark()

    @_recorded
    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Keep speed and learning rate; the metrics of the epoch come by Lightning."""
        values = {**self._training.pace.read(), **self._rates}
        self._training.log(values, step=self._step)
        self._training.reach(_step_of(trainer), trainer.current_epoch + 1)

    def on_exception(self, trainer: Any, pl_module: Any, exception: Any) -> None:
        """Listen no longer."""
        with guard(FEATURE):
            if self._training is not None:
                self._training.reach(_step_of(trainer), trainer.current_epoch)
            self._close()

    def teardown(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Listen no longer."""
        with guard(FEATURE):
            self._close()

    # -- inside

    @_recorded
    def _end_of_batch(self, trainer: Any, batch: Any) -> None:
        n, pace = trainer.world_size, self._training.pace
        pace.tick(n_samples=n * n_samples_in(batch), n_tokens=n * n_tokens_in(batch))
        if trainer.global_step == self._optimizer_step:
            return  # gradients are being accumulated: Lightning reports nothing either
        self._optimizer_step = trainer.global_step
        self._step = _step_of(trainer)
        values: dict[str, Any] = {}
        if self._rates != self._rates_told:
            values |= self._rates
            self._rates_told = self._rates
        if trainer.strategy.root_device.type == "cpu":
            values |= self._new(trainer._logger_connector.metrics["log"])
        if pace.is_due:
            values |= pace.read()
        self._training.log(values, step=self._step)

    @_recorded
    def _reported(
        self, trainer: Any, metrics: Mapping[str, Any], step: int | None = None
    ) -> None:
        """What Lightning has just given to its loggers."""
        values = self._new(metrics)
        own = values.pop("step", step)
        self._training.log(values, step=_step_of(trainer) if own is None else int(own))

    def _new(self, metrics: Mapping[str, Any]) -> dict[str, Any]:
        """Values that were not kept yet; one that was is told again and again."""
        new = {k: v for k, v in metrics.items() if not _is_same(v, self._seen.get(k))}
        self._seen.update(new)
        return {k: v.item() if hasattr(v, "item") else v for k, v in new.items()}

    def _listen(self, trainer: Any) -> None:
        connector = trainer._logger_connector
        if "log_metrics" in vars(connector):
            return  # a second callback of ours on the same trainer

        report, save = connector.log_metrics, trainer.save_checkpoint

        @functools.wraps(report)
        def log_metrics(*args: Any, **kwargs: Any) -> None:
            report(*args, **kwargs)
            self._reported(trainer, *args, **kwargs)

        @functools.wraps(save)
        def save_checkpoint(filepath: Any, *args: Any, **kwargs: Any) -> None:
            with own_save():
                save(filepath, *args, **kwargs)
            self._keep(trainer, filepath)

        connector.log_metrics, trainer.save_checkpoint = log_metrics, save_checkpoint
        self._heard += [(connector, "log_metrics"), (trainer, "save_checkpoint")]

    @_recorded
    def _keep(self, trainer: Any, filepath: Any) -> None:
        path = Path(filepath).absolute()
        # The values as they are: asking for them could make processes wait.
        metrics = trainer._logger_connector._callback_metrics
        self._training.keep(
            path,
            name=name_of(path, model=trainer.lightning_module),
            metrics={k: float(v) for k, v in metrics.items()},
            step=_step_of(trainer),
        )

    def _close(self) -> None:
        for owner, name in self._heard:
            vars(owner).pop(name, None)
        if self._training is not None:
            self._training.end()
        self._forget()

    def _forget(self) -> None:
        self._training = None  # type: ignore[assignment]
        self._heard, self._seen = [], {}
        self._rates, self._rates_told = {}, {}
        self._optimizer_step, self._step = -1, 0

    def __reduce__(self) -> Any:
        return LightningCallback, ()  # processes that are spawned have no run


class LightningCallback(_Recording):
    """Keeps what Lightning logs, settings, checkpoints and speed; ends it on Stop.

    In a tracked cell and after `nbtrack.autolog()` no callback is needed.

    Parameters
    ----------
    run : Run, optional
        Default: the run that is current when the training begins. Without one there is
        one warning and nothing is recorded.

    Raises
    ------
    MissingExtraError
        Where Lightning is not installed.

    Examples
    --------
    >>> import nbtrack, lightning, torch
    >>> from lightning.pytorch.demos.boring_classes import BoringModel
    >>> with nbtrack.start("lightning") as run:
    ...     trainer = lightning.Trainer(
    ...         max_epochs=1, callbacks=[nbtrack.LightningCallback()], logger=False,
    ...         accelerator="cpu", enable_checkpointing=False,
    ...         enable_progress_bar=False, enable_model_summary=False,
    ...     )
    ...     trainer.fit(BoringModel())
    >>> run.record().params["trainer.max_epochs"].value
    1
    """

    def __new__(cls, **_: Any) -> LightningCallback:
        """An instance that Lightning accepts, too."""
        kind: Any = cls
        if not any(_is_accepted(kind, package) for package in PACKAGES):
            kind = _accepted(kind, _package())
        made: LightningCallback = object.__new__(kind)
        return made


def _is_accepted(kind: Any, package: str) -> bool:
    return package in sys.modules and issubclass(kind, sys.modules[package].Callback)


@functools.cache
def _accepted(kind: Any, package: str) -> Any:  # Any: classes with Lightning's base
    """The class with Lightning's own base among its bases."""
    base = sys.modules[package].Callback
    return type(kind.__name__, (kind, base), {"__module__": kind.__module__})


def _package() -> str:
    """The Lightning that the user has imported; else one that can be."""
    for package in PACKAGES:
        if package in sys.modules:
            return package
    import importlib

    for package in PACKAGES:
        with suppress(ModuleNotFoundError):
            importlib.import_module(package)
            return package
    from nbtrack.errors import MissingExtraError

    raise MissingExtraError(
        "LightningCallback needs Lightning: `pip install lightning`, or for all that "
        "nbtrack hooks into, `pip install 'nbtrack[frameworks]'`."
    )


class Hook:
    """`fit`, `validate` and `test` of trainers, without a callback."""

    module = PACKAGES[0]

    def __init__(self) -> None:
        self._patches = {package: Patches() for package in PACKAGES}

    def install(self) -> None:
        """Replace the trainers' entries; both packages, as far as they are imported."""
        for package, patches in self._patches.items():
            trainer = getattr(sys.modules.get(package), "Trainer", None)
            if trainer is not None and not patches:
                for name in ENTRIES:
                    twin = self._twin(vars(trainer)[name], package)
                    patches.set(trainer, name, twin)

    def remove(self) -> None:
        """Put them back."""
        for patches in self._patches.values():
            patches.undo()

    def _twin(self, original: Function, package: str) -> Function:
        @functools.wraps(original)
        def entry(trainer: Any, *args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            fit = None
            if self._patches[package] and not guard.is_off(FEATURE):
                with guard(FEATURE):
                    fit = _fit_run(trainer, args, kwargs)
            if fit is None:
                return original(trainer, *args, **kwargs)
            return _call(fit, package, original, trainer, *args, **kwargs)

        return entry


def _fit_run(trainer: Any, args: Any, kwargs: Any) -> FitRun | None:
    if scope.owners:
        return None  # a part of something else that is fitted
    model = args[0] if args else kwargs.get("model")
    name = type(model if model is not None else trainer).__name__.lower()
    return FitRun.of("lightning", name, may_start=trainer.is_global_zero)


def _call(
    fit: FitRun,
    package: str,
    original: Function,
    trainer: Any,
    *args: Any,
    **kwargs: Any,
) -> Any:
    """Train with a callback of ours; results and exceptions go through untouched."""
    __tracebackhide__ = True
    ours: LightningCallback | None = None
    with guard(FEATURE):
        ours = _added(trainer, fit.run, package)
    with fit:
        try:
            if trainer.world_size > 1:  # Stop is raised: see `Training`
                return original(trainer, *args, **kwargs)
            with softly(fit.run):
                return original(trainer, *args, **kwargs)
        finally:
            if ours is not None and ours in trainer.callbacks:
                trainer.callbacks.remove(ours)


def _added(trainer: Any, run: Run, package: str) -> LightningCallback | None:
    """A callback of ours among the trainer's; none where the user gave one."""
    if any(isinstance(each, LightningCallback) for each in trainer.callbacks):
        return None
    kind: Any = LightningCallback
    ours: LightningCallback = _accepted(kind, package)(run=run)
    trainer.callbacks.insert(0, ours)  # before those that save by what is logged
    return ours


def _is_same(value: Any, before: Any) -> bool:
    """Whether two tensors are one value: Lightning makes new memory for each."""
    if before is None or not hasattr(value, "data_ptr"):
        return value is before
    return bool(value.data_ptr() == before.data_ptr())


def _step_of(trainer: Any) -> int:
    """The step under which Lightning reports now."""
    return int(trainer.fit_loop.epoch_loop._batches_that_stepped)


def _learning_rates(trainer: Any) -> dict[str, float]:
    """Of the first group of each optimizer: `lr`, `lr-2`, ..."""
    rates = {}
    for index, optimizer in enumerate(trainer.optimizers):
        rate = optimizer.param_groups[0]["lr"]
        if getattr(getattr(rate, "device", None), "type", "cpu") == "cpu":
            rates["lr" if index == 0 else f"lr-{index + 1}"] = float(rate)
    return rates

"""Training with Keras 3: the numbers of its `History`, settings, checkpoints, speed.

A point is an epoch, as in the history that `fit` returns; what `evaluate` returns by
itself is kept as `eval_...`. Any backend will do. Keras is imported by the user, never
here. What goes wrong on our side is one warning.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from nbtrack.guard import guard
from nbtrack.tracking.callbacks.fit_run import FitRun, current_for
from nbtrack.tracking.callbacks.fits import scope, softly
from nbtrack.tracking.callbacks.framework_files import own_save
from nbtrack.tracking.callbacks.keras_settings import (
    FitCall,
    learning_rate_of,
    log_goals,
    log_training,
)
from nbtrack.tracking.callbacks.patching import Function, Patches
from nbtrack.tracking.callbacks.trainings import Training, rank

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run

FEATURE = "the hook into keras"
# Any: models, logs and callbacks of a library that is not imported here.


def _recorded(hook: Callable[..., None]) -> Callable[..., None]:
    """A hook that is passed over while nothing is recorded, and never raises."""

    @functools.wraps(hook)
    def guarded(self: _Recording, *args: Any, **kwargs: Any) -> None:
        if self._training is not None and not guard.is_off(FEATURE):
            with guard(FEATURE):
                hook(self, *args, **kwargs)

    return guarded


class _Recording:
    """The callback without its base class, which is there only once Keras is."""

    # Where a backend calls callbacks in threads beside the training, it may go on so.
    async_safe = True

    model: Any  # Keras sets both
    params: Any
    _training: Training  # None while nothing is recorded: see `_recorded`

    def __init__(
        self, *, run: Run | None = None, batch_size: int | None = None
    ) -> None:
        super().__init__()
        self.call = FitCall(batch_size=batch_size)
        self._run = run
        self._training = None  # type: ignore[assignment]
        self._is_fit = False
        self._epoch: int | None = None  # None before the first
        self._n_batches = self._n_samples = 0  # in the epoch of now

    # -- the hooks that Keras calls

    def on_train_begin(self, logs: Any = None) -> None:
        """Find the run and keep the settings."""
        with guard(FEATURE):
            self._begin(is_fit=True)
            if self._training is not None:
                log_training(self._training.run, self.model, self.params, self.call)

    @_recorded
    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """An epoch begins."""
        if self._epoch is None:
            self._training.starts_at(epoch, epoch)
        self._epoch = epoch
        self._n_batches = self._n_samples = 0
        self._training.set_epoch(epoch)
        self._training.pace.mark()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Count; ask Keras to end after Stop was pressed."""
        self._end_of_batch(batch)
        if self._training is not None and self._training.should_stop():
            self.model.stop_training = True

    @_recorded
    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Keep what Keras puts into its history."""
        values = dict(logs or {})
        with guard("the learning rate of keras"):
            values.setdefault("learning_rate", learning_rate_of(self.model))
        known = {name: value for name, value in values.items() if value is not None}
        speed = self._training.pace.read()
        self._training.log({**known, **speed}, step=epoch)
        self._training.reach(epoch + 1, epoch + 1)

    def on_train_end(self, logs: Any = None) -> None:
        """The training is over."""
        self.close()

    def on_test_begin(self, logs: Any = None) -> None:
        """An evaluation begins; it may be a part of the training."""
        if self._training is None:
            with guard(FEATURE):
                self._begin(is_fit=False)

    @_recorded
    def on_test_end(self, logs: Any = None) -> None:
        """Keep an evaluation for itself; in a training its values come as `val_...`."""
        if self._is_fit:
            self._training.pace.mark()
            return
        values = {f"eval_{name}": value for name, value in (logs or {}).items()}
        self._training.log(values, step=0)
        self.close()

    # -- inside

    @_recorded
    def saved(self, path: Path, template: str) -> None:
        """`ModelCheckpoint` has just written a file named by its template."""
        stem = Path(template.partition("{")[0] + "x").name[:-1]
        if stem == Path(template).name:  # no template: one file, written again
            stem = stem.removesuffix(".weights.h5").removesuffix(path.suffix)
        name = stem.strip("-_ .") or type(self.model).__name__.lower()
        self._training.keep(path, name=name, metrics={}, step=self._epoch or 0)

    def close(self) -> None:
        """Nothing more is recorded; harmless when said twice."""
        with guard(FEATURE):
            training, self._training = self._training, None  # type: ignore[assignment]
            if training is not None:
                _open.pop(self.model, None)
                training.end()

    def _begin(self, *, is_fit: bool) -> None:
        run = self._run or current_for("KerasCallback")
        if run is None or _rank() != 0:
            return
        self._is_fit, self._epoch = is_fit, None
        self._training = Training(run, framework="keras")
        if is_fit:
            _open[self.model] = self

    @_recorded
    def _end_of_batch(self, batch: int) -> None:
        n_batches, self._n_batches = batch + 1 - self._n_batches, batch + 1
        n_samples = self.call.n_samples_in(n_batches, after=self._n_samples)
        self._n_samples += n_samples
        self._training.pace.tick(n_batches=n_batches, n_samples=n_samples)

    def __reduce__(self) -> Any:
        return KerasCallback, ()  # another process has no run

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return KerasCallback(run=self._run, batch_size=self.call.batch_size)


class KerasCallback(_Recording):
    """Keeps what Keras puts into its history, settings and speed; ends it on Stop.

    In a tracked cell and after `nbtrack.autolog()` no callback is needed, and the files
    of `ModelCheckpoint` are kept as well.

    Parameters
    ----------
    run : Run, optional
        Default: the run that is current when the training begins. Without one there is
        one warning and nothing is recorded.
    batch_size : int, optional
        For `perf/samples_per_s`; in a tracked cell it is known.

    Raises
    ------
    MissingExtraError
        Where Keras is not installed.

    Examples
    --------
    >>> import keras, nbtrack, numpy
    >>> model = keras.Sequential([keras.layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> x = numpy.ones((8, 3))
    >>> with nbtrack.start("keras") as run:
    ...     callback = nbtrack.KerasCallback(batch_size=4)
    ...     history = model.fit(
    ...         x, x[:, :1], batch_size=4, epochs=2, verbose=0, callbacks=[callback]
    ...     )
    >>> run.record().metrics["loss"].n
    2
    """

    def __new__(cls, **_: Any) -> KerasCallback:
        """An instance that Keras accepts, too."""
        kind: Any = cls
        made: KerasCallback = object.__new__(_accepted(kind, _base()))
        return made


@functools.cache
def _accepted(kind: Any, base: Any) -> Any:  # Any: classes with Keras' base
    """The class with Keras' own base among its bases."""
    if issubclass(kind, base):
        return kind
    return type(kind.__name__, (kind, base), {"__module__": kind.__module__})


def _base() -> Any:
    try:
        import keras
    except ModuleNotFoundError as exc:
        from nbtrack.errors import MissingExtraError

        raise MissingExtraError(
            "KerasCallback needs Keras 3: `pip install keras`, or for all that nbtrack "
            "hooks into, `pip install 'nbtrack[frameworks]'`."
        ) from exc
    return keras.callbacks.Callback


# The callback of each model that is being trained.
_open: WeakKeyDictionary[Any, _Recording] = WeakKeyDictionary()


class Hook:
    """`fit` and `evaluate` of models and `ModelCheckpoint`, without a callback."""

    module = "keras"

    def __init__(self) -> None:
        self._patches = Patches()

    def install(self) -> None:
        """Replace the entries of `keras.Model`, and how its checkpoints are saved."""
        keras = sys.modules["keras"]
        if self._patches:
            return
        for name in ("fit", "evaluate"):
            original = getattr(keras.Model, name)
            self._patches.set(keras.Model, name, self._twin(original))
        kind = keras.callbacks.ModelCheckpoint
        if hasattr(kind, "_save_model") and hasattr(kind, "_get_file_path"):
            self._patches.set(kind, "_save_model", _saving(kind._save_model))

    def remove(self) -> None:
        """Put them back."""
        self._patches.undo()

    def _twin(self, original: Function) -> Function:
        @functools.wraps(original)
        def entry(model: Any, *args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            call = None
            if self._patches and not guard.is_off(FEATURE):
                with guard(FEATURE):
                    call = _Call.of(original, model, args, kwargs)
            if call is None:
                return original(model, *args, **kwargs)
            return call.run(original, model)

        return entry


class _Call:
    """One call of `fit` or `evaluate` that is recorded."""

    def __init__(self, fit: FitRun, arguments: inspect.BoundArguments) -> None:
        self._fit = fit
        given = arguments.arguments.get("callbacks")
        callbacks = _flat(given)
        ours = [each for each in callbacks if isinstance(each, KerasCallback)]
        self._ours: Any = ours[0] if ours else KerasCallback(run=fit.run)
        self._ours.call = FitCall.of(arguments.arguments, self._ours.call)
        # First: what saves afterwards finds the metrics of its epoch already there.
        others = [each for each in callbacks if each is not self._ours]
        arguments.arguments["callbacks"] = [self._ours, *others]
        self._arguments = arguments
        log_goals(fit.run, others)

    @classmethod
    def of(cls, original: Function, model: Any, args: Any, kwargs: Any) -> _Call | None:
        """None where nothing is to be recorded: no run, or a part of another fit."""
        arguments = inspect.signature(original).bind(model, *args, **kwargs)
        given = arguments.arguments.get("callbacks")
        within = isinstance(given, sys.modules["keras"].callbacks.CallbackList)
        if scope.owners or within:  # the validation of a `fit` brings its own list
            return None
        may_start = _rank() == 0 and original.__name__ == "fit"
        fit = FitRun.of("keras", type(model).__name__.lower(), may_start=may_start)
        return None if fit is None else cls(fit, arguments)

    def run(self, original: Function, model: Any) -> Any:
        """Train; the history and every exception go through untouched."""
        __tracebackhide__ = True
        with self._fit, softly(self._fit.run):
            try:
                return original(*self._arguments.args, **self._arguments.kwargs)
            finally:
                self._ours.close()


def _flat(callbacks: Any) -> list[Any]:
    """Keras takes one callback, a list, or lists in lists."""
    if callbacks is None:
        return []
    if isinstance(callbacks, list | tuple):
        return [each for part in callbacks for each in _flat(part)]
    return [callbacks]


def _saving(original: Function) -> Function:
    """`ModelCheckpoint._save_model`, after which the file is kept if it is new."""
    from nbtrack.capture.file_sweep import stamp_of

    @functools.wraps(original)
    def save_model(
        checkpoint: Any, epoch: int, batch: Any, logs: Mapping[str, Any]
    ) -> Any:
        __tracebackhide__ = True
        recording, path, before = _open.get(checkpoint.model), None, None
        if recording is None:
            return original(checkpoint, epoch, batch, logs)
        with guard(FEATURE):
            path = Path(checkpoint._get_file_path(epoch, batch, logs)).absolute()
            before = stamp_of(path)
        with own_save():
            result = original(checkpoint, epoch, batch, logs)
        if path is not None and stamp_of(path) != before:
            recording.saved(path, str(checkpoint.filepath))
        return result

    return save_model


def _rank() -> int:
    """The rank of this process, whatever the backend."""
    keras = sys.modules["keras"]
    if keras.backend.backend() == "jax":
        return int(sys.modules["jax"].process_index())
    return rank()

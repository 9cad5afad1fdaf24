"""Training with LightGBM: metrics of every iteration, settings, importance, size.

`LightGBMCallback` is given to `lightgbm.train` or to an estimator's `fit`; the hook
does the same where none is given. LightGBM is imported by the user, never here. What
goes wrong on our side is one warning, and the booster is the one that would have been
trained anyway.
"""

from __future__ import annotations

import functools
import inspect
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from nbtrack.guard import guard
from nbtrack.records import Fact, Goal
from nbtrack.tracking.callbacks.fit_run import FitRun, current_for
from nbtrack.tracking.callbacks.fits import fits_of, scope, softly
from nbtrack.tracking.callbacks.iterations import Iterations
from nbtrack.tracking.callbacks.patching import Function, Patches

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run

FEATURE = "the hook into lightgbm"
ORDER = 25  # behind `record_evaluation` (20), before `early_stopping` (30) raises
MAX_LEAVES = 300_000  # a model of so many is written as text in under 0.2 s


class LightGBMCallback:
    """Keeps what LightGBM evaluates in each iteration; stops training on Stop.

    Parameters
    ----------
    run : Run, optional
        Default: the run that is current when the training begins. Without one there is
        one warning and nothing is recorded.

    Notes
    -----
    LightGBM does not tell a callback that training ended early: importance and size
    are kept then only where a tracked cell or `nbtrack.autolog()` sees the training.

    Examples
    --------
    >>> import nbtrack, numpy, lightgbm
    >>> data = lightgbm.Dataset(numpy.eye(60), label=[0, 1] * 30)
    >>> with nbtrack.start("boosted") as run:
    ...     booster = lightgbm.train(
    ...         {"objective": "binary", "verbose": -1}, data, 3,
    ...         valid_sets=[data], callbacks=[nbtrack.LightGBMCallback()],
    ...     )
    >>> run.record().metrics["training-binary_logloss"].n
    3
    """

    order = ORDER
    before_iteration = False

    def __init__(self, *, run: Run | None = None) -> None:
        self._run = run
        self.is_hooked = False  # the hook knows when the training is over
        self._iterations: Iterations | None = None
        self._is_open = False

    def __call__(self, env: Any) -> None:  # Any: LightGBM's CallbackEnv
        """LightGBM calls this after each iteration."""
        with guard(FEATURE):
            if not self._is_open or env.iteration == env.begin_iteration:
                run = self._run or current_for("LightGBMCallback")
                self._iterations = None if run is None else Iterations(run)
                self._is_open = True
        if self._iterations is None:
            return
        with guard(FEATURE):
            if not guard.is_off(FEATURE):
                self._keep(self._iterations, env)
        if self._iterations.should_stop():
            _stop(env)

    def finish(self, booster: Any) -> None:
        """Keep what is known at the end; the hook calls it."""
        if self._iterations is not None and self._is_open:
            self._is_open = False
            best = getattr(booster, "best_iteration", 0) or 0
            stopped_early = best > 0 and not self._iterations.run.stop.requested
            # Counted from 0, as every step is.
            values = {"best_iteration": float(best - 1)} if stopped_early else {}
            self._iterations.finish(values)

    def _keep(self, iterations: Iterations, env: Any) -> None:
        values: dict[str, float] = {}
        goals: dict[str, Goal] = {}
        for data, metric, value, larger_is_better, *deviation in (
            env.evaluation_result_list or ()
        ):
            name = f"{data}-{metric}"
            values[name] = float(value)
            goals[name] = "max" if larger_is_better else "min"
            if deviation:  # cross-validation
                values[f"{name}-stdv"] = float(deviation[0])
        iterations.log(env.iteration, values, goals=goals)
        if not self.is_hooked and env.iteration == env.end_iteration - 1:
            iterations.finish({})
            if hasattr(env.model, "num_trees"):
                keep_booster(iterations.run, env.model)

    def __deepcopy__(self, memo: dict[int, Any]) -> LightGBMCallback:
        return LightGBMCallback(run=self._run)

    def __reduce__(self) -> Any:
        # Workers copy what they are given; a run stays here.
        return LightGBMCallback, ()


def _stop(env: Any) -> None:
    """End the training as early stopping does: with what there is."""
    raise sys.modules["lightgbm"].callback.EarlyStopException(
        env.iteration, env.evaluation_result_list or []
    )


class Hook:
    """`lightgbm.train`, and with it the estimators, without a callback."""

    module = "lightgbm"

    def __init__(self) -> None:
        self._patches = Patches()

    def install(self) -> None:
        """Replace `lightgbm.train` wherever it stands."""
        if self._patches:
            return
        names = ("lightgbm.engine", "lightgbm", "lightgbm.sklearn")
        homes = [sys.modules[name] for name in names if name in sys.modules]
        self._patches.replace("train", homes, self._twin)

    def remove(self) -> None:
        """Put it back."""
        self._patches.undo()

    def _twin(self, original: Function) -> Function:
        signature = inspect.signature(original)

        @functools.wraps(original)
        def train(*args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            training = None
            if self._patches and not guard.is_off(FEATURE):
                with guard(FEATURE), suppress(TypeError):  # LightGBM says it better
                    training = _Training.of(signature.bind(*args, **kwargs))
            if training is None:
                return original(*args, **kwargs)
            return training.call(original)

        return train


class _Training:
    """One call of `lightgbm.train` that is recorded."""

    def __init__(self, fit: FitRun, call: inspect.BoundArguments) -> None:
        self._fit = fit
        self._run = fit.run
        self._call = call
        given = list(call.arguments.get("callbacks") or ())
        ours = [cb for cb in given if isinstance(cb, LightGBMCallback)]
        if not ours:
            ours = [LightGBMCallback(run=fit.run)]
            given += ours
        self._callback = ours[0]
        self._callback.is_hooked = True
        call.arguments["callbacks"] = given
        self._is_estimators = bool(scope.owners)

    @classmethod
    def of(cls, call: inspect.BoundArguments) -> _Training | None:
        """None where nothing is to be recorded: no run, or inside another fit."""
        if scope.owners and not scope.belongs_to("lightgbm"):
            return None
        fit = FitRun.of("lightgbm", "lightgbm", may_start=not scope.owners)
        return None if fit is None else cls(fit, call)

    def call(self, original: Function) -> Any:
        """Train; the booster and every exception go through untouched."""
        __tracebackhide__ = True
        with self._fit:
            with softly(self._run):
                booster = original(*self._call.args, **self._call.kwargs)
            with guard(FEATURE):
                self._callback.finish(booster)
                if not self._is_estimators:  # the estimator itself says more
                    self._describe(booster)
                    keep_booster(self._run, booster)
        return booster

    def _describe(self, booster: Any) -> None:
        from nbtrack.capture.values import flatten

        given = self._call.arguments
        params = given.get("params")
        fits = fits_of(self._run)
        settings = {} if fits.knows(params) else flatten(dict(params or {}))
        facts = [
            ("num_boost_round", given.get("num_boost_round", 100)),
            ("n_samples", int(given["train_set"].num_data())),
            ("n_features", int(booster.num_feature())),
        ]
        fits.describe_as(self._run, "lightgbm", [*settings.items(), *facts])


def keep_booster(run: Run, booster: Any) -> None:
    """Keep the importance of features and the size of the model."""
    run.log_importance(booster)
    leaves = booster.num_trees() * int(booster.params.get("num_leaves", 31))
    if leaves <= MAX_LEAVES:
        run.log_measured(model_bytes=len(booster.model_to_string()))
    else:
        why = f"the model has about {leaves:,} leaves: writing it takes too long"
        run.log_facts([Fact("model_bytes", missing=why)])

"""Training with LightGBM: metrics of every iteration, settings, importance, size.

`LightGBMCallback` is given to `lightgbm.train` or to an estimator's `fit`; the hook
does the same where none is given. LightGBM is imported by the user, never here. What
goes wrong on our side is one warning, and the booster is the one that would have been
trained anyway.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from nbtrack.guard import guard
from nbtrack.records import Fact, Goal
from nbtrack.tracking.callbacks.fit_run import current_for
from nbtrack.tracking.callbacks.iterations import Iterations
from nbtrack.tracking.callbacks.train_hook import Library, TrainHook

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run

FEATURE = "the hook into lightgbm"
ORDER = 25  # behind `record_evaluation` (20), before `early_stopping` (30) raises
LEAF_S = 5e-6  # of writing a model as text, which is the only way to its size
SIZE_S, SIZE_SHARE = 0.02, 0.02  # what that may take: so long, or so much of training


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
                keep_booster(iterations.run, env.model, iterations.seconds)

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


class Hook(TrainHook):
    """`lightgbm.train`, and with it the estimators, without a callback."""

    module = "lightgbm"

    def __init__(self) -> None:
        super().__init__(
            Library(
                name="lightgbm",
                feature=FEATURE,
                homes=("lightgbm.engine", "lightgbm", "lightgbm.sklearn"),
                callback=LightGBMCallback,
                data="train_set",
                size_of=_size_of,
                keep_booster=keep_booster,
            )
        )


def _size_of(data: Any, booster: Any) -> dict[str, int]:
    n_features = int(booster.num_feature())
    return {"n_samples": int(data.num_data()), "n_features": n_features}


def keep_booster(run: Run, booster: Any, seconds: float) -> None:
    """Keep the importance of features, and the size of a model that is soon written."""
    run.log_importance(booster)
    leaves = booster.num_trees() * int(booster.params.get("num_leaves", 31))
    if leaves * LEAF_S <= max(SIZE_S, SIZE_SHARE * seconds):
        run.log_measured(model_bytes=len(booster.model_to_string()))
    else:
        why = f"a model of up to {leaves:,} leaves takes too long to write"
        run.log_facts([Fact("model_bytes", missing=why)])

"""Training with XGBoost: metrics of every iteration, settings, importance, size.

`XGBoostCallback` is given to `xgboost.train` or to an estimator; the hook does the same
where none is given. XGBoost is imported by the user, never here. What goes wrong on our
side is one warning, and the booster is the one that would have been trained anyway.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nbtrack.guard import guard
from nbtrack.metric_names import goal_of
from nbtrack.records import Goal
from nbtrack.tracking.callbacks.fit_run import current_for
from nbtrack.tracking.callbacks.iterations import Iterations
from nbtrack.tracking.callbacks.train_hook import Library, TrainHook

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run

FEATURE = "the hook into xgboost"
# Metrics of XGBoost whose name alone does not say it.
_GOALS: dict[str, Goal] = {"nloglik": "min", "deviance": "min", "pre": "max"}


class _Recording:
    """The callback without its base class, which is there only once XGBoost is."""

    def __init__(self, *, run: Run | None = None) -> None:
        self._run = run
        self.is_hooked = False  # the hook keeps the booster itself, once it is whole
        self._iterations: Iterations | None = None
        self._log: Any = None  # the framework's own history, by data set and metric
        self._n_logged = 0

    def before_training(self, model: Any) -> Any:
        """Find the run."""
        with guard(FEATURE):
            run = self._run or current_for("XGBoostCallback")
            self._iterations = None if run is None else Iterations(run)
            self._n_logged, self._log = 0, None
        return model

    def before_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Remember the history, from which the last point is read."""
        self._log = evals_log
        return False

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Keep the values; True, which ends the training, after Stop was pressed."""
        if self._iterations is None:
            return False
        with guard(FEATURE):
            if not guard.is_off(FEATURE):
                self._log = evals_log
                self._keep(epoch)
        return self._iterations.should_stop()

    def after_training(self, model: Any) -> Any:
        """Keep what an earlier callback cut off, and what is known at the end."""
        with guard(FEATURE):
            if self._iterations is not None and not guard.is_off(FEATURE):
                # Another callback that ended the training may have come before us.
                if _length(self._log) > self._n_logged:
                    self._keep(self._n_logged)
                self._iterations.finish(_best(model))
                if not self.is_hooked:
                    keep_booster(self._iterations.run, model, self._iterations.seconds)
        return model

    def finish(self, booster: Any) -> None:
        """The hook has the booster; XGBoost has told us already."""

    def _keep(self, epoch: int) -> None:
        values = _last_values(self._log, self._n_logged)
        goals = {name: goal for name in values if (goal := _goal(name)) is not None}
        assert self._iterations is not None
        self._iterations.log(epoch, values, goals=goals)
        self._n_logged += 1

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return XGBoostCallback(run=self._run)

    def __reduce__(self) -> Any:
        # `clone` and workers copy an estimator with its callbacks; a run stays here.
        return XGBoostCallback, ()


class XGBoostCallback(_Recording):
    """Keeps what XGBoost evaluates in each iteration; stops training on Stop.

    Parameters
    ----------
    run : Run, optional
        Default: the run that is current when the training begins. Without one there is
        one warning and nothing is recorded.

    Examples
    --------
    >>> import nbtrack, numpy, xgboost
    >>> data = xgboost.DMatrix(numpy.eye(8), label=[0, 1] * 4)
    >>> with nbtrack.start("boosted") as run:
    ...     booster = xgboost.train(
    ...         {"objective": "binary:logistic"}, data, 3,
    ...         evals=[(data, "train")], verbose_eval=False,
    ...         callbacks=[nbtrack.XGBoostCallback()],
    ...     )
    >>> run.record().metrics["train-logloss"].n
    3
    """

    def __new__(cls, **_: Any) -> XGBoostCallback:
        """An instance that XGBoost accepts, too."""
        if sys.modules.get("xgboost") is None:
            raise _missing()
        kind: Any = cls
        made: XGBoostCallback = object.__new__(_accepted(kind))
        return made


def _missing() -> Exception:
    from importlib.util import find_spec

    from nbtrack.errors import MissingExtraError

    if find_spec("xgboost") is not None:
        return MissingExtraError("XGBoostCallback needs xgboost: import it first.")
    return MissingExtraError(
        "XGBoostCallback needs xgboost: `pip install xgboost`, or for all that nbtrack "
        "hooks into, `pip install 'nbtrack[frameworks]'`."
    )


@functools.cache
def _accepted(kind: Any) -> Any:  # Any: classes whose base is XGBoost's
    """The class with XGBoost's own base among its bases."""
    base = sys.modules["xgboost"].callback.TrainingCallback
    if issubclass(kind, base):
        return kind
    return type(kind.__name__, (kind, base), {"__module__": kind.__module__})


class Hook(TrainHook):
    """`xgboost.train`, and with it the estimators, without a callback."""

    module = "xgboost"

    def __init__(self) -> None:
        super().__init__(
            Library(
                name="xgboost",
                feature=FEATURE,
                homes=("xgboost.training", "xgboost", "xgboost.sklearn"),
                callback=XGBoostCallback,
                data="dtrain",
                size_of=_size_of,
                keep_booster=keep_booster,
            )
        )


def _size_of(data: Any, booster: Any) -> dict[str, int]:
    return {"n_samples": int(data.num_row()), "n_features": int(data.num_col())}


def keep_booster(run: Run, booster: Any, seconds: float) -> None:
    """Keep the importance of features and the size of the model."""
    if not hasattr(booster, "get_score"):  # the folds of `xgboost.cv`
        return
    gains = booster.get_score(importance_type="gain")  # none of a linear booster
    if gains:
        run.log_importance(gains, kind="gain")
    run.log_measured(model_bytes=len(booster.save_raw("ubj")))


def _best(model: Any) -> dict[str, float]:
    """The best iteration, where early stopping has looked for it."""
    found = model.attr("best_iteration") if hasattr(model, "attr") else None
    return {} if found is None else {"best_iteration": float(found)}


def _length(log: Any) -> int:
    series = [values for metrics in (log or {}).values() for values in metrics.values()]
    return max(map(len, series), default=0)


def _last_values(log: Mapping[str, Mapping[str, Any]], at: int) -> dict[str, float]:
    """Point `at` of each series, named as XGBoost prints it."""
    found: dict[str, float] = {}
    for data, metrics in log.items():
        for metric, values in metrics.items():
            if len(values) <= at:
                continue
            value = values[at]
            if isinstance(value, tuple):  # cross-validation: mean and deviation
                found[f"{data}-{metric}-mean"], found[f"{data}-{metric}-std"] = value
            else:
                found[f"{data}-{metric}"] = value
    return found


def _goal(name: str) -> Goal | None:
    if goal_of(name) is not None or name.endswith("-std"):
        return None
    metric = name.partition("-")[2].partition("@")[0].removesuffix("-mean")
    return _GOALS.get(metric.rpartition("-")[2])

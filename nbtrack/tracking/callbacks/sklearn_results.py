"""What a fitted estimator of scikit-learn tells: numbers, curves, candidates, size.

Names are scikit-learn's own, without the underscore behind them. Read are attributes
that are there after every fit; nothing is predicted and no score is computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from nbtrack.guard import tolerated
from nbtrack.records import Fact, Goal, Param
from nbtrack.tracking.callbacks.fits import MAX_DESCRIBED, fits_of
from nbtrack.tracking.callbacks.iterations import AXIS
from nbtrack.tracking.callbacks.model_size import TooSlowError, pickled_bytes

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run

Estimator = Any  # scikit-learn has no types
SLOW_S = 0.5  # a fit of that length is worth its 2 ms of importance each time
MAX_ROWS = 1000  # candidates in the table; all of them have their points
_NUMBERS: dict[str, Goal | None] = {
    "best_score": "max",
    "best_loss": "min",
    "inertia": "min",
    "lower_bound": "max",
    "oob_score": "max",
    "n_iter": None,
}
_CURVES: dict[str, Goal | None] = {
    "loss_curve": "min",  # MLP
    "validation_scores": "max",  # MLP
    "train_score": None,  # gradient boosting: a loss in one, a score in the other
    "validation_score": "max",  # histogram gradient boosting
    "lower_bounds": "max",  # mixtures
}
_PLAIN = frozenset({"builtins", "imblearn", "lightgbm", "sklearn", "xgboost"})
_IMPORTANCES = {"feature_importances_": "impurity", "coef_": "coefficient"}
MODEL_SHARE = 0.05  # of the time of the fit may go into measuring the model
MODEL_S = (0.005, 0.05)  # but so much at least, and at most


def keep_fit(
    run: Run,
    estimator: Estimator,
    *,
    seconds: float,
    n_samples: int | None,
    n_before: int = 0,
) -> None:
    """Keep what a fitted estimator tells; of the many quick fits of a loop less."""
    values = {"perf/fit_s": seconds}
    if n_samples and seconds > 0:
        values["perf/samples_per_s"] = n_samples / seconds
    numbers = dict(_numbers_of(estimator))
    for name in numbers:
        _set_goal(run, name, _NUMBERS[name])
    run.log({**values, **numbers})
    _keep_curves(run, estimator)
    if isinstance(getattr(estimator, "cv_results_", None), Mapping):
        _keep_search(run, estimator)
    if n_before < MAX_DESCRIBED or seconds > SLOW_S:
        _keep_importance(run, estimator)
    _keep_size(run, estimator, seconds)


def keep_cross_validation(run: Run, result: Any) -> None:
    """Keep the score of each fold, and the means."""
    means: dict[str, float] = {}
    for name, values in dict(result).items():
        if not name.startswith(("test_", "train_")):
            continue
        # Scorers are made so that larger is better, whatever their name says.
        _set_goal(run, name, "max")
        for value in values:
            run.log({name: value})
        means[f"{name}_mean"], means[f"{name}_std"] = values.mean(), values.std()
        _set_goal(run, f"{name}_mean", "max")
    run.log(means)


def _numbers_of(estimator: Estimator) -> Iterator[tuple[str, float]]:
    for name in _NUMBERS:
        found = _attribute(estimator, f"{name}_")
        if found is None:
            continue
        if getattr(found, "size", 1) > 1 or isinstance(found, list):
            if name == "n_iter":  # one for each class
                yield name, float(max(found))
            continue
        with tolerated(_tell_nobody):
            yield name, float(found.item() if hasattr(found, "item") else found)


def _keep_curves(run: Run, estimator: Estimator) -> None:
    curves = {name: _attribute(estimator, f"{name}_") for name in _CURVES}
    curves = {name: ys for name, ys in curves.items() if _is_curve(ys)}
    if not curves:
        return
    next_steps = fits_of(run).next_steps
    start = max(next_steps.get(name, 0) for name in curves)
    longest = max(map(len, curves.values()))
    for name in curves:
        _set_goal(run, name, _CURVES[name] or _goal_of_train_score(estimator))
    try:
        for at in range(longest):
            run.set_axis(AXIS, at)
            row = {name: float(ys[at]) for name, ys in curves.items() if at < len(ys)}
            run.log(row, step=start + at)
    finally:
        run.drop_axis(AXIS)
    next_steps.update(dict.fromkeys(curves, start + longest))


def _is_curve(values: Any) -> bool:
    return (
        hasattr(values, "__len__")
        and getattr(values, "ndim", 1) == 1
        and len(values) > 0
        and not isinstance(values, str)
    )


def _goal_of_train_score(estimator: Estimator) -> Goal:
    """`train_score_` is a loss in gradient boosting, a score in the histogram kind."""
    return "max" if type(estimator).__name__.startswith("Hist") else "min"


def _keep_search(run: Run, search: Estimator) -> None:
    results = search.cv_results_
    means = [name for name in results if name.startswith("mean_test_")]
    stds = [f"std_{name.removeprefix('mean_')}" for name in means]
    for name in means:
        _set_goal(run, name, "max")
    for at in range(len(results["params"])):
        row = {name: results[name][at] for name in (*means, *stds) if name in results}
        run.log(row)
    best = _attribute(search, "best_params_")
    if isinstance(best, Mapping):
        _keep_best(run, best)
    run.log_table(_candidates(results), "cv_results")


def _keep_best(run: Run, best: Mapping[str, Any]) -> None:
    from nbtrack.capture.values import flatten
    from nbtrack.redact import redact_param

    found = flatten({"best": {str(k): _named(v) for k, v in best.items()}})
    run.log_params(
        [Param(k, redact_param(k, leaf)[0], "object") for k, leaf in found.items()]
    )


def _candidates(results: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The columns that people look at: no column for each split."""
    columns: dict[str, list[Any]] = {}
    for name, values in results.items():
        if name == "params" or name.startswith("split"):
            continue
        plain = values.tolist() if hasattr(values, "tolist") else list(values)
        columns[name] = [_named(value) for value in plain[:MAX_ROWS]]
    return columns


def _named(value: Any) -> Any:
    """Numbers and texts as they are; of an object its class."""
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_named(item) for item in value]
    return getattr(value, "__name__", type(value).__name__)


def _keep_importance(run: Run, estimator: Estimator) -> None:
    model, names = _last_step(estimator)
    for attribute, kind in _IMPORTANCES.items():
        values = _attribute(model, attribute)
        if getattr(values, "ndim", 0) not in (1, 2):
            continue  # a sparse matrix among them is fine, a text is not
        if names is not None and len(names) != values.shape[-1]:
            names = None
        dense = values.toarray() if hasattr(values, "toarray") else values
        run.log_importance(dense, names, kind=kind)
        return


def _last_step(estimator: Estimator) -> tuple[Estimator, Any]:
    """The model in a pipeline or the best one of a search, and what it calls its input.

    A pipeline that ends in a search ends in a pipeline: four times is enough.
    """
    names = None
    for _ in range(4):
        best, steps = _attribute(estimator, "best_estimator_"), None
        if best is None:
            steps = _attribute(estimator, "steps")
        if isinstance(steps, list) and len(steps) > 1:
            before: list[Any] = []
            with tolerated(_tell_nobody):  # a step that cannot tell
                before.append(estimator[:-1].get_feature_names_out())
            names, best = before[0] if before else None, steps[-1][1]
        if best is None:
            break
        estimator = best
    own = _attribute(estimator, "feature_names_in_")
    return estimator, own if names is None else names


def _keep_size(run: Run, estimator: Estimator, fit_s: float) -> None:
    model, _ = _last_step(estimator)
    if not (_pickles_plainly(estimator) and _pickles_plainly(model)):
        why = "the model has its own way of being pickled, which may be costly"
        run.log_facts([Fact("model_bytes", missing=why)])
        return
    least, most = MODEL_S
    within_s = min(most, max(least, MODEL_SHARE * fit_s))
    trouble: list[Exception] = []
    with tolerated(trouble.append):
        run.log_measured(model_bytes=pickled_bytes(estimator, within_s=within_s))
    for exc in trouble:
        why = f"the model cannot be pickled ({type(exc).__name__})"
        if isinstance(exc, TooSlowError):
            why = f"pickling the model takes longer than {within_s * 1e3:.0f} ms"
        run.log_facts([Fact("model_bytes", missing=why)])


def _pickles_plainly(estimator: Estimator) -> bool:
    """Whether no code of others runs: a network may copy itself off its GPU."""
    for name in ("__getstate__", "__reduce__", "__reduce_ex__"):
        for kind in type(estimator).__mro__:
            if name in vars(kind):
                if kind.__module__.partition(".")[0] not in _PLAIN:
                    return False
                break
    return True


def _set_goal(run: Run, name: str, goal: Goal | None) -> None:
    if goal is not None and name not in run.logged_names:
        run.set_goal(name, goal)


def _attribute(owner: Any, name: str) -> Any:
    """None for what is missing, and for properties that raise (`coef_` of an SVC)."""
    found: list[Any] = []
    with tolerated(_tell_nobody):
        found.append(getattr(owner, name, None))
    return found[0] if found else None


def _tell_nobody(_: object) -> None:
    """An attribute that raises is as good as none."""

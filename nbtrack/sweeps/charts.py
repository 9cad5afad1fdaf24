"""What a sweep has found: which params matter, and where the good values lie.

Optuna draws; names of params, choices and studies are shown as they are written, the
colours are those of the other charts (best values blue), and what is left out of a
figure is said below its title.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.charts.figure import SCALE, dressed, in_full, plain, titled
from nbtrack.analysis.media_view import plotly_graph_objects
from nbtrack.errors import MissingExtraError, OptionError
from nbtrack.sweeps.studies import load_study, objectives_of, optuna_module
from nbtrack.text import counted, did_you_mean, shorten, visible
from nbtrack.tracking.settled import settled

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from optuna import Study
    from optuna.trial import FrozenTrial

    from nbtrack.records import Goal
    from nbtrack.store import Store

CONTOUR_MAX = 5  # params against each other; more squares cannot be read
SLICE_MAX = 10  # params side by side
_FITTING = 5  # panels that go into the width of a cell; more scroll
_NAME_MAX = 26  # characters of a param beside its axis
_SEED = 0  # the forest's: the same trials give the same importances
_DOT = {"color": "white", "line": {"color": "#444", "width": 1.5}}


def plot_importances(
    sweep: Study | str, *, metric: str | None = None, store: Store | None = None
) -> go.Figure:
    """How much of the spread of the results each param explains (fANOVA), in shares.

    Parameters
    ----------
    sweep : optuna.Study or str
        A study, or the name of a sweep of this store.
    metric : str, optional
        One objective of several; default: all of them, side by side.
    store : Store, optional
        Default: the one of this folder.

    Returns
    -------
    plotly.graph_objects.Figure
        Its title says how many trials it goes by; below it stands which were left out,
        and params that not every trial has, which fANOVA cannot judge.

    Raises
    ------
    OptionError
        With fewer than two finished trials or two params, results that are all the
        same, or no such sweep or metric, with a did-you-mean.
    MissingExtraError
        Where Optuna, scikit-learn or plotly is not installed.

    Examples
    --------
    >>> import nbtrack, optuna
    >>> def objective(trial):
    ...     return trial.suggest_float("x", 0, 1) + 0.1 * trial.suggest_float("y", 0, 1)
    >>> sampler = optuna.samplers.RandomSampler(seed=0)
    >>> study = optuna.create_study(study_name="plane", sampler=sampler)
    >>> study.optimize(objective, n_trials=20)
    >>> [bars] = nbtrack.plot_importances(study).data
    >>> list(bars.y)  # the last one stands on top
    ['y', 'x']
    """
    found = _looked_at(sweep, metric, store)
    params, lacking = _judged(found)
    if len(params) < 2:
        told = f" ({', '.join(map(visible, params))})" if params else ""
        raise OptionError(
            f"{found.shown} has {len(params)} param that varies in all of its trials"
            f"{told}: importances compare two or more."
        )
    evaluator = _fanova()
    try:
        figure = optuna_module().visualization.plot_param_importances(
            found.study, evaluator=evaluator, params=params,
            target=found.target, target_name=found.metric,
        )  # fmt: skip
    except RuntimeError as exc:  # "zero total variance in all trees"
        raise OptionError(
            f"The results of {found.shown} do not differ: no param explains anything."
        ) from exc
    for bars, name in zip(figure.data, found.names, strict=True):
        bars.name = name
    figure.update_traces(hovertemplate="%{y}: %{x:.3f}<extra></extra>")
    figure.update_xaxes(title="share of the spread")
    figure.update_yaxes(title=None, type="category", automargin=True)
    notes = [f"not in every trial: {', '.join(lacking)}"] if lacking else []
    return _dressed(figure, found, f"importance for {found.metric}", *notes)


def plot_contour(
    sweep: Study | str,
    params: Sequence[str] | None = None,
    *,
    metric: str | None = None,
    store: Store | None = None,
) -> go.Figure:
    """The results over each pair of params, as a landscape with a dot for each trial.

    Parameters
    ----------
    sweep : optuna.Study or str
        A study, or the name of a sweep of this store.
    params : sequence of str, optional
        Two or more; default: all, at most five of them.
    metric, store : optional
        See `plot_importances`; of several objectives the default is the first one.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    OptionError
        With fewer than two finished trials or two params, or no such sweep, param or
        metric, with a did-you-mean.
    MissingExtraError
        Where Optuna or plotly is not installed.

    Examples
    --------
    >>> import nbtrack, optuna
    >>> def objective(trial):
    ...     return trial.suggest_float("x", 0, 1) + trial.suggest_float("y", 0, 1)
    >>> study = optuna.create_study()
    >>> study.optimize(objective, n_trials=5)
    >>> figure = nbtrack.plot_contour(study, ["x", "y"])
    >>> figure.layout.xaxis.title.text, figure.layout.yaxis.title.text
    ('x', 'y')
    """
    found = _looked_at(sweep, metric, store).of_one()
    shown, notes = _chosen(found, params, CONTOUR_MAX)
    if len(shown) < 2:
        raise OptionError(
            f"A contour needs two params or more; there is {len(shown)}: "
            f"{', '.join(map(visible, shown))}."
        )
    figure = optuna_module().visualization.plot_contour(
        found.study, params=shown, target=found.target, target_name=found.metric
    )
    scale = {"colorscale": list(SCALE), "reversescale": found.goals[0] == "max"}
    figure.update_traces(selector={"type": "contour"}, **scale)
    figure.update_traces(selector={"mode": "markers"}, marker=_DOT)
    what = f"{found.metric} over {' and '.join(shown) if len(shown) == 2 else 'params'}"
    return _dressed(figure, found, what, *notes)


def plot_slice(
    sweep: Study | str,
    params: Sequence[str] | None = None,
    *,
    metric: str | None = None,
    store: Store | None = None,
) -> go.Figure:
    """The results against each param, side by side; later trials are lighter.

    Parameters
    ----------
    sweep : optuna.Study or str
        A study, or the name of a sweep of this store.
    params : sequence of str, optional
        Default: all, at most ten of them.
    metric, store : optional
        See `plot_importances`; of several objectives the default is the first one.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    OptionError, MissingExtraError
        See `plot_contour`; one param and one trial are enough.

    Examples
    --------
    >>> import nbtrack, optuna
    >>> study = optuna.create_study()
    >>> study.optimize(lambda trial: trial.suggest_float("x", -1, 1) ** 2, n_trials=3)
    >>> [dots] = nbtrack.plot_slice(study).data
    >>> len(dots.x)
    3
    """
    found = _looked_at(sweep, metric, store, at_least=1).of_one()
    shown, notes = _chosen(found, params, SLICE_MAX)
    figure = optuna_module().visualization.plot_slice(
        found.study, params=shown, target=found.target, target_name=found.metric
    )
    figure.update_traces(marker={"colorscale": list(SCALE), "size": 8})
    if len(shown) <= _FITTING:
        figure.update_layout(width=None)
    return _dressed(figure, found, f"{found.metric} by param", *notes)


# ---- inside


@dataclass(frozen=True, slots=True)
class _Sweep:
    """A study with the trials that can be drawn, and the objectives that are."""

    study: Study
    names: tuple[str, ...]
    goals: tuple[Goal, ...]
    target: Callable[[FrozenTrial], float] | None  # None: all, as Optuna takes them
    trials: tuple[FrozenTrial, ...]
    left_out: tuple[str, ...]

    @property
    def shown(self) -> str:
        return f"Sweep {shorten(visible(repr(self.study.study_name)), 60)}"

    @property
    def metric(self) -> str:
        return " and ".join(self.names)

    @property
    def params(self) -> list[str]:
        return sorted({name for trial in self.trials for name in trial.params})

    def of_one(self) -> _Sweep:
        """With one objective: the first of several."""
        if len(self.names) == 1:
            return self
        return _with_objective(self.study, self.names, self.goals, 0)


def _looked_at(
    sweep: Study | str, metric: str | None, store: Store | None, *, at_least: int = 2
) -> _Sweep:
    plotly_graph_objects()
    optuna = optuna_module()
    study = load_study(sweep, settled(store)) if isinstance(sweep, str) else sweep
    if not isinstance(study, optuna.Study):
        shown = shorten(visible(repr(sweep)), 60)
        raise OptionError(f"sweep={shown} is neither a study of Optuna nor a name.")
    objectives = objectives_of(study, None)
    found = _with_objective(
        study, objectives.names, objectives.goals, _place(objectives.names, metric)
    )
    if len(found.trials) < at_least:
        n, left = len(found.trials), ", ".join(found.left_out)
        raise OptionError(
            f"{found.shown} has {counted(n, 'finished trial')}, and "
            f"{at_least} are needed{f' (left out: {left})' if left else ''}."
        )
    return found


def _place(names: Sequence[str], metric: str | None) -> int | None:
    if metric is None:
        return None if len(names) > 1 else 0
    if metric not in names:
        hint = did_you_mean(metric, names) or f" There are: {', '.join(names)}."
        raise OptionError(f"No objective is called {metric!r:.60}.{visible(hint)}")
    return list(names).index(metric)


def _with_objective(
    study: Study, names: tuple[str, ...], goals: tuple[Goal, ...], at: int | None
) -> _Sweep:
    trials = study.get_trials(deepcopy=False)
    states = Counter(trial.state.name.lower() for trial in trials)
    n_complete = states.pop("complete", 0)
    places = list(range(len(names))) if at is None else [at]
    finite = [
        trial
        for trial in trials
        if trial.state.name == "COMPLETE"
        and all(math.isfinite(trial.values[place]) for place in places)
    ]
    if n_complete > len(finite):
        states["infinite"] = n_complete - len(finite)
    return _Sweep(
        study,
        tuple(names[place] for place in places),
        tuple(goals[place] for place in places),
        None if at is None or len(names) == 1 else lambda trial: trial.values[at],
        tuple(finite),
        tuple(f"{n} {_WORDS.get(state, state)}" for state, n in states.items()),
    )


_WORDS = {"fail": "failed"}


def _judged(found: _Sweep) -> tuple[list[str], list[str]]:
    """The params that fANOVA can judge, and those that some trials lack."""
    n = Counter(name for trial in found.trials for name in trial.params)
    everywhere = [name for name in found.params if n[name] == len(found.trials)]
    varying = [
        name
        for name in everywhere
        if any(not trial.distributions[name].single() for trial in found.trials)
    ]
    return varying, [name for name in found.params if name not in everywhere]


def _chosen(
    found: _Sweep, params: Sequence[str] | None, n_max: int
) -> tuple[list[str], list[str]]:
    """The params to draw, and what is to be said of the others."""
    known = found.params
    if params is None:
        more = len(known) > n_max
        note = f"{n_max} of {len(known)} params; name others with params=["
        return known[:n_max], [f"{note}...]"] if more else []
    if isinstance(params, str):
        raise OptionError(f"params={params!r:.60} is one text: give a list of names.")
    for name in params:
        if name not in known:
            hint = did_you_mean(name, known) or f" There are: {', '.join(known[:8])}."
            raise OptionError(
                f"{found.shown} has no param {name!r:.60}.{visible(hint)}"
            )
    if not params:
        raise OptionError("params=[] is empty: name some, or leave it out.")
    return list(dict.fromkeys(params)), []


def _fanova() -> Any:
    importance = optuna_module().importance
    try:
        return importance.FanovaImportanceEvaluator(seed=_SEED)
    except ImportError as exc:
        raise MissingExtraError(
            "Importances need scikit-learn: `pip install 'nbtrack[sweeps]'`."
        ) from exc


def _dressed(figure: go.Figure, found: _Sweep, what: str, *notes: str) -> go.Figure:
    """Our title, and every text of the user's shown letter by letter."""
    for axis in (*figure.select_xaxes(), *figure.select_yaxes()):
        if axis.title.text:
            axis.title.text = plain(shorten(axis.title.text, _NAME_MAX))
        if axis.categoryarray is not None:
            axis.categoryarray = _as_written(axis.categoryarray)
    for trace in figure.data:
        _write_plainly(trace)
    n = len(found.trials)
    name, what = shorten(found.study.study_name, 60), shorten(what, 60)
    below = [f"left out: {', '.join(found.left_out)}"] if found.left_out else []
    title = f"{name}: {what} · {counted(n, 'trial')}"
    return dressed(figure, titled(title, *below, *notes))


def _write_plainly(trace: Any) -> None:
    if trace.x is not None:
        trace.x = _as_written(trace.x)
    if trace.y is not None:
        trace.y = _as_written(trace.y)
    if trace.name:
        trace.name = plain(trace.name)
    bar = getattr(trace, "colorbar", None)
    if bar is not None and bar.title.text:
        bar.title.text = plain(bar.title.text)


def _as_written(values: Sequence[Any]) -> list[Any]:
    """Texts letter by letter, in full: two categories never become one."""
    return [in_full(each) if isinstance(each, str) else each for each in values]

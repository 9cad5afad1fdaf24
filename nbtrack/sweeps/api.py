"""`nbtrack.sweep`: run a cell or a function with many values, each time as a run."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from nbtrack.capture.accumulators import words_of
from nbtrack.errors import OptionError
from nbtrack.metric_names import goal_of
from nbtrack.records import Goal
from nbtrack.sweeps.space import Space, parse_space
from nbtrack.sweeps.studies import SWEEP, TRIAL
from nbtrack.sweeps.study import (
    PRUNERS,
    SAMPLERS,
    Plan,
    open_storage,
    open_study,
    storage_there,
    study_names,
)
from nbtrack.sweeps.sweep import Sweep
from nbtrack.sweeps.trial import Aim
from nbtrack.text import did_you_mean, shorten, text_digest, visible

if TYPE_CHECKING:
    from nbtrack.store import Store
    from nbtrack.sweeps.study import Trial
    from nbtrack.sweeps.trial import Task

N_DEFAULT = 20
N_MAX = 1_000_000
PARALLEL_MAX = 256
LAST = "last"
_KEPT = frozenset({"best", "running", "total", "prev", "previous", "sum"})
_NAME = re.compile(r"[^\W_][\w .:\-]{0,59}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a sweep was asked for, checked."""

    space: Space
    aim: Aim
    plan: Plan
    n: int | None
    parallel: int
    name: str | None
    resume: str | None
    rerun_failed: bool = False
    options: tuple[str, ...] = ()  # of `%%track`, token by token
    about: Mapping[str, Any] = field(default_factory=dict)  # as `nbtrack.start` has it
    background: bool = False  # beside the kernel, which stays free: in processes
    cluster: Any = None  # of Dask: its client or address; a type of a package that
    # need not be there

    @property
    def stays_in_kernel(self) -> bool:
        """Whether nothing asks for other processes."""
        return self.parallel == 1 and not self.background and self.cluster is None


def sweep(
    what: Callable[..., Any] | str,
    space: Mapping[str, Any],
    *,
    metric: str | None = None,
    n: int | None = None,
    sampler: str = "tpe",
    prune: str | bool = False,
    parallel: int | None = None,
    cluster: Any = None,
    seed: int = 0,
    name: str | None = None,
    resume: str | None = None,
    rerun_failed: bool = False,
    experiment: str | None = None,
) -> Sweep:
    """Run a function or a cell with many values; each trial is a run.

    Parameters
    ----------
    what : callable or str
        A function, called with the values by name: the number that it returns is the
        metric, a mapping holds several, and `nbtrack.log` within it goes to the trial's
        run. Or the text of a cell of this notebook, as it is written: what the space
        names is replaced in it.
    space : mapping
        Of names to their values: `"log(1e-4, 1e-1)"`, `"uniform(0, 1)"`,
        `"int(1, 8)"`, `"step(0, 1, 0.25)"`, a list, or a distribution of Optuna; with
        a condition behind it as in `"uniform(0, .99) if opt == 'sgd'"`.
    metric : str
        What to make small or large: `"val_loss:min"`, `"acc"` (by its name), with
        `":last"` behind it the last value of each run in the place of its best.
        Default for a cell: the metric that its names tell of.
    n : int, optional
        How many trials; default 20, and with `sampler="grid"` the whole grid.
    sampler : str
        "tpe" (default), "gp", "random", "grid", or "halving": random values, of which
        the bad ones are stopped early.
    prune : bool or str
        Stop bad trials at a point of the metric: True ("median"), "median", "asha" or
        "hyperband". Default: no.
    parallel : int
        How many trials at a time, each in a process of its own. Default 1, on a cluster
        as many as it has workers.
    cluster : distributed.Client or str, optional
        Run trials on the workers of a Dask cluster: its client, the cluster, or the
        address of its scheduler ("tcp://host:8786"). Points come back as they are
        logged; workers need nbtrack, but no common disk. Default: here.
    seed : int
        Of the sampler: the same seed, the same values. Default 0.
    name : str, optional
        Default: "sweep-1", "sweep-2", ...
    resume : str, optional
        Go on with the sweep of that name, or "last", until it has `n` trials.
    rerun_failed : bool
        With `resume`: run the trials that failed again. Default False.
    experiment : str, optional
        Of the runs; default the notebook's name.

    Returns
    -------
    Sweep
        `best`, `rows`, `df` (its runs); it is shown as a table.

    Raises
    ------
    OptionError
        For what can be known before the first trial: an empty or inverted range, a name
        that the cell never uses, an unknown sampler.
    SweepError
        When trials would depend on one another, never log the metric, or all fail.
    MissingExtraError
        Where Optuna is not installed.

    Examples
    --------
    >>> import nbtrack
    >>> def bowl(x, y):
    ...     return x**2 + y**2
    >>> found = nbtrack.sweep(
    ...     bowl, {"x": [-1, 0, 2], "y": [0, 1]}, metric="z:min", sampler="grid")
    >>> found.best.labels, found.best.value
    ({'x': 0, 'y': 0}, 0.0)
    """
    parsed = parse_space(space)
    from nbtrack.sweeps.launch import launch_cell, launch_function

    asked = Asked(
        space=parsed,
        aim=aim_of(metric, what),
        plan=plan_of(sampler, prune, seed),
        n=count_of(n, sampler),
        parallel=parallel_of(parallel, cluster),
        cluster=cluster,
        name=name,
        resume=resume,
        rerun_failed=rerun_failed,
        about={"experiment": experiment},
    )
    if callable(what):
        return launch_function(what, asked)
    return launch_cell(what, asked)


def aim_of(text: str | None, what: Callable[..., Any] | str) -> Aim:
    """The metric and its goal.

    Raises
    ------
    OptionError
        Where none is said and none can be told, or its goal cannot.

    >>> aim_of("val_loss", "x = 1"), aim_of("z:max:last", "")
    (Aim(metric='val_loss', goal='min', by='best'), Aim(metric='z', goal='max', \
by='last'))
    """
    if text is None:
        text = _guessed(what)
    name, by = text, "best"
    head, _, last = name.rpartition(":")
    if head and last in ("last", "best"):
        name, by = head, last
    head, _, last = name.rpartition(":")
    goal: Goal | None = None
    if head and last in get_args(Goal):
        name, goal = head, "min" if last == "min" else "max"
    goal = goal or goal_of(name)
    if goal is None or not name:
        shown = shorten(visible(text), 60)
        raise OptionError(
            f"Whether {shown} is to be small or large cannot be told by its name: "
            f"write metric {shown}:min or {shown}:max."
        )
    return Aim(name, goal, by)


def _guessed(what: Callable[..., Any] | str) -> str:
    """The metric that the names of a cell tell of."""
    from nbtrack.metric_names import judges

    if isinstance(what, str):
        import ast

        from nbtrack.sweeps.sites import readable

        with_names: list[str] = []
        try:
            tree = ast.parse(readable(what))
        except (SyntaxError, ValueError):
            tree = ast.Module([], [])
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                with_names.append(node.id)
            elif isinstance(node, ast.keyword) and node.arg:
                with_names.append(node.arg)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                with_names.append(node.value if node.value.isidentifier() else "")
        found = judges(n for n in dict.fromkeys(with_names) if not _is_kept(n))
        if found:
            return found[0]
    raise OptionError(
        "What is to be small or large? No name in it says metric, as loss or val_acc "
        "do. Write --metric score:max, in Python metric='score:max'."
    )


def _is_kept(name: str) -> bool:
    """`best_acc`, `running_loss`: of what other names tell."""
    return not _KEPT.isdisjoint(words_of(name))


def plan_of(sampler: str, prune: str | bool, seed: int) -> Plan:
    """How to search.

    Raises
    ------
    OptionError
        For an unknown sampler or pruner, or a seed that is no whole number.
    """
    pruner = {True: "median", False: "none"}.get(prune, prune)  # type: ignore[arg-type]
    for word, known, kind in (
        (sampler, SAMPLERS, "sampler"),
        (pruner, PRUNERS, "pruner"),
    ):
        if word not in known:
            shown = shorten(repr(word), 40)
            hint = did_you_mean(str(word), known) or f" Known: {', '.join(known)}."
            raise OptionError(f"Unknown {kind} {shown}.{hint}")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise OptionError(f"A seed is a whole number from 0 on, not {seed!r}.")
    return Plan(sampler, pruner, seed)  # type: ignore[arg-type]


def count_of(n: int | None, sampler: str) -> int | None:
    """How many trials; None for the whole grid.

    Raises
    ------
    OptionError
        For what is no whole number from 1 on.
    """
    if n is None:
        return None if sampler == "grid" else N_DEFAULT
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= N_MAX:
        raise OptionError(f"How many trials? n is {n!r}, not a whole number from 1 on.")
    return n


def parallel_of(parallel: int | None, cluster: Any = None) -> int:
    """How many trials at a time; 0 for as many as a cluster has workers.

    Raises
    ------
    OptionError
        For anything but 1 to 256.
    """
    if parallel is None:
        return 1 if cluster is None else 0
    whole = isinstance(parallel, int) and not isinstance(parallel, bool)
    if not whole or not 1 <= parallel <= PARALLEL_MAX:
        raise OptionError(f"parallel is {parallel!r}, not a number from 1 to 256.")
    return parallel


def name_in(store: Store, asked: Asked, known: list[str]) -> str:
    """The sweep's name: the one that goes on, the one asked for, or a new one.

    Raises
    ------
    OptionError
        For a name that cannot be one, or none to go on with.
    """
    if asked.resume is not None:
        return _resumed(store, asked.resume, known)
    if asked.name is None:
        return next(f"sweep-{i}" for i in range(1, N_MAX) if f"sweep-{i}" not in known)
    if not _NAME.fullmatch(asked.name):
        raise OptionError(
            f"Sweep name {shorten(repr(asked.name), 60)}: letters, digits, space, "
            "_ . : and - are fine, up to 60 of them."
        )
    return asked.name


def _resumed(store: Store, name: str, known: list[str]) -> str:
    from nbtrack.analysis.runs_table import runs

    store.recover()  # what its processes left when they died
    if name == LAST:
        if not known:
            raise OptionError("There is no sweep to go on with yet.")
        name = known[-1]
    running = runs(f"status == 'running' and tags.sweep == {name!r}", store=store)
    if len(running):
        raise OptionError(
            f"Sweep {name!r} is running in another process ({len(running)} trials)."
        )
    return name


def begun(
    store: Store,
    asked: Asked,
    cell: str,
    task_of: Callable[[str, Trial], Task],
) -> Sweep:
    """The sweep with its study, new or gone on with.

    Parameters
    ----------
    cell
        What is swept, as text: a sweep goes on with the same one only.
    task_of
        Makes the task of a trial, given the sweep's name.
    """
    folder = Path(store.path)
    there = storage_there(folder)
    name = name_in(store, asked, study_names(there))
    about = {
        "space": {axis.name: axis.text for axis in asked.space.axes},
        "metric": asked.aim.text,
        "cell": text_digest(cell),
        "sampler": asked.plan.sampler,
        "seed": asked.plan.seed,
    }
    study = open_study(
        there or open_storage(folder),
        name,
        space=asked.space,
        aim=asked.aim,
        plan=asked.plan,
        about=about,
        resume=asked.resume is not None,
    )
    if asked.resume is not None:
        study.end_the_lost(
            _values_in(store, name, asked.aim), rerun_failed=asked.rerun_failed
        )
    return Sweep(
        name,
        study=study,
        space=asked.space,
        aim=asked.aim,
        n=asked.n,
        store=store,
        task_of=lambda trial: task_of(name, trial),
    )


def _values_in(store: Store, name: str, aim: Aim) -> Callable[[int], float | None]:
    """The values of the runs of a sweep that came to their end, by trial."""
    from nbtrack.sweeps.results import value_of

    values = {
        record.tags.get(TRIAL): value_of(record, aim)
        for record in store.runs()
        if record.status == "finished" and record.tags.get(SWEEP) == name
    }
    return lambda number: values.get(str(number))

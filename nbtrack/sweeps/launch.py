"""From what was asked to a sweep that runs: what is swept, where, by which tasks."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from nbtrack.capture.own_file import told
from nbtrack.capture.randomness import VARIABLE, capture_states
from nbtrack.errors import OptionError
from nbtrack.sweeps.api import Asked, begun
from nbtrack.sweeps.boundary import names_read
from nbtrack.sweeps.executor import Executor, FunctionExecutor
from nbtrack.sweeps.sites import CellText
from nbtrack.sweeps.space import Space
from nbtrack.sweeps.sweep import Sweep
from nbtrack.sweeps.trial import Task
from nbtrack.text import did_you_mean

if TYPE_CHECKING:
    from nbtrack.store import Store
    from nbtrack.sweeps.study import Trial


def launch_function(function: Callable[..., Any], asked: Asked) -> Sweep:
    """Sweep a function.

    Raises
    ------
    OptionError
        When it does not take what the space names, or needs more.
    """
    from nbtrack.sweeps.cluster_client import on_cluster
    from nbtrack.tracking.session import process_session

    check_signature(function, asked.space)
    store = process_session().store_for()
    states = packed_states({})
    axes = asked.space.axes  # goes along to other processes: not all that was asked

    def task_of(name: str, trial: Trial) -> Task:
        return Task(
            name, trial.number, asked.aim, trial.labels, "", (), states, prunes(asked)
        )

    def values_of(task: Task) -> dict[str, Any]:
        return {
            axis.name: axis.choice_of(task.labels[axis.name]).value
            for axis in axes
            if axis.name in task.labels
        }

    with on_cluster(asked) as there:
        sweep = begun(store, there, _text_of(function), task_of)
        return sweep.run(_executor_of(function, there, store, values_of))


def _executor_of(
    function: Callable[..., Any],
    asked: Asked,
    store: Store,
    values_of: Callable[[Task], dict[str, Any]],
) -> Executor:
    if asked.stays_in_kernel:
        return FunctionExecutor(function, values_of, asked.about)
    from nbtrack.sweeps.processes import pool_for_function, stage_of_function

    if asked.cluster is None:
        return pool_for_function(function, asked, store, values_of)
    from nbtrack.sweeps.cluster import ClusterExecutor

    stage = stage_of_function(function, asked, store, values_of)
    return ClusterExecutor(asked.cluster, stage, n=asked.parallel)


def launch_cell(
    text: str, asked: Asked, *, made: Callable[[Sweep], object] = lambda sweep: None
) -> Sweep:
    """Sweep the text of a cell in the notebook that runs here.

    `made` is told of the sweep before its first trial: whoever shows it begins there.

    With `asked.background` it returns at once, and what goes wrong from then on is
    `sweep.error`.

    Raises
    ------
    OptionError
        Outside a notebook, or for a space that does not fit the cell.
    SweepError
        When its trials would depend on one another.
    """
    from nbtrack.sweeps.arrange import arrange
    from nbtrack.sweeps.cluster_client import on_cluster
    from nbtrack.tracking.session import process_session

    shell = shell_here()
    session = process_session()
    if session.executed is None:
        raise OptionError("First run %load_ext nbtrack: the cell is to be tracked.")
    cell = CellText(text, shell.user_ns, python=shell.transform_cell(text))
    codes_of = checked_codes(cell, asked.space)
    store = session.store_for(told().folder)
    states = packed_states(shell.user_ns, names_read(cell.python, shell.user_ns))

    def task_of(name: str, trial: Trial) -> Task:
        return Task(
            name,
            trial.number,
            asked.aim,
            trial.labels,
            cell.with_values(codes_of(trial.labels)),
            asked.options,
            states,
            prunes(asked),
        )

    with ExitStack() as opening:
        there = opening.enter_context(on_cluster(asked))
        sweep = begun(store, there, text, task_of)
        made(sweep)
        connection = opening.pop_all()

    def run() -> None:
        with connection, arrange(shell, cell, there, sweep, states) as arranged:
            sweep.run(arranged.executor)

    if asked.background:
        sweep.run_aside(run)
    else:
        run()
    return sweep


def checked_codes(
    cell: CellText, space: Space
) -> Callable[[Mapping[str, Any]], dict[str, str]]:
    """How labels become code; the whole space is tried on the cell at once.

    Raises
    ------
    OptionError
        For a name that the cell does not say, a condition's too.
    """
    for axis in space.axes:
        cell.site_of(axis.name)
    by_name = {axis.name: axis for axis in space.axes}

    def codes_of(labels: Mapping[str, Any]) -> dict[str, str]:
        return {
            name: by_name[name].choice_of(label).code for name, label in labels.items()
        }

    return codes_of


def check_signature(function: Callable[..., Any], space: Space) -> None:
    """Whether a function can be called with the names of a space.

    Raises
    ------
    OptionError
        With the name that is too much, or missing.

    >>> from nbtrack.sweeps.space import parse_space
    >>> check_signature(lambda lr: lr, parse_space({"lrr": [1]}))
    Traceback (most recent call last):
        ...
    nbtrack.errors.OptionError: <lambda>() takes no 'lrr'. Did you mean lr?
    """
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # of C: it will say so itself
        return
    called = getattr(function, "__name__", "the function")
    takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for name in space.names:
        known = name in parameters and parameters[name].kind is not (
            inspect.Parameter.POSITIONAL_ONLY
        )
        if not known and not takes_all:
            raise OptionError(
                f"{called}() takes no {name!r}.{did_you_mean(name, parameters)}"
            )
    for name, parameter in parameters.items():
        named = parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
        if named and parameter.default is parameter.empty and name not in space.names:
            raise OptionError(
                f"{called}() needs {name!r} as well: add it to the space, or give it "
                "a default."
            )


def packed_states(
    namespace: Mapping[str, Any], read: list[str] | None = None
) -> dict[str, str]:
    """What random generators stand at now, and each trial begins with."""
    found = {}
    for name, state in capture_states(namespace).items():
        variable = name.removeprefix(VARIABLE).partition(".")[0]
        if name.startswith(VARIABLE) and variable not in (read or ()):
            continue
        found[name] = state.packed()
    return found


def prunes(asked: Asked) -> bool:
    """Whether points of the metric are shown to a pruner."""
    return asked.plan.pruning != "none"


def shell_here() -> Any:  # Any: IPython has no types
    """The shell of this notebook.

    Raises
    ------
    OptionError
        Where there is none.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        raise OptionError(
            "The text of a cell is swept in a notebook; here, give a function."
        )
    return shell


def _text_of(function: Callable[..., Any]) -> str:
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return getattr(function, "__qualname__", repr(type(function)))

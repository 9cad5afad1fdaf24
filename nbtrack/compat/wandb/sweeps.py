"""`wandb.sweep` and `wandb.agent`, carried out by `nbtrack.sweep`.

The configuration becomes nbtrack's space, the agent a sweep of a function: each call
of it is a trial with a run of its own, which `wandb.init` within it finds. "bayes" is
TPE here. The ids of sweeps are known in the process that made them.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nbtrack.compat.wandb.desk import Values, desk
from nbtrack.compat.wandb.errors import CommError, UsageError
from nbtrack.compat.wandb.saying import say_ignored, say_once, termerror
from nbtrack.errors import SweepError
from nbtrack.text import did_you_mean, shorten

_SAMPLERS = {"grid": "grid", "random": "random", "bayes": "tpe"}
_GOALS = {"minimize": "min", "maximize": "max"}
_TAKEN = {
    *("method", "metric", "parameters", "name", "early_terminate", "run_cap"),
    *("program", "description", "project", "entity"),
}
_TIME = "duration_s"  # by which trials are listed where no metric is named


@dataclass(slots=True)
class Known:
    """A sweep that was described."""

    config: Mapping[str, Any]
    space: dict[str, Any]
    name: str
    project: str | None
    n_asked: int = 0  # trials, over all its agents


@dataclass(slots=True)
class Sweeps:
    """The sweeps of this process."""

    known: dict[str, Known] = field(default_factory=dict)


_sweeps = Sweeps()


def sweep(
    sweep: Mapping[str, Any] | Callable[[], Mapping[str, Any]],
    entity: str | None = None,
    project: str | None = None,
    prior_runs: list[str] | None = None,
) -> str:
    """Describe a sweep; its id is for `agent`.

    Parameters
    ----------
    sweep : mapping
        With `method` ("grid", "random", "bayes"), `metric` and `parameters`.
    project : str, optional
        The experiment of its runs.

    Raises
    ------
    UsageError
        For an unknown method or distribution, or no parameters.

    Examples
    --------
    >>> import nbtrack.compat.wandb as wandb
    >>> def train():
    ...     with wandb.init() as run:
    ...         run.log({"loss": (run.config.x - 1) ** 2})
    >>> sweep_id = wandb.sweep({"method": "grid", "parameters": {
    ...     "x": {"values": [0, 1]}}, "metric": {"name": "loss", "goal": "minimize"}})
    >>> wandb.agent(sweep_id, train)
    >>> import nbtrack
    >>> sorted(nbtrack.runs()["metrics.loss"].tolist())
    [0.0, 1.0]
    """
    config = sweep() if callable(sweep) else sweep
    say_ignored("sweep", config.keys() - _TAKEN)
    say_ignored("sweep", ["prior_runs"] if prior_runs else [])
    method = config.get("method")
    if method not in _SAMPLERS:
        raise UsageError(
            f"sweep method {shorten(repr(method), 40)} is none of grid, random, bayes."
            f"{did_you_mean(str(method), _SAMPLERS)}"
        )
    if not config.get("parameters"):
        raise UsageError("a sweep needs parameters: {'lr': {'values': [0.1, 0.01]}}.")
    space = space_of(config["parameters"])
    sweep_id = secrets.token_hex(4)
    named = config.get("name")
    name = f"{shorten(str(named), 40)} {sweep_id}" if named else sweep_id
    project = project or config.get("project")
    _sweeps.known[sweep_id] = Known(config, space, name, project)
    return sweep_id


def agent(
    sweep_id: str,
    function: Callable[[], Any] | None = None,
    entity: str | None = None,
    project: str | None = None,
    count: int | None = None,
    forward_signals: bool = False,
    term_timeout: int | None = None,
    max_consecutive_failed_runs: int | None = None,
) -> None:
    """Run trials of a sweep in this process, one after the other.

    Parameters
    ----------
    function : callable
        Called without arguments for each trial; `wandb.init` in it gives the run.
    count : int, optional
        How many trials. Default: `run_cap` of the sweep, the whole grid, else 20.

    Raises
    ------
    UsageError
        Without a function: programs are started by their own command lines.
    CommError
        When this process knows no such sweep.
    """
    from nbtrack.sweeps.api import sweep as search

    known = _sweeps.known.get(str(sweep_id).rpartition("/")[2])
    if known is None:
        raise CommError(
            f"There is no sweep {shorten(repr(sweep_id), 60)} in this process: call "
            "wandb.sweep(config) before wandb.agent, in the same script."
        )
    if function is None:
        raise UsageError(
            "wandb.agent needs function=: a program is not started here. Put its "
            "training into a function, or use %%sweep."
        )
    count = count or known.config.get("run_cap")
    is_first, known.n_asked = known.n_asked == 0, known.n_asked + (count or 0)
    trial = _Trial(str(sweep_id).rpartition("/")[2], function, known)
    try:
        search(
            trial,
            known.space,
            metric=_metric(known.config),
            n=known.n_asked or None,
            sampler=_SAMPLERS[known.config["method"]],
            prune=_pruner(known.config),
            seed=secrets.randbelow(2**31),
            name=known.name if is_first else None,
            resume=None if is_first else known.name,
            experiment=project or known.project,
        )
    except SweepError as exc:  # wandb's agent says so, and the script goes on
        termerror(f"sweep {known.name}: {exc}")


class _Trial:
    """What a trial calls: the user's function, with its values laid out for `init`."""

    def __init__(
        self, sweep_id: str, function: Callable[[], Any], known: Known
    ) -> None:
        self.__name__ = getattr(function, "__name__", "train")
        self._sweep_id = sweep_id
        self._function = function
        self._known = known

    def __call__(self, **values: Any) -> dict[str, float] | None:
        from nbtrack.tracking.session import current

        live = current()
        assert live is not None
        began = time.monotonic()
        desk.trial = Values(live, nested(values), self._sweep_id)
        try:
            self._function()
        finally:
            desk.trial = None
            for run in [run for run in desk.running if run.live is live]:
                run.finish()
        if self._known.config.get("metric"):
            return None
        return {_TIME: time.monotonic() - began}


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by dotted names as the mappings that the configuration has.

    >>> nested({"opt.lr": 0.1, "opt.name": "sgd", "bs": 32})
    {'opt': {'lr': 0.1, 'name': 'sgd'}, 'bs': 32}
    """
    made: dict[str, Any] = {}
    for name, value in values.items():
        *above, last = name.split(".")
        place = made
        for key in above:
            place = place.setdefault(key, {})
        place[last] = value
    return made


def space_of(parameters: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The space of nbtrack for the parameters of wandb.

    Raises
    ------
    UsageError
        For a distribution that has no counterpart.

    >>> space_of({"lr": {"min": 0.0, "max": 0.1}, "bs": {"values": [16, 32]}})
    {'lr': 'uniform(0.0, 0.1)', 'bs': [16, 32]}
    """
    space: dict[str, Any] = {}
    for name, told in parameters.items():
        if not isinstance(told, Mapping):
            raise UsageError(
                f"sweep parameter {shorten(repr(name), 60)}: write {{'values': [...]}}"
            )
        if "parameters" in told:
            space |= space_of(told["parameters"], f"{prefix}{name}.")
        else:
            space[f"{prefix}{name}"] = _axis(f"{prefix}{name}", told)
    return space


def _axis(name: str, told: Mapping[str, Any]) -> Any:
    say_ignored(f"sweep parameter {name}", {"probabilities"} & told.keys())
    if "values" in told:
        return list(told["values"])
    if "value" in told:
        return [told["value"]]
    low, high = told.get("min"), told.get("max")
    if low is None or high is None:
        raise UsageError(f"sweep parameter {name!r} has neither values nor min and max")
    is_whole = isinstance(low, int) and isinstance(high, int)
    kind = told.get("distribution") or ("int_uniform" if is_whole else "uniform")
    q = told.get("q", 1)
    ranges = {
        "uniform": f"uniform({low}, {high})",
        "int_uniform": f"int({low}, {high})",
        "q_uniform": f"step({low}, {high}, {q})",
        "log_uniform_values": f"log({low}, {high})",
        "q_log_uniform_values": f"int({low}, {high}, log)",
    }
    if kind in ("log_uniform", "q_log_uniform"):  # their ends are exponents
        return f"log({math.exp(low)!r}, {math.exp(high)!r})"
    if kind == "q_log_uniform_values" and q != 1:
        say_once(f"q of {name}", f"sweep parameter {name}: q={q} is left out")
    if kind not in ranges:
        raise UsageError(
            f"sweep parameter {name!r}: distribution {shorten(str(kind), 40)!r} has no "
            f"counterpart. Use one of {', '.join(ranges)}, log_uniform, or values."
        )
    return ranges[kind]


def _metric(config: Mapping[str, Any]) -> str:
    metric = config.get("metric")
    if not metric:
        say_once(
            "sweep without a metric",
            f"the sweep names no metric: its trials are listed by {_TIME}",
        )
        return f"{_TIME}:min"
    goal = metric.get("goal", "minimize")
    if goal not in _GOALS:
        raise UsageError(f"sweep metric goal {goal!r} is none of minimize, maximize.")
    return f"{metric['name']}:{_GOALS[goal]}"


def _pruner(config: Mapping[str, Any]) -> str | bool:
    early = config.get("early_terminate")
    if not early:
        return False
    say_ignored("early_terminate", early.keys() - {"type"})
    return "hyperband"

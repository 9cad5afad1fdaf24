"""`@nbtrack.track`: a call of the function is a run."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec, TypeVar, overload

from nbtrack.guard import guard
from nbtrack.tracking.session import process_session

P = ParamSpec("P")
R = TypeVar("R")


@overload
def track(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def track(
    *,
    name: str | None = None,
    experiment: str | None = None,
    keep: Iterable[str] | str | None = None,
    budget: int | str | None = None,
    alerts: Iterable[str] | str = (),
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def track(
    function: Callable[P, R] | None = None,
    /,
    *,
    name: str | None = None,
    experiment: str | None = None,
    keep: Iterable[str] | str | None = None,
    budget: int | str | None = None,
    alerts: Iterable[str] | str = (),
) -> Callable[P, R] | Callable[[Callable[P, R]], Callable[P, R]]:
    """Record each call of a function as a run; its arguments are the params.

    Parameters
    ----------
    function : callable
        What to wrap; its result and its exceptions pass through unchanged.
    name : str, optional
        Default: the function's name.
    experiment : str, optional
        Default: "default".
    keep, budget : optional
        Which checkpoints stay, and how much they may take; see `nbtrack.start`.
    alerts : words, optional
        What to be told of, as `["loss > 10", "finished"]`; see `nbtrack.start`.

    Examples
    --------
    >>> import nbtrack
    >>> @nbtrack.track
    ... def train(lr=0.1, epochs=2):
    ...     for epoch in range(epochs):
    ...         nbtrack.log(loss=lr / (epoch + 1))
    ...     return "done"
    >>> train(lr=0.5)
    'done'
    """
    about = {
        "experiment": experiment, "keep": keep, "budget": budget, "alerts": alerts
    }  # fmt: skip
    if function is None:
        return lambda wrapped: _tracked(wrapped, name, about)
    return _tracked(function, name, about)


def _tracked(
    function: Callable[P, R], name: str | None, about: Mapping[str, Any]
) -> Callable[P, R]:
    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        run = process_session().start(name or function.__name__, **about)
        with run:
            with guard("arguments of tracked functions"):
                run.log_params(_plain(_arguments(function, args, kwargs)))
            return function(*args, **kwargs)

    return call


def _arguments(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    return dict(bound.arguments)


def _plain(arguments: dict[str, Any]) -> dict[str, Any]:
    # Models, loaders and arrays are no params; what describes them comes with capture.
    plain = (bool, int, float, str, type(None), list, tuple, dict)
    return {k: v for k, v in arguments.items() if isinstance(v, plain)}

"""`train` of a library for boosting, recorded where no callback is given.

XGBoost and LightGBM are alike: a function `train`, which their estimators call too, and
a list of callbacks. A callback of ours that the user gives is the only one. Inside
another fit, such as a search, nothing is recorded; inside an estimator of the library
itself the curves are, and the estimator's own fit says the rest.
"""

from __future__ import annotations

import functools
import inspect
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from nbtrack.guard import guard, tolerated
from nbtrack.tracking.callbacks.fit_run import FitRun
from nbtrack.tracking.callbacks.fits import Leaf, fits_of, scope, softly
from nbtrack.tracking.callbacks.patching import Function, Patches

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run


class BoostingCallback(Protocol):
    """What the hook needs of a callback of ours."""

    is_hooked: bool

    def finish(self, booster: Any) -> None:
        """The training is over, and this is what came out."""


@dataclass(frozen=True, slots=True)
class Library:
    """What is different between libraries."""

    name: str
    feature: str  # as a warning names the hook
    homes: tuple[str, ...]  # modules in which `train` stands
    callback: Any  # the class of ours
    data: str  # the argument that holds what is learned from
    size_of: Callable[[Any, Any], Mapping[str, int]]  # of the data, and the booster
    keep_booster: Callable[[Run, Any, float], None]  # knows the seconds of training


class TrainHook:
    """Replaces `train`; harmless when done twice."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._patches = Patches()

    def install(self) -> None:
        """Replace `train` wherever it stands."""
        if self._patches:
            return
        loaded = [name for name in self._library.homes if name in sys.modules]
        homes = [sys.modules[name] for name in loaded]
        self._patches.replace("train", homes, self._twin)

    def remove(self) -> None:
        """Put it back."""
        self._patches.undo()

    def _twin(self, original: Function) -> Function:
        @functools.wraps(original)
        def train(*args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            training = None
            feature = self._library.feature
            if self._patches and not guard.is_off(feature):
                # A call that is wrong is for the library to refuse.
                with guard(feature), suppress(TypeError):
                    call = inspect.signature(original).bind(*args, **kwargs)
                    training = self._training(call)
            if training is None:
                return original(*args, **kwargs)
            return training.call(original)

        return train

    def _training(self, call: inspect.BoundArguments) -> Training | None:
        """None where nothing is to be recorded: no run, or inside another fit."""
        name = self._library.name
        if scope.owners and not scope.belongs_to(name):
            return None
        training = Training(self._library, call)  # before a run begins for it
        training.fit = FitRun.of(name, name, may_start=not scope.owners)
        return training if training.fit is not None else None


class Training:
    """One call of `train` that is recorded."""

    def __init__(self, library: Library, call: inspect.BoundArguments) -> None:
        self.fit: FitRun | None = None
        self._library = library
        self._call = call
        self._callback: BoostingCallback = self._own_callback()
        self._callback.is_hooked = True
        self._is_estimators = bool(scope.owners)
        self._name: str | None = None
        self._began = 0.0

    @property
    def _default_rounds(self) -> Any:
        return self._call.signature.parameters["num_boost_round"].default

    def call(self, original: Function) -> Any:
        """Train; the booster and every exception go through untouched."""
        __tracebackhide__ = True
        assert self.fit is not None
        run = self.fit.run
        with self.fit:
            with guard(self._library.feature):
                self._describe(run)
            self._began = time.perf_counter()
            with softly(run):
                booster = original(*self._call.args, **self._call.kwargs)
            with guard(self._library.feature), softly(run):
                self._keep(run, booster)
        return booster

    def _own_callback(self) -> Any:
        given = list(self._call.arguments.get("callbacks") or ())
        for callback in given:
            if isinstance(callback, self._library.callback):
                return callback
        ours = self._library.callback()
        # First: XGBoost asks no further once a callback has ended the training.
        self._call.arguments["callbacks"] = [ours, *given]
        return ours

    def _describe(self, run: Run) -> None:
        if self._is_estimators:
            return
        params = self._call.arguments.get("params")
        fits, settings = fits_of(run), list[Leaf]()
        if not fits.knows(params):
            with tolerated(lambda _: None):  # no mapping: the library will say so
                settings += _flat(params)
        rounds = self._call.arguments.get("num_boost_round", self._default_rounds)
        settings.append(("num_boost_round", rounds))
        self._name = fits.describe_as(run, self._library.name, settings)

    def _keep(self, run: Run, booster: Any) -> None:
        self._callback.finish(booster)
        if self._is_estimators:
            return
        data = self._call.arguments[self._library.data]
        if self._name is not None:
            sizes = self._library.size_of(data, booster)
            name = self._library.name
            fits_of(run).add(run, name, self._name, facts=[*sizes.items()])
        seconds = time.perf_counter() - self._began
        self._library.keep_booster(run, booster, seconds)


def _flat(params: Any) -> list[Leaf]:
    from nbtrack.capture.values import flatten

    # A callable objective is no value; `flatten` would tell of each.
    return [*flatten(dict(params or {}), tell=lambda _: None).items()]

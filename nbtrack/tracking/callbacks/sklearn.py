"""Fits of scikit-learn: settings, time, scores, curves of learning, candidates.

Recorded is the outermost `fit` of estimators that predict or cluster; what a pipeline,
a search or an ensemble fits inside belongs to it. A transformer by itself gets its
settings. No training score is computed: that would cost a pass over the data. There is
no callback to give: scikit-learn takes none before 1.9.

The methods are replaced on the classes, by a descriptor that answers with the original
to whoever asks the class, so that signatures, `super()`, `clone` and pickles (also
those of classes that a notebook defines) are what they were.
"""

from __future__ import annotations

import functools
import operator
import sys
import time
from collections.abc import Iterator
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from nbtrack.guard import guard, tolerated
from nbtrack.tracking.callbacks.fit_run import FitRun
from nbtrack.tracking.callbacks.fits import Leaf, fits_of, scope, softly
from nbtrack.tracking.callbacks.patching import Function, Patches
from nbtrack.tracking.callbacks.sklearn_results import keep_cross_validation, keep_fit

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run

FEATURE = "the hook into sklearn"
_METHODS = ("fit", "partial_fit")
Estimator = Any  # scikit-learn has no types, and need not be installed


class Hook:
    """`fit` and `partial_fit` of every estimator, and `cross_validate`."""

    module = "sklearn"

    def __init__(self) -> None:
        self._patches = Patches()

    def install(self) -> None:
        """Hook into every class that there is, and those that come later."""
        if self._patches:
            return
        root = sys.modules["sklearn.base"].BaseEstimator
        for kind in _subclasses(root):
            self._hook_into(kind)
        self._patches.set(root, "__init_subclass__", self._watching_subclasses(root))
        self._hook_into_workers()
        self._hook_into_validation()

    def remove(self) -> None:
        """Put every method back."""
        self._patches.undo()

    def _hook_into(self, kind: type) -> None:
        for name in _METHODS:
            original = vars(kind).get(name)
            if isinstance(original, FunctionType):
                self._patches.set(kind, name, FitTwin(original, self._call_of(name)))

    def _call_of(self, name: str) -> Function:
        return self._partial_fit if name == "partial_fit" else self._fit

    def _watching_subclasses(self, root: Any) -> Any:  # Any: scikit-learn's base
        def __init_subclass__(kind: Any, /, **kwargs: Any) -> None:
            super(root, kind).__init_subclass__(**kwargs)
            with guard(FEATURE):
                if self._patches:
                    self._hook_into(kind)

        return classmethod(__init_subclass__)

    def _hook_into_workers(self) -> None:
        """What scikit-learn hands to threads is a part of the fit that does so."""
        parallel = sys.modules.get("sklearn.utils.parallel")
        wrapper = getattr(parallel, "_FuncWrapper", None)
        if wrapper is None:
            return
        original = wrapper.__call__

        @functools.wraps(original)
        def __call__(task: Any, *args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            with scope.inside(parallel):
                return original(task, *args, **kwargs)

        self._patches.set(wrapper, "__call__", __call__)

    def _hook_into_validation(self) -> None:
        homes = ("sklearn.model_selection._validation", "sklearn.model_selection")
        loaded = [sys.modules[name] for name in homes if name in sys.modules]
        if loaded:
            self._patches.replace("cross_validate", loaded, self._validating)

    def _validating(self, original: Function) -> Function:
        @functools.wraps(original)
        def cross_validate(*args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            estimator = args[0] if args else kwargs.get("estimator")
            recording = self._recording(estimator, args[1:], kwargs, is_fit=False)
            if recording is None:
                return original(*args, **kwargs)
            return recording.cross_validate(original, args, kwargs)

        return cross_validate

    def _fit(
        self, original: Function, estimator: Estimator, /, *args: Any, **kwargs: Any
    ) -> Any:
        __tracebackhide__ = True
        recording = self._recording(estimator, args, kwargs)
        if recording is None:
            return original(estimator, *args, **kwargs)
        return recording.fit(original, args, kwargs)

    def _partial_fit(
        self, original: Function, estimator: Estimator, /, *args: Any, **kwargs: Any
    ) -> Any:
        __tracebackhide__ = True
        recording = self._recording(estimator, args, kwargs, may_start=False)
        if recording is None:
            return original(estimator, *args, **kwargs)
        return recording.partial_fit(original, args, kwargs)

    def _recording(
        self,
        estimator: Estimator,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        may_start: bool = True,
        is_fit: bool = True,
    ) -> Recording | None:
        """None where nothing is to be recorded: no run, or inside another fit."""
        if scope.owners or not self._patches or guard.is_off(FEATURE):
            return None
        with guard(FEATURE):
            if is_fit and is_own_helper(estimator):
                return None
            name = type(estimator).__name__
            may_start = may_start and predicts(estimator)
            run = FitRun.of("sklearn", name, may_start=may_start)
            data = args[0] if args else kwargs.get("X")
            return None if run is None else Recording(run, estimator, data)
        return None


class FitTwin:
    """Stands on a class for its `fit`; the class itself answers with the original.

    >>> class Estimator:
    ...     def fit(self, x):
    ...         return x
    >>> original = Estimator.fit
    >>> Estimator.fit = FitTwin(original, lambda fit, est, x: fit(est, x) + 1)
    >>> Estimator().fit(1), Estimator.fit is original
    (2, True)
    """

    __slots__ = ("_call", "_twin", "original")

    def __init__(self, original: FunctionType, call: Function) -> None:
        self.original = original
        self._call = call
        self._twin: Function | None = None

    def __get__(self, instance: object | None, owner: type | None = None) -> Any:
        if instance is None:
            return self.original
        if self._twin is None:  # most classes are never fitted
            self._twin = self._made()
        return MethodType(self._twin, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Whoever took this off the class's `__dict__` gets the original."""
        return self.original(*args, **kwargs)

    def __reduce__(self) -> Any:
        # A class that a notebook defines travels to workers by value: as it was.
        return operator.itemgetter(0), ((self.original,),)

    def _made(self) -> Function:
        original, call = self.original, self._call

        @functools.wraps(original)
        def fit(estimator: Estimator, /, *args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            return call(original, estimator, *args, **kwargs)

        return fit


class Recording:
    """One outermost fit that is recorded."""

    def __init__(self, fit_run: FitRun, estimator: Estimator, data: Any) -> None:
        self._fit_run = fit_run
        self._run: Run = fit_run.run
        self._estimator = estimator
        self._n_samples = n_samples_of(data)

    def fit(self, original: Function, args: tuple[Any, ...], kwargs: Any) -> Any:
        """Fit; the result and every exception go through untouched."""
        __tracebackhide__ = True
        with self._fit_run:
            started = time.perf_counter()
            with scope.inside(self._estimator):
                result = original(self._estimator, *args, **kwargs)
            seconds = time.perf_counter() - started
            with guard(FEATURE), softly(self._run):
                n_before = self._describe() - 1
                if predicts(self._estimator):
                    keep_fit(
                        self._run,
                        self._estimator,
                        seconds=seconds,
                        n_samples=self._n_samples,
                        n_before=n_before,
                    )
        return result

    def partial_fit(
        self, original: Function, args: tuple[Any, ...], kwargs: Any
    ) -> Any:
        """Fit a part; the settings are kept once, the calls are counted."""
        __tracebackhide__ = True
        with scope.inside(self._estimator):
            result = original(self._estimator, *args, **kwargs)
        with guard(FEATURE), softly(self._run):
            fits = fits_of(self._run)
            if fits.count_partial(self._estimator) == 1:
                fits.describe(
                    self._run, self._estimator, settings=self._settings, facts=[]
                )
        return result

    def cross_validate(
        self, original: Function, args: tuple[Any, ...], kwargs: Any
    ) -> Any:
        """Cross-validate; the result and every exception go through untouched."""
        __tracebackhide__ = True
        with self._fit_run:
            with scope.inside(original):
                result = original(*args, **kwargs)
            with guard(FEATURE), softly(self._run):
                self._describe()
                keep_cross_validation(self._run, result)
        return result

    def _describe(self) -> int:
        facts = [("n_samples", self._n_samples), ("n_features", self._n_features())]
        return fits_of(self._run).describe(
            self._run,
            self._estimator,
            settings=self._settings,
            facts=[(name, n) for name, n in facts if n is not None],
        )

    def _settings(self) -> list[Leaf]:
        from nbtrack.capture.objects import describe

        leaves = describe(self._estimator, name="e", tell=_tell_nobody)
        # XGBoost's estimators have forty settings that say None: "as the library does".
        return [(name[2:], value) for name, value in leaves[1:] if value is not None]

    def _n_features(self) -> int | None:
        found: list[int] = []
        with tolerated(_tell_nobody):  # a pipeline's is a property that may raise
            found.append(int(self._estimator.n_features_in_))
        return found[0] if found else None


def is_own_helper(estimator: Estimator) -> bool:
    """Whether scikit-learn fits it for itself: `log_loss` has a LabelBinarizer.

    A method of the estimator's own (`fit_transform`) is the user's call all the same.
    """
    frame = sys._getframe(1)
    while frame.f_globals.get("__name__", "").startswith("nbtrack."):
        if frame.f_back is None:
            return False
        frame = frame.f_back
    if not frame.f_globals.get("__name__", "").startswith("sklearn."):
        return False
    return frame.f_locals.get("self") is not estimator


def predicts(estimator: Estimator) -> bool:
    """Whether an estimator is a model, and no mere transformer."""
    kind: type = type(estimator)
    return any(hasattr(kind, name) for name in ("predict", "fit_predict"))


def n_samples_of(data: Any) -> int | None:
    """How many rows there are, where that can be asked for nothing."""
    found: list[int] = []
    with tolerated(_tell_nobody):
        shape = getattr(data, "shape", None)
        found.append(int(shape[0]) if shape else len(data))
    return found[0] if found else None


def _subclasses(root: type) -> Iterator[type]:
    """Every class below `root`, each once."""
    seen: set[type] = set()
    waiting = [root]
    while waiting:
        below: list[type] = type.__subclasses__(waiting.pop())
        for kind in below:
            if kind not in seen:
                seen.add(kind)
                waiting.append(kind)
                yield kind


def _tell_nobody(_: object) -> None:
    """What cannot be read of an estimator is left out."""

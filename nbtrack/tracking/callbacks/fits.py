"""The fits of a run: which one is the outermost, and under which name it is described.

A pipeline, a search and an ensemble call the `fit` of what is inside them, in threads
of their own too: what is inside is not recorded by itself. What a second fit of
the same kind was told differently gets a number (`SVC-2.C`), up to `MAX_DESCRIBED`.
"""

from __future__ import annotations

import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from nbtrack.records import Param

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run

MAX_DESCRIBED = 8  # different settings of one class in one run; later ones only count
MAX_LOOKED_AT = 64  # fits of one class whose settings are read: 0.2 ms each
Leaf = tuple[str, Any]  # a dotted name below the estimator's, and a JSON-able value


class FitScope(threading.local):
    """The fits that are open in this thread, the outermost first."""

    def __init__(self) -> None:
        self.owners: list[object] = []

    @contextmanager
    def inside(self, owner: object) -> Iterator[None]:
        """What fits in the body is a part of `owner`."""
        self.owners.append(owner)
        try:
            yield
        finally:
            self.owners.pop()

    def belongs_to(self, library: str) -> bool:
        """Whether the one open fit is an estimator of this very library.

        >>> FitScope().belongs_to("xgboost")
        False
        """
        if len(self.owners) != 1:
            return False
        kinds = type(self.owners[0]).__mro__
        return any(kind.__module__.partition(".")[0] == library for kind in kinds)


scope = FitScope()


@contextmanager
def softly(run: Run) -> Iterator[None]:
    """In the body Stop raises nothing: the framework ends by its own means."""
    run.stop.enter_soft_loop()
    try:
        yield
    finally:
        run.stop.leave_soft_loop()


@dataclass(frozen=True, slots=True)
class _Pending:
    """A fit whose variable is not known yet: `clf = SVC().fit(x, y)`."""

    estimator: Callable[[], Any]  # the estimator, or None where it is gone
    base: str
    settings: Sequence[Leaf] | None  # None: not looked at, there were too many
    facts: Sequence[Leaf]


class Fits:
    """What is known of the fits of one run.

    In a tracked cell `namespace` holds the notebook's names. An estimator that is bound
    there is described under that name by the capture of params; here it only gets what
    its fit adds, and the others are described once the cell is over.
    """

    def __init__(self) -> None:
        self.namespace: Mapping[str, Any] | None = None
        self.next_steps: dict[str, int] = {}  # by metric, over several trainings
        self._partial: Counter[str] = Counter()
        self._told: dict[str, list[Sequence[Leaf]]] = {}
        self._facts: dict[str, Sequence[Leaf]] = {}
        self._n: Counter[str] = Counter()
        self._pending: list[_Pending] = []
        self._latest: dict[str, _Pending] = {}

    def describe(
        self,
        run: Run,
        estimator: object,
        *,
        settings: Callable[[], Sequence[Leaf]],
        facts: Sequence[Leaf],
    ) -> int:
        """Keep the settings of a fitted estimator, and what the fit says of itself.

        Returns how many fits of its class there were.
        """
        base = type(estimator).__name__
        self._n[base] += 1
        if self._n[base] <= MAX_LOOKED_AT:
            found = _Pending(_reference(estimator), base, settings(), facts)
            self._pending.append(found)
        else:  # the last one may be what the notebook's variable holds
            self._latest[base] = _Pending(_reference(estimator), base, None, facts)
        if self.namespace is None:
            self._settle_fits(run)
        return self._n[base]

    def describe_as(self, run: Run, base: str, leaves: Sequence[Leaf]) -> str | None:
        """Keep settings under `base`; what is different in a later fit, numbered.

        Returns the name; None for what is described already.
        """
        name = self._name_for(base, leaves)
        if name is not None:
            first = [] if name == base else self._told[base][0]
            _log(run, name, base, [leaf for leaf in leaves if leaf not in first])
        return name

    def add(self, run: Run, base: str, name: str, *, facts: Sequence[Leaf]) -> None:
        """Keep what is known of a described fit only afterwards."""
        first = [] if name == base else self._facts.get(base, [])
        self._facts.setdefault(base, facts)
        _log(run, name, None, [leaf for leaf in facts if leaf not in first])

    def count_partial(self, estimator: object) -> int:
        """One more `partial_fit`; their number is said once, when the run ends."""
        name = type(estimator).__name__
        self._partial[name] += 1
        return self._partial[name]

    def knows(self, value: object) -> bool:
        """Whether the notebook has a name for this very object."""
        return self._name_of(value) is not None

    def settle(self, run: Run) -> None:
        """Describe what has waited for its name; the cell or the run is over."""
        self._settle_fits(run)
        for base, n in self._partial.items():
            run.log_params([Param(f"{base}.n_partial_fits", n, "object")])
        self._partial.clear()
        self.namespace = None

    def _settle_fits(self, run: Run) -> None:
        pending = [*self._pending, *self._latest.values()]
        self._pending, self._latest = [], {}
        for fit in pending:
            estimator = fit.estimator()
            name = None if estimator is None else self._name_of(estimator)
            if name is not None:
                _log(run, name, None, fit.facts)
            elif fit.settings is not None:
                self.describe_as(run, fit.base, [*fit.settings, *fit.facts])

    def _name_of(self, value: object) -> str | None:
        for name, bound in (self.namespace or {}).items():
            if bound is value and not name.startswith("_"):
                return name
        return None

    def _name_for(self, base: str, leaves: Sequence[Leaf]) -> str | None:
        """None for what is described already, and beyond `MAX_DESCRIBED`."""
        told = self._told.setdefault(base, [])
        if leaves in told or len(told) >= MAX_DESCRIBED:
            return None
        told.append(leaves)
        return base if len(told) == 1 else f"{base}-{len(told)}"


def _reference(estimator: object) -> Callable[[], Any]:
    try:
        return weakref.ref(estimator)
    except TypeError:  # a class with slots
        return lambda: None


def _log(run: Run, name: str, kind: str | None, leaves: Sequence[Leaf]) -> None:
    from nbtrack.redact import redact_param  # its patterns take a while to compile

    named = {} if kind is None else {name: kind}
    named |= {f"{name}.{key}": value for key, value in leaves}
    clear = {key: redact_param(key, told)[0] for key, told in named.items()}
    run.log_params([Param(key, told, "object") for key, told in clear.items()])


_fits: WeakKeyDictionary[Run, Fits] = WeakKeyDictionary()


def fits_of(run: Run) -> Fits:
    """The one `Fits` of a run."""
    return _fits.setdefault(run, Fits())


class FitsPart:
    """Says at a run's end what its fits have left to say; a part of every run."""

    feature = "autolog"

    def begin(self, run: Run) -> None:
        """Nothing: a run without fits costs nothing."""

    def end(self, run: Run) -> None:
        """Describe what waited."""
        if run in _fits:
            _fits[run].settle(run)

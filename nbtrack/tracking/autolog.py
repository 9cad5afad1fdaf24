"""Hooks of frameworks: a plain `fit` or `train`, with no callback given, is recorded.

In a tracked cell the hooks of the frameworks that are imported are there for the length
of the cell; `nbtrack.autolog()` keeps them until it is switched off. A framework that
is not imported is never imported by us: its hook waits for the user's import. When the
last one who wants a hook is gone, the framework is as it was, object by object.
"""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterable
from importlib.util import find_spec
from typing import Protocol

from nbtrack.capture.late_imports import LateImports
from nbtrack.errors import OptionError
from nbtrack.guard import guard
from nbtrack.text import did_you_mean, shorten, visible
from nbtrack.tracking import callbacks

FEATURE = "autolog"
HOOKED = {name: told for name, told in callbacks.FRAMEWORKS.items() if told.awaits}
FRAMEWORKS = {name: f"{callbacks.__name__}.{name}" for name in HOOKED}
# Of `Hook.module`, here because reading it there would import six modules a cell.
MODULES = {name: told.awaits for name, told in HOOKED.items()}


class FrameworkHook(Protocol):
    """What `Hook` in the module of a framework is."""

    def install(self) -> None:
        """Hook into the framework, which is imported; harmless when done twice."""

    def remove(self) -> None:
        """Leave the framework as it was."""


class Hooks:
    """All hooks of this process; there once, because the frameworks are there once."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._everywhere: frozenset[str] = frozenset()
        self._never: frozenset[str] = frozenset()
        self._n_cells = 0
        self._made: dict[str, FrameworkHook] = {}
        self._installed: set[str] = set()
        self._late = LateImports(self._imported, feature=FEATURE)

    @property
    def everywhere(self) -> frozenset[str]:
        """The frameworks that `nbtrack.autolog()` has switched on."""
        return self._everywhere

    def switch(self, names: Iterable[str], *, off: bool) -> None:
        """Switch frameworks on everywhere, or off everywhere, tracked cells too."""
        with self._lock:
            chosen = frozenset(names)
            if off:
                self._everywhere, self._never = (
                    self._everywhere - chosen,
                    self._never | chosen,
                )
            else:
                self._everywhere, self._never = (
                    self._everywhere | chosen,
                    self._never - chosen,
                )
            self._adapt()

    def forget(self) -> None:
        """Take every hook away, and let nothing be on or off by name any more."""
        with self._lock:
            self._everywhere = self._never = frozenset()
            self._n_cells = 0
            self._adapt()

    def open_cell(self) -> None:
        """A tracked cell begins."""
        with self._lock:
            self._n_cells += 1
            self._adapt()

    def close_cell(self) -> None:
        """A tracked cell is over."""
        with self._lock:
            self._n_cells = max(0, self._n_cells - 1)
            self._adapt()

    def _wanted(self) -> frozenset[str]:
        here = frozenset(FRAMEWORKS) if self._n_cells else frozenset()
        return (self._everywhere | here) - self._never

    def _adapt(self) -> None:
        wanted = self._wanted()
        for name in self._installed - wanted:
            with guard(_feature(name)):
                self._made[name].remove()
            self._installed.discard(name)
        for name in wanted:
            if any(module in sys.modules for module in MODULES[name]):
                self._install(name)
        self._late.await_modules(
            frozenset(module for name in wanted for module in MODULES[name])
        )

    def _install(self, name: str) -> None:
        if find_spec(FRAMEWORKS[name]) is None or guard.is_off(_feature(name)):
            return
        with guard(_feature(name)):
            if name not in self._made:
                self._made[name] = importlib.import_module(FRAMEWORKS[name]).Hook()
            self._installed.add(name)  # before: what is half there is removed, too
            self._made[name].install()

    def _imported(self, module: str) -> None:
        with self._lock:
            for name in self._wanted():
                if module in MODULES[name]:
                    self._install(name)


hooks = Hooks()


def _feature(name: str) -> str:
    return f"the hook into {name}"


def autolog(*names: str, off: bool = False) -> list[str]:
    """Record every training of the frameworks you use, without a callback.

    What is trained inside a run goes there; a `fit` outside of one becomes a run of its
    own, named after the estimator. Frameworks may be imported before or after. In
    tracked cells the hooks are on anyhow.

    Parameters
    ----------
    *names : str
        "sklearn", "xgboost", "keras", ...; a name that is none of them is refused with
        all that there are. Default: all.
    off : bool
        Switch them off, for tracked cells as well.

    Returns
    -------
    list of str
        The frameworks that are recorded everywhere now.

    Raises
    ------
    OptionError
        For an unknown name, with what there is.

    Examples
    --------
    >>> import nbtrack
    >>> nbtrack.autolog("sklearn", "xgboost")
    ['sklearn', 'xgboost']
    >>> nbtrack.autolog(off=True)
    []
    """
    for name in names:
        if name not in FRAMEWORKS:
            raise OptionError(
                f"Nothing called {shorten(visible(str(name)), 40)!r} can be hooked "
                f"into.{did_you_mean(str(name), FRAMEWORKS)} There are: "
                f"{', '.join(FRAMEWORKS)}."
            )
    hooks.switch(names or FRAMEWORKS, off=off)
    return sorted(hooks.everywhere)

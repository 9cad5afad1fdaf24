"""The stores that the server reads, and what is wrong with those that it cannot.

They stay open until they vanish or the server stops. A store that cannot be read says
so in its own words and is tried again a few seconds later; the others are answered for
meanwhile.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

from nbtrack.errors import (
    NbtrackError,
    RunNotFoundError,
    StoreError,
    StoreNotFoundError,
)
from nbtrack.guard import tolerated
from nbtrack.server.found import Finder, Found, Session
from nbtrack.server.held import Held
from nbtrack.store import Store
from nbtrack.text import shorten, text_digest, visible

__all__ = ["Found", "Held", "Problem", "Session", "StoreState", "Stores"]

Answer = TypeVar("Answer")
Problem = dict[str, str]
RETRY_S = 5.0  # for one that is locked each try waits a quarter of a second
_WORDS = 300


@dataclass(frozen=True, slots=True)
class _Trouble:
    message: str
    until: float  # by the monotonic clock: not tried again before


class StoreState(NamedTuple):
    """How a store is now; `held` is None where it cannot be read."""

    found: Found
    held: Held | None
    message: str | None

    @property
    def state(self) -> Literal["ok", "read-only", "problem"]:
        """In one word."""
        if self.held is None:
            return "problem"
        return "read-only" if self.held.store.read_only else "ok"


class Stores:
    """Open stores; used from one thread.

    `on_close` is told of each store that is being closed, `named` are folders from the
    server's configuration.
    """

    def __init__(
        self,
        root: Path | None,
        on_close: Callable[[Store], None],
        named: Sequence[str] = (),
    ) -> None:
        self.root = root
        self._on_close = on_close
        self._finder = Finder(root, named)
        self._found: dict[Path, Found] = {}
        self._held: dict[Path, Held] = {}
        self._troubles: dict[Path, _Trouble] = {}
        self._n_failed = 0  # what was made before one did is no answer after it
        self._token = secrets.token_hex(8)  # no version of another server is ours

    def look(self, sessions: Sequence[Session]) -> None:
        """Take note of which stores there are now."""
        self._found = {found.path: found for found in self._finder.find(sessions)}
        for path in self._held.keys() - self._found.keys():
            self._close(path)
        for path in self._troubles.keys() - self._found.keys():
            del self._troubles[path]

    def states(self) -> list[StoreState]:
        """How each store is now; what is held was looked at."""
        return list(map(self._state, self._found.values()))

    def version(self) -> str:
        """Another text than before where a store, or a run's process, has changed."""
        said: list[Hashable] = []
        for found in self._found.values():
            looked: list[Hashable] = []
            self._try(found, partial(_look_into, looked))
            trouble = self._troubles.get(found.path)
            said.append((found, looked, trouble and trouble.message))
        text = repr((self._token, self._n_failed, said))
        return text_digest(text)[:16]

    def each(
        self,
        question: Callable[[Store], Iterable[Answer]],
        only: str | None = None,
    ) -> tuple[list[Answer], list[Problem]]:
        """What all stores answer, one after the other, and which of them cannot."""
        return self.each_held(lambda held: question(held.store), only)

    def each_held(
        self, question: Callable[[Held], Iterable[Answer]], only: str | None = None
    ) -> tuple[list[Answer], list[Problem]]:
        """The same of stores with what was read of them.

        Raises
        ------
        StoreNotFoundError
            Where none of the stores has the id `only`.
        """
        answers: list[Answer] = []
        for found in self._chosen(only):
            self._try(found, lambda held: answers.extend(question(held)))
        return answers, self.problems(only)

    def problems(self, only: str | None = None) -> list[Problem]:
        """Which stores cannot be read, as it turned out last."""
        return [
            {"store": found.name, "id": found.id, "message": trouble.message}
            for found in self._chosen(only)
            if (trouble := self._troubles.get(found.path)) is not None
        ]

    def of_store(self, store_id: str) -> Store:
        """The store with this id.

        Raises
        ------
        StoreNotFoundError
            Where there is none.
        StoreError
            Where it cannot be read now, in its own words.
        """
        state = self._state(self._of_id(store_id))
        if state.held is None:
            raise StoreError(f"{state.found.name}: {state.message}")
        return state.held.store

    def of_run(self, run_id: str) -> Store:
        """The store that a run is in.

        Raises
        ------
        RunNotFoundError
            Where no store has it.
        StoreError
            Where those that can be read have not, and another one might.
        """
        for found in self._found.values():
            homes: list[Store] = []
            self._try(found, partial(_home_of, run_id, homes))
            if homes:
                return homes[0]
        problems = self.problems()
        if problems:
            said = "; ".join(f"{p['store']}: {p['message']}" for p in problems)
            raise StoreError(f"No run {run_id} in the stores that can be read. {said}")
        raise RunNotFoundError(f"No run {run_id} in the stores that are known here.")

    def close(self) -> None:
        """Close them all."""
        for path in list(self._held):
            self._close(path)

    # -- one store ---------------------------------------------------------------

    def _chosen(self, only: str | None) -> list[Found]:
        return list(self._found.values()) if only is None else [self._of_id(only)]

    def _of_id(self, store_id: str) -> Found:
        for found in self._found.values():
            if found.id == store_id:
                return found
        raise StoreNotFoundError(f"No store {store_id} is known here.")

    def _state(self, found: Found) -> StoreState:
        looked: list[Hashable] = []
        self._try(found, partial(_look_into, looked))
        trouble = self._troubles.get(found.path)
        if trouble is not None:
            return StoreState(found, None, trouble.message)
        held = self._held[found.path]
        return StoreState(found, held, held.store.why_read_only)

    def _try(self, found: Found, work: Callable[[Held], None]) -> None:
        """Do `work` with a store; what goes wrong is that store's trouble alone."""
        trouble = self._troubles.get(found.path)
        if trouble is not None and time.monotonic() < trouble.until:
            return
        with tolerated(partial(self._failed, found)):
            held = self._opened(found)
            if trouble is not None:
                held.store.table(trashed=None)  # once over all, before it is trusted
                del self._troubles[found.path]
            work(held)

    def _opened(self, found: Found) -> Held:
        held = self._held.get(found.path)
        if held is not None and held.is_outdated():
            self._close(found.path)
            held = None
        if held is None:
            held = self._held[found.path] = Held(found)
        return held

    def _failed(self, found: Found, exc: Exception) -> None:
        """Put a store aside for a while; a mistake in the question is passed on."""
        if isinstance(exc, NbtrackError) and not isinstance(exc, StoreError):
            raise exc
        self._close(found.path)
        said = str(exc) if isinstance(exc, StoreError) else f"cannot be read: {exc!r}"
        message = shorten(visible(said), _WORDS)
        if found.path not in self._troubles:
            self._n_failed += 1
        self._troubles[found.path] = _Trouble(message, time.monotonic() + RETRY_S)

    def _close(self, path: Path) -> None:
        held = self._held.pop(path, None)
        if held is not None:
            self._on_close(held.store)
            held.store.close()


def _look_into(looked: list[Hashable], held: Held) -> None:
    looked.append(held.look())


def _home_of(run_id: str, homes: list[Store], held: Held) -> None:
    if held.store.has_run(run_id):
        homes.append(held.store)

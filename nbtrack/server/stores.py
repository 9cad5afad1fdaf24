"""Which stores the server reads, and those that it has open.

They are found from notebooks of running sessions (walking up, never creating one) and
from `NBTRACK_STORE`; they stay open until they vanish or the server stops. A store that
cannot be read is named among the problems, and the others are still answered for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from nbtrack.errors import NbtrackError, RunNotFoundError
from nbtrack.store import Store, find_store
from nbtrack.text import shorten

Found = TypeVar("Found")
Problem = dict[str, str]


@dataclass(frozen=True, slots=True)
class Session:
    """A running session as the server knows it: the notebook and its kernel."""

    notebook: str  # relative to the root of the server
    kernel_id: str


class Stores:
    """Open stores by path; used from one thread.

    `on_close` is told of each store that is being closed.
    """

    def __init__(self, root: Path | None, on_close: Callable[[Store], None]) -> None:
        self._root = root
        self._on_close = on_close
        self._open: dict[Path, Store] = {}
        self._sessions: Sequence[Session] = ()

    def look(self, sessions: Sequence[Session]) -> None:
        """Take note of which sessions run now."""
        self._sessions = sessions

    def each(
        self, question: Callable[[Store], Iterable[Found]]
    ) -> tuple[list[Found], list[Problem]]:
        """What all stores answer, one after the other, and which of them cannot."""
        answers: list[Found] = []
        problems: list[Problem] = []
        for path in self._paths():
            try:
                answers += question(self._opened(path))
            except NbtrackError as exc:
                self._forget(path)
                problems.append(
                    {"store": path.parent.name, "message": shorten(str(exc))}
                )
        return answers, problems

    def of_run(self, run_id: str) -> Store:
        """The store that a run is in.

        Raises
        ------
        RunNotFoundError
            Where no store that can be read has it.
        """
        for path in self._paths():
            try:
                store = self._opened(path)
                if store.runs(ids=[run_id]):
                    return store
            except NbtrackError:
                self._forget(path)
        raise RunNotFoundError(f"No run {run_id} in the stores of running notebooks.")

    def close(self) -> None:
        """Close them all."""
        for path in list(self._open):
            self._forget(path)

    def _paths(self) -> list[Path]:
        found = (find_store(folder) for folder in self._folders())
        known = dict.fromkeys(path for path in found if path is not None)
        return [path for path in known if path.is_dir()]

    def _folders(self) -> Iterator[Path]:
        """Folders of running notebooks; a session may claim to be anywhere: look."""
        if os.environ.get("NBTRACK_STORE"):
            yield Path.cwd()  # that store is meant wherever one stands
        if self._root is None:
            return
        for session in self._sessions:
            folder = (self._root / session.notebook).resolve().parent
            if folder.is_relative_to(self._root) and folder.is_dir():
                yield folder

    def _opened(self, path: Path) -> Store:
        store = self._open.get(path)
        if store is None:
            store = self._open[path] = Store.open(path, create=False)
        return store

    def _forget(self, path: Path) -> None:
        store = self._open.pop(path, None)
        if store is not None:
            self._on_close(store)
            store.close()

"""Reads the stores of running notebooks, in one thread, for all handlers.

Stores are found from notebooks of running sessions (walking up, never creating one)
and from `NBTRACK_STORE`; they stay open until they vanish or the server stops. A store
that cannot be read is named among the problems, and the others are still answered for.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from nbtrack.analysis.static_panel import static_panel
from nbtrack.errors import NbtrackError, RunNotFoundError
from nbtrack.server.rows import run_row
from nbtrack.server.viewers import Viewers
from nbtrack.store import Store, find_store
from nbtrack.text import shorten

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Session:
    """A running session as the server knows it: the notebook and its kernel."""

    notebook: str  # relative to the root of the server
    kernel_id: str


class Reader:
    """Answers questions about runs; all work happens in its own thread."""

    def __init__(self, root: Path | None) -> None:
        self._root = root
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="nbtrack-reader")
        self._stores: dict[Path, Store] = {}
        self._viewers = Viewers()

    async def ask(self, work: Callable[..., Answer], *args: Any) -> Answer:
        """Do `work(*args)` in the reader's thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, work, *args)

    def close(self) -> None:
        """Close every store and end the thread."""
        self._thread.submit(self._close_stores).result()
        self._thread.shutdown()

    # -- what the handlers ask; each runs in the reader's thread -----------------------

    def runs(
        self,
        sessions: Sequence[Session],
        status: str | None,
        kernel: str | None,
        limit: int,
    ) -> dict[str, Any]:
        """The newest runs of all stores, and what could not be read."""
        records, problems = [], []
        for path in self._paths(sessions):
            try:
                records += self._open(path).runs()
            except NbtrackError as exc:
                self._forget(path)
                problems.append(
                    {"store": path.parent.name, "message": shorten(str(exc))}
                )
        rows = [
            run_row(record)
            for record in records
            if status in (None, record.status) and kernel in (None, record.kernel_id)
        ]
        rows.sort(key=lambda row: str(row["started_at"]), reverse=True)
        return {"runs": rows[:limit], "problems": problems}

    def run(self, sessions: Sequence[Session], run_id: str) -> dict[str, Any]:
        """One run as a row."""
        return run_row(self._store_of(sessions, run_id).run(run_id))

    def frame(
        self, sessions: Sequence[Session], run_id: str, cursor: str
    ) -> dict[str, Any]:
        """What is new since the frame with that cursor, or everything."""
        store = self._store_of(sessions, run_id)
        return self._viewers.frame(store, run_id, cursor)

    def static(self, sessions: Sequence[Session], run_id: str) -> dict[str, Any]:
        """The mimebundle that an ended run leaves, as the data of a display output."""
        bundle = static_panel(self._store_of(sessions, run_id), run_id)
        return {"data": bundle, "metadata": {"nbtrack": {"run": run_id}}}

    def control(self, sessions: Sequence[Session], run_id: str, command: str) -> None:
        """Leave a command for a running run."""
        self._store_of(sessions, run_id).control(run_id, command, by="JupyterLab")

    # -- stores ------------------------------------------------------------------------

    def _store_of(self, sessions: Sequence[Session], run_id: str) -> Store:
        for path in self._paths(sessions):
            try:
                store = self._open(path)
                if store.runs(ids=[run_id]):
                    return store
            except NbtrackError:
                self._forget(path)
        raise RunNotFoundError(f"No run {run_id} in the stores of running notebooks.")

    def _paths(self, sessions: Sequence[Session]) -> list[Path]:
        found = (find_store(folder) for folder in self._folders(sessions))
        known = dict.fromkeys(path for path in found if path is not None)
        return [path for path in known if path.is_dir()]

    def _folders(self, sessions: Sequence[Session]) -> Iterator[Path]:
        """Folders of running notebooks; a session may claim to be anywhere: look."""
        if os.environ.get("NBTRACK_STORE"):
            yield Path.cwd()  # that store is meant wherever one stands
        if self._root is None:
            return
        for session in sessions:
            folder = (self._root / session.notebook).resolve().parent
            if folder.is_relative_to(self._root) and folder.is_dir():
                yield folder

    def _open(self, path: Path) -> Store:
        store = self._stores.get(path)
        if store is None:
            store = self._stores[path] = Store.open(path, create=False)
        return store

    def _forget(self, path: Path) -> None:
        store = self._stores.pop(path, None)
        if store is not None:
            self._viewers.forget(store)
            store.close()

    def _close_stores(self) -> None:
        for path in list(self._stores):
            self._forget(path)

"""Calls back when there is a new version or an alias has moved, in any process.

One daemon thread for each store asks a few times a second for the newest event, which
costs microseconds; what happened before `on` is never told. A callback that raises is
one line of warning. In a forked child nothing is told.
"""

from __future__ import annotations

import fnmatch
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from nbtrack.errors import ArtifactNotFoundError, OptionError, StoreError
from nbtrack.guard import guard
from nbtrack.interrupts import Signal, Thread
from nbtrack.records import ArtifactEvent, ArtifactRecord
from nbtrack.text import did_you_mean, shorten

if TYPE_CHECKING:
    from nbtrack.store import Store

Callback = Callable[[ArtifactRecord, ArtifactEvent], object]
POLL_S = 0.25  # the writer commits every 0.2 s
FLUSH_S = 1.0
_WHATS = (
    "version", "alias", "unalias", "edited", "pruned", "expired", "deleted", "revived",
)  # fmt: skip


class Watch:
    """A callback that is told, until `stop`."""

    def __init__(
        self, poller: _Poller, pattern: str, callback: Callback, what: frozenset[str]
    ) -> None:
        self.pattern = pattern
        self.after = 0  # the last event that it need not hear of
        self._poller = poller
        self._callback = callback
        self._what = what
        self._stopped = False

    @property
    def is_on(self) -> bool:
        """Whether it is still told, in this process."""
        return not self._stopped and self._poller.is_here

    def stop(self) -> None:
        """Tell it no more; returns at once, and may be called by the callback."""
        self._stopped = True
        self._poller.remove(self)

    def tell(self, record: ArtifactRecord, event: ArtifactEvent) -> None:
        """Call back, where the event is one it wants to hear of."""
        if self._stopped or event.id <= self.after or event.what not in self._what:
            return
        if event.what == "alias" and event.detail == "latest":
            return  # it moves with every version, which is told already
        if fnmatch.fnmatchcase(event.name, self.pattern):
            with guard(f"the callback for artifacts {self.pattern!r}"):
                self._callback(record, event)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Watch {self.pattern!r} {'on' if self.is_on else 'stopped'}>"


def watch(
    store: Store, pattern: str, callback: Callback, what: str | Iterable[str]
) -> Watch:
    """Begin to tell a callback of a store's artifacts; see `nbtrack.artifacts.on`.

    Raises
    ------
    OptionError
        For something that cannot happen to an artifact.
    """
    wanted = frozenset([what] if isinstance(what, str) else what)
    for word in sorted(wanted - set(_WHATS)):
        raise OptionError(
            f"{shorten(repr(word), 60)} does not happen to artifacts."
            f"{did_you_mean(word, _WHATS)} There are: {', '.join(_WHATS)}."
        )
    store.journal.flush(FLUSH_S)  # what was logged before is not news
    poller = _pollers.of(store.path)
    made = Watch(poller, str(pattern), callback, wanted)
    made.after = store.last_artifact_event()
    poller.add(made)
    return made


class _Poller:
    """The thread of one store."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._changed = Signal()
        self._watches: list[Watch] = []
        self._thread: threading.Thread | None = None

    @property
    def is_here(self) -> bool:
        """Whether this is the process that it was made in."""
        return os.getpid() == self._pid

    def add(self, watch: Watch) -> None:
        with self._lock:
            self._watches.append(watch)
            if self._thread is None:
                self._thread = Thread(self._work, name="nbtrack-artifact-watch")
                self._thread.start()

    def remove(self, watch: Watch) -> None:
        if not self.is_here:  # its lock may be held by a thread that is not here
            return
        with self._lock:
            if watch in self._watches:
                self._watches.remove(watch)
        self._changed.set()

    def _work(self) -> None:
        from nbtrack.store import Store

        try:
            with (
                guard("callbacks for artifacts"),
                Store.open(self.path, create=False) as store,
            ):
                self._poll(store)
        finally:
            with self._lock:
                if self._thread is threading.current_thread():
                    self._thread = None  # it failed: the next `on` begins another

    def _poll(self, store: Store) -> None:
        while True:
            with self._lock:
                watches = self._watches.copy()
                if not watches:
                    self._thread = None
                    return
            newest = self._newest(store)
            if newest is None:
                return
            if newest > min(watch.after for watch in watches):
                _tell(store, watches)
            self._changed.wait(POLL_S)
            self._changed.clear()

    def _newest(self, store: Store) -> int | None:
        """The newest event; None where the store is gone, which ends it all."""
        try:
            return store.last_artifact_event()
        except StoreError as exc:
            if self.path.exists():
                return 0  # locked, for a moment
            guard.warn_once(f"watch {self.path}", f"callbacks for artifacts end: {exc}")
            with self._lock:
                self._watches.clear()
                self._thread = None
            return None


def _tell(store: Store, watches: list[Watch]) -> None:
    """Tell each watch of what it has not heard yet."""
    events = store.artifact_events(after=min(watch.after for watch in watches))
    known: dict[tuple[str, int | None], ArtifactRecord | None] = {}
    for event in events:
        key = event.name, event.version
        if key not in known:
            known[key] = _record(store, *key)
        record = known[key]
        if record is not None:
            for watch in watches:
                watch.tell(record, event)
    for watch in watches:
        watch.after = max(watch.after, events[-1].id if events else 0)


def _record(store: Store, name: str, version: int | None) -> ArtifactRecord | None:
    try:
        return None if version is None else store.artifact(f"{name}:v{version}")
    except ArtifactNotFoundError:  # purged meanwhile
        return None


class _Pollers:
    """The pollers of this process, one a store; none of the parent's after a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[Path, _Poller] = {}
        os.register_at_fork(after_in_child=self._forked)

    def of(self, path: Path) -> _Poller:
        with self._lock:
            return self._known.setdefault(path, _Poller(path))

    def _forked(self) -> None:
        self._lock = threading.Lock()
        self._known = {}


_pollers = _Pollers()

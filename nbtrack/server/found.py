"""Which stores the server shows: those of running notebooks, and those it is told of.

They come from notebooks of running sessions (walking up, never creating one), from
`NBTRACK_STORE` and the setting `NbtrackServer.stores`, and from the registry of stores
that this user has opened. Never from a path that a client sends, and no tree is walked.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nbtrack.analysis.several_stores import short_names
from nbtrack.store import find_store
from nbtrack.store.locate import store_folder
from nbtrack.store.registry import MAX_STORES, known_stores, store_id
from nbtrack.text import visible

FoundBy = Literal["session", "registry", "setting"]
REGISTRY_S = 5.0  # between two looks; two hundred notes take some ms to read


@dataclass(frozen=True, slots=True)
class Session:
    """A running session as the server knows it: the notebook and its kernel."""

    notebook: str  # relative to the root of the server
    kernel_id: str


@dataclass(frozen=True, slots=True)
class Found:
    """A store and how it was found."""

    id: str
    name: str  # short, and another one than those of the others
    path: Path  # as it was found: whose link it is, is asked when it is opened
    found_by: FoundBy

    @property
    def where(self) -> str:
        """Its folder as people write it."""
        return shown_path(self.path)


class Finder:
    """Finds them again at each request; used from one thread."""

    def __init__(self, root: Path | None, named: Sequence[str] = ()) -> None:
        self._root = root
        self._named = tuple(named)
        self._registered: list[Path] = []
        self._look_again_at = 0.0

    def find(self, sessions: Sequence[Session]) -> list[Found]:
        """The stores that are there now, each once: those that are worked with first.

        At most as many as the registry has room for.
        """
        found: dict[Path, tuple[Path, FoundBy]] = {}
        for path, found_by in self._paths(sessions):
            if os.path.isdir(path) and len(found) < MAX_STORES:
                found.setdefault(Path(os.path.realpath(path)), (path, found_by))
        names = short_names(list(found))
        return [
            Found(store_id(resolved), visible(name), *how)
            for name, (resolved, how) in zip(names, found.items(), strict=True)
        ]

    def _paths(self, sessions: Sequence[Session]) -> Iterator[tuple[Path, FoundBy]]:
        meant = os.environ.get("NBTRACK_STORE")
        if meant:  # wherever one stands, so no notebook has another
            yield _named(meant), "setting"
        else:
            for folder in self._folders(sessions):
                path = find_store(folder)
                if path is not None:
                    yield path, "session"
        for named in self._named:
            yield _named(named), "setting"
        for path in self._known():
            yield path, "registry"

    def _folders(self, sessions: Sequence[Session]) -> Iterator[Path]:
        """Folders of running notebooks; a session may claim to be anywhere: look."""
        if self._root is None:
            return
        for session in sessions:
            if "\0" in session.notebook:
                continue
            folder = Path(os.path.realpath(self._root / session.notebook)).parent
            if folder.is_relative_to(self._root) and folder.is_dir():
                yield folder

    def _known(self) -> list[Path]:
        now = time.monotonic()
        if now >= self._look_again_at:
            self._registered = known_stores()
            self._look_again_at = now + REGISTRY_S
        return self._registered


def _named(text: str) -> Path:
    return store_folder(Path(os.path.abspath(os.path.expanduser(text))))


def shown_path(path: Path) -> str:
    """A path with `~` for the home folder, fit to be shown.

    >>> shown_path(Path.home() / "digits" / ".nbtrack")
    '~/digits/.nbtrack'
    """
    home = os.path.expanduser("~")
    is_at_home = os.path.isabs(home) and home != "/" and path.is_relative_to(home)
    return visible(f"~/{path.relative_to(home)}" if is_at_home else str(path))

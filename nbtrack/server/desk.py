"""What an answer works with; used from the reader's thread alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nbtrack.server.conversations import Conversations
from nbtrack.server.remembered import Remembered
from nbtrack.server.stores import Stores
from nbtrack.server.viewers import Viewers
from nbtrack.store import Store


class Desk:
    """The open stores, and what is kept between two requests of one page."""

    def __init__(self, root: Path | None, named: Sequence[str] = ()) -> None:
        self.viewers = Viewers()
        self.conversations = Conversations()
        self.lists = Remembered(4)  # a page of a thousand runs is some MB
        self.sparks = Remembered()
        self.stores = Stores(root, on_close=self._forget, named=named)

    def _forget(self, store: Store) -> None:
        self.viewers.forget(store)
        self.conversations.forget(store)

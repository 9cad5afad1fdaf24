"""What an answer works with; used from the reader's thread alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nbtrack.server.stores import Stores
from nbtrack.server.viewers import Viewers


class Desk:
    """The open stores, and what is kept between two requests of one page."""

    def __init__(self, root: Path | None, named: Sequence[str] = ()) -> None:
        self.viewers = Viewers()
        self.stores = Stores(root, on_close=self.viewers.forget, named=named)

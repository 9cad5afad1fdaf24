"""The notebook's cells as they were saved last: their ids, texts and order.

Only the file is looked at. What was edited or deleted since the save cannot be seen, so
whoever says something about the notebook says as of which save. Never raises: a file
that is not there, or is no notebook, is None.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from nbtrack.text import text_digest

FILE_MAX_BYTES = 64 << 20  # that takes half a second to read


@dataclass(frozen=True, slots=True)
class SavedCell:
    """A code cell of the file."""

    id: str
    digests: frozenset[str]  # sha256 of its text, with and without a last line break


@dataclass(frozen=True)
class SavedNotebook:
    """The code cells of a notebook's file, in order; markdown is not among them.

    >>> saved = SavedNotebook(0.0, (SavedCell("a", frozenset()),))
    >>> saved.saved_at, saved.place_of("a"), saved.place_of("b")
    ('1970-01-01T00:00:00.000000Z', 0, None)
    """

    modified: float  # seconds since the epoch
    cells: tuple[SavedCell, ...]

    @property
    def saved_at(self) -> str:
        """When it was saved, as the records say times."""
        at = datetime.fromtimestamp(self.modified, UTC).replace(tzinfo=None)
        return at.isoformat(timespec="microseconds") + "Z"

    @cached_property
    def _places(self) -> dict[str, int]:
        return {cell.id: place for place, cell in enumerate(self.cells)}

    def place_of(self, cell_id: str | None) -> int | None:
        """Where the cell stands, from 0; None for one that is not there."""
        return None if cell_id is None else self._places.get(cell_id)


def read_saved(path: Path | str | None) -> SavedNotebook | None:
    """The notebook at `path`; None where that cannot be read, or its cells have no ids.

    >>> read_saved("/nowhere.ipynb") is None
    True
    """
    if path is None:
        return None
    try:
        state = os.stat(path)
    except (OSError, ValueError):
        return None
    return _read(str(path), state.st_mtime, state.st_size)


@lru_cache(maxsize=4)  # after each tracked cell somebody asks, and saves are rare
def _read(path: str, modified: float, size: int) -> SavedNotebook | None:
    if size > FILE_MAX_BYTES:
        return None
    try:
        notebook = json.loads(Path(path).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    found = cells if isinstance(cells, list) else []
    found = [cell for cell in found if isinstance(cell, dict)]
    code = tuple(_cell(c) for c in found if c.get("cell_type") == "code" and _id(c))
    return SavedNotebook(modified, code) if code else None


def _cell(cell: Mapping[str, Any]) -> SavedCell:
    source = cell.get("source")
    lines = source if isinstance(source, list) else [source]
    text = "".join(line for line in lines if isinstance(line, str))
    return SavedCell(_id(cell), digests_of(text))


def _id(cell: Mapping[str, Any]) -> str:
    found = cell.get("id")
    return found if isinstance(found, str) else ""


def digests_of(text: str) -> frozenset[str]:
    """What a text can stand under: front ends add or cut a last line break."""
    bare = text.rstrip("\n")
    return frozenset(text_digest(each) for each in (text, bare, bare + "\n"))

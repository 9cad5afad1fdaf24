"""Imports that go to the top of the script, where that surely changes nothing."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Protocol

from nbtrack.slices.closure import KeptCell
from nbtrack.slices.emission import Emission
from nbtrack.slices.emit_cell import parsed
from nbtrack.slices.emit_text import Places


class HasText(Protocol):
    """A cell on its way into the script."""

    kept: KeptCell
    text: str
    tracked: bool
    is_async: bool


def futures_taken(parts: Sequence[HasText], emission: Emission) -> list[str]:
    """Take `from __future__ import ...` out of the cells: it is legal on top alone."""
    names: dict[str, None] = {}
    for at, part in enumerate(parts):
        tree = parsed(part.text)
        for node in reversed(tree.body if tree else []):
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                names.update((a.name, None) for a in node.names if not a.asname)
                part.text = _cut(part.text, node) or part.text
                if at and "annotations" in names:
                    emission.cell = part.kept.cell
                    emission.note(
                        f"from __future__ import annotations of {emission.label} "
                        "holds for all cells here"
                    )
    return [f"from __future__ import {', '.join(names)}"] if names else []


def _cut(text: str, node: ast.stmt) -> str | None:
    """The text without a statement that has its lines for itself; None if not so."""
    places = Places(text)
    start, end = places.of(node)
    behind = places.after(end)
    if places.before(start) or (behind.strip() and not behind.strip().startswith("#")):
        return None
    return text[:start] + text[end + len(behind) + 1 :]


def hoisted(parts: Sequence[HasText], emission: Emission) -> list[str]:
    """The imports that were taken to the top."""
    return []

"""Takes registered models of another store: new ones, and those that went on there.

As a pull does: a model whose events go on from those here is taken whole. One that went
another way in each store stays as it is here, so that there is never a second version
in production by accident.
"""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

from nbtrack.errors import StoreError
from nbtrack.store.model_rows import STAGES
from nbtrack.text import shorten, visible

if TYPE_CHECKING:
    from nbtrack.store.store import Store


def take_models(store: Store, copy: Store) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The models that are new or went on, and what is to be said of the others."""
    taken: list[str] = []
    notices: list[str] = []
    with copy._reading() as reader:
        names = [
            row[0] for row in reader.execute("select name from models order by id")
        ]
    for name in names:
        shown = shorten(visible(str(name)), 80)
        try:
            why = _take(store, copy, name)
        except (StoreError, sqlite3.Error, ValueError, TypeError) as exc:
            why = f"is damaged: {exc}"
        if why is None:
            taken.append(name)
        elif why:
            notices.append(f"The model {shown} {why}")
    return tuple(taken), tuple(notices)


def _take(store: Store, copy: Store, name: str) -> str | None:
    """None where it was taken; "" where it is here already; else why not."""
    [theirs] = copy.model_copies(name)
    _check(theirs)
    ours = store.model_copies(name)
    known = ours[0]["events"] if ours else []
    if ours and known[: len(theirs["events"])] == theirs["events"]:
        return ""
    if theirs["events"][: len(known)] != known:
        return "went different ways in the two stores: it stays as it is here."
    if not store.take_model_copy(theirs):
        return "did not come: an artifact version of it is not here."
    return None


def _check(model: dict[str, Any]) -> None:
    """Refuse what readers could not read."""
    for version in model["versions"]:
        json.loads(version["signature"] or "null")
        json.loads(version["parts"])
        if version["stage"] not in STAGES:
            raise ValueError(f"{shorten(repr(version['stage']))} is no stage")
    for event in model["events"]:
        json.loads(event["detail"])

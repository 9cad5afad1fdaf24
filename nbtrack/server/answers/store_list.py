"""The list of stores: where each is, how it is found, and what is wrong with it."""

from __future__ import annotations

from typing import Any

from nbtrack.server.desk import Desk
from nbtrack.server.stores import StoreState


def stores(desk: Desk) -> dict[str, Any]:
    """All stores that are known here, those of running notebooks first."""
    version = desk.stores.version()
    rows = [_store_row(state) for state in desk.stores.states()]
    return {"stores": rows, "version": version}


def _store_row(state: StoreState) -> dict[str, Any]:
    held = state.held
    heads = [] if held is None else [h for h in held.heads if not h.is_trashed]
    running = [] if held is None else [h for h in heads if held.status(h) == "running"]
    return {
        "id": state.found.id,
        "name": state.found.name,
        "where": state.found.where,
        "found_by": state.found.found_by,
        "state": state.state,
        "message": state.message,
        "n_runs": len(heads),
        "n_running": len(running),
    }

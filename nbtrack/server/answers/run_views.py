"""One run: as frames for a live panel, as a picture; and what it is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbtrack.analysis.static_panel import static_panel
from nbtrack.server.desk import Desk


def frame(desk: Desk, run_id: str, cursor: str) -> dict[str, Any]:
    """What is new since the frame with that cursor, or everything."""
    return desk.viewers.frame(desk.stores.of_run(run_id), run_id, cursor)


def static(desk: Desk, run_id: str) -> dict[str, Any]:
    """The mimebundle that an ended run leaves, as the data of a display output."""
    bundle = static_panel(desk.stores.of_run(run_id), run_id)
    return {"data": bundle, "metadata": {"nbtrack": {"run": run_id}}}


def store_path(desk: Desk, run_id: str) -> Path:
    """The folder of the store that a run is in."""
    return desk.stores.of_run(run_id).path


def control(desk: Desk, run_id: str, command: str) -> None:
    """Leave a command for a running run."""
    desk.stores.of_run(run_id).control(run_id, command, by="JupyterLab")

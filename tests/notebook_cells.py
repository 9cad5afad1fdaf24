"""Runs cells in a real kernel, in a folder and with settings of the test's own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

LEFT_OUT = Path(__file__).parent / "left_out"


def quick_to_start(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process that need not import what no test asks of it."""
    path = filter(None, [str(LEFT_OUT), environment.get("PYTHONPATH")])
    return {**environment, "PYTHONPATH": os.pathsep.join(path)}


def execute(
    notebook: nbformat.NotebookNode,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    settings: Mapping[str, str],
    timeout_s: int = 100,
) -> nbformat.NotebookNode:
    """Run every cell of the notebook in `folder`; an exception in a cell is raised."""
    home = folder / "home"
    home.mkdir()
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(home))
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    # The kernel is another process: only what the environment holds reaches it.
    monkeypatch.delenv("NBTRACK_STORE", raising=False)
    client = NotebookClient(
        notebook,
        timeout=timeout_s,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    )
    return client.execute(env=quick_to_start(os.environ))


def text_of(cell: nbformat.NotebookNode) -> str:
    """All that stands under a cell, as plain text."""
    return "\n".join(
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for output in cell.get("outputs", [])
    )

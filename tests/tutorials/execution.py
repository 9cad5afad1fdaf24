"""Runs a tutorial from its first cell to its last, as a stranger's JupyterLab would.

A real kernel in an empty folder, without this user's settings. That no tutorial needs a
network is what `test_notebooks.py` says: what would cut one off is code beside the
notebook's own, and is captured as such.
"""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient

TESTS = Path(__file__).parents[1]
NO_NETWORK = Path(__file__).parent / "no_network"  # for PYTHONPATH
CELL_MAX_S = 600  # on a machine that does much else, too
READER = "ada"  # who is said to have run it


def executed(path: Path, home: Path) -> nbformat.NotebookNode:
    """The notebook with the outputs of a run in `home`, which is empty before."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    folder = home / "notebooks"
    folder.mkdir(parents=True)
    # Grades look whether a cell that ran stands in the file, unchanged.
    nbformat.write(notebook, folder / path.name)
    client = NotebookClient(
        notebook,
        timeout=CELL_MAX_S,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    return client.execute(env=environment(home, folder / path.name))


def environment(home: Path, notebook: Path) -> dict[str, str]:
    """Nothing of this user's Jupyter, IPython, stores or data."""
    ours = ("NBTRACK_", "JUPYTER", "JPY_", "IPYTHON", "XDG_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    folders = {
        "IPYTHONDIR": home / "ipython",
        "JUPYTER_CONFIG_DIR": home / "jupyter",
        "XDG_STATE_HOME": home / "state",
        "TMPDIR": home / "tmp",
        "NBTRACK_DATA": home / "data",  # empty: the digits that everybody has
    }
    for folder in folders.values():
        folder.mkdir()
    told = {"JPY_SESSION_NAME": str(notebook), "USER": READER, "LOGNAME": READER}
    told |= {"PYTHONPATH": str(TESTS.parent), "NBTRACK_OFFLINE": "1"}
    return kept | {k: str(v) for k, v in folders.items()} | told

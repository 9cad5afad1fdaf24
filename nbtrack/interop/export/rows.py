"""Runs as rows of a plain SQLite file: `runs.db`."""

from __future__ import annotations

from nbtrack.interop.export.documents import document_of
from nbtrack.interop.export.folder import ExportFolder, state_of
from nbtrack.interop.export.task import ExportTask
from nbtrack.store.rows import state_in, write_rows_to

NAME = "runs.db"


def write_rows(task: ExportTask, folder: ExportFolder) -> None:
    """Write the file; one that has all of it already is left alone."""
    states = []
    for run in task.records():
        document = document_of(task.store, run)
        task.count(document)
        states.append(state_of(document))
    state = state_of(states)
    if state_in(folder.path / NAME) == state:
        folder.n_unchanged += 1
        return
    made = folder.path / f".{NAME}.part"
    made.unlink(missing_ok=True)
    documents = (document_of(task.store, run) for run in task.records())
    try:
        write_rows_to(made, documents, task.store, state=state)
        folder.take(made, NAME)
    finally:
        made.unlink(missing_ok=True)

"""Runs as event files of TensorBoard."""

from __future__ import annotations

from nbtrack.interop.export.folder import ExportFolder
from nbtrack.interop.export.task import ExportTask
from nbtrack.interop.tensorboard.writing import write_tensorboard


def write_events(task: ExportTask, folder: ExportFolder) -> None:
    """Write a folder of event files for each run."""
    done = write_tensorboard(task.store, list(task.records()), folder)
    task.n_points += done.n_points
    if done.n_left_out:
        task.notices.append(f"{done.n_left_out} rich values have no place there")

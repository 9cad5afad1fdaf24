"""`nbtrack.export_runs`: runs as files that other tools read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Literal, cast

from nbtrack.analysis.code_view import SETTLE_S
from nbtrack.analysis.runs_table import select
from nbtrack.errors import OptionError, RunNotFoundError
from nbtrack.interop.export.folder import ExportFolder
from nbtrack.interop.export.formats import WRITERS
from nbtrack.interop.export.report import ExportReport
from nbtrack.interop.export.task import ExportTask
from nbtrack.store import Store
from nbtrack.text import did_you_mean, shorten, visible
from nbtrack.tracking.background import background
from nbtrack.tracking.settled import store_given

Format = Literal["parquet", "json", "csv", "rows", "tensorboard", "dvc"]
Write = Callable[[ExportTask, ExportFolder], None]
_ASKS = re.compile(r"[<>=!()]|\b(?:in|and|or|not)\b")  # a query, and no name


def export_runs(
    path: Path | str,
    runs: str | Iterable[str] | None = None,
    *,
    format: Format,
    files: bool = True,
    store: Store | Path | str | None = None,
) -> ExportReport:
    """Write runs as files into a folder, with ids and times as they are.

    To export again writes only what has changed; an export that was cut off goes on.
    What the folder holds besides stays. Secrets are in none of it: they never came into
    the store.

    Parameters
    ----------
    path : path
        A folder, new or not.
    runs : str or iterable of str, optional
        A query as of `nbtrack.runs`, or a run's id or name, or several of these.
        Default: all that are not in the trash.
    format : {"parquet", "json", "csv", "rows", "tensorboard", "dvc"}
        - "parquet": a file for each table (runs, params, points, ...), typed. Needs
          pyarrow.
        - "json": JSON lines, a file for each run: all of it.
        - "csv": runs.csv (wide) and points.csv (long), safe to open in a spreadsheet.
        - "rows": `runs.db`, a SQLite file in which points are plain rows too.
        - "tensorboard": event files.
        - "dvc": a stage of `dvc.yaml` for each run, with params, metrics and plots.

        "parquet" and "json" are read back by `nbtrack.import_runs`, equal.
    files : bool
        With "parquet" and "json": also the files of artifacts and rich values.
    store : Store or path, optional
        Default: the store of this folder.

    Returns
    -------
    ExportReport
        What was written, and what was there already.

    Raises
    ------
    OptionError
        For a format that is not known, or a path that is a file.
    RunNotFoundError, QueryError
        For a run that is not there, or a query that cannot be understood.
    MissingExtraError
        Where a package is needed for the format.
    StoreError
        Where the store cannot be read.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base", params={"lr": 0.1}):
    ...     nbtrack.log(loss=0.5)
    >>> nbtrack.export_runs("exported", "loss < 1", format="json")
    json in exported: 1 run, 1 point; 2 files written
    """
    write = _writer(format)
    background.settle(SETTLE_S)  # what the last cell read may still be looked at
    with store_given(store) as source:
        return _export(Path(path), runs, write, files=files, store=source)


def _writer(format: str) -> tuple[str, Write]:
    if format not in WRITERS:
        hint = did_you_mean(format, WRITERS)
        raise OptionError(
            f"format={shorten(visible(repr(format)))} is none that is known.{hint} "
            f"There are: {', '.join(WRITERS)}."
        )
    module, name = WRITERS[format]
    return format, cast(Write, getattr(import_module(module), name))


def _export(
    path: Path,
    runs: str | Iterable[str] | None,
    writer: tuple[str, Write],
    *,
    files: bool,
    store: Store,
) -> ExportReport:
    format, write = writer
    task = ExportTask(store, chosen_ids(store, runs), files=files)
    folder = ExportFolder(path)
    write(task, folder)
    return ExportReport(
        format, path, len(task.ids), task.n_points, folder.n_written,
        folder.n_unchanged, tuple(task.notices),
    )  # fmt: skip


def chosen_ids(store: Store, runs: str | Iterable[str] | None) -> list[str]:
    """The ids of the runs that are meant, by start, each once."""
    asked = [runs] if isinstance(runs, str) else runs
    if asked is None:
        found = [run.id for run in store.runs()]
    else:
        found = [id_ for text in asked for id_ in _meant(store, text)]
    return sorted(dict.fromkeys(found))  # ids sort by start


def _meant(store: Store, text: str) -> list[str]:
    try:
        return [store.run(text).id]
    except RunNotFoundError:
        if not _ASKS.search(text):
            raise
        return list(select(store, text).ids)

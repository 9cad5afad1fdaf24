"""Data by hand: the part of `Run` that notes what a script reads, and keeps data sets.

What a tracked cell reads is noted without a word; a plain script says it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from nbtrack.errors import MissingExtraError, ValueNotLoggedError
from nbtrack.guard import guard
from nbtrack.text import clean_name, shorten

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run

FEATURE = "data"


class ReadsData:
    """Takes the data of one run; `Run` is one."""

    def log_input(self, what: Any, name: str | None = None) -> None:
        """Note data, a file or a folder that the run reads: digest, rows, schema.

        Returns at once: small data is copied, the rest is read in the background. Data
        that changes meanwhile has no digest, and its record says so.

        Parameters
        ----------
        what : table, array, tensor, data set, list, dict, or path
            A text is the path of a file or folder.
        name : str, optional
            Default: the path, or what kind of data it is.

        Raises
        ------
        ValueNotLoggedError
            For what is neither data nor the path of a file.

        Examples
        --------
        >>> import nbtrack
        >>> with nbtrack.start("base") as run:
        ...     run.log_input([[5.1, 3.5], [4.9, 3.0]], "iris")
        >>> record = run.record()
        >>> run.store.inputs(run.id)[0].n_rows
        2
        """
        run = cast("Run", self)
        if not run.captures(FEATURE):
            return
        with guard(FEATURE, letting=(ValueNotLoggedError,)):
            if isinstance(what, str | os.PathLike):
                _log_path(run, Path(os.path.abspath(os.fspath(what))), name)
            else:
                _log_value(run, what, name)

    def log_dataset(
        self,
        data: Any,  # a table of pandas, polars or pyarrow, an array, columns by name
        name: str,
        *,
        type: str = "dataset",
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep a data set with the run: as parquet, with schema and statistics.

        The same content is the same version of `name`. Trouble with the disk is said
        in one line: training goes on.

        Parameters
        ----------
        data : DataFrame, Series, table of pyarrow or polars, array, or dict of columns
        name : str
            Of the data set; its versions count up.
        type : str
            What it is called in lists of files.
        metadata : mapping, optional
            Whatever is to be known of it, JSON-able.

        Raises
        ------
        ValueNotLoggedError
            When the data is no table, or a column cannot be kept as parquet.
        MissingExtraError
            Without pyarrow: `pip install "nbtrack[data]"`.

        Examples
        --------
        >>> import nbtrack, pandas
        >>> with nbtrack.start("base") as run:
        ...     run.log_dataset(pandas.DataFrame({"x": [1, 2]}), "train")
        >>> run.record().checkpoints[0].name
        'train'
        """
        from nbtrack.tracking.datasets import keep_dataset

        run = cast("Run", self)
        mistakes: list[Exception] = []
        with guard("data sets"):
            try:
                keep_dataset(run, data, name, type=type, metadata=metadata)
            except (ValueNotLoggedError, MissingExtraError) as exc:
                mistakes.append(exc)
        for mistake in mistakes:
            raise mistake


def _log_value(run: Run, value: Any, name: str | None) -> None:
    from nbtrack.capture.data_taking import Taker
    from nbtrack.capture.digests import kind_of
    from nbtrack.capture.digests.kinds import shown_kind
    from nbtrack.tracking.data_reading import DataReading

    kind = kind_of(value)
    if kind is None:
        raise ValueNotLoggedError(
            f"An object of type {type(value).__name__} is no data that can be read. "
            "Give a table, array, tensor, data set, list or dict, or a path."
        )
    taken = Taker().take(clean_name(name or shown_kind(kind)), value, kind)
    DataReading(run).read([taken])


def _log_path(run: Run, path: Path, name: str | None) -> None:
    from nbtrack.capture.digests.files import files_under
    from nbtrack.capture.file_groups import FileGroup
    from nbtrack.capture.file_sweep import stamp_of
    from nbtrack.tracking.data_reading import DataReading
    from nbtrack.tracking.file_reading import read_groups

    if not path.exists():
        raise ValueNotLoggedError(
            f"There is no file {shorten(str(path), 200)!r}. A text is taken for a "
            "path; wrap it in a list to note the text itself."
        )
    reading = DataReading(run)
    files = files_under(path) if path.is_dir() else iter([path])
    stamped = [(f, stamp) for f in files if (stamp := stamp_of(f)) is not None]
    group = FileGroup(path, stamped, is_folder=path.is_dir())
    read_groups(reading, [group], Path.cwd(), name=clean_name(name) if name else None)

"""Which runs a folder of `neptune-exporter` has, and in which of its files.

    data/<project>/<run>_part_<n>.parquet     an attribute or a point a row
    files/<project>/...                       beside it

A run's id is `<workspace>/<project>/<run>`, as Neptune wrote it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from nbtrack.errors import ImportSourceError, MissingExtraError
from nbtrack.interop.foreign import FoundRun
from nbtrack.interop.neptune.reading import CREATED, MODIFIED, NAME, read_run
from nbtrack.interop.parquet_files import parquet_module
from nbtrack.text import shorten, visible

_COLUMNS = {
    "project_id", "run_id", "attribute_path", "attribute_type", "step", "timestamp",
    "float_value",
}  # fmt: skip
_N_ASKED = 3  # files: the first may be broken
_PARTS = ("*_part_*.parquet", "part_*.parquet")  # the second: of its first versions


def recognises(place: str) -> bool:
    """Whether that folder, or `data` in it, was written by neptune-exporter."""
    return any(map(_is_ours, _parquet_in(Path(place))[:_N_ASKED]))


def _is_ours(file: Path) -> bool:
    try:
        return set(parquet_module().read_schema(file).names) >= _COLUMNS
    except MissingExtraError:
        return True  # by its name; to open it says what is missing
    except (OSError, ValueError):
        return False


def open_source(place: str) -> NeptuneRuns:
    """The runs of an exported folder.

    Raises
    ------
    ImportSourceError
        Where there are none.
    MissingExtraError
        Where pyarrow is not installed.
    """
    parquet_module()
    files = _parquet_in(Path(place))
    if not files:
        shown = shorten(visible(repr(place)))
        raise ImportSourceError(
            f"{shown} has no files of neptune-exporter. Give the folder that it wrote, "
            "or the one called `data` in it."
        )
    return NeptuneRuns(files)


def _parquet_in(place: Path) -> list[Path]:
    """The files with rows: of one project, of several, or one folder further down."""
    for folder in (place, place / "data"):
        for depth in ("", "*/"):
            found = {p for name in _PARTS for p in folder.glob(depth + name)}
            if found:
                return sorted(found)
    return []


class NeptuneRuns:
    """The runs in some files."""

    tool = "neptune"

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files

    def found(self) -> list[FoundRun]:
        """The runs, oldest first."""
        parts: dict[tuple[str, str], list[Path]] = {}
        broken: dict[str, FoundRun] = {}
        for file in self._files:
            try:
                for key in _runs_in(file):
                    parts.setdefault(key, []).append(file)
            except (OSError, ValueError):
                broken[_whose(file)] = _broken(file)
        runs = [
            _found(key, files)
            for key, files in parts.items()
            if not broken.keys() & set(map(_whose, files))
        ]
        return sorted([*broken.values(), *runs], key=lambda run: run.started_at)

    def close(self) -> None:
        """Nothing is open."""


def _runs_in(file: Path) -> Iterator[tuple[str, str]]:
    table = parquet_module().read_table(file, columns=["project_id", "run_id"])
    for row in table.group_by(["project_id", "run_id"]).aggregate([]).to_pylist():
        yield row["project_id"], row["run_id"]


def _whose(file: Path) -> str:
    """The files of one run: all of them are read, or none."""
    return f"{file.parent.name}/{file.stem.rpartition('_part_')[0] or file.stem}"


def _broken(file: Path) -> FoundRun:
    """A file that cannot be read, whose run says so when it is taken."""
    return FoundRun(_whose(file), 0.0, partial(read_run, "", "", files=[file]))


def _found(key: tuple[str, str], files: list[Path]) -> FoundRun:
    project, run = key
    about = _about(files, run)
    created, modified = about.get(CREATED), about.get(MODIFIED)
    return FoundRun(
        f"{project}/{run}",
        created.timestamp() if created else _first_moment(files, run),
        partial(read_run, project, run, files=files),
        name=about.get(NAME) or run,
        state=modified.isoformat() if modified else None,
    )


def _first_moment(files: list[Path], run: str) -> float:
    """Of its first point; for runs that were exported without their attributes."""
    import pyarrow.compute as pc

    asked = [("run_id", "==", run)]
    read = partial(parquet_module().read_table, columns=["timestamp"], filters=asked)
    firsts = [pc.min(read(file)["timestamp"]).as_py() for file in files]
    return min((at.timestamp() for at in firsts if at is not None), default=0.0)


def _about(files: list[Path], run: str) -> dict[str, Any]:
    asked = [("run_id", "==", run), ("attribute_path", "in", [CREATED, MODIFIED, NAME])]
    columns = ["attribute_path", "datetime_value", "string_value"]
    found: dict[str, Any] = {}
    for file in files:
        rows = parquet_module().read_table(file, columns=columns, filters=asked)
        for row in rows.to_pylist():
            value = row["datetime_value"] or row["string_value"]
            found[row["attribute_path"]] = value
    return found

"""Reads MLflow's own stores, without MLflow: an SQLite database, a `mlruns` folder.

    mlflow.db, sqlite:///mlflow.db      what `mlflow server` and MLflow 3 make
    mlruns                              what MLflow 1 and 2 make; `models/` is MLflow 3
    a folder that has one of them       both, where it has both

Nothing is unpickled or run, and nothing is written there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from nbtrack.errors import ImportSourceError
from nbtrack.interop.databases import sqlite_file
from nbtrack.interop.foreign import FoundRun, Source
from nbtrack.interop.mlflow.database import DatabaseRuns, is_database
from nbtrack.interop.mlflow.folder import FolderRuns, is_folder
from nbtrack.interop.nesting import depth_in
from nbtrack.text import shorten, visible

_SERVED = ("http", "https", "postgresql", "mysql", "mssql", "databricks")
_OUR_ID = re.compile(r"[0-9a-hjkmnp-tv-z]{13}\Z")


def recognises(place: str) -> bool:
    """Whether it is a store of MLflow, or a folder that has one."""
    return bool(_kinds(place)) or _scheme(place) in _SERVED


def open_source(place: str) -> Source:
    """The runs there; ImportSourceError where none can be read."""
    shown = shorten(visible(repr(place)))
    if _scheme(place) in _SERVED:
        raise ImportSourceError(
            f"{shown} is a server, and runs are taken from the files of a store alone: "
            "give its database (sqlite:///…/mlflow.db) or its mlruns folder."
        )
    kinds = _kinds(place)
    if not kinds:
        raise ImportSourceError(
            f"{shown} is no store of MLflow: neither its SQLite database nor a mlruns "
            "folder."
        )
    return _Runs([kind(path) for kind, path in kinds])


class _Runs:
    """The runs of one store, or of several that lie together."""

    tool = "mlflow"

    def __init__(self, sources: Sequence[DatabaseRuns | FolderRuns]) -> None:
        self._sources = sources

    def found(self) -> Sequence[FoundRun]:
        """The runs, parents before their children, each id once."""
        found: dict[str, tuple[FoundRun, str | None]] = {}
        for source in self._sources:
            for run, parent in source.found():
                found.setdefault(run.id, (run, parent))
        parents = {id_: parent for id_, (_, parent) in found.items()}
        runs = sorted(
            (run for run, _ in found.values()),
            key=lambda run: (depth_in(parents, run.id), run.started_at, run.id),
        )
        return list(_ours_once(runs))

    def close(self) -> None:
        """Let go of what is open."""
        for source in self._sources:
            source.close()


def _ours_once(runs: Iterable[FoundRun]) -> Iterable[FoundRun]:
    """A mark of ours counts where it can be one, and for one run."""
    known: set[str] = set()
    for run in runs:
        is_ours = run.ours is not None and _OUR_ID.match(run.ours) is not None
        if run.ours is not None and (not is_ours or run.ours in known):
            run = replace(run, ours=None)
        if run.ours is not None:
            known.add(run.ours)
        yield run


def _kinds(place: str) -> list[tuple[type[DatabaseRuns] | type[FolderRuns], Path]]:
    path = _path(place)
    if path is None:
        return []
    if is_database(path):
        return [(DatabaseRuns, path)]
    if is_folder(path):
        return [(FolderRuns, path)]
    found: list[tuple[type[DatabaseRuns] | type[FolderRuns], Path]] = []
    if is_database(path / "mlflow.db"):
        found.append((DatabaseRuns, path / "mlflow.db"))
    if is_folder(path / "mlruns"):
        found.append((FolderRuns, path / "mlruns"))
    return found


def _path(place: str) -> Path | None:
    """The local path of an address; None for one that is elsewhere."""
    if place.startswith("file:"):
        return Path(unquote(urlsplit(place).path))
    return sqlite_file(place)


def _scheme(place: str) -> str:
    """`postgresql` of `postgresql+psycopg2://...`."""
    return place.partition("://")[0].partition("+")[0] if "://" in place else ""

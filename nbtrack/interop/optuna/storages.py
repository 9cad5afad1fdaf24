"""Opens storages of Optuna to read: databases as a copy, journals as they are.

Optuna makes tables that it misses and refuses those of other versions: it is given a
copy of a SQLite file, brought up to date. Other databases are opened where they are.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbtrack.errors import ImportSourceError
from nbtrack.interop.databases import SQLITE, has_tables, open_database, sqlite_file
from nbtrack.redact import redact
from nbtrack.sweeps.studies import optuna_module
from nbtrack.text import shorten, visible

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

_TABLES = ("studies", "trials", "trial_params", "version_info")
_LINE_MAX = 1 << 20
_UPGRADE = (
    "import optuna, sys;"
    "optuna.storages.RDBStorage(sys.argv[1], skip_compatibility_check=True).upgrade()"
)
_CREATES_STUDY = 0  # every journal begins so


def is_database(place: str) -> bool:
    """Whether it is a SQLite file with the tables of Optuna; never raises."""
    path = sqlite_file(place)
    return path is not None and path.is_file() and has_tables(path, _TABLES)


def is_journal(place: str) -> bool:
    """Whether it is a file in which each line is an operation; never raises."""
    path = Path(place)
    try:
        with path.open("rb") as file:
            first = json.loads(file.readline(_LINE_MAX))
    except (OSError, ValueError, RecursionError):
        return False
    is_operation = isinstance(first, dict) and first.get("op_code") == _CREATES_STUDY
    return is_operation and "study_name" in first


def open_storage(place: str, folder: Path) -> BaseStorage:
    """The storage at a place; a copy of a database is made in `folder`.

    Raises
    ------
    ImportSourceError
        Where none is, or Optuna cannot read it.
    MissingExtraError
        Where Optuna is not installed.
    """
    optuna = optuna_module()
    if is_database(place):
        path = sqlite_file(place)
        assert path is not None, "it is one"
        return _upgraded(optuna, _copied(path, folder / "study.db"), place)
    if "://" in place and not place.startswith(SQLITE):
        return _opened(optuna, place, place)
    if is_journal(place):
        backend = optuna.storages.journal.JournalFileBackend(place)
        return optuna.storages.JournalStorage(backend)  # type: ignore[no-any-return]
    raise ImportSourceError(
        f"{_shown(place)} is no storage of Optuna. Give its SQLite file, its journal, "
        "or an address such as mysql://host/studies."
    )


def _copied(path: Path, target: Path) -> Path:
    import sqlite3

    with closing(open_database(path)) as there, closing(sqlite3.connect(target)) as own:
        there.backup(own)
    return target


def _upgraded(optuna: Any, copy: Path, place: str) -> BaseStorage:
    address = f"{SQLITE}{copy}"
    old = optuna.storages.RDBStorage(address, skip_compatibility_check=True)
    is_current = old.get_current_version() == old.get_head_version()
    old.engine.dispose()
    if not is_current:
        # In a process of its own: its migrations set up logging anew.
        command = [sys.executable, "-c", _UPGRADE, address]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ImportSourceError(_unreadable(place, done.stderr[-200:]))
    return _opened(optuna, address, place)


def _opened(optuna: Any, address: str, place: str) -> BaseStorage:
    from sqlalchemy.exc import SQLAlchemyError  # Optuna brings it

    try:
        return optuna.storages.RDBStorage(address)  # type: ignore[no-any-return]
    except (RuntimeError, ValueError, ImportError, SQLAlchemyError) as exc:
        raise ImportSourceError(_unreadable(place, str(exc))) from exc


def _unreadable(place: str, why: str) -> str:
    said = shorten(visible(" ".join(redact(why)[0].split())), 200)
    return f"Optuna cannot read {_shown(redact(place)[0])}: {said}"


def _shown(place: str) -> str:
    return shorten(visible(repr(place)))

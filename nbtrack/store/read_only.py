"""A store opened for reading alone: nothing in it is changed, nor taken over.

For a look into somebody else's folder, as `nbtrack.diff` takes it. What another
process is still about to write down there is not seen.
"""

from __future__ import annotations

from pathlib import Path

from nbtrack.errors import StoreError
from nbtrack.store.database import BUSY_S, inspect, readable_errors, why_read_only
from nbtrack.store.locate import DATABASE_NAME, folder_for, refuse_foreign_link
from nbtrack.store.schema import VERSION
from nbtrack.store.store import Store


def open_to_read(path: Path | str, *, wait_s: float = BUSY_S) -> Store:
    """Open the store of a folder for reading.

    Parameters
    ----------
    path : path
        The `.nbtrack` folder, or the folder that holds it.
    wait_s : float
        How long to wait for a lock of another process.

    Raises
    ------
    StoreError
        Where there is none, or one of an older version, which opening it for writing
        brings up to date.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     pass
    >>> run.store.journal.flush(5.0)
    True
    >>> with open_to_read(run.store.path) as store:
    ...     store.read_only, store.run("base").name
    (True, 'base')
    """
    folder = folder_for(path, None)
    refuse_foreign_link(folder)
    folder = folder.resolve()
    database = folder / DATABASE_NAME
    if not database.exists():
        raise StoreError(f"There is no store at {folder}.")
    with readable_errors(database):
        version = inspect(database, wait_s=wait_s)
        if version < VERSION:
            raise StoreError(
                f"The store {folder} has version {version}, this nbtrack reads "
                f"{VERSION}: nbtrack.open({str(folder)!r}) brings it up to date."
            )
        why = why_read_only(folder, database, version)
        why = why or f"The store {folder} was opened for reading only."
        store = Store(folder, created=False, version=version, why_read_only=why)
        store._wait_s = wait_s
        return store

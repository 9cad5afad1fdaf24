"""`nbtrack.open`: a store to read from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nbtrack.tracking.session import process_session

if TYPE_CHECKING:
    from nbtrack.store import Store


def open(path: str | Path | None = None) -> Store:
    """Open a store: an explicit folder, else the one that belongs to this folder.

    Parameters
    ----------
    path : path, optional
        A `.nbtrack` folder, or the folder it stands in.

    Returns
    -------
    Store
        `.runs()`, `.run(id or name)`, `.curve(run, metric)`.

    Raises
    ------
    StoreError
        When there is no store, or it cannot be opened.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base"):
    ...     nbtrack.log(loss=0.5)
    >>> nbtrack.open().run("base").metrics["loss"].best
    0.5
    """
    if path is None:
        return process_session().store_for()
    from nbtrack.store import Store

    return Store.open(path, create=False)

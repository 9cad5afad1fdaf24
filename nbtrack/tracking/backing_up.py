"""`nbtrack.backup`, `nbtrack.salvage`: a store again, from a sound or damaged one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nbtrack.store.backup import back_up
from nbtrack.tracking.settled import store_given

if TYPE_CHECKING:
    from nbtrack.store import Store
    from nbtrack.store.backup import Backup
    from nbtrack.store.salvage.salvaging import Salvaged


def backup(path: str | Path, store: Store | str | Path | None = None) -> Backup:
    """Copy the store, database and files, while runs go on.

    The copy is one moment: every run has a beginning of its points, every artifact that
    is listed is whole. It is itself a store: `nbtrack.open(path)`, or `NBTRACK_STORE`.
    What a live process logged in the last 200 ms may not be committed, and is not in
    it; runs that go on now are `crashed` in the copy, once it is opened. No writer
    waits for it.

    Parameters
    ----------
    path : path
        A folder that is not there yet or empty, or a file that ends in `.zip`: unpacked
        in a folder, it is the store of that folder.
    store : Store or path, optional
        By default the store of this folder.

    Returns
    -------
    Backup
        `path`, `n_runs`, `n_files`, `n_bytes`, and `notices`: what is not in it.

    Raises
    ------
    StoreError
        Where the place is taken, cannot be written or is full, or the store is damaged
        (`nbtrack salvage` reads what can be read). Nothing is left there then.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base"):
    ...     nbtrack.log(loss=0.5)
    >>> made = nbtrack.backup("monday")
    >>> made.n_runs, nbtrack.open(made.path).run("base").metrics["loss"].best
    (1, 0.5)
    """
    with store_given(store) as source:
        return back_up(source, Path(path).expanduser())


def salvage(store: str | Path, into: str | Path) -> Salvaged:
    """Write what can be read of a damaged store as a new one.

    Every page of the database is looked at, so that one that is damaged takes no other
    with it; the log beside it is read where it belongs to it. Files come where they are
    whole, journals of dead processes too. The damaged store is only read.

    Parameters
    ----------
    store : path
        The damaged `.nbtrack` folder, or the folder it stands in.
    into : path
        A folder that is not there yet, or empty.

    Returns
    -------
    Salvaged
        `path`, `n_runs`, `n_files`, `tables` (rows that are there and lost, by table),
        `lost_files`, `is_whole`, `notices`.

    Raises
    ------
    StoreError
        Where no row of a store can be read, or `into` cannot be written.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("kept") as run:
    ...     nbtrack.log(loss=0.5)
    >>> run.store.journal.flush(5.0)
    True
    >>> saved = nbtrack.salvage(run.store.path, "saved")
    >>> saved.is_whole, nbtrack.open(saved.path).run(run.id).name
    (True, 'kept')
    """
    from nbtrack.store.locate import folder_for
    from nbtrack.store.salvage.salvaging import salvage as save

    return save(folder_for(store, None), Path(into).expanduser())

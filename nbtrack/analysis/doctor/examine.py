"""`nbtrack.doctor`: everything that can be wrong, looked at in one go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nbtrack.analysis.doctor import about_disk, about_jupyter, about_store
from nbtrack.analysis.doctor.mending import mend
from nbtrack.analysis.doctor.report import Check, Report
from nbtrack.errors import StoreError
from nbtrack.guard import tolerated
from nbtrack.store import checkup
from nbtrack.store.locate import DATABASE_NAME, folder_for
from nbtrack.store.read_only import open_to_read
from nbtrack.store.schema import VERSION
from nbtrack.text import shorten

if TYPE_CHECKING:
    from nbtrack.store import Store

_OF_THE_FOLDER: dict[str, Callable[[Path], Check]] = {
    "mount": about_store.mount,
    "writable": about_store.writable,
    "rights": about_disk.rights,
    "room": about_disk.room,
    "journals": about_store.journals,
    "log": about_store.log,
    "sqlite": about_store.sqlite,
}
_OF_ROWS: dict[str, Callable[[checkup.Rows], Check]] = {
    "runs": about_store.running,
    "events": about_store.events,
    "notices": about_store.notices,
    "files": about_disk.files,
}


def doctor(
    store: Store | str | Path | None = None, *, deep: bool = False, fix: bool = False
) -> Report:
    """Look for what is wrong with a store and its surroundings, and say the way out.

    Which store applies and why; whether its database is sound, of this version, locked
    (by whom), on a network mount, writable, yours alone; what dead processes left, what
    was put aside; room on the disk and who takes it; files that are missing; and why a
    panel may stay blank: packages, extensions, the server's environment.

    Parameters
    ----------
    store : Store or path, optional
        By default the store that applies here; none need be there.
    deep : bool
        Also read every byte of the files.
    fix : bool
        Put right what can be: rights of others, an older version, journals of dead
        processes and their runs, a large log. Without it nothing is changed.

    Returns
    -------
    Report
        `.checks` (name, state "ok", "warn" or "bad", what, way_out, fixable),
        `.state`, `.fixed`, `["database"]`, `.to_dict()`.

    Raises
    ------
    StoreError
        Where what was to be put right could not be.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base"):
    ...     nbtrack.log(loss=0.5)
    >>> report = nbtrack.doctor()
    >>> report["database"].state, report["version"].state
    ('ok', 'ok')
    """
    folder = _folder(store)
    fixed = mend(folder) if fix else ()
    checks = [about_store.which(folder, is_given=store is not None)]
    if (folder / DATABASE_NAME).exists():
        checks += _of_the_store(folder, deep=deep)
    return Report((*checks, *_of_jupyter()), fixed)


def _folder(store: Store | str | Path | None) -> Path:
    if store is None or isinstance(store, str | Path):
        return folder_for(store, None).absolute()
    return store.path


def _of_the_store(folder: Path, *, deep: bool) -> Iterator[Check]:
    database = _looked("database", lambda: about_store.database(folder))
    yield database
    for name, look in _OF_THE_FOLDER.items():
        yield _looked(name, lambda look=look: look(folder))  # type: ignore[misc]
    if database.state == "bad":
        return
    yield _looked("version", lambda: about_store.version(folder))
    if checkup.version_of(folder) != VERSION:
        return
    yield _looked("lock", lambda: about_store.lock(folder))
    yield from _of_rows(folder, deep=deep)


def _of_rows(folder: Path, *, deep: bool) -> Iterator[Check]:
    try:
        rows = checkup.look_at_rows(folder)
    except StoreError as exc:
        yield Check("rows", "bad", shorten(str(exc), 300))
        return
    for name, look in _OF_ROWS.items():
        yield _looked(name, lambda look=look: look(rows))  # type: ignore[misc]
    with open_to_read(folder) as store:
        yield _looked("size", lambda: about_disk.takers(store))
        if deep:
            yield _looked("contents", lambda: about_disk.contents(store))


def _of_jupyter() -> Iterator[Check]:
    server = about_jupyter.Server.here()
    yield _looked("packages", about_jupyter.packages)
    yield _looked("front end", about_jupyter.front_end)
    yield _looked("kernel", lambda: about_jupyter.environments(server))
    yield _looked("widgets", lambda: about_jupyter.widgets(server))
    yield _looked("side bar", lambda: about_jupyter.lab_extension(server))
    yield _looked("server", lambda: about_jupyter.server_extension(server))


def _looked(name: str, look: Callable[[], Check]) -> Check:
    """A look; where it fails itself, that is what is said."""
    said: list[Exception] = []
    with tolerated(said.append):
        return look()
    what = f"cannot be looked at: {type(said[0]).__name__}: {said[0]}"
    return Check(name, "warn", shorten(what, 300))

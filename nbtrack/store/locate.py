"""Where the store is: found upward from the notebook, or born beside it.

    explicit path  >  NBTRACK_STORE  >  nearest `.nbtrack/` upward  >  a new one

The search stops at the repository root, the home folder or a mount. Folders are 0700,
files 0600; a store reached through somebody else's symbolic link is refused.
"""

from __future__ import annotations

import os
from pathlib import Path

from nbtrack.errors import StoreError

STORE_NAME = ".nbtrack"
DATABASE_NAME = "nbtrack.db"


def find_store(near: Path | str | None = None) -> Path | None:
    """The folder of the store that applies at `near` (default: the working folder).

    Parameters
    ----------
    near
        A folder, or a file (the notebook) whose folder is meant.

    Returns
    -------
    Path or None
        The `.nbtrack` folder, or None where there is none yet.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> root = pathlib.Path(tempfile.mkdtemp())
    >>> (root / ".nbtrack").mkdir()
    >>> (root / "deep").mkdir()
    >>> find_store(root / "deep") == root / ".nbtrack"
    True
    """
    named = os.environ.get("NBTRACK_STORE")
    if named:
        return store_folder(Path(named).expanduser())
    return nearest_store(near)


def nearest_store(near: Path | str | None = None) -> Path | None:
    """The nearest `.nbtrack` folder upward, whatever NBTRACK_STORE says."""
    start = _folder(near)
    for folder in (start, *start.parents):
        if (folder / STORE_NAME).is_dir():
            return folder / STORE_NAME
        if _is_border(folder):
            return None
    return None


def place_for_new(near: Path | str | None = None) -> Path:
    """The folder a new store gets: beside `near`."""
    return _folder(near) / STORE_NAME


def store_folder(path: Path) -> Path:
    """Read `path` as a store: its folder, the folder that holds it, or its database."""
    if path.name == DATABASE_NAME:
        return path.parent
    if path.name == STORE_NAME or (path / DATABASE_NAME).exists():
        return path
    return path / STORE_NAME


def folder_for(path: Path | str | None, near: Path | str | None) -> Path:
    """The folder that `Store.open` means: there already, or to be made."""
    if path is not None:
        return store_folder(Path(path).expanduser())
    return find_store(near) or place_for_new(near)


def no_store(folder: Path, path: Path | str | None) -> StoreError:
    """The error where the store that `folder_for` found is none, with the way out."""
    if path is not None:
        way = ""
    elif os.environ.get("NBTRACK_STORE"):
        way = " NBTRACK_STORE names that place."
    else:
        way = (
            " There is none above it either: %%track or nbtrack run make one; another "
            "place is named with --store or NBTRACK_STORE."
        )
    return StoreError(f"There is no store at {folder}.{way}")


def prepare_folder(folder: Path) -> None:
    """Make the store's folders, private, with a `.gitignore` of `*`."""
    try:
        for part in (folder, folder / "blobs", folder / "journal"):
            part.mkdir(mode=0o700, parents=part is folder, exist_ok=True)
        _write_gitignore(folder / ".gitignore")
    except OSError as exc:
        raise StoreError(
            f"No store can be made at {folder}: {exc.strerror}. "
            "Set NBTRACK_STORE to a folder that can be written."
        ) from exc


def refuse_foreign_link(folder: Path) -> None:
    """Raise StoreError for a store that somebody else's symbolic link points to."""
    try:
        info = folder.lstat()
    except OSError:
        return
    if folder.is_symlink() and info.st_uid != os.getuid():
        raise StoreError(
            f"{folder} is a symbolic link owned by user {info.st_uid}, not by you. "
            "Open the folder that it points to by its own path."
        )


def _write_gitignore(path: Path) -> None:
    if path.exists():
        return
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, b"*\n")
    finally:
        os.close(handle)


def _folder(near: Path | str | None) -> Path:
    path = Path(near or ".").expanduser().resolve()
    return path.parent if path.is_file() else path


def _is_border(folder: Path) -> bool:
    return (folder / ".git").exists() or folder == _home() or os.path.ismount(folder)


def _home() -> Path | None:
    try:
        return Path.home().resolve()
    except RuntimeError:  # no HOME and no entry for the user
        return None

"""Which stores this user has: a note of each, so that a sidebar finds them again.

Opening a store leaves one small file, named by the store's id, with its path in it, in
`$XDG_STATE_HOME/nbtrack/stores` (`~/.local/state/nbtrack/stores`). `NBTRACK_REGISTRY`
names another folder, `NBTRACK_REGISTRY=off` switches it off. Stores in folders for
temporary files are not noted, but where `NBTRACK_REGISTRY` names a folder: tests and
trials must not push out what people work with. Nothing here raises: a home that cannot
be written has no registry, and that is all.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path

from nbtrack.errors import StoreError
from nbtrack.store.locate import DATABASE_NAME, refuse_foreign_link

SETTING = "NBTRACK_REGISTRY"
MAX_STORES = 200
FRESH_S = 86_400.0  # a note is renewed once a day, so that its time says when last used
GONE_S = 30 * 86_400.0  # a store that is away longer than a disk is unplugged
_ID = re.compile(r"[0-9a-f]{16}")
_PATH_BYTES = 8_192
_MOST_MISSING = 4  # .local/state/nbtrack/stores: a home that is not there is not made
_TEMPORARY = ("/tmp", "/var/tmp", "/usr/tmp", "/dev/shm")  # noqa: S108 - never written


def store_id(folder: Path) -> str:
    """The id of a store by its resolved path: the same in every process.

    >>> store_id(Path("/data/.nbtrack"))
    '434c1909cb0a728b'
    """
    import hashlib  # a kernel has it loaded; the bare command line need not

    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]


def note_store(folder: Path) -> None:
    """Note a store that was opened, by its resolved path; one look where it is known.

    Never raises.
    """
    # Whatever is odd about a home or a path, the store is open and will be used.
    with suppress(OSError, ValueError):
        registry = _registry()
        if registry is None:
            return
        note = os.path.join(registry, store_id(folder))
        if not _is_fresh(note) and not _is_temporary(str(folder)):
            _make(registry, _MOST_MISSING)
            _write(note, os.fsencode(folder) + b"\n")


def known_stores() -> list[Path]:
    """The stores of this user that are still there, the last used first.

    At most `MAX_STORES`: older notes go, and those of stores that are gone for long.
    Never raises.
    """
    found: list[Path] = []
    with suppress(OSError, ValueError):
        registry = _registry()
        for used_at, note in _notes(registry) if registry else ():
            path = _read(note)
            if path is not None and _is_own_store(path):
                found.append(path)
            elif time.time() - used_at > GONE_S:
                _remove(note)
            if len(found) > MAX_STORES:
                _remove(note)
    return found[:MAX_STORES]


def _registry() -> str | None:
    """The folder of the notes; None where it is switched off, or nobody is at home."""
    named = os.environ.get(SETTING)
    if named:
        return None if named == "off" else os.path.abspath(os.path.expanduser(named))
    state = os.environ.get("XDG_STATE_HOME") or ""
    if not os.path.isabs(state):  # as its specification wants it
        state = os.path.expanduser("~/.local/state")
    return os.path.join(state, "nbtrack", "stores") if os.path.isabs(state) else None


def _is_fresh(note: str) -> bool:
    try:
        return abs(time.time() - os.stat(note).st_mtime) < FRESH_S
    except FileNotFoundError:
        return False


def _is_temporary(folder: str) -> bool:
    if os.environ.get(SETTING):
        return False
    named = (os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
    places = [os.path.realpath(place) for place in (*named, *_TEMPORARY) if place]
    return any(folder.startswith(f"{place.rstrip('/')}/") for place in places)


def _make(folder: str, most: int) -> None:
    """Make a folder and at most so many, private ones, whatever the umask is."""
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        return
    except FileNotFoundError:
        if most <= 1:
            raise
        _make(os.path.dirname(folder), most - 1)
        _make(folder, 1)


def _write(note: str, content: bytes) -> None:
    folder, name = os.path.split(note)
    beside = os.path.join(folder, f".{name}.{os.getpid()}.{os.urandom(4).hex()}")
    how = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        with open(os.open(beside, how, 0o600), "wb") as file:
            file.write(content)
        os.replace(beside, note)
    except OSError:
        _remove(beside)
        raise


def _notes(registry: str) -> list[tuple[float, str]]:
    """When each store was used last and its note, newest first; no one else's."""
    if os.stat(registry).st_uid != os.getuid():
        return []
    found: list[tuple[float, str]] = []
    for entry in os.scandir(registry):
        with suppress(FileNotFoundError):  # another process tidies too
            at = entry.stat(follow_symlinks=False).st_mtime
            if _ID.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                found.append((at, entry.path))
            elif entry.name.startswith(".") and time.time() - at > FRESH_S:
                _remove(entry.path)  # half a note of a process that died
    return sorted(found, reverse=True)


def _read(note: str) -> Path | None:
    """The path in a note; None where it is not the one that the note is named by."""
    try:
        handle = os.open(note, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        content = os.read(handle, _PATH_BYTES)
    finally:
        os.close(handle)
    path = Path(os.fsdecode(content.removesuffix(b"\n")))
    is_sound = path.is_absolute() and store_id(path) == os.path.basename(note)
    return path if is_sound else None


def _is_own_store(folder: Path) -> bool:
    try:
        refuse_foreign_link(folder)
        is_own = os.stat(folder).st_uid == os.getuid()
        return is_own and os.path.isfile(folder / DATABASE_NAME)
    except (OSError, ValueError, StoreError):
        return False


def _remove(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)

"""Local copies of versions: whole or absent, every byte checked, nothing overwritten.

    .nbtrack/cache/artifacts/<manifest digest>/<names of the files>

A copy is made beside its place and renamed; one that is there is checked again before
it is used. Names come from the store, and stores come from others: none leads outside.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from nbtrack.errors import ArtifactError, StoreError
from nbtrack.records import ArtifactFile, ArtifactRecord
from nbtrack.store.asides import make_private_folders
from nbtrack.text import shorten, visible
from nbtrack.tracking.artifacts import references

if TYPE_CHECKING:
    from nbtrack.store import Store
    from nbtrack.tracking.run import Run

WAIT_S = 5.0  # for what was logged a moment ago
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES})
_ASIDE = ".nbtrack-"
_SUMS = ".json"  # beside a copy of references: the sha256 that no etag tells


def use_artifact(run: Run, ref: str, path: str | os.PathLike[str] | None) -> Path:
    """A local copy, noted as an input of the run; see `Run.use_artifact`."""
    store, record = version_for(run, ref)
    found = local_copy(store, record, path)
    note_use(run, record, path)
    return found


def version_for(run: Run, ref: str) -> tuple[Store, ArtifactRecord]:
    """The version that a run asks for, and the store that it lies in.

    Raises
    ------
    ArtifactNotFoundError
        When no version answers to that reference.
    """
    from nbtrack.tracking.session import process_session

    store = run.store if run.is_recorded else process_session().store_for()
    if run.is_recorded:
        store.journal.flush(WAIT_S)
    return store, store.artifact(ref)


def note_use(
    run: Run, record: ArtifactRecord, path: str | os.PathLike[str] | None = None
) -> None:
    """Note a version as an input of the run; a run that is over notes nothing."""
    from nbtrack.store.values import utc_text

    if run.is_recorded and run.status == "running":
        run.store.journal.emit(
            {
                "kind": "artifact_used",
                "run": run.id,
                "name": record.name,
                "version": record.version,
                "path": "" if path is None else shorten(str(os.fspath(path)), 500),
                "at": utc_text(time.time()),
            }
        )


def local_copy(
    store: Store, record: ArtifactRecord, path: str | os.PathLike[str] | None = None
) -> Path:
    """The files of a version on this machine, checked; see `Run.use_artifact`.

    Raises
    ------
    ArtifactError
        When they are gone, damaged, changed, or may not be put there.
    StoreError
        When there is no room for them.
    """
    if record.gone_at is not None:
        raise ArtifactError(
            f"The files of {record.ref} are gone: {record.gone_why} at "
            f"{record.gone_at[:19]}. Choose another version."
        )
    files = store.artifact_files(record.id)
    for file in files:
        refuse_outside(file.path)
    with _as_ours(record):
        if path is None:
            return _own_place(files) or _cached(store, record, files)
        return _placed(store, record, files, Path(os.path.abspath(os.fspath(path))))


def refuse_outside(name: str) -> None:
    r"""Refuse a file's name that would lead out of the artifact's folder.

    Raises
    ------
    ArtifactError
        For what is absolute, goes up, or is no name of a file.

    Examples
    --------
    >>> refuse_outside("a/b.txt")
    >>> try:
    ...     refuse_outside("../a.txt")
    ... except ArtifactError as exc:
    ...     str(exc)[:40]
    "The file name '../a.txt' leads out of th"
    """
    parts = name.split("/")
    bad = any(part in ("", ".", "..") for part in parts) or "\0" in name
    if bad or "\\" in name:
        raise ArtifactError(
            f"The file name {shorten(repr(visible(name)), 80)} leads out of the "
            "artifact's folder, or is none. Nothing was written. Whoever made this "
            "store may not be trusted."
        )


def matches(path: Path, file: ArtifactFile, digest: str | None = None) -> bool:
    """Whether a regular file has the content that it should have."""
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            return False
        if file.size_bytes is not None and found.st_size != file.size_bytes:
            return False
        return sha256_of(path) == (digest or file.digest)
    except OSError:
        return False


def sha256_of(path: Path) -> str:
    """The digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _as_ours(record: ArtifactRecord) -> Iterator[None]:
    try:
        yield
    except StoreError as exc:
        if getattr(exc.__cause__, "errno", None) in _NO_ROOM:
            raise
        raise ArtifactError(
            f"{record.ref} cannot be used: {exc} nbtrack.artifacts.verify"
            f"({record.ref!r}) names what is damaged. Choose another version, or "
            "restore the store from a backup."
        ) from exc
    except OSError as exc:
        where = f" {exc.filename}" if exc.filename else ""
        raise StoreError(
            f"{record.ref} cannot be copied: {exc.strerror or exc}{where}."
        ) from exc


def _own_place(files: Sequence[ArtifactFile]) -> Path | None:
    """Where references to files of this machine lie; None where a copy is needed."""
    paths = [references.local_path(f.uri) if f.uri else None for f in files]
    if not files or None in paths:
        return None
    for file in files:
        references.check(file)
    if len(files) == 1:
        return paths[0]
    # Under names of their own they need a folder that has them: a copy.
    names = [f"/{file.path}" for file in files]
    pairs = list(zip(map(str, paths), names, strict=True))
    bases = {path.removesuffix(name) for path, name in pairs}
    is_laid_out = all(path.endswith(name) for path, name in pairs)
    return Path(bases.pop() or "/") if is_laid_out and len(bases) == 1 else None


def _cached(
    store: Store, record: ArtifactRecord, files: Sequence[ArtifactFile]
) -> Path:
    home = store.path / "cache" / "artifacts"
    make_private_folders(home)
    folder = home / record.digest
    sums_at = home / f"{record.digest}{_SUMS}"
    sums = _sums(sums_at)
    if len(files) == 1:
        found = folder / files[0].path  # its name may have folders
        found.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not matches(found, files[0], sums.get(files[0].path)):
            _copy_one(store, files[0], found, sums_at)
        return found
    if folder.is_dir():
        if _is_whole(folder, files, sums):
            return folder
        folder.replace(folder.with_name(_aside_name()))  # damaged: made anew
    try:
        _copy_all(store, files, folder, sums_at)
    except OSError:  # another process was first
        if not _is_whole(folder, files, _sums(sums_at)):
            raise
    for stale in home.glob(f"{_ASIDE}*"):
        _remove_old(stale)
    return folder


def _placed(
    store: Store, record: ArtifactRecord, files: Sequence[ArtifactFile], path: Path
) -> Path:
    if len(files) == 1:
        target = path / PurePosixPath(files[0].path).name if path.is_dir() else path
        if os.path.lexists(target):
            if matches(target, files[0]):
                return target
            raise _occupied(target, record)
        target.parent.mkdir(parents=True, exist_ok=True)
        _copy_one(store, files[0], target, None)
        return target
    if os.path.lexists(path) and not _is_empty_folder(path):
        if _is_whole(path, files, {}):
            return path
        raise _occupied(path, record)
    path.parent.mkdir(parents=True, exist_ok=True)
    _copy_all(store, files, path, None)
    return path


def _copy_one(
    store: Store, file: ArtifactFile, target: Path, sums_at: Path | None
) -> None:
    with _aside(target.parent) as aside:
        _write(store, [file], lambda _: aside, sums_at)
        aside.replace(target)


def _copy_all(
    store: Store, files: Sequence[ArtifactFile], folder: Path, sums_at: Path | None
) -> None:
    with _aside(folder.parent) as aside:
        aside.mkdir(mode=0o700)

        def place(file: ArtifactFile) -> Path:
            target = aside / file.path
            if not target.resolve().is_relative_to(aside.resolve()):
                refuse_outside("../" + file.path)
            if sums_at is None:  # the user's, as their umask says
                target.parent.mkdir(parents=True, exist_ok=True)
            else:
                make_private_folders(target.parent)
            return target

        _write(store, files, place, sums_at)
        aside.rename(folder)  # onto an empty folder, or nothing


def _write(
    store: Store,
    files: Sequence[ArtifactFile],
    place: Callable[[ArtifactFile], Path],
    sums_at: Path | None,
) -> None:
    """Write each file, checked; what references are is noted beside a cached copy."""
    sums: dict[str, str] = {}
    for file in files:
        target = place(file)
        if file.uri is not None:
            _, sums[file.path] = references.fetch(file, target)
        else:
            assert file.digest is not None
            store.copy_file(file.digest, target)
        if sums_at is not None:  # the store's own: to be read only
            target.chmod(0o400)
    if sums and sums_at is not None:
        aside = sums_at.with_name(_aside_name())
        aside.write_text(json.dumps(sums), encoding="utf-8")
        aside.replace(sums_at)


def _is_whole(
    folder: Path, files: Sequence[ArtifactFile], sums: Mapping[str, str]
) -> bool:
    """Whether a folder holds exactly these files."""
    if folder.is_symlink():
        return False
    there = {
        Path(here, name).relative_to(folder).as_posix()
        for here, _, names in os.walk(folder)
        for name in names
    }
    if there != {file.path for file in files}:
        return False
    return all(matches(folder / f.path, f, sums.get(f.path)) for f in files)


def _sums(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not any(path.iterdir())


def _occupied(path: Path, record: ArtifactRecord) -> ArtifactError:
    return ArtifactError(
        f"{visible(str(path))} is there already, with other content than {record.ref}. "
        "Nothing was overwritten: give another path, or move it away."
    )


def _aside_name() -> str:
    return f"{_ASIDE}{secrets.token_hex(8)}"


@contextmanager
def _aside(folder: Path) -> Iterator[Path]:
    """A path beside the place, gone afterwards unless it was renamed."""
    path = folder / _aside_name()
    try:
        yield path
    finally:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _remove_old(path: Path) -> None:
    """What a process that died has left; a day old, so that nobody works on it."""
    try:
        is_old = path.lstat().st_mtime < time.time() - 86_400
    except OSError:
        return
    if is_old:
        shutil.rmtree(path, ignore_errors=True)

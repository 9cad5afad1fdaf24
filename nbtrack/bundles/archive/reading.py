"""Opens a bundle: its structure is checked at once, its content whenever it is read.

A bundle with members that were changed opens too, so that it can be told which they
are; none of them can be read. Only BundleError leaves, whatever the file holds, and
nothing is written but by `extract`, which writes all or nothing.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from nbtrack.bundles.archive.checked_json import parse_json
from nbtrack.bundles.archive.limits import (
    MAX_LIST_BYTES,
    MAX_MANIFEST_BYTES,
    MIB,
)
from nbtrack.bundles.archive.listing import LISTING, bundle_id_of, read_listing
from nbtrack.bundles.archive.manifest import MANIFEST, checked_manifest
from nbtrack.bundles.archive.places import Place, open_place
from nbtrack.bundles.archive.trouble import only_bundle_errors, refuse, shown
from nbtrack.errors import BundleError

READ_BYTES = 64 * MIB  # of a member that is read at once


@dataclass(frozen=True, slots=True)
class Problems:
    """Members that are not as the list says, by name."""

    tampered: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tampered or self.missing or self.extra)


class Bundle:
    """An open bundle. Make one with `open_bundle`."""

    def __init__(self, path: Path, place: Place) -> None:
        self.path = path
        self._place = place
        listing = self._listing()
        self.id = bundle_id_of(listing)
        self._listed = read_listing(listing)
        self._manifest: Mapping[str, Any] | None = None
        self._problems: Problems | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The members that are there and listed, sorted."""
        return tuple(name for name in self._listed if name in self._place.sizes)

    @property
    def manifest(self) -> Mapping[str, Any]:
        """What manifest.json says; BundleError where it is missing or changed."""
        if self._manifest is None:
            self._manifest = checked_manifest(self.json(MANIFEST))
        return self._manifest

    def size_bytes(self, name: str) -> int:
        """How large a member is by the list; 0 where it has none of that name."""
        listed = self._listed.get(name)
        return 0 if listed is None else listed.size_bytes

    def sha256(self, name: str) -> str:
        """The digest of a member by the list; BundleError where it is not listed."""
        listed = self._listed.get(name)
        if listed is None:
            refuse(f"There is no member {shown(name)}")
        return listed.sha256

    def read(self, name: str, limit: int = READ_BYTES) -> bytes:
        """The content of a member, checked.

        Raises
        ------
        BundleError
            Where there is none, it has more than `limit` bytes, or was changed.
        """
        if self.size_bytes(name) > limit:
            refuse(f"Member {shown(name)} is longer than {limit:,} bytes")
        return b"".join(self.pieces(name))

    def json(self, name: str, *, limit: int = MAX_MANIFEST_BYTES) -> Any:
        """The value of a member that is JSON, within bounds.

        Raises
        ------
        BundleError
            Where it cannot be read, or is no JSON.
        """
        return parse_json(self.read(name, limit), name=name, limit_bytes=limit)

    def pieces(self, name: str) -> Iterator[bytes]:
        """The content of a member in pieces; what was changed raises at its end."""
        listed = self._listed.get(name)
        if listed is None or name not in self._place.sizes:
            refuse(f"There is no member {shown(name)}")
        digest, n_bytes = hashlib.sha256(), 0
        if self._place.sizes[name] != listed.size_bytes:
            refuse(f"Member {shown(name)} was changed: it has another size")
        with only_bundle_errors(f"Reading {shown(name)} of the bundle"):
            for piece in self._place.pieces(name):
                digest.update(piece)
                n_bytes += len(piece)
                yield piece
        if n_bytes != listed.size_bytes or digest.hexdigest() != listed.sha256:
            refuse(f"Member {shown(name)} was changed: its sha256 is another")

    def problems(self) -> Problems:
        """Every member is read and compared with the list; once per opening."""
        if self._problems is None:
            there = self._place.sizes.keys() - {LISTING}
            self._problems = Problems(
                tampered=tuple(name for name in self.names if self._is_changed(name)),
                missing=tuple(sorted(self._listed.keys() - there)),
                extra=tuple(sorted(there - self._listed.keys())),
            )
        return self._problems

    def extract(self, folder: Path | str, names: Iterable[str] | None = None) -> Path:
        """Write members into a new folder: all of them, checked, or nothing.

        Parameters
        ----------
        folder
            Must not be there yet. It has mode 0700, its files 0600.
        names
            Only these members; by default all, with the list itself.

        Raises
        ------
        BundleError
            Where the folder is there, or a member is missing, changed or not listed.
        """
        target = Path(folder)
        wanted = self._all_names() if names is None else list(dict.fromkeys(names))
        with only_bundle_errors(f"Unpacking into {shown(str(folder))}"):
            if os.path.lexists(target):
                raise BundleError(
                    f"{shown(str(folder))} is there already: name a new folder."
                )
            beside = Path(mkdtemp(prefix=".nbtrack-", dir=target.parent))
            try:
                for name in wanted:
                    self._write(name, beside / name)
                beside.rename(target)
            finally:
                with suppress(FileNotFoundError):
                    shutil.rmtree(beside)
        return target

    def close(self) -> None:
        """Let go of the file."""
        self._place.close()

    def __enter__(self) -> Bundle:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Bundle({self.id[:12]!r}, {len(self.names)} members)"

    def _listing(self) -> bytes:
        size = self._place.sizes.get(LISTING)
        if size is None or size > MAX_LIST_BYTES:
            refuse(f"It is no bundle: there is no {LISTING}, or it is too long")
        return b"".join(self._place.pieces(LISTING))

    def _all_names(self) -> list[str]:
        there = self._place.sizes.keys() - {LISTING}
        strange = there ^ self._listed.keys()
        if strange:
            refuse(f"Member {shown(min(strange))} is missing, or in no list")
        return [LISTING, *self._listed]

    def _is_changed(self, name: str) -> bool:
        try:
            for _ in self.pieces(name):
                pass
        except BundleError:
            return True
        return False

    def _write(self, name: str, target: Path) -> None:
        _make_folders(target.parent)
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            pieces = [self._listing()] if name == LISTING else self.pieces(name)
            for piece in pieces:
                file.write(piece)


def _make_folders(path: Path) -> None:
    """Each of mode 0700, which `mkdir(parents=True)` gives to the last one only."""
    if not path.is_dir():
        _make_folders(path.parent)
        path.mkdir(mode=0o700)


def open_bundle(path: Path | str) -> Bundle:
    """Open a bundle, zipped or unpacked, to be read and closed again.

    Parameters
    ----------
    path
        A file `NAME.nbt.zip`, or the folder it was unpacked to.

    Raises
    ------
    BundleError
        Where it is no bundle, or one that is malformed; nothing else, whatever it is.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, open_bundle(folder) as bundle:
    ...     bundle.id
    Traceback (most recent call last):
    ...
    nbtrack.errors.BundleError: It is no bundle: there is no MANIFEST.sha256, or it is
    too long. Nothing of the bundle was used: ask for it again.
    """
    with only_bundle_errors(f"Opening {shown(str(path))}"):
        place = open_place(Path(path))
        try:
            return Bundle(Path(path), place)
        except BaseException:
            place.close()
            raise

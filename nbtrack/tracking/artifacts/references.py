"""References: content that stays where it is, known by its address and what it was.

`file://` and `https://` need nothing, `s3://`, `gs://` and what else fsspec knows need
the extra `remote`. A local file is known by its sha256, a remote one by the etag that
its server gives, else by its sha256 too. Nothing is copied until it is used, and then
it is checked: what has changed since is an error that says so.
"""

from __future__ import annotations

import hashlib
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Protocol

from nbtrack.errors import ArtifactError, MissingExtraError
from nbtrack.records import ArtifactFile
from nbtrack.text import shorten, visible

_URI = re.compile(r"[a-zA-Z][a-zA-Z0-9+.\-]*://")
_SIGNED = re.compile(
    r"(?i)[?&](x-amz-signature|x-goog-signature|sig|signature|token|access_token|"
    r"x-amz-security-token|api_?key)="
)
PIECE_BYTES = 1 << 20
TIMEOUT_S = 30.0  # the longest a server may be silent


class _Opened(Protocol):
    """What `urllib` and fsspec give: something to read from, once."""

    def read(self, n: int = -1, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of the content behind one address."""

    uri: str
    name: str  # inside the artifact
    size_bytes: int | None
    etag: str | None


def is_uri(what: object) -> bool:
    """Whether it is the text of an address.

    >>> is_uri("s3://bucket/a.csv"), is_uri("data/a.csv")
    (True, False)
    """
    return isinstance(what, str) and _URI.match(what) is not None


def look_at(uri: str) -> list[ArtifactFile]:
    """The files that an address stands for: one, or those under it.

    Raises
    ------
    FileNotFoundError
        When there is nothing.
    ArtifactError
        For an address that holds a secret, or one that nothing can read.
    MissingExtraError
        When reading it needs a package that is not installed.
    """
    refuse_secret(uri)
    return [_known(seen) for seen in _place_of(uri).look(uri)]


def check(file: ArtifactFile) -> None:
    """See that the content behind a reference is still what it was.

    Raises
    ------
    ArtifactError
        When it has changed, or is gone.
    """
    assert file.uri is not None
    place = _place_of(file.uri)
    if file.etag is not None:
        _refuse_changed(file, place.see(file.uri))
    elif file.digest is not None:
        with place.open(file.uri) as content:
            digest, size = _hashed(_pieces(content))
        _refuse_other(file, digest, size)


def fetch(file: ArtifactFile, target: Path) -> tuple[int, str]:
    """Copy what a reference stands for to a new file; its size and sha256.

    Raises
    ------
    ArtifactError
        When it has changed since it was logged, or does so now.
    """
    assert file.uri is not None
    place = _place_of(file.uri)
    if file.etag is not None:
        _refuse_changed(file, place.see(file.uri))
    digest, size = hashlib.sha256(), 0
    with place.open(file.uri) as content, target.open("xb") as copy:
        for piece in _pieces(content):
            digest.update(piece)
            copy.write(piece)
            size += len(piece)
        copy.flush()
        os.fsync(copy.fileno())
    if file.etag is not None:
        _refuse_changed(file, place.see(file.uri))
    _refuse_other(file, digest.hexdigest(), size)
    return size, digest.hexdigest()


def local_path(uri: str) -> Path | None:
    """Where a `file://` address lies on this machine; None for any other.

    >>> local_path("file:///data/a%20b.csv")
    PosixPath('/data/a b.csv')
    """
    parts = urllib.parse.urlsplit(uri)
    if parts.scheme.lower() != "file":
        return None
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        raise ArtifactError(
            f"{_shown(uri)} names no file of this machine. Write file:///absolute/path."
        )
    return Path(urllib.request.url2pathname(parts.path))


def refuse_secret(uri: str) -> None:
    """Refuse an address that would put a secret into the store.

    Raises
    ------
    ArtifactError
        For a password, a token or a signature in it.
    """
    from nbtrack.redact import redact

    if (
        redact(uri)[1]
        or "@" in urllib.parse.urlsplit(uri).netloc
        or _SIGNED.search(uri)
    ):
        raise ArtifactError(
            "The address holds a password, token or signature, which would be kept in "
            "the store. Give it without: credentials come from the environment or the "
            "settings of fsspec."
        )


# -- places ------------------------------------------------------------------------


class _Files:
    """The files of this machine."""

    def look(self, uri: str) -> Iterator[Seen]:
        from nbtrack.tracking.artifacts.folders import files_of

        path = local_path(uri)
        assert path is not None
        for file in files_of(path):
            yield Seen(file.path.absolute().as_uri(), file.name, file.stamp[1], None)

    def see(self, uri: str) -> Seen:
        path = local_path(uri)
        assert path is not None
        return Seen(uri, path.name, path.stat().st_size, None)

    def open(self, uri: str) -> BinaryIO:
        path = local_path(uri)
        assert path is not None
        try:
            return path.open("rb")
        except FileNotFoundError as exc:
            raise _gone(uri) from exc


class _Web:
    """What a web server gives, by Python's own means."""

    def look(self, uri: str) -> Iterator[Seen]:
        try:
            yield self.see(uri)
        except ArtifactError as exc:
            raise FileNotFoundError(f"There is nothing at {_shown(uri)}.") from exc

    def see(self, uri: str) -> Seen:
        try:
            answer = self._ask(uri, "HEAD")
        except urllib.error.HTTPError as exc:
            exc.close()
            if exc.code not in (405, 501):
                raise
            answer = self._ask(uri, "GET")  # it knows no HEAD; its body is left there
        with answer:
            length = answer.headers.get("Content-Length")
            etag = answer.headers.get("ETag")
        size = int(length) if length and length.isdigit() else None
        return Seen(uri, _last_name(uri), size, etag)

    def open(self, uri: str) -> Any:
        return self._ask(uri, "GET")

    def _ask(self, uri: str, method: str) -> Any:  # Any: urllib's answer
        asked = urllib.request.Request(  # noqa: S310 - http and https alone come here
            uri, method=method, headers={"Accept-Encoding": "identity"}
        )
        try:
            return urllib.request.urlopen(asked, timeout=TIMEOUT_S)  # noqa: S310
        except urllib.error.HTTPError as exc:
            exc.close()
            if exc.code in (404, 410):
                raise _gone(uri) from exc
            raise


class _Remote:
    """What fsspec can read."""

    def look(self, uri: str) -> Iterator[Seen]:
        system, path = self._system(uri)
        info = system.info(path)
        if info.get("type") != "directory":
            yield _seen(uri, _last_name(uri), info)
            return
        found = system.find(path, detail=True)
        if not found:
            raise FileNotFoundError(f"There is nothing at {_shown(uri)}.")
        root = path.rstrip("/") + "/"
        for place, known in sorted(found.items()):
            name = place.removeprefix(root)
            yield _seen(system.unstrip_protocol(place), name, known)

    def see(self, uri: str) -> Seen:
        system, path = self._system(uri)
        try:
            return _seen(uri, _last_name(uri), system.info(path))
        except FileNotFoundError as exc:
            raise _gone(uri) from exc

    def open(self, uri: str) -> Any:
        system, path = self._system(uri)
        try:
            return system.open(path, "rb")
        except FileNotFoundError as exc:
            raise _gone(uri) from exc

    def _system(self, uri: str) -> tuple[Any, str]:
        try:
            import fsspec
        except ImportError as exc:
            raise _missing(uri, "fsspec is not installed here") from exc
        try:
            system, path = fsspec.core.url_to_fs(uri)
        except ImportError as exc:
            raise _missing(uri, str(exc)) from exc
        except ValueError as exc:
            raise ArtifactError(
                f"{_shown(uri)} cannot be read: {visible(shorten(str(exc), 120))}. "
                "Known are file://, https://, s3://, gs:// and what fsspec knows."
            ) from exc
        system.invalidate_cache()  # what was listed a minute ago may have changed
        return system, path


def _place_of(uri: str) -> _Files | _Web | _Remote:
    scheme = uri.partition("://")[0].lower()
    if scheme == "file":
        return _Files()
    return _Web() if scheme in ("http", "https") else _Remote()


def _seen(uri: str, name: str, info: dict[str, Any]) -> Seen:
    tag = info.get("ETag") or info.get("etag") or info.get("md5Hash")
    etag = None if tag is None else str(tag).strip('"')
    size = info.get("size")
    return Seen(uri, name, None if size is None else int(size), etag)


def _known(seen: Seen) -> ArtifactFile:
    """What is kept of an address; its content is read where no etag tells it."""
    if seen.etag is not None:
        return ArtifactFile(seen.name, None, seen.size_bytes, seen.uri, seen.etag)
    with _place_of(seen.uri).open(seen.uri) as content:
        digest, size = _hashed(_pieces(content))
    return ArtifactFile(seen.name, digest, size, seen.uri)


def _pieces(content: _Opened) -> Iterator[bytes]:
    while piece := content.read(PIECE_BYTES):
        yield piece


def _hashed(pieces: Iterator[bytes]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for piece in pieces:
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest(), size


def _refuse_changed(file: ArtifactFile, seen: Seen) -> None:
    if seen.etag != file.etag:
        raise _changed(file, f"its etag was {file.etag}, is {seen.etag}")
    if None not in (seen.size_bytes, file.size_bytes):
        _refuse_size(file, seen.size_bytes)


def _refuse_other(file: ArtifactFile, digest: str, size: int) -> None:
    _refuse_size(file, size)
    if file.digest is not None and file.digest != digest:
        raise _changed(file, f"its sha256 was {file.digest[:12]}…, is {digest[:12]}…")


def _refuse_size(file: ArtifactFile, size: int | None) -> None:
    if file.size_bytes is not None and size != file.size_bytes:
        raise _changed(file, f"it had {file.size_bytes:,} bytes, has {size or 0:,}")


def _changed(file: ArtifactFile, how: str) -> ArtifactError:
    return ArtifactError(
        f"{_shown(file.uri or '')} has changed since it was logged: {how}. Only the "
        "address was kept, not the bytes. Log it anew, or restore it there."
    )


def _gone(uri: str) -> ArtifactError:
    return ArtifactError(f"There is nothing at {_shown(uri)} any more.")


def _missing(uri: str, what: str) -> MissingExtraError:
    return MissingExtraError(
        f"{_shown(uri)} cannot be read: {visible(shorten(what, 120))}. "
        'Install what it needs with: pip install "nbtrack[remote]"'
    )


def _last_name(uri: str) -> str:
    parts = urllib.parse.urlsplit(uri)
    name = PurePosixPath(urllib.parse.unquote(parts.path)).name
    return visible(name or parts.netloc or "content").replace("/", "_")


def _shown(uri: str) -> str:
    return visible(shorten(uri, 200))

"""A folder at a URL: reads, writes and lists small objects, many at a time.

What the other side raises becomes one RemoteError, without a password in it. A write in
a local folder is whole or absent; elsewhere the sizes tell. Nothing that is read is
longer than was asked for, whatever lies there.
"""

from __future__ import annotations

import os
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from nbtrack.errors import MissingExtraError, RemoteError
from nbtrack.guard import tolerated
from nbtrack.redact import redact
from nbtrack.store.asides import PARTIAL, aside, is_abandoned
from nbtrack.text import shorten, visible

PARALLEL = 16  # requests at a time; an object has at most 2 MiB
_KEYS = re.compile(r"//[^/@]*@")  # user:password@
_QUERY = re.compile(r"[?#].*", re.DOTALL)  # a signed URL's signature
# Folders are but names there, and making one may make a bucket.
_WITHOUT_FOLDERS = frozenset(
    {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "memory"}
)
_STALE_S = 3600.0  # nobody takes that long over 2 MiB
Progress = Callable[[int, int], None]  # bytes done, bytes in all
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that fsspec reaches. Make one with `Place.at`."""

    shown: str  # the URL as people may see it
    root: str
    files: Any  # an fsspec file system: a library without types

    @classmethod
    def at(cls, url: str, options: Mapping[str, Any] | None = None) -> Place:
        """The folder at a URL or path; nothing is made there yet.

        Raises MissingExtraError where fsspec, or what it needs for that kind of URL,
        is not installed; RemoteError for what is no URL.
        """
        try:
            from fsspec.core import url_to_fs
        except ImportError as exc:
            raise _missing("fsspec") from exc
        shown = shown_url(str(url))
        failed: list[Exception] = []
        # Listings that were remembered would hide what somebody else has pushed.
        fresh = {"use_listings_cache": False, "skip_instance_cache": True}
        with tolerated(failed.append):
            files, root = url_to_fs(str(url), **{**fresh, **(options or {})})
            return cls(shown, root.rstrip("/") or "/", files)
        if isinstance(failed[0], ImportError):
            raise _missing(shown.partition(":")[0]) from failed[0]
        raise RemoteError(f"{shown} cannot be reached: {_words(failed[0])}")

    def read(self, path: str, *, at_most: int) -> bytes | None:
        """The object, but no byte more than `at_most + 1`; None where there is none."""
        content = self._ask(self.files.cat_file, path, start=0, end=at_most + 1)
        return None if content is None else bytes(content[: at_most + 1])

    def size_of(self, path: str) -> int | None:
        """How long the object is; None where there is none."""
        found = self._ask(self.files.info, path)
        if not isinstance(found, Mapping) or found.get("type") == "directory":
            return None
        return int(found.get("size") or 0)

    def write(self, path: str, content: bytes) -> None:
        """Put an object there, whatever was there before."""
        call = self._write_here if self._is_here else self._write_there
        if self._ask(call, path, content) is None:
            raise RemoteError(
                f"{self.shown}: {path} cannot be written, there is no such place. "
                "Make the bucket or folder first."
            )

    def names(self, folder: str) -> list[str]:
        """The paths of all objects under a folder, relative to the root, sorted."""
        found = self._ask(self.files.find, folder) or ()
        start = len(self.root.rstrip("/")) + 1
        return sorted(str(path)[start:] for path in found)

    def tidy(self) -> None:
        """Remove what pushes that died have left half written, where that is seen."""
        if not self._is_here:
            return
        for path in Path(self.root).glob(f"{PARTIAL}*"):
            with suppress(OSError):
                is_old = path.stat().st_mtime < time.time() - _STALE_S
                if is_old and is_abandoned(path):
                    path.unlink()

    @property
    def _is_here(self) -> bool:
        from fsspec.implementations.local import LocalFileSystem

        return isinstance(self.files, LocalFileSystem)

    def _write_here(self, path: str, content: bytes) -> bool:
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with aside(Path(self.root), mode=0o666) as partial:
            partial.write(content)
            partial.settle(target, mode=None)
        return True

    def _write_there(self, path: str, content: bytes) -> bool:
        protocols = self.files.protocol
        known = {protocols} if isinstance(protocols, str) else set(protocols)
        if not known & _WITHOUT_FOLDERS:
            self.files.makedirs(path.rpartition("/")[0], exist_ok=True)
        self.files.pipe_file(path, content)
        return True

    def _ask(self, call: Callable[..., Any], path: str, *rest: Any, **how: Any) -> Any:
        """What the call gives; None where there is nothing of that name."""
        failed: list[Exception] = []
        with tolerated(failed.append):
            return call(f"{self.root.rstrip('/')}/{path}", *rest, **how)
        if isinstance(failed[0], FileNotFoundError):
            return None
        raise RemoteError(
            f"{self.shown}: {path} cannot be reached: {_words(failed[0])} What is "
            "there already stays: try again, and only the rest is sent."
        ) from failed[0]


def each(call: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """What `call` gives for each of the items, in their order, a few at a time.

    >>> list(each(len, ["a", "bb"]))
    [1, 2]
    """
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(PARALLEL, "nbtrack-remote") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(call, item))
                if len(waiting) >= PARALLEL:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for left in waiting:
                left.cancel()


def shown_url(url: str) -> str:
    """A URL without what may be a password or a signature.

    >>> shown_url("s3://key:secret@bucket/models?sig=1")
    's3://bucket/models'
    """
    plain = _QUERY.sub("", _KEYS.sub("//", os.fspath(url))) if "://" in url else url
    return shorten(visible(redact(plain)[0]), 300)


def _words(exc: Exception) -> str:
    text = str(exc) or type(exc).__name__
    return visible(shorten(_KEYS.sub("//", redact(text)[0]), 300)).rstrip(".") + "."


def _missing(what: str) -> MissingExtraError:
    return MissingExtraError(
        f"Remotes need {what}, which is not installed here. "
        'Install it with: pip install "nbtrack[remote]"'
    )

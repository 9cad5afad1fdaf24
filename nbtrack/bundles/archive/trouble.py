"""Words for what is wrong with a bundle; only BundleError leaves this package."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from struct import error as StructError
from typing import NoReturn

from nbtrack.errors import BundleError
from nbtrack.text import shorten, visible

# What a hostile file can make of the standard library. ValueError covers
# UnicodeError and names with a NUL.
_TROUBLE = (
    OSError, ValueError, OverflowError, EOFError, MemoryError, RecursionError,
    StructError, zlib.error,
)  # fmt: skip


def shown(value: object) -> str:
    r"""A value that somebody else chose, for a message.

    >>> shown("a\x1b[31m")
    "'a\\x1b[31m'"
    """
    return shorten(visible(repr(value)), 60)


def refuse(what: str) -> NoReturn:
    """Say what is wrong, and what to do."""
    raise BundleError(f"{what}. Nothing of the bundle was used: ask for it again.")


@contextmanager
def only_bundle_errors(doing: str) -> Iterator[None]:
    """Run the body; any trouble that a file can make is a BundleError."""
    try:
        yield
    except _TROUBLE as exc:
        why = exc.strerror if isinstance(exc, OSError) else None
        said = shorten(visible(why or f"{type(exc).__name__}: {exc}"), 200)
        raise BundleError(f"{doing} failed: {said}.") from exc

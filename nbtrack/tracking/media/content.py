"""What a rich value becomes: a copy when it is logged, a row and a file a moment later.

`Snapshot` is taken in the user's thread and owes nothing to the object afterwards;
its `encode` runs in the background and makes `Content`, which the store keeps.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbtrack.errors import ValueNotLoggedError
from nbtrack.text import shorten

FILE_BYTES_MAX = 256 * 2**20  # of one value; more is a checkpoint or a dataset
INLINE_BYTES_MAX = 64 * 2**10  # JSON and text up to here stand in the row itself
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Content:
    """A rich value as it is kept."""

    type: str
    data: Mapping[str, Any] = field(default_factory=dict)  # small; stands in the row
    main: Mapping[str, Any] = field(default_factory=dict)  # in the row while small
    body: bytes | None = None  # of the file
    mime: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)  # logged beside it


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A rich value as it was when it was logged."""

    encode: Callable[[], Content]
    size_bytes: int = 0  # that wait in memory for it


def laid_out(content: Content) -> tuple[dict[str, Any], bytes | None, str | None]:
    """What of a value stands in its row; then the file beside it and its type."""
    from nbtrack.tracking.media.clearing import cleared

    if not content.main:
        return dict(content.data), content.body, content.mime
    main = cleared(content.main)
    text = json.dumps(main, ensure_ascii=False)
    if len(text) <= INLINE_BYTES_MAX:
        return {**content.data, **main}, content.body, content.mime
    return dict(content.data), text.encode("utf-8", "backslashreplace"), JSON


def refusal(what: str, way_out: str) -> ValueNotLoggedError:
    """Why a value is not kept, and what to do instead."""
    return ValueNotLoggedError(f"{what}. {way_out}")


def kind_of(value: object) -> str:
    """A value as a message names it, without a look into it.

    >>> kind_of("abc"), kind_of(None), kind_of([1])
    ("'abc'", 'None', 'a list')
    """
    if isinstance(value, str):
        return repr(shorten(value, 40))
    return "None" if value is None else f"a {type(value).__name__}"


def read_bounded(path: Path, *, instead: str) -> bytes:
    """The bytes of a file as it is now: it may be written over a moment later.

    Raises
    ------
    ValueNotLoggedError
        When it is not there, or too large; `instead` says what to do then.
    """
    try:
        size = path.stat().st_size
        if size <= FILE_BYTES_MAX:
            return path.read_bytes()
    except OSError as exc:
        raise refusal(
            f"{shorten(str(path), 100)!r} cannot be read ({exc.strerror})",
            "Give the path of a file that is there",
        ) from exc
    raise refusal(f"{path.name!r} has {size / 2**20:.0f} MiB", instead)

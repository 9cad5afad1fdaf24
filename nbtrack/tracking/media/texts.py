"""Texts and HTML; both without secrets, HTML never shown but in a sandbox."""

from __future__ import annotations

from typing import Any

from nbtrack.tracking.media.content import (
    INLINE_BYTES_MAX,
    Content,
    Snapshot,
    kind_of,
    refusal,
)

TEXT_MAX = 4_000_000  # characters; a text that is longer ends there, and says so


def text_snapshot(value: Any) -> Snapshot:  # Any: what has a text
    """A text as it is now.

    Raises
    ------
    ValueNotLoggedError
        For what is no text.
    """
    if not isinstance(value, str):
        raise refusal(f"{kind_of(value)} is no text", "Log str(value)")
    return Snapshot(lambda: _encoded(value, "text", "text/plain"), len(value))


def html_snapshot(value: Any) -> Snapshot:  # Any: what has an HTML view of itself
    """HTML, or the HTML view of an object (a styled frame).

    Raises
    ------
    ValueNotLoggedError
        For what has none.
    """
    view = getattr(value, "_repr_html_", None)
    html = value if isinstance(value, str) else view() if callable(view) else None
    if not isinstance(html, str):
        raise refusal(f"{kind_of(value)} is no HTML", "Log a text with the markup")
    return Snapshot(lambda: _encoded(html, "html", "text/html"), len(html))


def _encoded(text: str, kind: str, mime: str) -> Content:
    from nbtrack.redact import redact

    data: dict[str, Any] = {}
    if len(text) > TEXT_MAX:
        data = {"cut": len(text)}  # how long it was
        text = text[:TEXT_MAX]
    clear = redact(text)[0]
    if len(clear) <= INLINE_BYTES_MAX:
        return Content(kind, {**data, "text": clear}, mime=mime)
    return Content(
        kind, data, body=clear.encode("utf-8", "backslashreplace"), mime=mime
    )

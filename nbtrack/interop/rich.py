"""Rich values of other tools as nbtrack keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbtrack.interop.foreign import ForeignImage
from nbtrack.tracking.media.content import Content, laid_out


def rich_value(
    name: str,
    content: Content,
    *,
    step: int,
    at: float,
    about: Mapping[str, Any] | None = None,
) -> ForeignImage:
    """A value at a step; JSON that is too large for a row becomes a file."""
    data, body, mime = laid_out(content)
    data |= about or {}
    return ForeignImage(name, step, at, body, mime, content.type, data or None)

"""Rich values of other tools as nbtrack keeps them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from nbtrack.interop.foreign import ForeignImage
from nbtrack.tracking.media.clearing import cleared
from nbtrack.tracking.media.content import INLINE_BYTES_MAX, JSON, Content


def rich_value(
    name: str,
    content: Content,
    *,
    step: int,
    at: float,
    about: Mapping[str, Any] | None = None,
) -> ForeignImage:
    """A value at a step; JSON that is too large for a row becomes a file."""
    data, body, mime = {**content.data, **(about or {})}, content.body, content.mime
    if content.main:
        main = cleared(content.main)
        text = json.dumps(main, ensure_ascii=False)
        if len(text) <= INLINE_BYTES_MAX:
            data |= main
        else:
            body, mime = text.encode("utf-8", "backslashreplace"), JSON
    return ForeignImage(name, step, at, body, mime, content.type, data or None)

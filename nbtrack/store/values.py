"""Values on their way into a row: text that SQLite takes, JSON that is valid."""

from __future__ import annotations

import json
from typing import Any

from nbtrack.text import visible


def storable(value: Any) -> str | None:
    """Text that SQLite takes: lone surrogates become escapes."""
    if value is None:
        return None
    text = str(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        return visible(text)
    return text


def as_json(value: Any) -> str:
    """A value as JSON text; escapes only where the text would not be valid."""
    text = json.dumps(value, ensure_ascii=False, default=repr)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, default=repr)
    return text


def sha256_of(text: str) -> str:
    """The digest under which a text is kept."""
    import hashlib  # milliseconds that most runs need not pay

    return hashlib.sha256(text.encode()).hexdigest()

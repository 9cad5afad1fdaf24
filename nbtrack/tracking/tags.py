"""Tags as people write them: strings, "key: value" strings, mappings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nbtrack.text import clean_name


def as_tags(
    tags: str | Iterable[str] | Mapping[str, str] | None,
) -> dict[str, str | None]:
    """One dictionary, key to value; plain tags have no value.

    Examples
    --------
    >>> as_tags(["baseline", "data: mnist"])
    {'baseline': None, 'data': 'mnist'}
    """
    if tags is None:
        return {}
    if isinstance(tags, Mapping):
        return {clean_name(str(k)): clean_name(str(v)) for k, v in tags.items()}
    words = [tags] if isinstance(tags, str) else list(tags)
    return dict(_pair(str(word)) for word in words)


def _pair(word: str) -> tuple[str, str | None]:
    # A colon alone is no pair: "http://x" and "12:30" stay plain tags.
    key, colon, value = word.partition(": ")
    return clean_name(key), (clean_name(value) if colon else None)

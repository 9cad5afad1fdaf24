"""Names of members of a bundle, made from names that a run gave.

Letters that every system takes, no way out of the folder, and no two the same, also
where case does not count.
"""

from __future__ import annotations

import re

from nbtrack.text import text_digest

STEM_MAX = 80
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
# Windows opens a device by these names, whatever stands behind the dot.
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def safe_stem(name: str) -> str:
    """A name as a part of a path; where letters went, its digest tells it apart.

    Examples
    --------
    >>> safe_stem("val_loss"), safe_stem("../a b")
    ('val_loss', 'a_b-2c2c791a')
    """
    stem = _UNSAFE.sub("_", name).strip("._")[:STEM_MAX]
    if stem == name and not _DEVICES.match(stem):
        return stem
    digest = text_digest(name)[:8]
    return f"{stem.replace('.', '_') or 'x'}-{digest}"


class MemberNames:
    """Hands out names within one folder of a bundle.

    Examples
    --------
    >>> names = MemberNames("results/outputs")
    >>> names.take("loss", ".svg"), names.take("Loss", ".svg")
    ('results/outputs/loss.svg', 'results/outputs/Loss-2.svg')
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._taken: set[str] = set()

    def take(self, name: str, suffix: str) -> str:
        """A path that was not given before; the second of a name gets a number."""
        stem = safe_stem(name)
        path, n = f"{self._folder}/{stem}{suffix}", 1
        while path.lower() in self._taken:
            n += 1
            path = f"{self._folder}/{stem}-{n}{suffix}"
        self._taken.add(path.lower())
        return path

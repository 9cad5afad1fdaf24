"""The README as an index of packages shows it: without links into the repository.

On an index, a picture or a link that is relative leads nowhere, and there is no address
yet to make it absolute. A picture is left out, of a link its text stays.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

FENCED = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
RELATIVE = r"\((?![a-z]+:|#)[^)\s]+\)"
PICTURE = re.compile(r"^!\[[^\]]*\]" + RELATIVE + r"\n\n?", re.MULTILINE)
LINK = re.compile(r"\[([^\[\]]+)\]" + RELATIVE)


class LongDescription(MetadataHookInterface):
    """Gives the distribution the field `readme`."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Read README.md, which every checkout and every sdist has."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        readme = {"content-type": "text/markdown", "text": without_relative(text)}
        metadata["readme"] = readme


def without_relative(text: str) -> str:
    """Markdown without relative pictures and links; blocks of code stay as they are."""
    parts = FENCED.split(text)
    parts[::2] = [LINK.sub(r"\1", PICTURE.sub("", part)) for part in parts[::2]]
    return "".join(parts)

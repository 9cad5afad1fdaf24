"""The pages on formats: their tables, their words in code, their programs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

FOLDER = Path(__file__).parents[2] / "notebooks/docs/formats"
_FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")


def page(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def programs(text: str) -> list[SimpleNamespace]:
    """What each Python block of a page defines, once it was run."""
    found = []
    for block in _FENCE.findall(text):
        names: dict = {"__name__": "program_of_a_page"}
        exec(compile(block, "a block of the page", "exec"), names)
        found.append(SimpleNamespace(**names))
    return found


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def sections(text: str) -> dict[str, str]:
    """Heading -> what stands under it, up to the next heading of any level."""
    parts = re.split(r"^#+ (.+)$", without_code(text), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(text: str) -> list[list[str]]:
    """The cells of all tables in a text, without their heads."""
    return [cells for table in tables(text) for cells in table]


def tables(text: str) -> Iterator[list[list[str]]]:
    for found in re.finditer(
        r"^\|.+\|\n\|[-|]+\|\n((?:\|.+\|\n?)+)", text, re.MULTILINE
    ):
        lines = found[1].splitlines()
        yield [[c.strip() for c in line.strip("|").split("|")] for line in lines]


def words(cell: str) -> list[str]:
    """What stands as code in a cell."""
    return _CODE.findall(cell)

"""Reads the notebooks that bundles are measured on: one file is one session.

They are written as people write tutorials, in the notation of the corpus of slices; the
last cell has its `%%track` on it. Each runs within seconds, most of them unseeded.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from slices.corpus import Session, read

FOLDER = Path(__file__).parent / "notebooks"
MAGIC = "%%track"
_SEEDS = re.compile(r"seed|random_state=\w|(?:RandomState|default_rng)\(\w")


@cache
def notebooks() -> tuple[Session, ...]:
    """All of them, by name."""
    return tuple(read(path) for path in sorted(FOLDER.glob("*.py")))


def notebook(name: str) -> Session:
    return next(each for each in notebooks() if each.name == name)


def says_a_seed(session: Session) -> bool:
    """Whether any cell fixes a generator; without one no number comes out twice."""
    return any(_SEEDS.search(step.text) for step in session.cells)

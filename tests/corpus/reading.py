"""Reads the corpus: ordinary training cells with what a careful person would note.

A file has parts under `# %%` lines: setup cells, one cell to track, and what is
expected of the run: `params` (name to value), `metrics` (name to the number of points,
or an expression over the cell's own variables that gives the values), `axes` (metric
to loop counters), `steps` where they are not counted from 0, `lenient`: metrics of
which more points than expected are fine, and `absent`: what would be noise as a metric.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    name: str
    setup: tuple[str, ...]
    cell: str
    params: dict[str, Any]
    metrics: dict[str, int | str]
    axes: dict[str, list[str]]
    steps: dict[str, list[int]] = field(default_factory=dict)
    lenient: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)


def cases() -> list[Case]:
    return [read(path) for path in sorted(FOLDER.glob("[0-9]*.py"))]


def read(path: Path) -> Case:
    parts = re.split(r"^# %% (\w+)\n", path.read_text(), flags=re.MULTILINE)
    pairs = list(zip(parts[1::2], parts[2::2], strict=True))
    expected: dict[str, Any] = {}
    exec(next(body for kind, body in pairs if kind == "expect"), {}, expected)
    return Case(
        name=path.stem,
        setup=tuple(body for kind, body in pairs if kind == "setup"),
        cell=next(body for kind, body in pairs if kind == "track"),
        **expected,
    )

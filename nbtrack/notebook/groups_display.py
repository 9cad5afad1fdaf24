"""How `%runs --by group` shows its table: a row per group, means with their interval.

All of it is text of runs and goes through `short` and `escape`, as in `runs_display`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbtrack.analysis.groups import Group, frame_of_groups, metrics_of
from nbtrack.notebook.runs_display import (
    METRICS_SHOWN,
    ROWS_SHOWN,
    as_html,
    as_text,
    short,
)
from nbtrack.text import counted

if TYPE_CHECKING:
    import pandas as pd

_HINTS = {
    "group": "give one with %%track --group or nbtrack.start(group=)",
    "parent": "give one with nbtrack.start(parent=)",
}


@dataclass(frozen=True)
class GroupsTable:
    """Groups as `%runs --by` shows them; `df` is the frame of `nbtrack.groups`."""

    groups: tuple[Group, ...]
    by: str
    n_runs: int  # that answered to the query, those without a group among them

    @property
    def df(self) -> pd.DataFrame:
        """The groups as a pandas frame, all of its columns."""
        return frame_of_groups(list(self.groups), by=self.by)

    def __len__(self) -> int:
        return len(self.groups)

    def __repr__(self) -> str:
        if not self.groups:
            return self._none()
        return as_text(*self._cells(), self._more())

    def _repr_html_(self) -> str:
        if not self.groups:
            return f"<div>{self._none()}</div>"
        return as_html(*self._cells(), self._more())

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        shown = self.groups[:ROWS_SHOWN]
        metrics = metrics_of(list(shown))[:METRICS_SHOWN]
        rows = [[short(group.name), str(len(group.runs))] for group in shown]
        for row, group in zip(rows, shown, strict=True):
            for name in metrics:
                found = group.metrics.get(name)
                row.append(found.short if found else "")
        return [self.by, "runs", *map(short, metrics)], rows

    def _more(self) -> list[str]:
        lines = ["best values: mean ± 95 % confidence interval (Student's t)"]
        alone = self.n_runs - sum(len(group.runs) for group in self.groups)
        if alone:
            lines.append(f"{counted(alone, 'run')} without a {self.by} left out")
        if len(self.groups) > ROWS_SHOWN:
            lines.append(f"… and {len(self.groups) - ROWS_SHOWN} more; all are in .df")
        return lines

    def _none(self) -> str:
        hint = _HINTS[self.by]
        return f"none of {self.n_runs} runs has a {self.by}: {hint}"

"""The dashboard: the comparison as a still page, best and worst of each column marked.

A column is compared across the runs by its own goal, never one metric with another.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from nbtrack.analysis.comparing.columns import Column, delta_of, marks_of
from nbtrack.analysis.comparing.still import cell_text, head_text
from nbtrack.analysis.confidence import MeanCI, mean_ci
from nbtrack.analysis.report import charts
from nbtrack.analysis.report.content import (
    Block,
    Cell,
    Grid,
    Heading,
    Note,
    Pictures,
    Tone,
)
from nbtrack.analysis.report.look import Look, bare, shown_name, shown_time
from nbtrack.analysis.wording import number

ROWS_MAX = 500
COLUMNS_MAX = 20
GROUP_METRICS_MAX = 8
GROUPS_MAX = 60
_ARROWS = {"min": " ↓", "max": " ↑"}


def dashboard(look: Look) -> Iterator[Block]:
    """Curves, the table, the trend, the groups."""
    pictures = list(charts.curves(look))
    if pictures:
        yield Heading("Curves")
        yield Note(_drawn(look))
        yield Pictures(pictures)
    trend = charts.trend(look)
    if trend is not None:
        yield Heading("The best over time")
        yield Pictures([trend])
    yield Heading("All runs")
    base = look.found.state.baseline
    if base in look.place:
        yield Note(f"Differences are to the baseline, {look.name(base)}.")
    elif base:
        yield Note(f"The baseline, {look.name(base)}, is not one of these runs.")
    yield table(look)
    left = len(look.found.shown) - COLUMNS_MAX
    if left > 0:
        yield Note(f"{left} more columns are not shown.")
    groups = group_table(look)
    if groups is not None:
        yield Heading("Groups")
        yield Note("Mean ± 95 % CI (Student's t) of the runs of each group.")
        yield groups


def table(look: Look) -> Grid:
    """The runs in their order, the columns of the state."""
    found = look.found
    columns = found.shown[:COLUMNS_MAX]
    base = look.place.get(found.state.baseline)
    heads = ["run", *(_head(column) for column in columns)]
    rows = [
        [_name(look, at), *(_cell(column, at, base) for column in columns)]
        for at in range(min(len(found.ids), ROWS_MAX))
    ]
    return Grid(heads, rows, max(0, len(found.ids) - ROWS_MAX))


def group_table(look: Look) -> Grid | None:
    """Means of the groups; None where no run has one."""
    members = groups_of(look)
    metrics = look.metrics[:GROUP_METRICS_MAX]
    if not members or not metrics:
        return None
    shown = dict(list(members.items())[:GROUPS_MAX])
    cells = [_means(column, shown) for column in metrics]
    rows = [
        [Cell(shown_name(key)), Cell(str(len(places)), is_number=True),
         *(column[nth] for column in cells)]
        for nth, (key, places) in enumerate(shown.items())
    ]  # fmt: skip
    heads = [_group_head(look), "runs", *map(_head, metrics)]
    return Grid(heads, rows, len(members) - len(shown))


def groups_of(look: Look) -> dict[str, list[int]]:
    """Places of the runs of each group; of the column asked for, or the field."""
    if look.found.state.group:
        found = look.found.groups()
        return {key: [look.place[run] for run in ids] for key, ids in found.items()}
    members: dict[str, list[int]] = {}
    for at, group in enumerate(look.found.table.fields["group"]):
        if group is not None:
            members.setdefault(group, []).append(at)
    return members


def _group_head(look: Look) -> str:
    return look.found.state.group.removeprefix("params.") or "group"


def _means(column: Column, members: Mapping[str, Sequence[int]]) -> list[Cell]:
    means = [
        mean_ci(v for at in places if (v := column.values[at]) is not None)
        for places in members.values()
    ]
    marks = marks_of([mean.mean for mean in means], column.goal)
    return [
        Cell(_mean_text(mean), _tone(nth in marks.best, nth in marks.worst))
        for nth, mean in enumerate(means)
    ]


def _mean_text(mean: MeanCI) -> str:
    if not mean.n and mean.n_nan:
        return f"NaN ({mean.n_nan})"
    return mean.short if mean.n else ""


def _head(column: Column) -> str:
    name = "started (UTC)" if column.name == "started_at" else head_text(column)
    return name + _ARROWS.get(column.goal or "", "")


def _name(look: Look, at: int) -> Cell:
    run = look.found.ids[at]
    return Cell(
        look.names[at], note="baseline" if run == look.found.state.baseline else ""
    )


def _cell(column: Column, at: int, base: int | None) -> Cell:
    tone = _tone(at in column.marks.best, at in column.marks.worst)
    note, note_tone = _delta(column, at, base)
    value = column.values[at]
    is_time = column.name == "started_at" and value is not None
    text = shown_time(value) if is_time else cell_text(column, at)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return Cell(text, tone, note, note_tone, is_number)


def _delta(column: Column, at: int, base: int | None) -> tuple[str, Tone]:
    if base is None or base == at or column.kind != "metric":
        return "", ""
    delta = delta_of(column.values[at], column.values[base])
    if delta is None or math.isnan(delta) or delta == 0:
        return "", ""
    text = f"{'+' if delta > 0 else ''}{number(delta)}"
    if column.goal is None:
        return text, ""
    return text, "good" if (delta < 0) == (column.goal == "min") else "bad"


def _tone(is_best: bool, is_worst: bool) -> Tone:
    return "best" if is_best else "worst" if is_worst else ""


def _drawn(look: Look) -> str:
    state, n_all = look.found.state, len(look.found.ids)
    if state.bands:
        return "The mean of the runs of each group."
    n = len(look.selected)
    if n == n_all:
        return f"All {n} runs." if n > 1 else "The run."
    if state.selected:
        return f"The {n} selected of {n_all} runs."
    by = f" by {bare(look.judge)}" if look.judge else ""
    return f"The best {n} of {n_all} runs{by}."

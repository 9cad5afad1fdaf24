"""Curves of a report: one small picture for each metric, names of its lines below.

A curve is thinned to the least and greatest value of each piece, so that no spike is
lost and a report of hundreds of runs stays small.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nbtrack.analysis.comparing.overlay import Drawn, Overlay, Wanted
from nbtrack.analysis.report.content import Picture
from nbtrack.analysis.report.look import Look, bare
from nbtrack.analysis.svg import GHOST, PALETTE, Line, Mark, chart_svg, with_names

if TYPE_CHECKING:
    from nbtrack.analysis.comparing.columns import Column

COLOURS = (*PALETTE, "#c74a6f")  # as many as curves can be selected
CURVE_POINTS = 160
METRICS_MAX = 12


def curves(look: Look) -> Iterator[Picture]:
    """The selected runs, or the means of groups, one picture for each metric."""
    overlay = Overlay(look.store)
    asked = look.asked.state
    metrics = look.metrics
    if asked.metric:
        metrics = [c for c in metrics if bare(c) == asked.metric]
    for column in metrics[:METRICS_MAX]:
        lines = list(_lines(look, overlay, bare(column)))
        if lines:
            yield _picture(look, column, lines)


def trend(look: Look) -> Picture | None:
    """The best so far, over the runs in the order in which they began."""
    if look.judge is None or len(look.ranked) < 2:
        return None
    judge, began = look.judge, look.found.table.fields["started_at"]
    order = sorted(look.ranked, key=lambda at: began[at])
    values = [float(judge.values[at]) for at in order]
    pick, best = (max if judge.goal == "max" else min), list[float]()
    for value in values:
        best.append(pick(best[-1], value) if best else value)
    x = [float(nth) for nth in range(1, len(values) + 1)]
    marks = [Mark(at, y) for at, y in zip(x, values, strict=True)]
    each = Line("each run", x, values, GHOST, is_ghost=True, marks=marks)
    so_far = Line("best so far", x, best, COLOURS[2])
    name = bare(judge)
    svg = chart_svg(name, [each, so_far], x_label="run", legend=False)
    caption = f"{name} over {len(x)} runs in the order of their start"
    return Picture(caption, with_names(svg, [so_far, each]))


def _lines(look: Look, overlay: Overlay, metric: str) -> Iterator[Line]:
    state = look.found.state
    wanted = Wanted(metric, state.x, state.smooth, points=CURVE_POINTS)
    if state.bands:
        groups = list(look.found.groups().items())[: len(COLOURS)]
        drawn = [(key, overlay.band(key, ids, wanted)) for key, ids in groups]
    else:
        drawn = [(look.name(r), overlay.curve(r, wanted)) for r in look.selected]
    for at, (name, curve) in enumerate(drawn):
        if curve is not None:
            yield _line(look, name, curve, COLOURS[at % len(COLOURS)])


def _line(look: Look, name: str, curve: Drawn, colour: str) -> Line:
    state = look.found.state
    y = curve.y if curve.smooth is None else curve.smooth
    return Line(
        name,
        _scaled(curve.x.tolist(), log=state.log_x),
        _scaled(y.tolist(), log=state.log_y),
        colour,
    )


def _scaled(values: list[float], *, log: bool) -> list[float]:
    """Rounded to what a picture shows, or their decimal logarithms."""
    if not log:
        return values
    return [math.log10(v) if v > 0 else math.nan for v in values]


def _picture(look: Look, column: Column, lines: list[Line]) -> Picture:
    state, name = look.found.state, bare(column)
    x_label = f"log10 {state.x}" if state.log_x else state.x
    title = f"log10 {name}" if state.log_y else name
    title += {"min": " ↓", "max": " ↑"}.get(column.goal or "", "")
    svg = chart_svg(title, lines, x_label=x_label, legend=False)
    words = [title]
    words += ["means of groups"] if state.bands else []
    words += [f"smoothed, {state.smooth:g}"] if state.smooth else []
    return Picture(", ".join(words), with_names(svg, lines))

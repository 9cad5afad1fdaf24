"""The curves of a run as charts, one for each family of metrics.

They are thinned to what a picture can show; train and validation have the same colours
in every chart, and lie in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from nbtrack.analysis.decimate import pick, thin
from nbtrack.analysis.families import in_order
from nbtrack.analysis.frames import RunFeed
from nbtrack.analysis.marks import mark_index, marks_of
from nbtrack.analysis.svg import GHOST, PALETTE, Line, Mark, chart_svg, with_names
from nbtrack.analysis.wire import CheckpointMeta, RunMeta, SeriesDelta
from nbtrack.analysis.xaxis import has_repeats, positions, shared_axis
from nbtrack.metric_names import PLAIN_BESIDE_TRAIN, colour_of, split_role

if TYPE_CHECKING:
    from nbtrack.store import Store

POINTS_PER_CURVE = 300  # about one per pixel of the picture


def family_svgs(store: Store, run_id: str) -> dict[str, str]:
    """The curves of a run alone as drawings, one for each family of metrics, in order.

    Parameters
    ----------
    store : Store
        Where the run is; only read.
    run_id : str
        The full id.
    """
    feed = RunFeed(store, run_id)
    feed.advance()
    run, deltas, _ = feed.frame(full=True)
    families = families_of(run, [delta for delta in deltas if not delta.ghost])
    marks = marks_of(feed.require())
    return {
        name: with_names(chart_svg(name, lines, x_label=x_label, legend=False), lines)
        for name, lines, x_label in drawn_families(families, POINTS_PER_CURVE, marks)
    }


def families_of(
    run: RunMeta, deltas: Sequence[SeriesDelta]
) -> dict[str, list[SeriesDelta]]:
    """Curves by family: train before validation, what has a goal before the rest."""
    curves: dict[str, list[SeriesDelta]] = {}
    for delta in deltas:
        curves.setdefault(delta.metric, []).append(delta)
    families: dict[str, list[SeriesDelta]] = {}
    for meta in in_order(run["metrics"]):
        families.setdefault(meta["family"], []).extend(curves.get(meta["name"], ()))
    return families


def drawn_families(
    families: Mapping[str, list[SeriesDelta]],
    most: int,
    marks: Sequence[CheckpointMeta],
) -> Iterator[tuple[str, list[Line], str]]:
    """The families, each with its lines and what they are drawn over."""
    axis = shared_axis(list(families.values()))
    every = [series for family in families.values() for series in family]
    spread = axis is not None and any(has_repeats(one, axis) for one in every)
    for name, family in families.items():
        lines = _lines_of(family, axis, most, marks, spread=spread)
        yield name, lines, _x_label(axis, spread=spread)


def _lines_of(
    family: Sequence[SeriesDelta],
    axis: str | None,
    most: int,
    marks: Sequence[CheckpointMeta],
    *,
    spread: bool,
) -> list[Line]:
    own = [one for one in family if not one.ghost]
    return [
        _line(one, axis, most, marks, spread=spread, colour=colour)
        for one, colour in [
            *((one, GHOST) for one in family if one.ghost),
            *zip(own, _colours(own), strict=True),
        ]
    ]


def _line(
    series: SeriesDelta,
    axis: str | None,
    most: int,
    marks: Sequence[CheckpointMeta],
    *,
    spread: bool,
    colour: str,
) -> Line:
    # Positions first: an axis that is spread needs the neighbours of each point.
    x = positions(series, axis, spread=spread)
    kept = thin(series.values, most) if len(x) else []
    values = pick(series, kept).values
    own = [] if series.ghost or not len(x) else _marks(series, x, marks)
    return Line(
        series.metric, [x[i] for i in kept], values, colour, is_ghost=series.ghost,
        marks=own,
    )  # fmt: skip


def _marks(
    series: SeriesDelta, x: Sequence[float], marks: Sequence[CheckpointMeta]
) -> list[Mark]:
    found = []
    for mark in marks:
        place = mark_index(
            mark, series.metric, steps=series.steps, values=series.values, at=series.at
        )
        if place is not None:
            is_gone = mark["gone"] is not None
            found.append(Mark(x[place], series.values[place], is_hollow=is_gone))
    return found


def _x_label(axis: str | None, *, spread: bool) -> str:
    if axis is None:
        return "step"
    return f"{axis}s done" if spread else axis


def _colours(family: Sequence[SeriesDelta]) -> list[str]:
    """Train and validation keep their colours in every chart."""
    roles = [split_role(series.metric)[1] for series in family]
    taken: list[int] = []
    for role in roles:
        index = PLAIN_BESIDE_TRAIN if not role and "train" in roles else colour_of(role)
        while index in taken and len(taken) < len(PALETTE):
            index = (index + 1) % len(PALETTE)
        taken.append(index)
    return [PALETTE[index] for index in taken]

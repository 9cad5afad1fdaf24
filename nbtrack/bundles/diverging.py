"""Where a rerun first held something else than the exporter: cell by cell, then step.

The exporter's digests were taken in the fresh process that proved the bundle. A digest
that one of the two could not take says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nbtrack.bundles.verdict import Divergence, MetricVerdict

GENERATOR = "generator "  # what a divergence of one begins with
Seen = Mapping[str, Any]  # of one cell, as `nbtrack.slices.seen` tells it


def first_divergence(
    expected: Sequence[Seen], seen: Sequence[Seen], metrics: Sequence[MetricVerdict]
) -> Divergence | None:
    """The first cell and variable that differ, and the first step of a metric.

    >>> one = [{"label": "cell 1", "values": {"x": {"type": "int", "sha256": "a"}}}]
    >>> two = [{"label": "cell 1", "values": {"x": {"type": "int", "sha256": "b"}}}]
    >>> first_divergence(one, two, []).sentence
    'x after cell 1 (other content)'
    """
    found = next(_cells(expected, seen), None)
    metric = _first_metric(metrics)
    if found is None and metric is None:
        return None
    cell, variable, what = found or (None, None, "")
    return Divergence(
        cell,
        variable,
        None if metric is None else metric.name,
        None if metric is None else metric.first_step,
        what,
    )


def _cells(
    expected: Sequence[Seen], seen: Sequence[Seen]
) -> Iterator[tuple[str, str | None, str]]:
    now = {str(cell.get("label")): cell for cell in seen}
    for cell in expected:
        label = str(cell.get("label"))
        if label not in now:
            yield label, None, "the rerun did not come to its end"
            continue
        for generator in _others(cell, now[label]):
            yield label, f"{GENERATOR}{generator}", "it stood elsewhere before"
        values = now[label].get("values", {})
        for name, was in cell.get("values", {}).items():
            what = _difference(was, values.get(name))
            if what:
                yield label, name, what


def _others(was: Seen, now: Seen) -> Iterator[str]:
    """The generators that the cell draws from, and that stood elsewhere."""
    states = now.get("generators", {})
    for name, digest in was.get("generators", {}).items():
        if name in states and states[name] != digest:
            yield name


def _difference(was: Mapping[str, str], now: Mapping[str, str] | None) -> str:
    if now is None:
        return "it is not there"
    if was.get("type") != now.get("type"):
        return f"{now.get('type')} in place of {was.get('type')}"
    digests = was.get("sha256"), now.get("sha256")
    return "other content" if None not in digests and digests[0] != digests[1] else ""


def _first_metric(metrics: Sequence[MetricVerdict]) -> MetricVerdict | None:
    with_step = [m for m in metrics if m.first_step is not None]
    return min(with_step, key=lambda m: m.first_step or 0, default=None)

"""What ran in each of a notebook's cells: the latest run, how many, and the best."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nbtrack.records import MetricSummary, is_better
from nbtrack.server.answers.run_rows import rows_of
from nbtrack.server.desk import Desk
from nbtrack.server.rows import finite, metric_row, telling
from nbtrack.server.stores import Held
from nbtrack.store.small_reads import RunHead

SPARK_RUNS = 20


@dataclass(slots=True)
class _Cell:
    """The runs of one cell, newest first, and the stores that they are in."""

    heads: list[RunHead] = field(default_factory=list)
    homes: dict[str, str] = field(default_factory=dict)

    def latest(self) -> RunHead:
        """The newest that stands for itself, before the trials of a sweep."""
        return next((head for head in self.heads if not head.parent), self.heads[0])


def cells(desk: Desk, ids: Iterable[str]) -> dict[str, Any]:
    """The cells that have runs, by id; those in the trash do not count."""
    asked = tuple(dict.fromkeys(ids))
    return {
        "cells": desk.lists.answer(
            ("cells", asked), desk.stores.version(), lambda: _answered(desk, asked)
        )
    }


def _answered(desk: Desk, asked: Sequence[str]) -> dict[str, Any]:
    found = _found(desk, frozenset(asked))
    newest = [head.id for cell in found.values() for head in cell.heads[:SPARK_RUNS]]
    some = _summaries(desk, newest)
    shown = {id_: _shown_metric(cell, some) for id_, cell in found.items()}
    rest = [head.id for cell in found.values() for head in cell.heads[SPARK_RUNS:]]
    names = {name for name in shown.values() if name}
    every = {**_summaries(desk, rest, names), **some}
    latest = [(cell.latest().id, cell) for cell in found.values()]
    rows = rows_of(desk, {run: cell.homes[run] for run, cell in latest})
    return {
        id_: {"run": rows[cell.latest().id], **_told(cell, shown[id_], every)}
        for id_, cell in found.items()
        if cell.latest().id in rows
    }


def _found(desk: Desk, asked: frozenset[str]) -> dict[str, _Cell]:
    def heads_in(held: Held) -> list[tuple[RunHead, str]]:
        return [
            (head, held.id)
            for head in held.heads
            if head.cell_id in asked and not head.is_trashed
        ]

    pairs, _ = desk.stores.each_held(heads_in)
    pairs.sort(key=lambda pair: (pair[0].started_at, pair[0].id), reverse=True)
    found: dict[str, _Cell] = {}
    for head, home in pairs:
        cell = found.setdefault(head.cell_id or "", _Cell())
        if head.id not in cell.homes:
            cell.heads.append(head)
            cell.homes[head.id] = home
    return found


def _summaries(
    desk: Desk, runs: Sequence[str], names: Iterable[str] | None = None
) -> dict[str, dict[str, MetricSummary]]:
    few = None if names is None else frozenset(names)
    if not runs or few == frozenset():
        return {}
    parts, _ = desk.stores.each(lambda store: store.summaries(runs, few).items())
    return dict(reversed(parts))


def _shown_metric(
    cell: _Cell, known: Mapping[str, Mapping[str, MetricSummary]]
) -> str | None:
    """The metric that the cell is judged by: that of its newest run that has one."""
    for head in cell.heads[:SPARK_RUNS]:
        metric = telling(known.get(head.id, {}).values())
        if metric is not None:
            return metric.name
    return None


def _told(
    cell: _Cell,
    name: str | None,
    known: Mapping[str, Mapping[str, MetricSummary]],
) -> dict[str, Any]:
    values = [known.get(head.id, {}).get(name or "") for head in cell.heads]
    best: MetricSummary | None = None
    for metric in values:
        if metric is not None and (best is None or _beats(metric, best)):
            best = metric
    newest = [None if m is None else finite(m.best) for m in values[:SPARK_RUNS]]
    return {
        "n_runs": len(cell.heads),
        "best": None if best is None else metric_row(best),
        "spark": newest[::-1],
    }


def _beats(new: MetricSummary, old: MetricSummary) -> bool:
    return new.goal is not None and is_better(new.best, old.best, new.goal)

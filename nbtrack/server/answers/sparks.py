"""The telling curve of each of many runs, as a few numbers."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

from nbtrack.analysis.spark import spark
from nbtrack.errors import StoreError
from nbtrack.guard import tolerated
from nbtrack.records import MetricSummary
from nbtrack.server.desk import Desk
from nbtrack.server.rows import telling
from nbtrack.store import Store

ENOUGH_S = 2.0  # what is not drawn by then is drawn when it is asked for again


def sparks(desk: Desk, runs: Iterable[str]) -> dict[str, Any]:
    """The curves by run; none of a run that has no metric with a goal.

    A curve of a million points takes some 20 ms the first time, so of very many long
    ones a part may be left out: what was drawn is kept for the next question.
    """
    asked, enough_at = list(dict.fromkeys(runs)), time.monotonic() + ENOUGH_S

    def of_store(store: Store) -> Iterator[tuple[str, dict[str, Any]]]:
        found = store.summaries(asked)
        for run in asked:
            metric = telling(found.get(run, {}).values())
            if metric is not None and time.monotonic() < enough_at:
                # A curve that cannot be read is no reason to put the store aside.
                with tolerated(_pass_on):
                    yield run, _drawn(desk, store, run, metric)

    drawn, _ = desk.stores.each(of_store)
    return {"sparks": dict(reversed(drawn))}  # of a run in several stores the first


def _drawn(desk: Desk, store: Store, run: str, metric: MetricSummary) -> dict[str, Any]:
    version = (metric.name, metric.n, metric.last)

    def draw() -> list[float | None]:
        return spark(store.curve(run, metric.name).values)

    y = desk.sparks.answer((store.path, run), version, draw)
    return {"metric": metric.name, "y": y}


def _pass_on(exc: Exception) -> None:
    if isinstance(exc, StoreError):
        raise exc

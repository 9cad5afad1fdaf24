"""The newest alerts of all stores: what somebody should look at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nbtrack.records import AlertRecord
from nbtrack.server.desk import Desk
from nbtrack.server.stores import Held
from nbtrack.text import shorten

TITLE_CHARS = 300
TEXT_CHARS = 2_000


def alerts(desk: Desk, limit: int, store: str | None = None) -> dict[str, Any]:
    """At most so many alerts, the newest first, and how many runs may raise more.

    Looked for anew each time: that a run has stalled is told by the clock alone.

    Raises
    ------
    StoreNotFoundError
        For a store that is not known here.
    """
    desk.stores.version()  # which runs are running is read anew where that changed
    rows, problems = desk.stores.each_held(lambda held: _rows(held, limit), store)
    rows.sort(key=lambda row: (row["at"], row["key"]), reverse=True)
    once = {
        (row["run"], row["key"]): row for row in reversed(rows)
    }  # copies of a store
    newest = [row for row in rows if once[row["run"], row["key"]] is row]
    counts, _ = desk.stores.each_held(lambda held: [_n_running(held)], store)
    return {
        "alerts": newest[:limit],
        "n_running": sum(counts),
        "problems": problems,
    }


def _n_running(held: Held) -> int:
    return sum(held.status(head) == "running" for head in held.heads)


def _rows(held: Held, limit: int) -> Iterator[dict[str, Any]]:
    running = [head.id for head in held.heads if head.status == "running"]
    for alert, name in held.store.newest_alerts(limit, running=running):
        yield _row(alert, name, held.id)


def _row(alert: AlertRecord, name: str, store: str) -> dict[str, Any]:
    return {
        "key": shorten(alert.key, TITLE_CHARS + 100),
        "run": alert.run,
        "run_name": shorten(name, 200),
        "store": store,
        "at": alert.at,
        "kind": alert.kind,
        "level": alert.level,
        "title": shorten(alert.title, TITLE_CHARS),
        "text": shorten(alert.text, TEXT_CHARS),
        "metric": alert.metric,
        "step": alert.step,
        "seen": alert.seen_at is not None,
    }

"""The list of runs, over all stores."""

from __future__ import annotations

from typing import Any

from nbtrack.server.desk import Desk
from nbtrack.server.rows import run_row


def runs(
    desk: Desk, status: str | None, kernel: str | None, limit: int
) -> dict[str, Any]:
    """The newest runs of all stores, and what could not be read."""
    records, problems = desk.stores.each(lambda store: store.runs())
    rows = [
        run_row(record)
        for record in records
        if status in (None, record.status) and kernel in (None, record.kernel_id)
    ]
    rows.sort(key=lambda row: str(row["started_at"]), reverse=True)
    return {"runs": rows[:limit], "problems": problems}

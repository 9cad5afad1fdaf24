"""What a page is told of a sweep: plain values, the mirror of `sweep/wire.ts`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from nbtrack.errors import OptionError
from nbtrack.sweeps.sweep import Row, Sweep, is_number
from nbtrack.sweeps.words import headline, leaders
from nbtrack.text import shorten, visible

if TYPE_CHECKING:
    from nbtrack.sweeps.space import Label

ROWS_MAX = 200  # in the page; all are in `sweep.rows`
OTHERS_MAX = 60  # of these, trials without a place: running, pruned, failed
CURVE_MAX = 4_000  # trials, the last ones
_LABEL_MAX = 60
_OVER = ("stopped", "finished", "failed")
_RANK = {"running": 0, "pruned": 1, "failed": 2, "stopped": 3, "crashed": 4}

Message = dict[str, Any]  # as JSON


def sweep_message(sweep: Sweep, *, n_total: int | None) -> Message:
    """All that a page shows of a sweep; some 30 KB at most.

    Parameters
    ----------
    n_total
        How many trials there will be, where it is known.
    """
    rows = ranked(sweep)
    shown = shown_rows(rows)
    return {
        "type": "sweep",
        "name": visible(sweep.name),
        "state": sweep.state,
        "headline": headline(sweep),
        "metric": visible(sweep.aim.metric),
        "goal": sweep.aim.goal,
        "n": n_total,
        "n_done": sweep.n_done,
        "names": [visible(name) for name in sweep.space.names],
        "rows": [row_message(row, sweep.space.names) for row in shown],
        "n_more": len(rows) - len(shown),
        "curve": curve_of(rows),
        "notes": [visible(note) for note in list(sweep.notes)],
        "error": visible(sweep.error or ""),
        "is_over": sweep.state in _OVER,
    }


def row_message(row: Row, names: tuple[str, ...]) -> list[Any]:
    """One trial: number, status, value, texts of its values, seconds, run, error."""
    texts = [label_text(row.labels[n]) if n in row.labels else "" for n in names]
    value = row.value if is_number(row.value) else None
    return [
        row.number,
        row.status,
        value,
        texts,
        row.duration_s,
        row.run,
        visible(row.error or ""),
    ]


def ranked(sweep: Sweep) -> list[Row]:
    """All trials: finished ones best first, then those that run, then the rest."""
    best = [row for row in leaders(sweep) if is_number(row.value)]
    placed = {row.number for row in best}
    rest = [row for row in sweep.rows if row.number not in placed]
    return best + sorted(rest, key=lambda row: (_RANK.get(row.status, 9), row.number))


def shown_rows(rows: list[Row]) -> list[Row]:
    """As many as a page shows, the best of them and some of each other kind."""
    best = [row for row in rows if row.status == "finished"]
    others = [row for row in rows if row.status != "finished"]
    room = ROWS_MAX - min(len(others), OTHERS_MAX)
    return best[:room] + others[: ROWS_MAX - len(best[:room])]


def curve_of(rows: list[Row]) -> list[list[float]]:
    """The values of finished trials by number: what the best so far is made of."""
    points = [
        [row.number, row.value]
        for row in rows
        if row.status == "finished" and row.value is not None
        if math.isfinite(row.value)
    ]
    return sorted(points)[-CURVE_MAX:]


def label_text(label: Label) -> str:
    """A value as people read it.

    >>> label_text(0.01234567), label_text("adam"), label_text(None)
    ('0.01235', 'adam', 'None')
    """
    text = f"{label:.4g}" if isinstance(label, float) else str(label)
    return shorten(visible(text), _LABEL_MAX)


def total_of(sweep: Sweep) -> int | None:
    """How many trials it will have; None where that is open."""
    if sweep.n is not None:
        return sweep.n
    try:
        return len(sweep.space.grid())
    except OptionError:
        return None

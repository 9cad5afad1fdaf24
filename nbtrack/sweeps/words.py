"""A sweep in words: what it is, how far it is, what was best."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbtrack.text import visible

if TYPE_CHECKING:
    from nbtrack.sweeps.sweep import Row, Sweep

TOP = 5


def summary(sweep: Sweep) -> str:
    """The text under a swept cell: one line, the best trials, notes."""
    lines = [headline(sweep)]
    for row in leaders(sweep)[:TOP]:
        lines.append(f"  {row_in_words(sweep, row)}")
    lines += [f"  {visible(note)}" for note in sweep.notes]
    return "\n".join(lines)


def headline(sweep: Sweep) -> str:
    """How far a sweep is, in one line."""
    of = "" if sweep.n is None else f" of {sweep.n}"
    parts = [f"sweep {visible(sweep.name)}", f"{sweep.n_done}{of} trials", sweep.state]
    counts = {s: sum(r.status == s for r in sweep.rows) for s in ("pruned", "failed")}
    parts += [f"{n} {status}" for status, n in counts.items() if n]
    best = sweep.best
    if best is not None:
        parts.append(
            f"best {visible(sweep.aim.metric)} {best.value:.5g} (#{best.number})"
        )
    return " · ".join(parts)


def leaders(sweep: Sweep) -> list[Row]:
    """The finished trials, best first."""
    done = [r for r in sweep.rows if r.value is not None and r.status == "finished"]
    sign = 1 if sweep.aim.goal == "min" else -1
    return sorted(done, key=lambda row: (sign * (row.value or 0.0), row.number))


def row_in_words(sweep: Sweep, row: Row) -> str:
    """One trial in one line."""
    from nbtrack.sweeps.sweep import shown_values

    value = (
        "" if row.value is None else f"{visible(sweep.aim.metric)} {row.value:.5g} · "
    )
    return f"#{row.number} {value}{shown_values(row.labels)}"

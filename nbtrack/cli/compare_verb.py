"""`nbtrack compare`: runs side by side, what differs between them, who is best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from nbtrack.cli.frame import (
    Cell,
    Verb,
    opened,
    say,
    say_json,
    say_table,
    time_of,
    with_options,
)
from nbtrack.cli.tables import BEST

if TYPE_CHECKING:
    from nbtrack.analysis.comparing.columns import Column
    from nbtrack.analysis.comparing.data import Compared


@click.command("compare", cls=Verb)
@click.argument("words", nargs=-1, metavar="[RUN... | QUERY]")
@click.option(
    "--all", "all_params", is_flag=True, help="Params that are the same, too."
)
@click.option("--baseline", default="", metavar="RUN", help="Show differences to it.")
@click.option("--last", type=click.IntRange(0), metavar="N", help="The newest N.")
@click.option("--sort", default="", metavar="NAME", help="-NAME turns round.")
@with_options
def compare(
    words: Sequence[str],
    *,
    store_path: str | None,
    as_json: bool,
    **state: Any,  # all_params, baseline, last, sort
) -> None:
    """Compare runs: params that differ, the best value of each metric and its step.

    All runs, some by name, or those that answer to a query as in %runs. The best of a
    column, by the metric's goal, has a *.
    """
    from nbtrack.analysis.comparing.data import compared
    from nbtrack.analysis.comparing.state import CompareState
    from nbtrack.analysis.comparing.words import runs_or_query

    with opened(store_path) as store:
        runs, query = runs_or_query(store, words, words)
        found = compared(store, CompareState(query, tuple(runs), **state))
    if as_json:
        say_json(_facts(found))
    elif not found.ids:
        say("no runs")
    else:
        _say(found)


def _say(found: Compared) -> None:
    from nbtrack.analysis.comparing.still import base_row, head_text

    base = base_row(found)
    heads = [
        "started (UTC)" if column.name == "started_at" else head_text(column)
        for column in found.shown
    ]
    rows = [
        [_name(found, at, base), *(_cell(c, at, base) for c in found.shown)]
        for at in range(len(found.ids))
    ]
    say_table(["run", *heads], rows)


def _name(found: Compared, at: int, base: int | None) -> Cell:
    return Cell(found.names[at] + (" (baseline)" if at == base else ""), style="bold")


def _cell(column: Column, at: int, base: int | None) -> Any:
    from nbtrack.analysis.comparing.still import cell_text, delta_text

    if column.name == "status":
        return column.values[at]
    if column.name == "started_at":
        return time_of(column.values[at])  # as in every table of a terminal
    text = cell_text(column, at)
    delta = delta_text(column, at, base)
    is_best = at in column.marks.best
    style = "bold green" if is_best else "red" if at in column.marks.worst else ""
    return Cell(
        f"{text} {delta}".rstrip(),
        BEST if is_best else "",
        style,
        right=column.is_number,
    )


def _facts(found: Compared) -> dict[str, Any]:
    """A comparison as JSON: each run with its values, and where it is the best."""
    from nbtrack.analysis.comparing.still import base_row

    base = base_row(found)
    return {
        "columns": [
            {"name": column.name, "kind": column.kind, "goal": column.goal}
            for column in found.shown
        ],
        "baseline": None if base is None else found.ids[base],
        "runs": [
            {"id": run, "name": found.names[at], **_values(found.shown, at, base)}
            for at, run in enumerate(found.ids)
        ],
    }


def _values(columns: Sequence[Column], at: int, base: int | None) -> dict[str, Any]:
    from nbtrack.analysis.comparing.columns import delta_of

    steps = {c.name: c.steps[at] for c in columns if c.steps is not None}
    made: dict[str, Any] = {
        "values": {column.name: column.values[at] for column in columns},
        "best_step": steps,
        "best": [column.name for column in columns if at in column.marks.best],
    }
    if base is not None:
        deltas = {
            column.name: delta_of(column.values[at], column.values[base])
            for column in columns
            if column.kind == "metric"
        }
        made["delta"] = {
            name: delta
            for name, delta in deltas.items()
            if delta is not None and not math.isnan(delta)
        }
    return made

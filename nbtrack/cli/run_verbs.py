"""`nbtrack ls` and `nbtrack show`: runs as a table, one run as a page."""

from __future__ import annotations

from collections import Counter
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

if TYPE_CHECKING:
    from nbtrack.analysis.run_page import Section
    from nbtrack.records import RunRecord

METRICS_SHOWN = 4
ROWS_SHOWN = 40
_TO_THE_MINUTE = 16  # characters of a time


@click.command("ls", cls=Verb)
@click.argument("query", nargs=-1)
@click.option("--last", type=click.IntRange(0), metavar="N", help="Only the newest N.")
@click.option("--sort", metavar="NAME", help="A column or metric; -NAME turns round.")
@click.option("--trashed", is_flag=True, help="Those in the trash instead.")
@with_options
def ls(
    query: Sequence[str],
    last: int | None,
    sort: str | None,
    *,
    trashed: bool,
    store_path: str | None,
    as_json: bool,
) -> None:
    """List runs, newest first.

    QUERY as in %runs: nbtrack ls 'loss < .3 and params.opt == "adam"'

    Shown are the best values of the metrics that most of them have.
    """
    from nbtrack.analysis.runs_table import select

    with opened(store_path) as store:
        found = select(store, " ".join(query), sort=sort, last=last, trashed=trashed)
        ids = list(found.ids)
        known = {run.id: run for run in store.runs(trashed=None, ids=ids)}
    runs = [known[id_] for id_ in ids if id_ in known]
    if as_json:
        say_json([_facts(run) for run in runs])
        return
    names = _most_common(runs)
    metrics = [_metric(runs, name) for name in names]
    say_table(
        ["id", "name", "status", "started (UTC)", "took", *names],
        [
            [run.id, run.name, run.status, time_of(run.started_at)[:_TO_THE_MINUTE],
             _took(run.duration_s), *(metric[at] for metric in metrics)]
            for at, run in enumerate(runs)
        ],
        empty="no runs",
    )  # fmt: skip


@click.command("show", cls=Verb)
@click.argument("run")
@with_options
def show(run: str, *, store_path: str | None, as_json: bool) -> None:
    """Show a run: code, data, params, metrics.

    RUN: its id, name, the beginning of an id, or last.
    """
    from nbtrack.analysis.run_page import Known, about, headline, sections_of

    with opened(store_path) as store:
        known = Known.of(store, store.run(run).id)
    if as_json:
        say_json(_facts(known.record) | _more_facts(known))
        return
    say(f"{headline(known.record)} · {known.record.id}", style="bold cyan")
    for section in [about(known), *sections_of(known)]:
        _say_section(section)


def _took(seconds: float | None) -> Cell:
    from nbtrack.analysis.wording import duration

    if seconds is None:
        return Cell(None)
    short = f"{seconds:.1f} s"
    return Cell(duration(seconds) if seconds >= 60 else short, right=True)


def _metric(runs: Sequence[RunRecord], name: str) -> list[Cell]:
    """The best values of a metric; the best of all runs stands out on a terminal."""
    from nbtrack.analysis.comparing.columns import marks_of

    found = [run.metrics.get(name) for run in runs]
    goals = {metric.goal for metric in found if metric is not None}
    values = [None if metric is None else metric.best for metric in found]
    best = marks_of(values, goals.pop() if len(goals) == 1 else None).best
    return [
        Cell(value, style="bold green" if at in best else "")
        for at, value in enumerate(values)
    ]


def _say_section(section: Section) -> None:
    say("")
    say(section.title, style="bold")
    for row in section.rows[:ROWS_SHOWN]:
        say("  " + "  ".join(part for part in row if part))
    if len(section.rows) > ROWS_SHOWN:
        say(f"  … and {len(section.rows) - ROWS_SHOWN} more")
    for title, text in section.texts:
        n_lines = len(text.splitlines())
        say(f"  {title} ({n_lines:,} line{'s'[: n_lines != 1]})")


def _most_common(runs: Sequence[RunRecord]) -> list[str]:
    counted = Counter(name for run in runs for name in run.metrics)
    return [name for name, _ in counted.most_common(METRICS_SHOWN)]


def _facts(run: RunRecord) -> dict[str, Any]:
    """A run as JSON."""
    fields = (
        "id", "name", "experiment", "status", "started_at", "ended_at", "duration_s",
        "group", "parent", "notes", "grade", "error", "reason", "trashed_at",
    )  # fmt: skip
    return {
        **{field: getattr(run, field) for field in fields},
        "tags": dict(run.tags),
        "params": {name: param.value for name, param in run.params.items()},
        "metrics": {
            name: {"last": m.last, "best": m.best, "best_step": m.best_step,
                   "min": m.min, "max": m.max, "n": m.n, "goal": m.goal}
            for name, m in run.metrics.items()
        },
        "alerts": [
            {"at": a.at, "step": a.step, "kind": a.kind, "level": a.level,
             "title": a.title, "text": a.text, "metric": a.metric, "rule": a.rule}
            for a in run.alerts
        ],
    }  # fmt: skip


def _more_facts(known: Any) -> dict[str, Any]:
    return {
        "facts": {name: fact.value for name, fact in known.facts.items()},
        "inputs": [
            {"name": i.name, "type": i.type, "digest": i.digest, "n_rows": i.n_rows}
            for i in known.inputs
        ],
        "artifacts": [
            {"ref": f"{use.name}:v{use.version}", "role": use.role, "type": use.type,
             "step": use.step}
            for use in known.uses
        ],
        "notices": list(known.notices),
    }  # fmt: skip
